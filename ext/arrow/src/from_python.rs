//! Plain Python data as tables: a dict of columns, or a list of dicts.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, NullArray};
use arrow_schema::Field;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyMapping, PySequence, PyString, PyTuple};
use pyo3_arrow::input::AnyArray;

use crate::cells::Cells;
use crate::chunks::Column;
use crate::errors::{edge_error, Problem, LISTED};
use crate::numpy_column;
use crate::table::Table;

/// Refused rows and columns: all are counted, the first are kept.
#[derive(Default)]
pub struct Problems {
    listed: Vec<Problem>,
    total: u64,
}

impl Problems {
    pub fn add(&mut self, row: Option<usize>, column: &str, value: Option<String>, reason: String) {
        self.total += 1;
        if self.listed.len() < LISTED {
            // The caller knows which table this becomes, and puts its name in.
            let table = String::new();
            let row = row.map(|r| r as u64);
            self.listed.push(Problem {
                table,
                row,
                column: Some(column.to_owned()),
                value,
                reason,
            });
        }
    }

    fn check(&self) -> PyResult<()> {
        if self.total == 0 {
            return Ok(());
        }
        Err(edge_error(&self.listed, self.total))
    }
}

/// Why this whole input is refused.
fn refused(column: Option<String>, row: Option<usize>, reason: String) -> PyErr {
    let row = row.map(|r| r as u64);
    edge_error(
        &[Problem {
            table: String::new(),
            row,
            column,
            value: None,
            reason,
        }],
        1,
    )
}

/// See `_edge.pyi`.
#[pyfunction]
pub fn from_python(data: &Bound<'_, PyAny>) -> PyResult<Table> {
    let mut problems = Problems::default();
    let columns = if let Ok(columns) = data.cast::<PyMapping>() {
        from_columns(columns, &mut problems)?
    } else if is_text(data) || !is_sequence(data) {
        let kind = type_name(data);
        return Err(refused(
            None,
            None,
            format!("{kind} is no table: a dict of columns or a list of dicts is wanted"),
        ));
    } else {
        from_rows(data, &mut problems)?
    };
    problems.check()?;
    Table::from_columns(columns).map_err(|reason| refused(None, None, reason))
}

fn is_text(data: &Bound<'_, PyAny>) -> bool {
    data.is_instance_of::<PyString>()
        || data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyByteArray>()
}

fn is_sequence(data: &Bound<'_, PyAny>) -> bool {
    data.is_instance_of::<PyList>()
        || data.is_instance_of::<PyTuple>()
        || data.cast::<PySequence>().is_ok()
}

/// The name of a value's type, for people.
pub fn type_name(value: &Bound<'_, PyAny>) -> String {
    value
        .get_type()
        .name()
        .map(|n| n.to_string())
        .unwrap_or_else(|_| String::from("object"))
}

fn from_columns(data: &Bound<'_, PyMapping>, problems: &mut Problems) -> PyResult<Vec<Column>> {
    let mut columns = Vec::new();
    for item in data.items()?.iter() {
        let (name, values): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let name = column_name(&name, None)?;
        let chunks = column(&name, &values, problems)?;
        columns.push(named(name, chunks));
    }
    Ok(columns)
}

fn column_name(name: &Bound<'_, PyAny>, row: Option<usize>) -> PyResult<String> {
    let Ok(text) = name.cast::<PyString>() else {
        let reason = format!("a column name must be text, not {}", type_name(name));
        return Err(refused(None, row, reason));
    };
    text.to_str().map(str::to_owned).map_err(|_| {
        let reason = String::from("a column name is text with a lone surrogate");
        refused(None, row, reason)
    })
}

fn named(name: String, chunks: Vec<ArrayRef>) -> Column {
    let kind = chunks
        .first()
        .map_or(arrow_schema::DataType::Null, |c| c.data_type().clone());
    Column {
        field: Arc::new(Field::new(name, kind, true)),
        chunks,
    }
}

/// One column: Arrow where the object speaks it (nulls stay nulls, integers exact), then numpy, then any sequence.
fn column(
    name: &str,
    values: &Bound<'_, PyAny>,
    problems: &mut Problems,
) -> PyResult<Vec<ArrayRef>> {
    if !is_plain(values) {
        if let Some(chunks) = arrow_chunks(values)? {
            return Ok(chunks);
        }
        if let Some(array) = numpy_column::as_array(values)? {
            return Ok(vec![numpy_column::column(name, &array, problems)?]);
        }
        if is_text(values) || !is_sequence(values) {
            let kind = type_name(values);
            problems.add(
                None,
                name,
                None,
                format!("{kind} is no column: a list or a numpy array is wanted"),
            );
            return Ok(vec![Arc::new(NullArray::new(0))]);
        }
    }
    let mut cells = Cells::new(values.len().unwrap_or(0));
    for value in values.try_iter()? {
        cells.push(name, &value?, problems)?;
    }
    Ok(vec![cells.finish(name, problems)])
}

fn is_plain(values: &Bound<'_, PyAny>) -> bool {
    values.is_instance_of::<PyList>() || values.is_instance_of::<PyTuple>()
}

/// The chunks of an object with an Arrow array or stream interface; None where it has none or cannot use it (pandas
/// without pyarrow).
fn arrow_chunks(values: &Bound<'_, PyAny>) -> PyResult<Option<Vec<ArrayRef>>> {
    if !values.hasattr("__arrow_c_stream__")? && !values.hasattr("__arrow_c_array__")? {
        return Ok(None);
    }
    let chunked = values
        .extract::<AnyArray>()
        .and_then(|a| a.into_chunked_array().map_err(PyErr::from));
    let Ok(chunked) = chunked else {
        return Ok(None);
    };
    let (mut chunks, field) = chunked.into_inner();
    if chunks.is_empty() {
        chunks.push(arrow_array::new_empty_array(field.data_type()));
    }
    Ok(Some(chunks))
}

/// Rows as dicts: columns in order of first sight, a missing key is null.
fn from_rows(data: &Bound<'_, PyAny>, problems: &mut Problems) -> PyResult<Vec<Column>> {
    let mut rows = Rows {
        names: Vec::new(),
        columns: Vec::new(),
        places: HashMap::new(),
        last: Vec::new(),
        none: data.py().None().into_bound(data.py()),
        expected: data.len()?,
    };
    let mut count = 0;
    for (row, item) in data.try_iter()?.enumerate() {
        let item = item?;
        if let Ok(dict) = item.cast::<PyDict>() {
            for (position, (key, value)) in dict.iter().enumerate() {
                rows.take(row, position, key, &value, problems)?;
            }
        } else if let Ok(mapping) = item.cast::<PyMapping>() {
            for (position, pair) in mapping.items()?.iter().enumerate() {
                let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
                rows.take(row, position, key, &value, problems)?;
            }
        } else {
            let reason = format!("a row must be a dict, not {}", type_name(&item));
            return Err(refused(None, Some(row), reason));
        }
        count = row + 1;
    }
    rows.finish(count, problems)
}

/// Columns that grow row by row.
struct Rows<'py> {
    names: Vec<String>,
    columns: Vec<Cells<'py>>,
    places: HashMap<String, usize>,
    /// The key objects of the row before and their columns: rows mostly have the same ones in the same order, and
    /// those are found without looking at their text.
    last: Vec<(Bound<'py, PyAny>, usize)>,
    none: Bound<'py, PyAny>,
    expected: usize,
}

impl<'py> Rows<'py> {
    fn take(
        &mut self,
        row: usize,
        position: usize,
        key: Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
        problems: &mut Problems,
    ) -> PyResult<()> {
        let known = self
            .last
            .get(position)
            .filter(|(k, _)| k.is(&key))
            .map(|&(_, place)| place);
        let place = match known {
            Some(place) => place,
            None => {
                let place = self.place(column_name(&key, Some(row))?);
                self.last.truncate(position);
                self.last.push((key, place));
                place
            }
        };
        self.fill(place, row, problems)?;
        self.columns[place].push(&self.names[place], value, problems)
    }

    fn place(&mut self, name: String) -> usize {
        if let Some(&place) = self.places.get(&name) {
            return place;
        }
        let place = self.names.len();
        self.names.push(name.clone());
        self.columns.push(Cells::new(self.expected));
        self.places.insert(name, place);
        place
    }

    /// Nulls for the rows that had no such key.
    fn fill(&mut self, place: usize, rows: usize, problems: &mut Problems) -> PyResult<()> {
        while self.columns[place].len() < rows {
            self.columns[place].push(&self.names[place], &self.none, problems)?;
        }
        Ok(())
    }

    fn finish(mut self, rows: usize, problems: &mut Problems) -> PyResult<Vec<Column>> {
        for place in 0..self.columns.len() {
            self.fill(place, rows, problems)?;
        }
        let made = self
            .names
            .into_iter()
            .zip(self.columns)
            .map(|(name, cells)| {
                let array = cells.finish(&name, problems);
                named(name, vec![array])
            });
        Ok(made.collect())
    }
}
