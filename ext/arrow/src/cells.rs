//! Python values of one column: what type they are together, and that column.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, NullArray};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::build::text_array;
use crate::calendar::{DAY, SECOND};
use crate::errors::show;
use crate::from_python::{type_name, Problems};
use crate::numpy_column;

/// One value, read.
enum Cell<'py> {
    Null,
    /// A float NaN: null beside text, booleans and instants, a number beside numbers (spec 2.7).
    Nan,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits that a float64 holds exactly.
    Large(f64),
    Float(f64),
    Decimal(f64),
    Text(Bound<'py, PyString>),
    Instant(i64),
}

/// What a column can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Number,
    Text,
    Instant,
}

impl Cell<'_> {
    fn kind(&self) -> Option<Kind> {
        match self {
            Cell::Null | Cell::Nan => None,
            Cell::Bool(_) => Some(Kind::Bool),
            Cell::Int(_) | Cell::Large(_) | Cell::Float(_) | Cell::Decimal(_) => Some(Kind::Number),
            Cell::Text(_) => Some(Kind::Text),
            Cell::Instant(_) => Some(Kind::Instant),
        }
    }

    fn python_name(&self) -> &'static str {
        match self {
            Cell::Null => "None",
            Cell::Nan | Cell::Float(_) => "float",
            Cell::Bool(_) => "bool",
            Cell::Int(_) | Cell::Large(_) => "int",
            Cell::Decimal(_) => "Decimal",
            Cell::Text(_) => "str",
            Cell::Instant(_) => "datetime",
        }
    }
}

/// The values of one column, collected in order.
pub struct Cells<'py> {
    cells: Vec<Cell<'py>>,
    first: Option<(usize, Kind)>,
    mixed: bool,
    bytes: usize,
}

impl<'py> Cells<'py> {
    pub fn new(rows: usize) -> Self {
        // A capacity is a hint: an object may say any length.
        Cells {
            cells: Vec::with_capacity(rows.min(1 << 20)),
            first: None,
            mixed: false,
            bytes: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Add the next row; what cannot be read is a problem and stands as null.
    pub fn push(
        &mut self,
        name: &str,
        value: &Bound<'py, PyAny>,
        problems: &mut Problems,
    ) -> PyResult<()> {
        let row = self.cells.len();
        let cell = match read(value)? {
            Ok(cell) => cell,
            Err(reason) => {
                let shown = value.str().ok().and_then(|s| s.to_str().map(show).ok());
                problems.add(Some(row), name, shown, reason);
                Cell::Null
            }
        };
        if let Cell::Text(text) = &cell {
            self.bytes += text.to_str()?.len();
        }
        if let Some(kind) = cell.kind() {
            match self.first {
                None => self.first = Some((row, kind)),
                Some((_, first)) if first == kind => {}
                Some((earlier, _)) if !self.mixed => {
                    self.mixed = true;
                    let before = self.cells[earlier].python_name();
                    let shown = value.str().ok().and_then(|s| s.to_str().map(show).ok());
                    let now = cell.python_name();
                    let reason = format!("is {now}, but row {earlier} of this column is {before}");
                    problems.add(Some(row), name, shown, reason);
                }
                Some(_) => {}
            }
        }
        self.cells.push(cell);
        Ok(())
    }

    /// The column. Of a mixed one only its problem counts, so it becomes nulls.
    pub fn finish(self, name: &str, problems: &mut Problems) -> ArrayRef {
        let rows = self.cells.len();
        match self.first {
            _ if self.mixed => Arc::new(NullArray::new(rows)),
            None => Arc::new(NullArray::new(rows)),
            Some((_, Kind::Bool)) => {
                let mut builder = BooleanBuilder::with_capacity(rows);
                for cell in &self.cells {
                    builder.append_option(if let Cell::Bool(v) = cell {
                        Some(*v)
                    } else {
                        None
                    });
                }
                Arc::new(builder.finish())
            }
            Some((_, Kind::Instant)) => {
                let mut builder =
                    TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC");
                for cell in &self.cells {
                    builder.append_option(if let Cell::Instant(v) = cell {
                        Some(*v)
                    } else {
                        None
                    });
                }
                Arc::new(builder.finish())
            }
            Some((_, Kind::Text)) => {
                let text = |cell| {
                    if let Cell::Text(v) = cell {
                        Some(v)
                    } else {
                        None
                    }
                };
                let held: Vec<_> = self.cells.into_iter().map(text).collect();
                text_array(&held, self.bytes)
            }
            Some((_, Kind::Number)) => self.numbers(name, problems),
        }
    }

    /// Integers stay integers; beside floats or Decimals they must convert exactly (spec 2.7).
    fn numbers(self, name: &str, problems: &mut Problems) -> ArrayRef {
        let float = |c: &Cell<'_>| {
            matches!(
                c,
                Cell::Nan | Cell::Float(_) | Cell::Decimal(_) | Cell::Large(_)
            )
        };
        if !self.cells.iter().any(float) {
            let mut builder = Int64Builder::with_capacity(self.cells.len());
            for cell in &self.cells {
                builder.append_option(if let Cell::Int(v) = cell {
                    Some(*v)
                } else {
                    None
                });
            }
            return Arc::new(builder.finish());
        }
        let mut builder = Float64Builder::with_capacity(self.cells.len());
        for (row, cell) in self.cells.iter().enumerate() {
            match cell {
                Cell::Float(v) | Cell::Decimal(v) | Cell::Large(v) => builder.append_value(*v),
                Cell::Nan => builder.append_value(f64::NAN),
                Cell::Int(v) if (*v as f64) as i128 == i128::from(*v) => {
                    builder.append_value(*v as f64)
                }
                Cell::Int(v) => {
                    let reason =
                        String::from("is an integer among floats, and no float64 holds it exactly");
                    problems.add(Some(row), name, Some(v.to_string()), reason);
                    builder.append_null();
                }
                _ => builder.append_null(),
            }
        }
        Arc::new(builder.finish())
    }
}

/// Types that are looked up once.
struct Types {
    date: Py<PyAny>,
    datetime: Py<PyAny>,
    decimal: Py<PyAny>,
    generic: Py<PyAny>,
    epoch: Py<PyAny>,
    naive_epoch: Py<PyAny>,
}

fn types(py: Python<'_>) -> PyResult<&'static Types> {
    static TYPES: PyOnceLock<Types> = PyOnceLock::new();
    TYPES.get_or_try_init(py, || {
        let datetime = py.import("datetime")?;
        let class = datetime.getattr("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        let naive_epoch = class.call1((1970, 1, 1))?;
        let epoch = class.call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
        Ok(Types {
            date: datetime.getattr("date")?.unbind(),
            datetime: class.unbind(),
            decimal: py.import("decimal")?.getattr("Decimal")?.unbind(),
            generic: py.import("numpy")?.getattr("generic")?.unbind(),
            epoch: epoch.unbind(),
            naive_epoch: naive_epoch.unbind(),
        })
    })
}

/// One value; the inner error is why it is refused.
fn read<'py>(value: &Bound<'py, PyAny>) -> PyResult<Result<Cell<'py>, String>> {
    if value.is_none() {
        return Ok(Ok(Cell::Null));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(match text.to_str() {
            Ok(_) => Ok(Cell::Text(text.clone())),
            Err(_) => Err(String::from(
                "text holds half of a surrogate pair, which is no character",
            )),
        });
    }
    // Before integers: True is one in Python.
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Ok(Cell::Bool(flag.is_true())));
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        let float = float.value();
        return Ok(Ok(if float.is_nan() {
            Cell::Nan
        } else {
            Cell::Float(float)
        }));
    }
    if value.is_instance_of::<PyInt>() {
        if let Ok(fits) = value.extract::<i64>() {
            return Ok(Ok(Cell::Int(fits)));
        }
        // Python compares an integer with a float exactly.
        let float = value.extract::<f64>().ok();
        let float = float.filter(|float| value.eq(*float).unwrap_or(false));
        return Ok(float.map(Cell::Large).ok_or_else(|| {
            String::from("the integer does not fit 64 bits, and no float64 holds it exactly")
        }));
    }
    // pandas: NaT is a datetime without a date, NA compares to nothing.
    if matches!(type_name(value).as_str(), "NAType" | "NaTType") {
        return Ok(Ok(Cell::Null));
    }
    let py = value.py();
    let types = types(py)?;
    if value.is_instance(types.datetime.bind(py))? {
        return instant(value, types);
    }
    if value.is_instance(types.date.bind(py))? {
        let days: i64 = value.call_method0("toordinal")?.extract()?;
        return Ok(Ok(Cell::Instant((days - 719_163) * DAY)));
    }
    if value.is_instance(types.decimal.bind(py))? {
        // A signalling NaN refuses to become a float.
        let number = value
            .call_method0("__float__")
            .and_then(|f| f.extract::<f64>())
            .unwrap_or(f64::NAN);
        return Ok(Ok(if number.is_nan() {
            Cell::Nan
        } else {
            Cell::Decimal(number)
        }));
    }
    if value.is_instance(types.generic.bind(py))? {
        if let Some(instant) = numpy_column::scalar_instant(value)? {
            return Ok(instant.map(|micros| micros.map_or(Cell::Null, Cell::Instant)));
        }
        let plain = value.call_method0("item")?;
        if !plain.is_instance(types.generic.bind(py))? {
            return read(&plain);
        }
    }
    Ok(Err(format!(
        "a value of type {} has no column type",
        type_name(value)
    )))
}

/// Microseconds of a datetime: by subtraction, which knows zones, folds and subclasses.
fn instant<'py>(value: &Bound<'py, PyAny>, types: &Types) -> PyResult<Result<Cell<'py>, String>> {
    let py = value.py();
    let since = if value.getattr("tzinfo")?.is_none() {
        value.sub(types.naive_epoch.bind(py))
    } else {
        match value.sub(types.epoch.bind(py)) {
            // A zone that knows no offset makes no aware datetime (Python's own rule).
            Err(_) => {
                let zone = PyDict::new(py);
                zone.set_item("tzinfo", py.None())?;
                let naive = value.call_method("replace", (), Some(&zone));
                naive.and_then(|v| v.sub(types.naive_epoch.bind(py)))
            }
            since => since,
        }
    };
    let Ok(since) = since else {
        return Ok(Err(String::from("the datetime has no instant")));
    };
    let part = |name: &str| since.getattr(name)?.extract::<i64>();
    let (days, seconds, micros) = (part("days")?, part("seconds")?, part("microseconds")?);
    Ok(Ok(Cell::Instant(days * DAY + seconds * SECOND + micros)))
}
