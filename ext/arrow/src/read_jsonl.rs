//! JSON lines as batches of typed columns (spec 12).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use memchr::memchr;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::blocks::{Blocks, LONGEST};
use crate::json_columns::{Cell, JsonColumn};
use crate::text_columns::{problem, TextColumn, BYTES, PROBLEM, ROWS};

/// A line taken from the file: its bytes stay in the blocks until they are consumed.
enum Taken {
    Row(usize),
    Blank(usize),
    /// It is too long.
    Endless,
    End,
}

fn take(blocks: &mut Blocks) -> io::Result<Taken> {
    loop {
        let rest = blocks.rest();
        let bytes = match memchr(b'\n', rest) {
            Some(end) => end + 1,
            None if blocks.ended() => rest.len(),
            None if rest.len() >= LONGEST => return Ok(Taken::Endless),
            None => {
                blocks.fill()?;
                continue;
            }
        };
        return Ok(match rest[..bytes].trim_ascii() {
            _ if bytes == 0 => Taken::End,
            [] => Taken::Blank(bytes),
            _ => Taken::Row(bytes),
        });
    }
}

/// Leave a line that is too long behind, block by block.
fn skip_line(blocks: &mut Blocks) -> io::Result<()> {
    loop {
        let rest = blocks.rest();
        let (skipped, found) = match memchr(b'\n', rest) {
            Some(end) => (end + 1, true),
            None => (rest.len(), blocks.ended()),
        };
        blocks.consume(skipped);
        if found {
            return Ok(());
        }
        blocks.fill()?;
    }
}

/// The lines, from 1, that are rows of a file of JSON objects: the very rows of `JsonBatches`, without their values.
pub struct JsonLines {
    blocks: Blocks,
    line: u64,
}

impl JsonLines {
    pub fn new(blocks: Blocks) -> JsonLines {
        JsonLines { blocks, line: 0 }
    }
}

impl Iterator for JsonLines {
    type Item = io::Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let taken = match take(&mut self.blocks) {
                Ok(Taken::End) => return None,
                Ok(taken) => taken,
                Err(error) => return Some(Err(error)),
            };
            self.line += 1;
            match taken {
                Taken::Row(bytes) | Taken::Blank(bytes) => self.blocks.consume(bytes),
                Taken::Endless | Taken::End => {
                    if let Err(error) = skip_line(&mut self.blocks) {
                        return Some(Err(error));
                    }
                }
            }
            if !matches!(taken, Taken::Blank(_)) {
                return Some(Ok(self.line));
            }
        }
    }
}

/// The wanted columns of a file of JSON objects, batch by batch.
pub struct JsonBatches {
    blocks: Blocks,
    columns: Vec<JsonColumn>,
    problems: TextColumn,
    /// Keys of the first batch, in order of first sight.
    pub names: Vec<String>,
    pub schema: SchemaRef,
    first: Option<RecordBatch>,
    ended: bool,
}

impl JsonBatches {
    /// Read the first batch: it tells whether ids are integers or text, where their types are not `known`.
    pub fn open(
        blocks: Blocks,
        fields: &[(String, String)],
        known: Option<&Schema>,
    ) -> Result<JsonBatches, ArrowError> {
        let known = |name: &str| Some(known?.field_with_name(name).ok()?.data_type());
        let mut batches = JsonBatches {
            blocks,
            columns: fields
                .iter()
                .map(|(name, kind)| JsonColumn::new(name, kind, known(name)))
                .collect(),
            problems: TextColumn::new(),
            names: Vec::new(),
            schema: Arc::new(Schema::empty()),
            first: None,
            ended: false,
        };
        let mut seen = HashSet::new();
        batches.fill(Some(&mut seen))?;
        let mut fields: Vec<Field> = batches.columns.iter_mut().map(JsonColumn::field).collect();
        fields.push(Field::new(PROBLEM, DataType::Utf8, true));
        batches.schema = Arc::new(Schema::new(fields));
        batches.first = batches.finish()?;
        Ok(batches)
    }

    /// Bytes of the file taken so far.
    pub fn taken(&self) -> u64 {
        self.blocks.taken()
    }

    /// Whether there are no rows: then the types say nothing.
    pub fn is_void(&self) -> bool {
        self.ended && self.first.is_none()
    }

    fn full(&self) -> bool {
        self.problems.len() == ROWS || self.columns.iter().any(|c| c.bytes() >= BYTES)
    }

    /// Read lines until the batch is full; `seen` collects the keys.
    fn fill(&mut self, mut seen: Option<&mut HashSet<String>>) -> io::Result<()> {
        while !self.ended && !self.full() {
            let row = Row {
                columns: &mut self.columns,
                problems: &mut self.problems,
            };
            match take(&mut self.blocks)? {
                Taken::Row(bytes) => {
                    let line = self.blocks.rest()[..bytes].trim_ascii();
                    row.add(line, seen.as_deref_mut(), &mut self.names);
                    self.blocks.consume(bytes);
                }
                Taken::Blank(bytes) => self.blocks.consume(bytes),
                Taken::Endless => {
                    let head = self.blocks.rest()[..256].to_vec();
                    row.refuse("", &head, "the line is longer than 64 MiB");
                    skip_line(&mut self.blocks)?;
                }
                Taken::End => self.ended = true,
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let rows = self.problems.len();
        if rows == 0 {
            return Ok(None);
        }
        let mut arrays = self
            .columns
            .iter_mut()
            .map(JsonColumn::finish)
            .collect::<Result<Vec<_>, _>>()?;
        arrays.push(self.problems.finish()?);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map(Some)
    }
}

impl Iterator for JsonBatches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        let filled = self.fill(None).map_err(ArrowError::from);
        filled.and_then(|()| self.finish()).transpose()
    }
}

/// Where one line goes.
struct Row<'a> {
    columns: &'a mut [JsonColumn],
    problems: &'a mut TextColumn,
}

impl Row<'_> {
    fn refuse(self, column: &str, value: &[u8], reason: &str) {
        for column in self.columns {
            column.push(&Cell::Null);
        }
        self.problems
            .push(problem(column, value, reason).as_bytes());
    }

    fn add(self, line: &[u8], seen: Option<&mut HashSet<String>>, names: &mut Vec<String>) {
        let Ok(text) = std::str::from_utf8(line) else {
            return self.refuse("", line, "not UTF-8");
        };
        let mut raw: Vec<Option<&str>> = vec![None; self.columns.len()];
        let mut keys = seen.map(|seen| Keys { seen, names });
        let object = Object {
            columns: self.columns,
            raw: &mut raw,
            keys: &mut keys,
        };
        let mut reader = serde_json::Deserializer::from_str(text);
        if let Err(error) = object.deserialize(&mut reader).and_then(|()| reader.end()) {
            // The text of serde_json ends in a place within this line.
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or(&reason);
            return self.refuse("", line, &format!("{reason} at byte {}", error.column()));
        }
        let mut cells = Vec::with_capacity(raw.len());
        for (column, raw) in self.columns.iter().zip(&raw) {
            match raw.map_or(Ok(Cell::Null), |raw| column.read(raw)) {
                Ok(cell) => cells.push(cell),
                Err(reason) => {
                    let name = column.name.clone();
                    return self.refuse(&name, raw.unwrap_or_default().as_bytes(), reason);
                }
            }
        }
        for (column, cell) in self.columns.iter_mut().zip(&cells) {
            column.push(cell);
        }
        self.problems.push_null();
    }
}

/// The keys of the first batch.
struct Keys<'a> {
    seen: &'a mut HashSet<String>,
    names: &'a mut Vec<String>,
}

/// The most keys remembered: a file may have another key in every line.
const KEYS: usize = 10_000;

impl Keys<'_> {
    fn add(&mut self, key: &str) {
        if self.names.len() < KEYS && !self.seen.contains(key) {
            self.seen.insert(key.to_owned());
            self.names.push(key.to_owned());
        }
    }
}

/// Finds the wanted values of one object and leaves them as they are written.
struct Object<'a, 'b, 'de> {
    columns: &'a [JsonColumn],
    raw: &'a mut [Option<&'de str>],
    keys: &'a mut Option<Keys<'b>>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Lines mostly have the same keys in the same order: the next wanted one is guessed first.
        let mut guess = 0;
        while let Some(key) = map.next_key_seed(Key)? {
            if let Some(keys) = self.keys {
                keys.add(&key);
            }
            let found = match self.columns.get(guess) {
                Some(column) if column.name == key => Some(guess),
                _ => self.columns.iter().position(|c| c.name == key),
            };
            let Some(found) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            guess = found + 1;
            let value: &'de RawValue = map.next_value()?;
            if self.raw[found].replace(value.get()).is_some() {
                return Err(serde::de::Error::custom(format!(
                    "the key {key:?} stands twice"
                )));
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
