//! Files as Arrow streams: read once, decoded in a thread of their own.

use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{sync_channel, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::errors::ParquetError;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyMapping};

use crate::blocks::{Blocks, Source};
use crate::capsule::stream_capsule;
use crate::read_csv::CsvBatches;
use crate::read_jsonl::JsonBatches;
use crate::read_parquet::ParquetBatches;

/// Batches decoded ahead of the consumer.
const AHEAD: usize = 2;

/// A file that is open and whose columns are known.
enum Batches {
    Csv(Box<CsvBatches>),
    Jsonl(Box<JsonBatches>),
    Parquet(Box<ParquetBatches>),
}

impl Batches {
    fn schema(&self) -> SchemaRef {
        match self {
            Batches::Csv(b) => b.schema.clone(),
            Batches::Jsonl(b) => b.schema.clone(),
            Batches::Parquet(b) => b.schema.clone(),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Batches::Csv(b) => b.names.clone(),
            Batches::Jsonl(b) => b.names.clone(),
            Batches::Parquet(b) => b.names.clone(),
        }
    }

    /// The next batch, and how far the file is read behind it.
    fn next(&mut self, before: u64) -> Option<Result<(RecordBatch, u64), ArrowError>> {
        match self {
            Batches::Csv(b) => b.next().map(|batch| Ok((batch?, b.taken()))),
            Batches::Jsonl(b) => b.next().map(|batch| Ok((batch?, b.taken()))),
            Batches::Parquet(b) => b.next().map(|batch| {
                let batch = batch?;
                let rows = batch.num_rows() as u64;
                Ok((batch, before + rows))
            }),
        }
    }
}

/// Why a file cannot be read: Python gets OSError or ValueError, always with its name.
pub enum Refused {
    Io(io::Error),
    Form(String),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Refused::Io(error)
    }
}

impl From<ArrowError> for Refused {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Refused::Io(error),
            ArrowError::ExternalError(error) => match error.downcast::<io::Error>() {
                Ok(error) => Refused::Io(*error),
                Err(error) => Refused::Form(error.to_string()),
            },
            error => Refused::Form(error.to_string()),
        }
    }
}

impl From<ParquetError> for Refused {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => Refused::Io(*error),
                Err(error) => {
                    Refused::Form(format!("not a Parquet file that can be read: {error}"))
                }
            },
            ParquetError::General(reason) | ParquetError::EOF(reason) => {
                Refused::Form(format!("not a Parquet file that can be read: {reason}"))
            }
            error => Refused::Form(format!("not a Parquet file that can be read: {error}")),
        }
    }
}

/// An I/O error as Python's OSError (with its subclasses), file name and all.
pub fn os_error(path: &str, error: &io::Error) -> PyErr {
    let text = error.to_string();
    let reason = text
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned();
    match error.raw_os_error() {
        Some(code) => PyOSError::new_err((code, reason, path.to_owned())),
        // EISDIR, which Rust has a name but no number for; EIO for what the system did not say (damaged gzip).
        None if error.kind() == io::ErrorKind::IsADirectory => {
            PyOSError::new_err((21, "Is a directory", path.to_owned()))
        }
        None => PyOSError::new_err((5, reason, path.to_owned())),
    }
}

pub fn refusal(path: &str, refused: Refused) -> PyErr {
    match refused {
        Refused::Io(error) => os_error(path, &error),
        Refused::Form(reason) => PyValueError::new_err(format!("{path}: {reason}")),
    }
}

fn open(
    path: &str,
    format: &str,
    fields: &[(String, String)],
) -> Result<(Batches, Option<u64>), Refused> {
    let source = Source::open(path)?;
    let size = source.size();
    match format {
        "csv" => {
            let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            let batches =
                CsvBatches::open(Blocks::open(source)?, &names)?.map_err(Refused::Form)?;
            Ok((Batches::Csv(Box::new(batches)), size))
        }
        "jsonl" => Ok((
            Batches::Jsonl(Box::new(JsonBatches::open(Blocks::open(source)?, fields)?)),
            size,
        )),
        "parquet" => {
            let batches = ParquetBatches::open(source, fields)?;
            let rows = batches.rows;
            Ok((Batches::Parquet(Box::new(batches)), Some(rows)))
        }
        other => Err(Refused::Form(format!("no such format: {other}"))),
    }
}

/// Run code over bytes from strangers in libraries that may give up: Parquet's does, on some damaged files.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

const GAVE_UP: &str = "the file is damaged in a way the decoder cannot handle";

/// A file as an Arrow stream (see `_edge.pyi`).
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct TableReader {
    path: String,
    batches: Mutex<Option<Batches>>,
    column_names: Vec<String>,
    rows: Option<u64>,
    total: Option<u64>,
    done: Arc<AtomicU64>,
}

#[pymethods]
impl TableReader {
    #[new]
    fn new(
        py: Python<'_>,
        path: String,
        format: String,
        fields: &Bound<'_, PyMapping>,
    ) -> PyResult<Self> {
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
        let opened = py.detach(|| guarded(|| open(&path, &format, &fields)));
        let opened = opened.unwrap_or_else(|| Err(Refused::Form(GAVE_UP.to_owned())));
        let (batches, total) = opened.map_err(|refused| refusal(&path, refused))?;
        let column_names = batches.names();
        let rows = if let Batches::Parquet(b) = &batches {
            Some(b.rows)
        } else {
            None
        };
        let done = Arc::new(AtomicU64::new(0));
        Ok(TableReader {
            path,
            batches: Mutex::new(Some(batches)),
            column_names,
            rows,
            total,
            done,
        })
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let taken = self.batches.lock().ok().and_then(|mut held| held.take());
        let Some(batches) = taken else {
            return Err(PyValueError::new_err(format!(
                "{}: this reader has been read already",
                self.path
            )));
        };
        let stream = decode(batches, self.path.clone(), self.done.clone())
            .map_err(|e| os_error(&self.path, &e))?;
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
}

/// What the decoding thread says.
enum Said {
    Batch(RecordBatch, u64),
    Failed(String),
    End,
}

/// The consumer's end of the thread. Dropping it ends the thread at its next batch: its channel is closed. Nobody waits
/// for that, since the thread may sit in a read of standard input.
struct Decoded {
    path: String,
    schema: SchemaRef,
    said: Option<Receiver<Said>>,
    done: Arc<AtomicU64>,
}

fn decode(mut batches: Batches, path: String, done: Arc<AtomicU64>) -> io::Result<Decoded> {
    let schema = batches.schema();
    let (tell, said) = sync_channel(AHEAD);
    thread::Builder::new()
        .name(String::from("leadcore-reader"))
        .spawn(move || {
            let mut before = 0;
            loop {
                let next = match guarded(|| batches.next(before)) {
                    Some(Some(Ok((batch, now)))) => {
                        before = now;
                        Said::Batch(batch, now)
                    }
                    Some(Some(Err(error))) => Said::Failed(match Refused::from(error) {
                        Refused::Io(error) => error.to_string(),
                        Refused::Form(reason) => reason,
                    }),
                    Some(None) => Said::End,
                    None => Said::Failed(GAVE_UP.to_owned()),
                };
                let last = !matches!(next, Said::Batch(..));
                if tell.send(next).is_err() || last {
                    return;
                }
            }
        })?;
    Ok(Decoded {
        path,
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
        failed.map(|reason| {
            Err(ArrowError::ExternalError(
                format!("{}: {reason}", self.path).into(),
            ))
        })
    }
}

impl RecordBatchReader for Decoded {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
