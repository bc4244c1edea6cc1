//! One column of JSON values of a wanted kind.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder};
use arrow_array::ArrayRef;
use arrow_schema::{ArrowError, DataType, Field};

use crate::text_columns::TextColumn;

/// One value.
pub enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Number(f64),
    Integer(i64),
    Boolean(bool),
}

/// What the column holds.
enum Values {
    /// Ids of which only nulls have been seen: so many.
    Undecided(usize),
    Text(TextColumn),
    Number(Float64Builder),
    Integer(Int64Builder),
    Boolean(BooleanBuilder),
}

pub struct JsonColumn {
    pub name: String,
    id: bool,
    values: Values,
}

impl JsonColumn {
    /// A column of this kind: `id`, `number`, `boolean`, else text (instants too: the consumer reads them). Ids are
    /// integers or text, unless it is `known` by the first of them.
    pub fn new(name: &str, kind: &str, known: Option<&DataType>) -> Self {
        let values = match kind {
            "id" => match known {
                Some(DataType::Int64) => Values::Integer(Int64Builder::new()),
                Some(_) => Values::Text(TextColumn::new()),
                None => Values::Undecided(0),
            },
            "number" => Values::Number(Float64Builder::new()),
            "boolean" => Values::Boolean(BooleanBuilder::new()),
            _ => Values::Text(TextColumn::new()),
        };
        JsonColumn {
            name: name.to_owned(),
            id: kind == "id",
            values,
        }
    }

    /// The Arrow field, for good: ids that are all null so far are text from now on.
    pub fn field(&mut self) -> Field {
        self.decide(&Cell::Text(Cow::Borrowed("")));
        let kind = match &self.values {
            Values::Undecided(_) | Values::Text(_) => DataType::Utf8,
            Values::Number(_) => DataType::Float64,
            Values::Integer(_) => DataType::Int64,
            Values::Boolean(_) => DataType::Boolean,
        };
        Field::new(&self.name, kind, true)
    }

    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::Text(text) => text.bytes(),
            _ => 0,
        }
    }

    /// The value written as `raw`, or why it does not fit this column.
    pub fn read<'a>(&self, raw: &'a str) -> Result<Cell<'a>, &'static str> {
        if raw == "null" {
            return Ok(Cell::Null);
        }
        let text = raw.starts_with('"');
        let number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        match &self.values {
            Values::Undecided(_) if text => string(raw),
            Values::Undecided(_) if number => integer(raw),
            Values::Undecided(_) => Err("an id is an integer or text"),
            Values::Integer(_) if number => integer(raw),
            Values::Integer(_) if text => Err("an id is text here, but ids before are integers"),
            Values::Text(_) if text => string(raw),
            Values::Text(_) if self.id && number => {
                Err("an id is an integer here, but ids before are text")
            }
            Values::Integer(_) => Err("an id is an integer or text"),
            Values::Text(_) if self.id => Err("an id is an integer or text"),
            Values::Text(_) => Err("text is wanted"),
            Values::Number(_) if number => float(raw).map(Cell::Number),
            Values::Number(_) => Err("a number is wanted"),
            Values::Boolean(_) => match raw {
                "true" => Ok(Cell::Boolean(true)),
                "false" => Ok(Cell::Boolean(false)),
                _ => Err("true or false is wanted"),
            },
        }
    }

    /// Add a value that `read` gave, or null.
    pub fn push(&mut self, cell: &Cell<'_>) {
        self.decide(cell);
        match (&mut self.values, cell) {
            (Values::Text(column), Cell::Text(text)) => column.push(text.as_bytes()),
            (Values::Number(column), Cell::Number(number)) => column.append_value(*number),
            (Values::Integer(column), Cell::Integer(integer)) => column.append_value(*integer),
            (Values::Boolean(column), Cell::Boolean(boolean)) => column.append_value(*boolean),
            (Values::Undecided(nulls), _) => *nulls += 1,
            (Values::Text(column), _) => column.push_null(),
            (Values::Number(column), _) => column.append_null(),
            (Values::Integer(column), _) => column.append_null(),
            (Values::Boolean(column), _) => column.append_null(),
        }
    }

    /// The first id that is there decides what ids are.
    fn decide(&mut self, cell: &Cell<'_>) {
        let Values::Undecided(nulls) = self.values else {
            return;
        };
        self.values = match cell {
            Cell::Integer(_) => {
                let mut column = Int64Builder::new();
                column.append_nulls(nulls);
                Values::Integer(column)
            }
            Cell::Text(_) => {
                let mut column = TextColumn::new();
                (0..nulls).for_each(|_| column.push_null());
                Values::Text(column)
            }
            _ => return,
        };
    }

    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match &mut self.values {
            Values::Undecided(_) => TextColumn::new().finish()?,
            Values::Text(column) => column.finish()?,
            Values::Number(column) => Arc::new(column.finish()),
            Values::Integer(column) => Arc::new(column.finish()),
            Values::Boolean(column) => Arc::new(column.finish()),
        })
    }
}

fn string(raw: &str) -> Result<Cell<'_>, &'static str> {
    let inner = &raw[1..raw.len() - 1];
    if !inner.contains('\\') {
        return Ok(Cell::Text(Cow::Borrowed(inner)));
    }
    let text = serde_json::from_str(raw)
        .map_err(|_| "the text holds half of a surrogate pair, which is no character")?;
    Ok(Cell::Text(Cow::Owned(text)))
}

fn integer(raw: &str) -> Result<Cell<'_>, &'static str> {
    raw.parse()
        .map(Cell::Integer)
        .map_err(|_| "a number that is an id must be an integer of 64 bits")
}

/// The nearest float64; an integer must be exact (spec 2.7).
fn float(raw: &str) -> Result<f64, &'static str> {
    let number: f64 = raw.parse().map_err(|_| "a number is wanted")?;
    if number.is_infinite() {
        return Err("the number is larger than any float64");
    }
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    // Up to 15 digits every integer is exact; a longer one is if float64 writes the same digits.
    let whole = digits.len() > 15 && digits.bytes().all(|b| b.is_ascii_digit());
    if whole && format!("{:.0}", number.abs()) != digits {
        return Err("no float64 holds this integer exactly");
    }
    Ok(number)
}
