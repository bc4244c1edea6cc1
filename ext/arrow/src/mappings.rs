//! Python mappings read field by field, and what is wrong in them.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors::{edge_error, show, Problem};
use crate::lexical::Fault;
use crate::rows::IS_NULL;
use crate::scalars::{id, instant, Cell, Id};
use crate::source::Kind;

/// What a mapping says under a name, None if it does not have it.
pub fn look_up<'py>(
    mapping: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(dict) = mapping.cast::<PyDict>() {
        return dict.get_item(name);
    }
    match mapping.get_item(name) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyKeyError>(mapping.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One row of a table that is being read, with the faults of all rows so far.
pub struct Row<'a> {
    pub table: &'a str,
    pub number: u64,
    pub problems: &'a mut Vec<Problem>,
}

impl Row<'_> {
    #[cold]
    pub fn fault(&mut self, name: &str, value: Option<&Bound<'_, PyAny>>, why: Fault) {
        let value = value.and_then(|value| value.str().ok());
        self.problems.push(Problem {
            table: self.table.to_string(),
            row: Some(self.number),
            column: Some(name.to_string()),
            value: value.map(|text| show(&text.to_string_lossy())),
            reason: why.to_string(),
        });
    }

    /// The value of a field; null where the mapping does not have it.
    pub fn cell<'py>(
        &mut self,
        mapping: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
        kind: Kind,
    ) -> PyResult<Cell<'py>> {
        let Some(value) = look_up(mapping, name)? else {
            return Ok(Cell::Null);
        };
        Ok(Cell::read(&value, kind).unwrap_or_else(|why| {
            self.fault(&name.to_string_lossy(), Some(&value), why);
            Cell::Null
        }))
    }

    /// When an event was; it must say so.
    pub fn at(&mut self, at: Option<&Bound<'_, PyAny>>) -> i64 {
        let at = at.filter(|value| !value.is_none());
        let when = at.map_or(Err(IS_NULL), |value| {
            instant(value).and_then(|at| at.ok_or(IS_NULL))
        });
        when.unwrap_or_else(|why| {
            self.fault("at", at, why);
            0
        })
    }

    pub fn event_id<'py>(&mut self, value: &Bound<'py, PyAny>) -> Option<Id<'py>> {
        id(value).unwrap_or_else(|why| {
            self.fault("event_id", Some(value), why);
            None
        })
    }
}

/// The error that tells all faults, if there are any.
pub fn check(problems: &[Problem]) -> PyResult<()> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(edge_error(problems, problems.len() as u64))
    }
}
