//! CSV as spec 12 has it: null is an empty field, empty text a quoted one.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::write::{Fault, Lines};
use crate::write_values::{Form, Values};

pub struct CsvWriter {
    names: Vec<String>,
}

impl CsvWriter {
    pub fn new(schema: &Schema) -> Self {
        CsvWriter {
            names: schema.fields().iter().map(|f| f.name().clone()).collect(),
        }
    }
}

impl Lines for CsvWriter {
    fn head(&self, out: &mut Vec<u8>) {
        for (i, name) in self.names.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            Csv::text(name, out);
        }
        out.push(b'\n');
    }

    fn rows(
        &self,
        batch: &RecordBatch,
        from: usize,
        to: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let slice = batch.slice(from, to - from);
        let columns = slice
            .columns()
            .iter()
            .map(Values::new)
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..slice.num_rows() {
            for (i, column) in columns.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                column.write::<Csv>(row, out)?;
            }
            out.push(b'\n');
        }
        Ok(())
    }
}

struct Csv;

impl Form for Csv {
    fn null(_: &mut Vec<u8>) {}

    fn text(text: &str, out: &mut Vec<u8>) {
        let quoted = text.is_empty()
            || text
                .bytes()
                .any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r'));
        if !quoted {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        out.push(b'"');
        for b in text.bytes() {
            if b == b'"' {
                out.push(b'"');
            }
            out.push(b);
        }
        out.push(b'"');
    }

    fn bare(digits: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(digits);
    }

    fn not_finite(number: f64, out: &mut Vec<u8>) -> Result<(), Fault> {
        let word: &[u8] = match number {
            n if n.is_nan() => b"NaN",
            n if n > 0.0 => b"inf",
            _ => b"-inf",
        };
        out.extend_from_slice(word);
        Ok(())
    }

    /// Texts joined by `;`, nulls left out.
    fn list<'a>(texts: impl Iterator<Item = Option<&'a str>>, out: &mut Vec<u8>) {
        let texts: Vec<&str> = texts.flatten().collect();
        Csv::text(&texts.join(";"), out);
    }
}
