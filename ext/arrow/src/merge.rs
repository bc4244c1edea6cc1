//! Sorted parts of one table put together into one file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, FieldRef, Schema, SchemaRef};
use arrow_select::interleave::interleave_record_batch;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::refused::{os_error, Refused};
use crate::text_columns::ROWS;
use crate::write::{write_to, Fault};

/// Rows of a part held at once.
const HELD: usize = 8192;

/// What rows are sorted by: integers by value, text by code point.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Integer(i64),
    Text(String),
}

/// The column rows are sorted by, of one batch.
fn key_of(batch: &RecordBatch, column: usize, row: usize) -> Result<Key, ArrowError> {
    let column = batch.column(column);
    match column.data_type() {
        _ if column.is_null(row) => Err(ArrowError::InvalidArgumentError(String::from(
            "a row to be merged has no key",
        ))),
        DataType::Int64 => Ok(Key::Integer(column.as_primitive::<Int64Type>().value(row))),
        DataType::Utf8 => Ok(Key::Text(column.as_string::<i32>().value(row).to_owned())),
        DataType::LargeUtf8 => Ok(Key::Text(column.as_string::<i64>().value(row).to_owned())),
        other => Err(ArrowError::InvalidArgumentError(format!(
            "rows cannot be merged by a column of {other}"
        ))),
    }
}

/// A part and how far it has been taken.
struct Cursor {
    batches: ParquetRecordBatchReader,
    /// Place of its batch among those held.
    batch: usize,
    row: usize,
}

/// The rows of all parts in the order of the key; rows of one key as they follow each other in their part.
struct Merged {
    schema: SchemaRef,
    /// Columns given out.
    shown: Vec<usize>,
    shown_schema: SchemaRef,
    key: usize,
    cursors: Vec<Cursor>,
    held: Vec<RecordBatch>,
    next: BinaryHeap<Reverse<(Key, usize)>>,
}

type Builder = ParquetRecordBatchReaderBuilder<File>;

/// Whether a column of a part has no value: then its type says nothing, as of ids of which there are none.
fn is_blank(part: &Builder, column: usize) -> bool {
    let leaves = part.parquet_schema();
    let mut own = (0..leaves.num_columns()).filter(|&i| leaves.get_column_root_idx(i) == column);
    let (Some(leaf), None) = (own.next(), own.next()) else {
        return false;
    };
    part.metadata().row_groups().iter().all(|group| {
        let nulls = group
            .column(leaf)
            .statistics()
            .and_then(|s| s.null_count_opt());
        nulls.is_some_and(|nulls| nulls as i64 == group.num_rows())
    })
}

/// The columns of all parts: of each the type that it has where it has values.
fn common(paths: &[String], parts: &[Builder]) -> PyResult<SchemaRef> {
    let Some(first) = parts.first() else {
        return Err(PyValueError::new_err("there are no parts to merge"));
    };
    let mut fields: Vec<FieldRef> = first.schema().fields().iter().cloned().collect();
    let mut blank: Vec<bool> = (0..fields.len()).map(|i| is_blank(first, i)).collect();
    for (path, part) in paths.iter().zip(parts) {
        let found = part.schema().fields();
        let named = found.iter().map(|f| f.name());
        let mut same = named.eq(fields.iter().map(|f| f.name()));
        for (column, field) in found.iter().enumerate().take(fields.len()) {
            let here = is_blank(part, column);
            if field.data_type() == fields[column].data_type() {
                blank[column] &= here;
            } else if !here {
                same &= blank[column];
                (fields[column], blank[column]) = (field.clone(), false);
            } else if blank[column] && field.data_type().is_integer() {
                // Of ids without a value text says that there are none at all, integers that they are in other rows.
                fields[column] = field.clone();
            }
        }
        if !same {
            return Err(PyValueError::new_err(format!(
                "{path}: its columns are not those of {}",
                paths[0]
            )));
        }
    }
    let metadata = first.schema().metadata().clone();
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

fn as_common(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref().fields() == schema.fields() {
        return Ok(batch);
    }
    let pairs = batch.columns().iter().zip(schema.fields());
    let columns = pairs.map(|(column, field)| cast(column, field.data_type()));
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
}

impl Merged {
    fn open(paths: &[String], key: &str, hidden: bool) -> PyResult<Merged> {
        let mut parts = Vec::new();
        for path in paths {
            let file = File::open(path).map_err(|error| os_error(path, &error))?;
            let opened = Builder::try_new(file);
            parts.push(opened.map_err(|error| Refused::from(error).raised(path))?);
        }
        let schema = common(paths, &parts)?;
        let mut cursors = Vec::new();
        for (path, part) in paths.iter().zip(parts) {
            let opened = part.with_batch_size(HELD).build();
            cursors.push(Cursor {
                batches: opened.map_err(|error| Refused::from(error).raised(path))?,
                batch: 0,
                row: 0,
            });
        }
        let value_error = |error: ArrowError| PyValueError::new_err(error.to_string());
        let key = schema.index_of(key).map_err(value_error)?;
        let shown: Vec<usize> = (0..schema.fields().len())
            .filter(|&column| !hidden || column != key)
            .collect();
        let mut merged = Merged {
            shown_schema: schema.project(&shown).map_err(value_error)?.into(),
            schema,
            shown,
            key,
            cursors,
            held: Vec::new(),
            next: BinaryHeap::new(),
        };
        for part in 0..merged.cursors.len() {
            merged.turn(part).map_err(value_error)?;
        }
        Ok(merged)
    }

    /// Take the next batch of a part, if there is one.
    fn turn(&mut self, part: usize) -> Result<(), ArrowError> {
        let cursor = &mut self.cursors[part];
        for batch in cursor.batches.by_ref() {
            let batch = as_common(batch?, &self.schema)?;
            if batch.num_rows() > 0 {
                (cursor.batch, cursor.row) = (self.held.len(), 0);
                self.next
                    .push(Reverse((key_of(&batch, self.key, 0)?, part)));
                self.held.push(batch);
                break;
            }
        }
        Ok(())
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let mut taken: Vec<(usize, usize)> = Vec::with_capacity(ROWS);
        while taken.len() < ROWS {
            let Some(Reverse((_, part))) = self.next.pop() else {
                break;
            };
            let cursor = &mut self.cursors[part];
            taken.push((cursor.batch, cursor.row));
            cursor.row += 1;
            let batch = &self.held[cursor.batch];
            if cursor.row < batch.num_rows() {
                let key = key_of(batch, self.key, cursor.row)?;
                self.next.push(Reverse((key, part)));
            } else {
                self.turn(part)?;
            }
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.held.iter().collect();
        let rows = interleave_record_batch(&batches, &taken)?;
        self.forget();
        rows.project(&self.shown).map(Some)
    }

    /// Let go of batches whose rows are all taken.
    fn forget(&mut self) {
        let mut kept = Vec::new();
        for Reverse((_, part)) in &self.next {
            let cursor = &mut self.cursors[*part];
            kept.push(self.held[cursor.batch].clone());
            cursor.batch = kept.len() - 1;
        }
        self.held = kept;
    }
}

impl Iterator for Merged {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

impl RecordBatchReader for Merged {
    fn schema(&self) -> SchemaRef {
        self.shown_schema.clone()
    }
}

/// See `_edge.pyi`.
#[pyfunction]
#[pyo3(signature = (paths, key, path, format, hidden = false))]
pub fn merge_parts(
    py: Python<'_>,
    paths: Vec<String>,
    key: String,
    path: String,
    format: String,
    hidden: bool,
) -> PyResult<u64> {
    let written = py.detach(|| {
        let merged = Merged::open(&paths, &key, hidden)?;
        write_to(Box::new(merged), &path, &format).map_err(|fault| match fault {
            Fault::Io(error) => os_error(&path, &error),
            Fault::Data(reason) => PyValueError::new_err(format!("{path}: {reason}")),
        })
    })?;
    Ok(written)
}
