//! Tables in files as Arrow streams: read once, decoded in a thread of their own.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{sync_channel, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyMapping};

use crate::capsule::stream_capsule;
use crate::files::{Asked, Files};
use crate::refused::os_error;
use crate::table_file::Format;

/// Batches decoded ahead of the consumer.
const AHEAD: usize = 2;

/// A table in files as an Arrow stream (see `_edge.pyi`).
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct TableReader {
    /// What messages call the whole table: its first file.
    path: String,
    files: Mutex<Option<Files>>,
    column_names: Vec<String>,
    rows: Option<u64>,
    total: Option<u64>,
    starts: Arc<Mutex<Vec<u64>>>,
    done: Arc<AtomicU64>,
}

#[pymethods]
impl TableReader {
    #[new]
    #[pyo3(signature = (paths, format, fields, optional=HashSet::new()))]
    fn new(
        py: Python<'_>,
        paths: Vec<String>,
        format: &str,
        fields: &Bound<'_, PyMapping>,
        optional: HashSet<String>,
    ) -> PyResult<Self> {
        let Some(path) = paths.first().cloned() else {
            return Err(PyValueError::new_err("a table is one file or more"));
        };
        if paths.len() > 1 && paths.iter().any(|path| path == "-") {
            let reason = "-: the standard stream is a table of its own, not one file of several";
            return Err(PyValueError::new_err(reason));
        }
        let Some(format) = Format::of(format) else {
            return Err(PyValueError::new_err(format!(
                "{path}: no such format: {format}"
            )));
        };
        let fields: Vec<(String, String)> = fields.items()?.extract()?;
        for (name, kind) in &fields {
            if !matches!(
                kind.as_str(),
                "id" | "text" | "number" | "boolean" | "instant"
            ) {
                return Err(PyValueError::new_err(format!(
                    "column {name}: no such kind: {kind}"
                )));
            }
        }
        let asked = Asked {
            format,
            fields,
            optional,
        };
        let opened = py.detach(|| Files::open(paths, asked));
        let files = opened.map_err(|(path, refused)| refused.raised(&path))?;
        Ok(TableReader {
            path,
            column_names: files.names.clone(),
            rows: files.rows,
            total: files.total,
            starts: files.starts.clone(),
            done: Arc::new(AtomicU64::new(0)),
            files: Mutex::new(Some(files)),
        })
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let taken = self.files.lock().ok().and_then(|mut held| held.take());
        let Some(files) = taken else {
            return Err(PyValueError::new_err(format!(
                "{}: this reader has been read already",
                self.path
            )));
        };
        let stream = decode(files, self.done.clone()).map_err(|e| os_error(&self.path, &e))?;
        stream_capsule(py, Box::new(stream), requested_schema)
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.column_names.clone()
    }

    #[getter]
    fn rows_total(&self) -> Option<u64> {
        self.rows
    }

    #[getter]
    fn progress(&self) -> (u64, Option<u64>) {
        (self.done.load(Ordering::Relaxed), self.total)
    }

    #[getter]
    fn starts(&self) -> Vec<u64> {
        let starts = self.starts.lock();
        starts.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the decoding thread says.
enum Said {
    Batch(RecordBatch, u64),
    Failed(String),
    End,
}

/// The consumer's end of the thread. Dropping it ends the thread at its next batch: its channel is closed. Nobody waits
/// for that, since the thread may sit in a read of standard input.
pub struct Decoded {
    schema: SchemaRef,
    said: Option<Receiver<Said>>,
    done: Arc<AtomicU64>,
}

/// Decode files in a thread of its own.
pub fn decode(mut files: Files, done: Arc<AtomicU64>) -> io::Result<Decoded> {
    let schema = files.schema.clone();
    let (tell, said) = sync_channel(AHEAD);
    thread::Builder::new()
        .name(String::from("leadcore-reader"))
        .spawn(move || loop {
            let next = match files.next() {
                Ok(Some((batch, done))) => Said::Batch(batch, done),
                Ok(None) => Said::End,
                Err((path, refused)) => Said::Failed(refused.told(&path)),
            };
            let last = !matches!(next, Said::Batch(..));
            if tell.send(next).is_err() || last {
                return;
            }
        })?;
    Ok(Decoded {
        schema,
        said: Some(said),
        done,
    })
}

impl Iterator for Decoded {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let failed = match self.said.as_ref()?.recv() {
            Ok(Said::Batch(batch, done)) => {
                self.done.store(done, Ordering::Relaxed);
                return Some(Ok(batch));
            }
            Ok(Said::End) => None,
            Ok(Said::Failed(reason)) => Some(reason),
            // The thread always says how it ends.
            Err(_) => Some(String::from("the reading thread is gone")),
        };
        self.said = None;
        failed.map(|reason| Err(ArrowError::ExternalError(reason.into())))
    }
}

impl RecordBatchReader for Decoded {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
