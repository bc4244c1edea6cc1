//! Columns in chunks, put side by side: how tables of unlike chunking become one.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{FieldRef, Schema, SchemaRef};

/// One column: its field and its chunks.
pub struct Column {
    pub field: FieldRef,
    pub chunks: Vec<ArrayRef>,
}

impl Column {
    pub fn rows(&self) -> usize {
        self.chunks.iter().map(|c| c.len()).sum()
    }
}

/// The columns of a table, chunk by chunk.
pub fn columns_of(schema: &SchemaRef, batches: &[RecordBatch]) -> Vec<Column> {
    let chunks = |i: usize| batches.iter().map(|b| b.column(i).clone()).collect();
    schema
        .fields()
        .iter()
        .enumerate()
        .map(|(i, field)| Column {
            field: field.clone(),
            chunks: chunks(i),
        })
        .collect()
}

/// Record batches of these columns, cut wherever one of them is cut: nothing is copied.
///
/// Fails where lengths differ, naming the first two columns that do.
pub fn assemble(columns: Vec<Column>) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
    let schema = Arc::new(Schema::new(
        columns.iter().map(|c| c.field.clone()).collect::<Vec<_>>(),
    ));
    let Some(first) = columns.first() else {
        return Ok((schema, Vec::new()));
    };
    let rows = first.rows();
    if let Some(other) = columns.iter().find(|c| c.rows() != rows) {
        return Err(format!(
            "columns differ in length: {} has {}, {} has {}",
            first.field.name(),
            counted(rows),
            other.field.name(),
            counted(other.rows())
        ));
    }
    let mut cuts = BTreeSet::new();
    for column in &columns {
        let mut at = 0;
        for chunk in &column.chunks {
            at += chunk.len();
            cuts.insert(at);
        }
    }
    cuts.remove(&0);
    let mut cursors: Vec<Cursor> = columns
        .iter()
        .map(|c| Cursor {
            chunks: &c.chunks,
            chunk: 0,
            at: 0,
        })
        .collect();
    let mut batches = Vec::with_capacity(cuts.len());
    let mut from = 0;
    for to in cuts {
        let arrays = cursors.iter_mut().map(|c| c.next(to - from)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(to - from));
        let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options);
        batches.push(batch.map_err(|e| e.to_string())?);
        from = to;
    }
    Ok((schema, batches))
}

fn counted(rows: usize) -> String {
    if rows == 1 {
        String::from("1 row")
    } else {
        format!("{rows} rows")
    }
}

/// Walks the chunks of one column; the cuts are a superset of its chunk ends, so a step never spans two chunks.
struct Cursor<'a> {
    chunks: &'a [ArrayRef],
    chunk: usize,
    at: usize,
}

impl Cursor<'_> {
    fn next(&mut self, rows: usize) -> ArrayRef {
        while self.at == self.chunks[self.chunk].len() {
            self.chunk += 1;
            self.at = 0;
        }
        let chunk = &self.chunks[self.chunk];
        let slice = if rows == chunk.len() {
            chunk.clone()
        } else {
            chunk.slice(self.at, rows)
        };
        self.at += rows;
        slice
    }
}
