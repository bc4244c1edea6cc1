//! A part of a table that was split: its rows as a stream, any number of times.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::{ArrowError, Field, Schema};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::blocks::Source;
use crate::capsule::stream_capsule;
use crate::read_parquet::ParquetBatches;
use crate::refused::{os_error, Refused};
use crate::schema::TYPED;

/// See `_edge.pyi`.
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct PartReader {
    path: String,
    fields: Vec<(String, String)>,
    typed: HashMap<String, String>,
}

#[pymethods]
impl PartReader {
    #[new]
    fn new(path: String, fields: HashMap<String, String>, typed: HashMap<String, String>) -> Self {
        Self {
            path,
            fields: fields.into_iter().collect(),
            typed,
        }
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let source = Source::open(&self.path).map_err(|error| os_error(&self.path, &error))?;
        let batches = ParquetBatches::open(source, &self.fields, None)
            .map_err(|error| Refused::from(error).raised(&self.path))?;
        let told = |field: &Arc<Field>| match self.typed.get(field.name()) {
            Some(kind) => {
                let told = HashMap::from([(TYPED.to_owned(), kind.clone())]);
                Arc::new(field.as_ref().clone().with_metadata(told))
            }
            None => field.clone(),
        };
        let found = &batches.schema;
        let fields: Vec<Arc<Field>> = found.fields().iter().map(told).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, found.metadata().clone()));
        let known = schema.clone();
        let batches = batches.map(move |batch| -> Result<RecordBatch, ArrowError> {
            batch.and_then(|batch| batch.with_schema(known.clone()))
        });
        stream_capsule(
            py,
            Box::new(RecordBatchIterator::new(batches, schema)),
            requested_schema,
        )
    }
}
