//! One file of a table: open, its columns known, its batches in order.

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use crate::blocks::{Blocks, Source, BLOCK};
use crate::read_csv::CsvBatches;
use crate::read_jsonl::JsonBatches;
use crate::read_parquet::ParquetBatches;
use crate::refused::{guarded, Refused};

/// Bytes read of a text file to learn its columns.
const PEEK: usize = 1 << 16;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Jsonl,
    Parquet,
}

impl Format {
    pub fn of(name: &str) -> Option<Format> {
        match name {
            "csv" => Some(Format::Csv),
            "jsonl" => Some(Format::Jsonl),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }
}

enum Batches {
    Csv(Box<CsvBatches>),
    Jsonl(Box<JsonBatches>),
    Parquet(Box<ParquetBatches>),
}

/// A file that is open and whose columns are known.
pub struct TableFile {
    batches: Batches,
    /// Bytes in it, if it is a regular file.
    pub bytes: Option<u64>,
}

impl TableFile {
    /// Open a file to read the columns asked for: names and kinds. `known` are the types its table settled on.
    pub fn open(
        path: &str,
        format: Format,
        fields: &[(String, String)],
        known: Option<&Schema>,
    ) -> Result<TableFile, Refused> {
        TableFile::open_by(path, format, fields, known, BLOCK)
    }

    /// Open a file to learn its columns only.
    pub fn peek(
        path: &str,
        format: Format,
        fields: &[(String, String)],
    ) -> Result<TableFile, Refused> {
        TableFile::open_by(path, format, fields, None, PEEK)
    }

    fn open_by(
        path: &str,
        format: Format,
        fields: &[(String, String)],
        known: Option<&Schema>,
        block: usize,
    ) -> Result<TableFile, Refused> {
        guarded(|| {
            let source = Source::open(path)?;
            let bytes = source.size();
            let batches = match format {
                Format::Csv => {
                    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                    let batches = CsvBatches::open(Blocks::open(source, block)?, &names)?;
                    Batches::Csv(Box::new(batches.map_err(Refused::Form)?))
                }
                Format::Jsonl => {
                    let batches = JsonBatches::open(Blocks::open(source, block)?, fields, known)?;
                    Batches::Jsonl(Box::new(batches))
                }
                Format::Parquet => {
                    Batches::Parquet(Box::new(ParquetBatches::open(source, fields, known)?))
                }
            };
            Ok(TableFile { batches, bytes })
        })
    }

    pub fn schema(&self) -> &SchemaRef {
        match &self.batches {
            Batches::Csv(b) => &b.schema,
            Batches::Jsonl(b) => &b.schema,
            Batches::Parquet(b) => &b.schema,
        }
    }

    /// Columns of the file, read or not; of JSON lines the keys of the first rows.
    pub fn names(&self) -> &[String] {
        match &self.batches {
            Batches::Csv(b) => b.names(),
            Batches::Jsonl(b) => &b.names,
            Batches::Parquet(b) => &b.names,
        }
    }

    /// Rows in it, where its format says so.
    pub fn rows(&self) -> Option<u64> {
        match &self.batches {
            Batches::Csv(_) | Batches::Jsonl(_) => None,
            Batches::Parquet(b) => Some(b.rows),
        }
    }

    /// Whether JSON lines have told nothing of their types, for want of rows.
    pub fn is_void(&self) -> bool {
        matches!(&self.batches, Batches::Jsonl(b) if b.is_void())
    }

    /// How far the file is read: bytes taken, or None where rows are counted.
    pub fn taken(&self) -> Option<u64> {
        match &self.batches {
            Batches::Csv(b) => Some(b.taken()),
            Batches::Jsonl(b) => Some(b.taken()),
            Batches::Parquet(_) => None,
        }
    }

    pub fn next(&mut self) -> Result<Option<RecordBatch>, Refused> {
        guarded(|| {
            let next = match &mut self.batches {
                Batches::Csv(b) => b.next(),
                Batches::Jsonl(b) => b.next(),
                Batches::Parquet(b) => b.next(),
            };
            Ok(next.transpose()?)
        })
    }
}
