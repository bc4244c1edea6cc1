//! Tables handed to Python: record batches that can be read any number of times.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use pyo3::prelude::*;

/// An immutable table of Arrow record batches (see `_edge.pyi`).
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct Table {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}
