//! CSV files as batches of text (spec 12).

use std::io;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::blocks::Blocks;
use crate::csv_records::{Records, Taken};
use crate::text_columns::{problem, TextColumn, BYTES, PROBLEM, ROWS};

/// The lines, from 1, on which the rows of a CSV file begin: the very rows of `CsvBatches`, without their values.
pub struct CsvLines {
    records: Records,
    line: u64,
}

impl CsvLines {
    /// Read the header; the text is why it cannot be.
    pub fn open(blocks: Blocks) -> io::Result<Result<CsvLines, String>> {
        let opened = Records::open(blocks)?;
        Ok(opened.map(|records| CsvLines {
            line: records.lines + 1,
            records,
        }))
    }
}

impl Iterator for CsvLines {
    type Item = io::Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (bytes, row) = match self.records.take() {
                Ok(Taken::Record(bytes) | Taken::Broken(bytes, _)) => (bytes, true),
                Ok(Taken::Blank(bytes)) => (bytes, self.records.blank_is_row()),
                Ok(Taken::End) => return None,
                Err(error) => return Some(Err(error)),
            };
            let line = self.line;
            self.line += self.records.line_ends(bytes);
            self.records.consume(bytes);
            if row {
                return Some(Ok(line));
            }
        }
    }
}

/// The wanted columns of a CSV file, batch by batch.
pub struct CsvBatches {
    records: Records,
    /// Positions in the file of the columns that are read.
    wanted: Vec<usize>,
    pub schema: SchemaRef,
    columns: Vec<TextColumn>,
    problems: TextColumn,
    ended: bool,
}

impl CsvBatches {
    /// Read the header; the text is why it cannot be.
    pub fn open(blocks: Blocks, fields: &[&str]) -> io::Result<Result<CsvBatches, String>> {
        let records = match Records::open(blocks)? {
            Ok(records) => records,
            Err(reason) => return Ok(Err(reason)),
        };
        let names = &records.names;
        let wanted: Vec<usize> = fields
            .iter()
            .filter_map(|f| names.iter().position(|n| n == f))
            .collect();
        let mut columns: Vec<Field> = wanted
            .iter()
            .map(|&i| Field::new(&names[i], DataType::Utf8, true))
            .collect();
        columns.push(Field::new(PROBLEM, DataType::Utf8, true));
        let metadata = [(String::from("leadcore.lexical"), String::from("csv"))].into();
        Ok(Ok(CsvBatches {
            records,
            columns: wanted.iter().map(|_| TextColumn::new()).collect(),
            wanted,
            schema: Arc::new(Schema::new_with_metadata(columns, metadata)),
            problems: TextColumn::new(),
            ended: false,
        }))
    }

    /// Columns of the file, read or not.
    pub fn names(&self) -> &[String] {
        &self.records.names
    }

    /// Bytes of the file taken so far.
    pub fn taken(&self) -> u64 {
        self.records.taken()
    }

    fn refuse(&mut self, column: &str, value: &[u8], reason: &str) {
        for column in &mut self.columns {
            column.push_null();
        }
        self.problems
            .push(problem(column, value, reason).as_bytes());
    }

    /// Add the record whose spans are at hand.
    fn add(&mut self, bytes: usize) {
        let record = &self.records.rest()[..bytes];
        if self.records.spans.len() != self.records.names.len() {
            let reason = format!(
                "the row has {} fields, the header {}",
                self.records.spans.len(),
                self.records.names.len()
            );
            let head = record[..bytes.min(256)].to_vec();
            return self.refuse("", &head, &reason);
        }
        if let Some(at) = self
            .wanted
            .iter()
            .copied()
            .find(|&at| self.records.spans[at].torn)
        {
            let from = &record[self.records.spans[at].start..];
            let head = from[..from.len().min(64)].to_vec();
            let name = self.records.names[at].clone();
            return self.refuse(&name, &head, "text stands behind the closing quote");
        }
        for (column, &at) in self.columns.iter_mut().zip(&self.wanted) {
            let span = &self.records.spans[at];
            let text = &record[span.start..span.end];
            if text.is_empty() && !span.quoted {
                column.push_null();
            } else if span.doubled {
                column.push_unescaped(text);
            } else {
                column.push(text);
            }
        }
        self.problems.push_null();
    }

    fn full(&self) -> bool {
        self.problems.len() == ROWS || self.columns.iter().any(|c| c.bytes() >= BYTES)
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        while !self.ended && !self.full() {
            match self.records.take()? {
                Taken::Record(bytes) => {
                    self.add(bytes);
                    self.records.consume(bytes);
                }
                Taken::Blank(bytes) => {
                    if self.records.blank_is_row() {
                        self.columns.iter_mut().for_each(TextColumn::push_null);
                        self.problems.push_null();
                    }
                    self.records.consume(bytes);
                }
                Taken::Broken(line, reason) => {
                    let head = self.records.rest()[..line.min(256)].to_vec();
                    self.refuse("", &head, reason);
                    self.records.consume(line);
                }
                Taken::End => self.ended = true,
            }
        }
        if self.problems.len() == 0 {
            return Ok(None);
        }
        self.finish().map(Some)
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        if !self.columns.iter().all(TextColumn::is_utf8) {
            self.refuse_bad_text();
        }
        let rows = self.problems.len();
        let columns = self.columns.iter_mut().chain([&mut self.problems]);
        let arrays = columns.map(TextColumn::finish).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
    }

    /// Make rows with bytes that are no UTF-8 problem rows. Looked for only where there are some.
    fn refuse_bad_text(&mut self) {
        let rows = self.problems.len();
        let mut keep = vec![true; rows];
        let mut problems = TextColumn::new();
        for (row, keep) in keep.iter_mut().enumerate() {
            let bad = self
                .columns
                .iter()
                .position(|c| std::str::from_utf8(c.row(row)).is_err());
            if let Some(bad) = bad {
                *keep = false;
                let value = self.columns[bad].row(row);
                problems.push(
                    problem(&self.records.names[self.wanted[bad]], value, "not UTF-8").as_bytes(),
                );
            } else if self.problems.row(row).is_empty() {
                problems.push_null();
            } else {
                problems.push(self.problems.row(row));
            }
        }
        self.problems = problems;
        for column in &mut self.columns {
            *column = column.keep(&keep);
        }
    }
}

impl Iterator for CsvBatches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}
