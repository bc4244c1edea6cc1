//! Tables handed to Python: record batches that can be read any number of times.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchOptions, UInt64Array,
};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use arrow_select::{interleave::interleave, take::take};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::{PyIndexError, PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyString};
use pyo3_arrow::input::AnyRecordBatch;

use crate::capsule::{schema_capsule, stream_capsule};
use crate::chunks::{assemble, columns_of, Column};
use crate::{build, values};

/// Rows of one batch that `take` makes: text of one batch then stays well below the 2 GiB of 32-bit offsets.
const TAKEN_ROWS: usize = 1 << 20;

/// An immutable table of Arrow record batches (see `_edge.pyi`).
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct Table {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

/// A fault of Arrow as Python's ValueError.
pub fn value_error(reason: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(reason.to_string())
}

/// Validate a batch from elsewhere: the C data interface hands over memory that nobody has looked at (spec 11).
pub fn check(batch: &RecordBatch) -> Result<(), ArrowError> {
    batch
        .columns()
        .iter()
        .try_for_each(|column| column.to_data().validate_full())
}

impl Table {
    pub fn from_columns(columns: Vec<Column>) -> Result<Table, String> {
        let (schema, batches) = assemble(columns)?;
        Ok(Table { schema, batches })
    }

    pub fn columns(&self) -> Vec<Column> {
        columns_of(&self.schema, &self.batches)
    }

    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn index_of(&self, name: &str) -> PyResult<usize> {
        let found = self.schema.fields().iter().position(|f| f.name() == name);
        found.ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    /// The batch and the row in it of each row asked for.
    fn take_rows(&self, rows: &[i64]) -> Result<Vec<RecordBatch>, String> {
        let mut ends = Vec::with_capacity(self.batches.len());
        let mut end = 0;
        for batch in &self.batches {
            end += batch.num_rows();
            ends.push(end);
        }
        let mut taken = Vec::new();
        for block in rows.chunks(TAKEN_ROWS) {
            let options = RecordBatchOptions::new().with_row_count(Some(block.len()));
            let columns: Result<Vec<ArrayRef>, _> = if let [only] = self.batches.as_slice() {
                let indices = UInt64Array::from_iter_values(block.iter().map(|&r| r as u64));
                only.columns()
                    .iter()
                    .map(|c| take(c.as_ref(), &indices, None))
                    .collect()
            } else {
                let places: Vec<(usize, usize)> = block
                    .iter()
                    .map(|&row| {
                        let batch = ends.partition_point(|&end| end <= row as usize);
                        let start = if batch == 0 { 0 } else { ends[batch - 1] };
                        (batch, row as usize - start)
                    })
                    .collect();
                (0..self.schema.fields().len())
                    .map(|i| {
                        let chunks: Vec<&dyn Array> =
                            self.batches.iter().map(|b| b.column(i).as_ref()).collect();
                        interleave(&chunks, &places)
                    })
                    .collect()
            };
            let batch = columns
                .and_then(|columns| {
                    RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
                })
                .map_err(|e| e.to_string())?;
            taken.push(batch);
        }
        Ok(taken)
    }
}

#[pymethods]
impl Table {
    #[staticmethod]
    fn build(columns: &Bound<'_, PyAny>) -> PyResult<Table> {
        build::build(columns)
    }

    #[staticmethod]
    #[pyo3(signature = (stream, limit=None))]
    fn collect(py: Python<'_>, stream: AnyRecordBatch, limit: Option<usize>) -> PyResult<Table> {
        let reader = stream.into_reader()?;
        // Without the GIL: the stream may come from Python code in another thread.
        py.detach(move || {
            let schema = reader.schema();
            let (mut batches, mut left) = (Vec::new(), limit.unwrap_or(usize::MAX));
            for batch in reader {
                let batch = batch.map_err(value_error)?;
                check(&batch).map_err(value_error)?;
                batches.push(batch.slice(0, batch.num_rows().min(left)));
                left -= batch.num_rows().min(left);
                if left == 0 {
                    break;
                }
            }
            Ok(Table { schema, batches })
        })
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batches = self.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, self.schema.clone());
        stream_capsule(py, Box::new(reader), requested_schema)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    fn __len__(&self) -> usize {
        self.rows()
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect()
    }

    fn take(&self, py: Python<'_>, rows: PyReadonlyArray1<'_, i64>) -> PyResult<Table> {
        let rows: Vec<i64> = rows.as_array().iter().copied().collect();
        let count = self.rows();
        if let Some(&row) = rows.iter().find(|&&row| row < 0 || row as usize >= count) {
            return Err(PyIndexError::new_err(format!(
                "row {row} of a table of {count}"
            )));
        }
        let batches = py.detach(|| self.take_rows(&rows)).map_err(value_error)?;
        Ok(Table {
            schema: self.schema.clone(),
            batches,
        })
    }

    fn select(&self, names: Vec<String>) -> PyResult<Table> {
        let indices = names
            .iter()
            .map(|name| self.index_of(name))
            .collect::<PyResult<Vec<_>>>()?;
        let schema = self.schema.project(&indices).map_err(value_error)?;
        let batches = self
            .batches
            .iter()
            .map(|b| b.project(&indices).map_err(value_error));
        Ok(Table {
            schema: Arc::new(schema),
            batches: batches.collect::<PyResult<_>>()?,
        })
    }

    fn with_columns(&self, other: &Table) -> PyResult<Table> {
        let mut columns = self.columns();
        for column in other.columns() {
            if columns
                .iter()
                .any(|c| c.field.name() == column.field.name())
            {
                return Err(value_error(format!(
                    "there are two columns called {}",
                    column.field.name()
                )));
            }
            columns.push(column);
        }
        let mut table = Table::from_columns(columns).map_err(value_error)?;
        let schema = Schema::clone(&table.schema).with_metadata(self.schema.metadata().clone());
        table.schema = Arc::new(schema);
        let batches = table
            .batches
            .into_iter()
            .map(|b| b.with_schema(table.schema.clone()).map_err(value_error));
        table.batches = batches.collect::<PyResult<_>>()?;
        Ok(table)
    }

    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let index = self.index_of(name)?;
        let chunks: Vec<ArrayRef> = self
            .batches
            .iter()
            .map(|b| b.column(index).clone())
            .collect();
        values::column(py, self.schema.field(index).data_type(), &chunks)
    }

    fn row<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyDict>> {
        let rows = self.rows();
        let wanted = if index < 0 {
            index.checked_add_unsigned(rows)
        } else {
            Some(index)
        };
        let mut left = match wanted {
            Some(row) if row >= 0 && (row as usize) < rows => row as usize,
            _ => {
                return Err(PyIndexError::new_err(format!(
                    "row {index} of a table of {rows}"
                )))
            }
        };
        let row = PyDict::new(py);
        for batch in &self.batches {
            if left >= batch.num_rows() {
                left -= batch.num_rows();
                continue;
            }
            for (field, column) in self.schema.fields().iter().zip(batch.columns()) {
                let value = values::list(py, column.slice(left, 1).as_ref())?.swap_remove(0);
                row.set_item(field.name(), value)?;
            }
            break;
        }
        Ok(row)
    }

    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let names: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|f| PyString::new(py, f.name()))
            .collect();
        let rows = PyList::empty(py);
        for batch in &self.batches {
            let columns = batch.columns().iter().map(|c| values::list(py, c.as_ref()));
            let columns = columns.collect::<PyResult<Vec<_>>>()?;
            for index in 0..batch.num_rows() {
                let row = PyDict::new(py);
                for (name, column) in names.iter().zip(&columns) {
                    row.set_item(name, &column[index])?;
                }
                rows.append(row)?;
            }
        }
        Ok(rows)
    }
}
