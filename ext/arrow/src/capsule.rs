//! Streams and schemas as Arrow PyCapsules.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, Field, Schema};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{to_schema_pycapsule, to_stream_pycapsule, ArrayIterator};

/// Hand a reader over as an Arrow C stream.
pub fn stream_capsule<'py>(
    py: Python<'py>,
    reader: Box<dyn RecordBatchReader + Send>,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = reader.schema();
    let field = Field::new_struct("", schema.fields().clone(), false)
        .with_metadata(schema.metadata().clone());
    let arrays = reader.map(|batch| match batch {
        Ok(batch) => Ok(Arc::new(StructArray::from(batch)) as ArrayRef),
        // The C interface carries the text as a C string, and the exporter panics on a NUL in it.
        Err(error) => Err(ArrowError::ExternalError(
            error.to_string().replace('\0', "\\0").into(),
        )),
    });
    Ok(to_stream_pycapsule(
        py,
        Box::new(ArrayIterator::new(arrays, Arc::new(field))),
        requested_schema,
    )?)
}

/// Hand a schema over as an Arrow C schema.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    Ok(to_schema_pycapsule(py, schema)?)
}
