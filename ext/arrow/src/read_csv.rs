//! CSV files as batches of text (spec 12).
//!
//! A splitter of its own: spec 12 tells a quoted empty field from an empty one, which csv-core does not show, and a
//! stray quote must spoil one row, not all rows to the next quote, as it does in simd-csv.

use std::io;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use memchr::{memchr, memchr2, memchr_iter};

use crate::blocks::{Blocks, LONGEST};
use crate::text_columns::{problem, TextColumn, BYTES, PROBLEM, ROWS};

/// One field of a record, without its quotes.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    quoted: bool,
    /// Quotes stand twice in it.
    doubled: bool,
    /// There is text between its closing quote and the next comma.
    torn: bool,
}

/// What stands at the beginning of the bytes at hand.
enum Found {
    /// A record of so many bytes, its line end included.
    Record(usize),
    Blank(usize),
    /// The bytes end before the record does.
    Unfinished,
}

/// Split the first record; `ended` says that nothing follows `bytes`. A quote opens a field only at its start (RFC
/// 4180); elsewhere in an unquoted field it is itself, as most programs read it.
fn split(bytes: &[u8], ended: bool, spans: &mut Vec<Span>) -> Found {
    spans.clear();
    let mut at = 0;
    loop {
        let start = at;
        let mut span = Span {
            start,
            end: start,
            quoted: false,
            doubled: false,
            torn: false,
        };
        if bytes.get(start) == Some(&b'"') {
            span.quoted = true;
            span.start += 1;
            let mut from = span.start;
            loop {
                let Some(quote) = memchr(b'"', &bytes[from..]).map(|i| from + i) else {
                    return Found::Unfinished;
                };
                match bytes.get(quote + 1) {
                    Some(b'"') => {
                        span.doubled = true;
                        from = quote + 2;
                    }
                    None if !ended => return Found::Unfinished,
                    _ => {
                        span.end = quote;
                        at = quote + 1;
                        break;
                    }
                }
            }
        }
        let stop = memchr2(b',', b'\n', &bytes[at..]).map(|i| at + i);
        if stop.is_none() && !ended {
            return Found::Unfinished;
        }
        let stop = stop.unwrap_or(bytes.len());
        let comma = bytes.get(stop) == Some(&b',');
        let mut end = stop;
        if !comma && end > at && bytes[end - 1] == b'\r' {
            end -= 1;
        }
        if span.quoted {
            span.torn = end > at;
        } else {
            span.end = end;
        }
        if spans.is_empty() && !comma && !span.quoted && span.end == span.start {
            return Found::Blank((stop + 1).min(bytes.len()));
        }
        spans.push(span);
        if !comma {
            return Found::Record((stop + 1).min(bytes.len()));
        }
        at = stop + 1;
    }
}

/// A record taken from the file: its bytes stay in the blocks until they are consumed.
enum Taken {
    Record(usize),
    Blank(usize),
    /// It is too long, or its quote is never closed; this is its first line.
    Endless(usize),
    End,
}

fn take(blocks: &mut Blocks, spans: &mut Vec<Span>) -> io::Result<Taken> {
    loop {
        if blocks.rest().is_empty() && blocks.ended() {
            return Ok(Taken::End);
        }
        match split(blocks.rest(), blocks.ended(), spans) {
            Found::Record(bytes) => return Ok(Taken::Record(bytes)),
            Found::Blank(bytes) => return Ok(Taken::Blank(bytes)),
            Found::Unfinished if blocks.ended() || blocks.rest().len() >= LONGEST => {
                // Only its first line is given up: a quote that nobody closed then costs no other row. The next line
                // cannot be endless again for the same reason, since its opening quote would have closed this one.
                let rest = blocks.rest();
                return Ok(Taken::Endless(
                    memchr(b'\n', rest).map_or(rest.len(), |i| i + 1),
                ));
            }
            Found::Unfinished => blocks.fill()?,
        }
    }
}

fn text_of(bytes: &[u8], span: &Span) -> Option<String> {
    let text = std::str::from_utf8(bytes.get(span.start..span.end)?).ok()?;
    Some(if span.doubled {
        text.replace("\"\"", "\"")
    } else {
        text.to_owned()
    })
}

/// Read the header: names of columns, and the line on which the next record begins. The text is why it cannot be.
fn header(
    blocks: &mut Blocks,
    spans: &mut Vec<Span>,
) -> io::Result<Result<(Vec<String>, u64), String>> {
    let mut line = 1;
    let names: Option<Vec<String>> = loop {
        let (names, bytes) = match take(blocks, spans)? {
            Taken::Blank(bytes) => (None, bytes),
            Taken::End => {
                return Ok(Err(String::from(
                    "the file is empty, not even a header is there",
                )))
            }
            Taken::Endless(_) => {
                return Ok(Err(String::from("a quote in the header is never closed")))
            }
            Taken::Record(bytes) => {
                let names = spans.iter().map(|s| text_of(blocks.rest(), s)).collect();
                (Some(names), bytes)
            }
        };
        line += line_ends(&blocks.rest()[..bytes]);
        blocks.consume(bytes);
        if let Some(names) = names {
            break names;
        }
    };
    let Some(names) = names else {
        return Ok(Err(String::from("the header is not UTF-8")));
    };
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return Ok(Err(format!(
                "two columns of the header are called {name:?}"
            )));
        }
    }
    Ok(Ok((names, line)))
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// A blank line separates nothing; only where there is one column it is a row, its field empty.
fn blank_is_row(columns: usize) -> bool {
    columns == 1
}

/// The lines, from 1, on which the rows of a CSV file begin: the very rows of `CsvBatches`, without their values.
pub struct CsvLines {
    blocks: Blocks,
    spans: Vec<Span>,
    columns: usize,
    line: u64,
}

impl CsvLines {
    /// Read the header; the text is why it cannot be.
    pub fn open(mut blocks: Blocks) -> io::Result<Result<CsvLines, String>> {
        let mut spans = Vec::new();
        Ok(
            header(&mut blocks, &mut spans)?.map(|(names, line)| CsvLines {
                blocks,
                spans,
                columns: names.len(),
                line,
            }),
        )
    }
}

impl Iterator for CsvLines {
    type Item = io::Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (bytes, row) = match take(&mut self.blocks, &mut self.spans) {
                Ok(Taken::Record(bytes) | Taken::Endless(bytes)) => (bytes, true),
                Ok(Taken::Blank(bytes)) => (bytes, blank_is_row(self.columns)),
                Ok(Taken::End) => return None,
                Err(error) => return Some(Err(error)),
            };
            let line = self.line;
            self.line += line_ends(&self.blocks.rest()[..bytes]);
            self.blocks.consume(bytes);
            if row {
                return Some(Ok(line));
            }
        }
    }
}

/// The wanted columns of a CSV file, batch by batch.
pub struct CsvBatches {
    blocks: Blocks,
    spans: Vec<Span>,
    pub names: Vec<String>,
    /// Positions in the file of the columns that are read.
    wanted: Vec<usize>,
    pub schema: SchemaRef,
    columns: Vec<TextColumn>,
    problems: TextColumn,
    ended: bool,
}

impl CsvBatches {
    /// Read the header; the text is why it cannot be.
    pub fn open(mut blocks: Blocks, fields: &[&str]) -> io::Result<Result<CsvBatches, String>> {
        let mut spans = Vec::new();
        let names = match header(&mut blocks, &mut spans)? {
            Ok((names, _)) => names,
            Err(reason) => return Ok(Err(reason)),
        };
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
            blocks,
            spans,
            columns: wanted.iter().map(|_| TextColumn::new()).collect(),
            names,
            wanted,
            schema: Arc::new(Schema::new_with_metadata(columns, metadata)),
            problems: TextColumn::new(),
            ended: false,
        }))
    }

    /// Bytes of the file taken so far.
    pub fn taken(&self) -> u64 {
        self.blocks.taken()
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
        let record = &self.blocks.rest()[..bytes];
        if self.spans.len() != self.names.len() {
            let reason = format!(
                "the row has {} fields, the header {}",
                self.spans.len(),
                self.names.len()
            );
            let head = record[..bytes.min(256)].to_vec();
            return self.refuse("", &head, &reason);
        }
        if let Some(at) = self.wanted.iter().copied().find(|&at| self.spans[at].torn) {
            let from = &record[self.spans[at].start..];
            let head = from[..from.len().min(64)].to_vec();
            let name = self.names[at].clone();
            return self.refuse(&name, &head, "text stands behind the closing quote");
        }
        for (column, &at) in self.columns.iter_mut().zip(&self.wanted) {
            let span = &self.spans[at];
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
            match take(&mut self.blocks, &mut self.spans)? {
                Taken::Record(bytes) => {
                    self.add(bytes);
                    self.blocks.consume(bytes);
                }
                Taken::Blank(bytes) => {
                    if blank_is_row(self.names.len()) {
                        self.columns.iter_mut().for_each(TextColumn::push_null);
                        self.problems.push_null();
                    }
                    self.blocks.consume(bytes);
                }
                Taken::Endless(line) => {
                    let head = self.blocks.rest()[..line.min(256)].to_vec();
                    let reason = if self.blocks.ended() {
                        "a quote opens here that is never closed"
                    } else {
                        "the row is longer than 64 MiB: is a quote never closed?"
                    };
                    self.refuse("", &head, reason);
                    self.blocks.consume(line);
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
                problems
                    .push(problem(&self.names[self.wanted[bad]], value, "not UTF-8").as_bytes());
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
