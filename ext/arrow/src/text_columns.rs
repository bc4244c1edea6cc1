//! Text columns filled row by row from bytes, and rows that could not be read.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;

use crate::errors::show;

/// The column in which a reader says why it could not read a row.
pub const PROBLEM: &str = "leadcore.problem";
/// Rows of a batch.
pub const ROWS: usize = 65_536;
/// Bytes of one column after which a batch ends early: with the longest record they stay within 32-bit offsets.
pub const BYTES: usize = 64 << 20;

/// A column of text under construction; UTF-8 is checked for all rows at once, at the end.
pub struct TextColumn {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl TextColumn {
    pub fn new() -> Self {
        TextColumn {
            offsets: vec![0],
            bytes: Vec::new(),
            nulls: NullBufferBuilder::new(ROWS),
        }
    }

    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.end(true);
    }

    /// Text in which each quote stands twice.
    pub fn push_unescaped(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'"', rest) {
            self.bytes.extend_from_slice(&rest[..=at]);
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        self.bytes.extend_from_slice(rest);
        self.end(true);
    }

    #[inline]
    pub fn push_null(&mut self) {
        self.end(false);
    }

    #[inline]
    fn end(&mut self, valid: bool) {
        self.offsets.push(self.bytes.len() as i32);
        self.nulls.append(valid);
    }

    /// The bytes of a row.
    pub fn row(&self, row: usize) -> &[u8] {
        &self.bytes[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// Whether every row is UTF-8: all bytes are, and no row begins within a character.
    pub fn is_utf8(&self) -> bool {
        let inside = |row| self.row(row).first().is_some_and(|&b| b & 0xC0 == 0x80);
        std::str::from_utf8(&self.bytes).is_ok() && !(0..self.len()).any(inside)
    }

    /// The column so far, leaving an empty one.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls: Option<NullBuffer> = self.nulls.finish();
        let capacity = self.bytes.len();
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(capacity));
        let capacity = self.offsets.len();
        let offsets = std::mem::replace(&mut self.offsets, Vec::with_capacity(capacity));
        self.offsets.push(0);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(StringArray::try_new(
            offsets,
            Buffer::from_vec(bytes),
            nulls,
        )?))
    }

    /// The same column with these rows null (true: keep).
    pub fn keep(&self, keep: &[bool]) -> TextColumn {
        let mut kept = TextColumn::new();
        for (row, &keep) in keep.iter().enumerate() {
            if keep && self.nulls.is_valid(row) {
                kept.push(self.row(row));
            } else {
                kept.push_null();
            }
        }
        kept
    }
}

/// What stands in the problem column for a row that cannot be read: `column<TAB>value<TAB>reason`.
pub fn problem(column: &str, value: &[u8], reason: &str) -> String {
    let column: String = column
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .collect();
    // More than is ever shown, less than a huge value costs.
    let head = String::from_utf8_lossy(&value[..value.len().min(256)]);
    format!("{column}\t{}\t{reason}", show(&head))
}
