//! Finding the columns of a table, and every fault that the schema alone shows (spec 2.3, 2.7).

use std::collections::HashMap;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::SchemaRef;
use pyo3::prelude::*;

use crate::columns::{Column, Wanted};
use crate::errors::{edge_error, Problem};
use crate::ids::{IdKind, Ids};

/// Schema metadata by which a stream says that its values are text (CSV).
pub const LEXICAL: &str = "leadcore.lexical";
/// Metadata of a field of untyped ids by which a stream says what all of them are, in this and in other streams of the
/// same table: `integer` or `text`.
pub const TYPED: &str = "leadcore.typed";
/// A text column in which a reader says why it could not read a row.
const PROBLEM: &str = "leadcore.problem";

/// Where the columns of one table stand.
pub struct Columns<'a> {
    table: &'a str,
    schema: SchemaRef,
    pub lexical: bool,
    names: &'a HashMap<String, String>,
    problems: Vec<Problem>,
}

/// A column that was found.
#[derive(Clone)]
pub struct Place {
    index: usize,
    name: String,
}

impl Place {
    pub fn column(&self, batch: &RecordBatch) -> Result<Column, String> {
        Column::new(
            &self.name,
            batch
                .columns()
                .get(self.index)
                .ok_or("a batch lacks a column of its schema")?,
        )
    }
}

impl<'a> Columns<'a> {
    pub fn new(
        table: &'a str,
        stream: &dyn RecordBatchReader,
        names: &'a HashMap<String, String>,
    ) -> Self {
        let schema = stream.schema();
        let lexical = schema.metadata().contains_key(LEXICAL);
        Self {
            table,
            schema,
            lexical,
            names,
            problems: Vec::new(),
        }
    }

    fn refuse(&mut self, column: &str, reason: String) {
        self.problems.push(Problem {
            table: self.table.to_string(),
            row: None,
            column: Some(column.to_string()),
            value: None,
            reason,
        });
    }

    /// The column of this name in the caller's table; a missing one is a fault only if `required`.
    pub fn find(&mut self, name: &str, wanted: Wanted, required: bool) -> Option<Place> {
        let name = self
            .names
            .get(name)
            .map_or(name, String::as_str)
            .to_string();
        self.find_named(name, wanted, required)
    }

    /// The column the caller calls so.
    pub fn find_named(&mut self, name: String, wanted: Wanted, required: bool) -> Option<Place> {
        let found: Vec<usize> = (0..self.schema.fields().len())
            .filter(|i| *self.schema.field(*i).name() == name)
            .collect();
        match found.as_slice() {
            [] => {
                if required {
                    self.refuse(&name, String::from("is missing"));
                }
                None
            }
            [index] => {
                let kind = self.schema.field(*index).data_type();
                if wanted.accepts(kind, self.lexical) {
                    return Some(Place {
                        index: *index,
                        name,
                    });
                }
                let reason = format!("is {kind}, where {} is expected", wanted.name());
                self.refuse(&name, reason);
                None
            }
            _ => {
                self.refuse(&name, format!("stands {} times in the table", found.len()));
                None
            }
        }
    }

    /// A column of ids, which must fit the ids read before.
    pub fn find_ids(&mut self, name: &str, required: bool, ids: &mut Ids) -> Option<Place> {
        let place = self.find(name, Wanted::Id, required)?;
        if let Err(reason) = ids.admit(self.id_kind(&place)) {
            self.refuse(&place.name, reason.to_string());
        }
        Some(place)
    }

    /// What the ids of a column are.
    pub fn id_kind(&self, place: &Place) -> Option<IdKind> {
        let field = self.schema.field(place.index);
        match field.metadata().get(TYPED).map(String::as_str) {
            Some("integer") => Some(IdKind::Integer),
            Some("text") => Some(IdKind::Text),
            _ => IdKind::of(field.data_type(), self.lexical),
        }
    }

    /// The column in which the reader reports rows it could not read.
    pub fn find_problems(&mut self) -> Option<Place> {
        let index = self.schema.index_of(PROBLEM).ok()?;
        let wanted = Wanted::Text.accepts(self.schema.field(index).data_type(), false);
        wanted.then(|| Place {
            index,
            name: PROBLEM.to_string(),
        })
    }

    /// An error naming every fault: a column that is no use cannot be rejected row by row.
    pub fn check(self) -> PyResult<()> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(edge_error(&self.problems, self.problems.len() as u64))
        }
    }
}
