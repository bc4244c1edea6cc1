//! Parquet files as batches, row group by row group, dictionaries kept.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::ProjectionMask;
use parquet::basic::{Encoding, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use crate::blocks::Source;
use crate::text_columns::ROWS;

/// A Parquet file needs to be read from its end: standard input is held in memory.
enum Held {
    File(File),
    Memory(Bytes),
}

/// The wanted columns of a Parquet file, batch by batch; a batch never spans two row groups, so each has one
/// dictionary.
pub struct ParquetBatches {
    held: Held,
    metadata: ArrowReaderMetadata,
    projection: ProjectionMask,
    pub names: Vec<String>,
    pub schema: SchemaRef,
    pub rows: u64,
    group: usize,
    reader: Option<ParquetRecordBatchReader>,
}

impl ParquetBatches {
    /// Read what the file says of itself. Columns `known` to be plain text are read as such.
    pub fn open(
        source: Source,
        fields: &[(String, String)],
        known: Option<&Schema>,
    ) -> Result<ParquetBatches, ParquetError> {
        let held = match source {
            Source::File(file) => Held::File(file),
            Source::Stdin => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes)?;
                Held::Memory(bytes.into())
            }
        };
        let load = |options| match &held {
            Held::File(file) => ArrowReaderMetadata::load(file, options),
            Held::Memory(bytes) => ArrowReaderMetadata::load(bytes, options),
        };
        let found = load(ArrowReaderOptions::new())?;
        let kind_of = |name: &str| {
            fields
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, kind)| kind.as_str())
        };
        let wanted: Vec<Field> = found
            .schema()
            .fields()
            .iter()
            .enumerate()
            .map(|(root, field)| match kind_of(field.name()) {
                Some(kind) => {
                    let is_plain = |f: &Field| *f.data_type() == DataType::Utf8;
                    let known = known.and_then(|k| k.field_with_name(field.name()).ok());
                    asked(
                        field,
                        kind,
                        root,
                        found.metadata(),
                        !known.is_some_and(is_plain),
                    )
                }
                None => field.as_ref().clone(),
            })
            .collect();
        let hinted = Arc::new(Schema::new_with_metadata(
            wanted,
            found.schema().metadata().clone(),
        ));
        let options = ArrowReaderOptions::new().with_schema(hinted);
        // What the reader cannot give as asked, it gives as it is.
        let metadata =
            ArrowReaderMetadata::try_new(found.metadata().clone(), options).unwrap_or(found);
        let names: Vec<String> = metadata
            .schema()
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect();
        let roots: Vec<usize> = (0..names.len())
            .filter(|&i| kind_of(&names[i]).is_some())
            .collect();
        let schema = Arc::new(metadata.schema().project(&roots)?);
        let rows = metadata.metadata().file_metadata().num_rows().max(0) as u64;
        let projection = ProjectionMask::roots(metadata.parquet_schema(), roots);
        Ok(ParquetBatches {
            held,
            metadata,
            projection,
            names,
            schema,
            rows,
            group: 0,
            reader: None,
        })
    }

    /// Turn to the next row group; None after the last.
    fn turn(&mut self) -> Result<Option<()>, ParquetError> {
        if self.group == self.metadata.metadata().num_row_groups() {
            return Ok(None);
        }
        let (metadata, group) = (self.metadata.clone(), vec![self.group]);
        let projection = self.projection.clone();
        self.group += 1;
        self.reader = Some(match &self.held {
            Held::File(file) => {
                ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone()?, metadata)
                    .with_row_groups(group)
                    .with_projection(projection)
                    .with_batch_size(ROWS)
                    .build()?
            }
            Held::Memory(bytes) => {
                ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata)
                    .with_row_groups(group)
                    .with_projection(projection)
                    .with_batch_size(ROWS)
                    .build()?
            }
        });
        Ok(Some(()))
    }
}

impl Iterator for ParquetBatches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.reader.as_mut().and_then(Iterator::next) {
                return Some(batch);
            }
            match self.turn() {
                Ok(Some(())) => {}
                Ok(None) => return None,
                Err(error) => {
                    self.group = self.metadata.metadata().num_row_groups();
                    self.reader = None;
                    return Some(Err(error.into()));
                }
            }
        }
    }
}

/// A column as it is asked of the reader: text as a dictionary, if that will do, where the file has one throughout, old
/// forms of text and timestamps as such.
fn asked(
    field: &Field,
    kind: &str,
    root: usize,
    metadata: &ParquetMetaData,
    dictionaries: bool,
) -> Field {
    let schema = metadata.file_metadata().schema_descr();
    let mut leaves =
        (0..schema.num_columns()).filter(|&leaf| schema.get_column_root_idx(leaf) == root);
    let (Some(leaf), None) = (leaves.next(), leaves.next()) else {
        return field.clone();
    };
    let text = DataType::Utf8;
    let dictionary = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(text.clone()));
    let whole = || {
        let mut groups = metadata.row_groups().iter();
        dictionaries && groups.all(|g| has_dictionary(g.column(leaf)))
    };
    let asked = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if whole() => dictionary(),
        DataType::Dictionary(_, values) if **values == DataType::Utf8 && !whole() => text.clone(),
        // Text of writers that do not say so (old Hive and Impala).
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
            if kind == "text" || kind == "id" =>
        {
            if whole() {
                dictionary()
            } else {
                text.clone()
            }
        }
        // 96-bit timestamps (old Spark): nanoseconds of 64 bits end in 2262, years 9999 do not fit them.
        DataType::Timestamp(TimeUnit::Nanosecond, zone)
            if schema.column(leaf).physical_type() == Physical::INT96 =>
        {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        _ => return field.clone(),
    };
    field.clone().with_data_type(asked)
}

/// Whether every data page of this column chunk is dictionary encoded; writers fall back to plain pages when there are
/// too many values, and such a chunk costs more as a dictionary than as text.
fn has_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let dictionary =
        |e: &Encoding| matches!(e, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    if chunk.dictionary_page_offset().is_none() {
        return chunk.num_values() == 0;
    }
    match chunk.page_encoding_stats_mask() {
        Some(mask) => mask.encodings().all(|e| dictionary(&e)),
        // Not told: the dictionary page itself is plain, so encodings do not tell either.
        None => true,
    }
}
