//! Streams into files: written beside their name and renamed when whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{make_array, Array, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;

use crate::refused::os_error;
use crate::table::check;
use crate::text_columns::ROWS;
use crate::write_csv::CsvWriter;
use crate::write_jsonl::JsonWriter;

/// Bytes gathered before they are handed to the system.
const BUFFER: usize = 1 << 20;

/// Why a table could not be written.
pub enum Fault {
    Io(io::Error),
    /// The stream failed, or a value has no form in this format.
    Data(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

impl From<ArrowError> for Fault {
    fn from(error: ArrowError) -> Self {
        Fault::Data(error.to_string())
    }
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => Fault::Io(*error),
                Err(error) => Fault::Data(error.to_string()),
            },
            error => Fault::Data(error.to_string()),
        }
    }
}

/// See `_edge.pyi`.
#[pyfunction]
pub fn write_table(
    py: Python<'_>,
    table: AnyRecordBatch,
    path: String,
    format: String,
) -> PyResult<u64> {
    if !matches!(format.as_str(), "parquet" | "csv" | "jsonl") {
        return Err(PyValueError::new_err(format!("no such format: {format}")));
    }
    let reader = table.into_reader()?;
    let written = py.detach(|| write_to(reader, &path, &format));
    written.map_err(|fault| match fault {
        Fault::Io(error) => os_error(&path, &error),
        Fault::Data(reason) => PyValueError::new_err(format!("{path}: {reason}")),
    })
}

pub fn write_to(
    reader: Box<dyn RecordBatchReader + Send>,
    path: &str,
    format: &str,
) -> Result<u64, Fault> {
    if path == "-" {
        return write_rows(reader, io::stdout(), format).map(|(rows, _)| rows);
    }
    let path = Path::new(path);
    // A link keeps pointing where it points: what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into())
        }
        // A pipe or a device has no name to rename to.
        Ok(found) if !found.is_file() => {
            let file = OpenOptions::new().write(true).open(&target)?;
            return write_rows(reader, file, format).map(|(rows, _)| rows);
        }
        _ => {}
    }
    let (temporary, file) = Temporary::beside(&target)?;
    let (rows, file) = write_rows(reader, file, format)?;
    file.sync_all()?;
    drop(file);
    temporary.become_file(&target)?;
    Ok(rows)
}

/// A file under another name until it is whole; removed when it never becomes so.
struct Temporary {
    path: PathBuf,
    whole: bool,
}

impl Temporary {
    fn beside(target: &Path) -> io::Result<(Temporary, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = target
            .file_name()
            .ok_or(io::ErrorKind::IsADirectory)?
            .to_string_lossy();
        // Long names stay within what file systems allow.
        let head: String = name.chars().take(40).collect();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path =
                target.with_file_name(format!(".{head}.{}-{count}.part", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Temporary { path, whole: false }, file)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn become_file(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.whole = true;
        // The new name outlives a power cut once the directory is on disk; not every file system can say so.
        let directory = target
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if let Ok(directory) = File::open(directory) {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.whole {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Write every row; gives the sink back, flushed.
fn write_rows<W: Write + Send>(
    reader: Box<dyn RecordBatchReader + Send>,
    sink: W,
    format: &str,
) -> Result<(u64, W), Fault> {
    // Encoders index and assert, and a stream may come from anywhere: a fault in them is an error.
    let written = catch_unwind(AssertUnwindSafe(|| match format {
        "csv" => write_text(reader, sink, CsvWriter::new),
        "jsonl" => write_text(reader, sink, JsonWriter::new),
        _ => write_parquet(reader, sink),
    }));
    written.unwrap_or_else(|_| {
        Err(Fault::Data(String::from(
            "the encoder cannot handle this table",
        )))
    })
}

/// A format of lines.
pub trait Lines {
    /// What stands before the rows.
    fn head(&self, out: &mut Vec<u8>);
    /// The rows of a batch.
    fn rows(
        &self,
        batch: &arrow_array::RecordBatch,
        from: usize,
        to: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault>;
}

fn write_text<W: Write, L: Lines>(
    reader: Box<dyn RecordBatchReader + Send>,
    mut sink: W,
    lines: impl FnOnce(&arrow_schema::Schema) -> L,
) -> Result<(u64, W), Fault> {
    let lines = lines(&reader.schema());
    let mut out = Vec::with_capacity(BUFFER);
    lines.head(&mut out);
    let mut written = 0;
    for batch in reader {
        let batch = batch?;
        check(&batch)?;
        let rows = batch.num_rows();
        // In stretches, so that the buffer does not grow with the batch.
        let mut from = 0;
        while from < rows {
            let to = rows.min(from + ROWS);
            lines.rows(&batch, from, to, &mut out)?;
            sink.write_all(&out)?;
            out.clear();
            from = to;
        }
        written += rows as u64;
    }
    sink.write_all(&out)?;
    sink.flush()?;
    Ok((written, sink))
}

/// Parquet with zstd, dictionaries kept. The bytes depend on the rows only: no clock, no version, no batches.
fn write_parquet<W: Write + Send>(
    reader: Box<dyn RecordBatchReader + Send>,
    sink: W,
) -> Result<(u64, W), Fault> {
    let properties = WriterProperties::builder()
        .set_created_by(String::from("leadcore"))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .build();
    let schema = reader.schema();
    let sink = BufWriter::with_capacity(BUFFER, sink);
    let mut writer = ArrowWriter::try_new(sink, schema.clone(), Some(properties))?;
    let mut written = 0;
    // Pages end where a batch written ends, so all batches but the last have the same length.
    let (mut pending, mut waiting) = (Vec::new(), 0);
    for batch in reader {
        let batch = batch?;
        check(&batch)?;
        written += batch.num_rows() as u64;
        let mut from = 0;
        while from < batch.num_rows() {
            let rows = (ROWS - waiting).min(batch.num_rows() - from);
            pending.push(batch.slice(from, rows));
            (from, waiting) = (from + rows, waiting + rows);
            if waiting == ROWS {
                write_pending(&mut writer, &schema, &mut pending)?;
                waiting = 0;
            }
        }
    }
    write_pending(&mut writer, &schema, &mut pending)?;
    let sink = writer.into_inner()?;
    let mut sink = sink.into_inner().map_err(|e| Fault::Io(e.into_error()))?;
    sink.flush()?;
    Ok((written, sink))
}

fn write_pending<W: Write + Send>(
    writer: &mut ArrowWriter<W>,
    schema: &SchemaRef,
    pending: &mut Vec<RecordBatch>,
) -> Result<(), Fault> {
    if !pending.is_empty() {
        writer.write(&plain(&concat_batches(schema, pending.as_slice())?)?)?;
    }
    pending.clear();
    Ok(())
}

/// The batch without null masks that mask nothing: levels would be packed in another way.
fn plain(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| {
        if column.nulls().is_none_or(|nulls| nulls.null_count() > 0) {
            return Ok(column.clone());
        }
        let data = column.to_data().into_builder().nulls(None).build()?;
        Ok(make_array(data))
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(batch.schema(), columns)
}
