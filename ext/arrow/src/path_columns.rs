//! Columns in the names of folders: `country=DE/month=2026-05/events.parquet`, as Hive, Spark and DuckDB write them.

use std::path::{Component, Path};
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    new_null_array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use arrow_select::take::take;

use crate::instants;
use crate::lexical::{boolean, canonical, number, NOT_INSTANT};

/// What writers put where the value is null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A column whose value is the same in all rows of a file.
pub struct PathColumn {
    name: String,
    wanted: String,
    kind: DataType,
}

impl PathColumn {
    /// The columns among those wanted that all paths name, but no file has. `lexical`: all is text (CSV).
    pub fn all(
        paths: &[String],
        fields: &[(String, String)],
        names: &[String],
        lexical: bool,
    ) -> Vec<PathColumn> {
        let named = |name: &str| paths.iter().all(|path| part(path, name).is_some());
        fields
            .iter()
            .filter(|(name, _)| !names.contains(name) && named(name))
            .map(|(name, wanted)| {
                let values = || paths.iter().filter_map(|path| part(path, name)?);
                let integers = || values().all(|text| canonical(text.as_bytes()).is_some());
                let kind = match wanted.as_str() {
                    _ if lexical => DataType::Utf8,
                    "number" => DataType::Float64,
                    "boolean" => DataType::Boolean,
                    "instant" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                    "id" if integers() => DataType::Int64,
                    _ => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                };
                PathColumn {
                    name: name.clone(),
                    wanted: wanted.clone(),
                    kind,
                }
            })
            .collect()
    }

    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub fn field(&self) -> Field {
        Field::new(&self.name, self.kind.clone(), true)
    }

    /// The one value a path says, or why it is none of the column.
    pub fn value(&self, path: &str) -> Result<ArrayRef, String> {
        let Some(text) = part(path, &self.name).flatten() else {
            return Ok(new_null_array(&self.kind, 1));
        };
        let refused = |why: &str| {
            let (name, wanted) = (&self.name, &self.wanted);
            format!("its path says {name}={text}, which {why}: column {name:?} is {wanted}")
        };
        Ok(match &self.kind {
            DataType::Float64 => {
                let value = number(&text).map_err(refused)?;
                Arc::new(Float64Array::from(vec![value]))
            }
            DataType::Boolean => {
                let value = boolean(&text).map_err(refused)?;
                Arc::new(BooleanArray::from(vec![value]))
            }
            DataType::Timestamp(..) => {
                let value = instants::parse(text.as_bytes()).ok_or_else(|| refused(NOT_INSTANT))?;
                Arc::new(TimestampMicrosecondArray::from(vec![value]).with_timezone("UTC"))
            }
            DataType::Int64 => Arc::new(Int64Array::from(vec![canonical(text.as_bytes())])),
            DataType::Utf8 => Arc::new(StringArray::from(vec![text])),
            _ => Arc::new(DictionaryArray::<Int32Type>::from_iter([text.as_str()])),
        })
    }
}

/// One value in so many rows.
pub fn repeated(value: &ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    take(value, &UInt32Array::from(vec![0; rows]), None)
}

/// What a folder of the path says of a column: not a word, null, or text. The innermost one counts.
fn part(path: &str, name: &str) -> Option<Option<String>> {
    let folders = Path::new(path).parent()?.components();
    folders.rev().find_map(|folder| {
        let Component::Normal(folder) = folder else {
            return None;
        };
        let (key, value) = folder.to_str()?.split_once('=')?;
        (decoded(key) == name).then(|| (value != NULL).then(|| decoded(value)))
    })
}

/// Text in which `%2F` and its like stand for bytes; as it is, where they are no text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .first_chunk()
            .and_then(|two| std::str::from_utf8(two as &[u8; 2]).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
