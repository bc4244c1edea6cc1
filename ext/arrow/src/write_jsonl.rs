//! JSON lines: an object for each row.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::write::{Fault, Lines};
use crate::write_values::{Form, Values};

pub struct JsonWriter {
    /// `{"name":` or `,"name":`, ready to be written.
    keys: Vec<Vec<u8>>,
}

impl JsonWriter {
    pub fn new(schema: &Schema) -> Self {
        let key = |(i, field): (usize, &std::sync::Arc<arrow_schema::Field>)| {
            let mut key = vec![if i == 0 { b'{' } else { b',' }];
            Json::text(field.name(), &mut key);
            key.push(b':');
            key
        };
        JsonWriter {
            keys: schema.fields().iter().enumerate().map(key).collect(),
        }
    }
}

impl Lines for JsonWriter {
    fn head(&self, _: &mut Vec<u8>) {}

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
            if columns.is_empty() {
                out.push(b'{');
            }
            for (key, column) in self.keys.iter().zip(&columns) {
                out.extend_from_slice(key);
                column.write::<Json>(row, out)?;
            }
            out.extend_from_slice(b"}\n");
        }
        Ok(())
    }
}

struct Json;

impl Form for Json {
    fn null(out: &mut Vec<u8>) {
        out.extend_from_slice(b"null");
    }

    fn text(text: &str, out: &mut Vec<u8>) {
        out.push(b'"');
        let plain = !text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\');
        if plain {
            out.extend_from_slice(text.as_bytes());
        } else {
            for b in text.bytes() {
                match b {
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
                    b'\n' => out.extend_from_slice(b"\\n"),
                    b'\r' => out.extend_from_slice(b"\\r"),
                    b'\t' => out.extend_from_slice(b"\\t"),
                    b if b < b' ' => out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
                    b => out.push(b),
                }
            }
        }
        out.push(b'"');
    }

    fn bare(digits: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(digits);
    }

    /// NaN is null (spec 2.7); infinity has no form in JSON, and writing null would lose it.
    fn not_finite(number: f64, out: &mut Vec<u8>) -> Result<(), Fault> {
        if number.is_nan() {
            Json::null(out);
            return Ok(());
        }
        Err(Fault::Data(format!("{number} has no form in JSON")))
    }

    fn list<'a>(texts: impl Iterator<Item = Option<&'a str>>, out: &mut Vec<u8>) {
        out.push(b'[');
        for (i, text) in texts.enumerate() {
            if i > 0 {
                out.push(b',');
            }
            match text {
                Some(text) => Json::text(text, out),
                None => Json::null(out),
            }
        }
        out.push(b']');
    }
}
