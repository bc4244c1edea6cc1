//! A part of a table that was split: its rows as a stream, any number of times.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_schema::{Field, Schema};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::capsule::stream_capsule;
use crate::files::{Asked, Files};
use crate::reader::decode;
use crate::refused::os_error;
use crate::schema::TYPED;
use crate::table_file::Format;

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
        let asked = Asked {
            format: Format::Parquet,
            fields: self.fields.clone(),
            optional: HashSet::new(),
        };
        let paths = vec![self.path.clone()];
        let opened = py.detach(|| Files::open(paths, asked));
        let mut files = opened.map_err(|(path, refused)| refused.raised(&path))?;
        let told = |field: &Arc<Field>| match self.typed.get(field.name()) {
            Some(kind) => {
                let told = HashMap::from([(TYPED.to_owned(), kind.clone())]);
                Arc::new(field.as_ref().clone().with_metadata(told))
            }
            None => field.clone(),
        };
        let fields: Vec<Arc<Field>> = files.schema.fields().iter().map(told).collect();
        let metadata = files.schema.metadata().clone();
        files.schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        let stream = decode(files, Arc::default()).map_err(|e| os_error(&self.path, &e))?;
        stream_capsule(py, Box::new(stream), requested_schema)
    }

    #[getter]
    fn rereadable(&self) -> bool {
        true
    }
}
