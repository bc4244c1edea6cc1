//! Faults in tables: what Python sees as `EdgeError`.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    leadcore_arrow,
    EdgeError,
    PyException,
    "Rows or columns the edge refuses."
);

/// How many problems an error lists; all are counted.
pub const LISTED: usize = 100;

/// One refused row or column of a table.
#[derive(Clone, Debug)]
pub struct Problem {
    pub table: String,
    pub row: Option<u64>,
    pub column: Option<String>,
    pub value: Option<String>,
    pub reason: String,
}

/// At most 32 characters of a value, control characters escaped.
pub fn show(value: &str) -> String {
    let escaped: String = value
        .chars()
        .take(33)
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect();
    if escaped.chars().count() > 32 {
        let head: String = escaped.chars().take(31).collect();
        format!("{head}…")
    } else {
        escaped
    }
}

/// The Python exception for these problems.
pub fn edge_error(problems: &[Problem], total: u64) -> PyErr {
    let text = match problems.first() {
        Some(p) => match (&p.column, &p.value) {
            (Some(column), Some(value)) => format!("{column}: {value:?} {}", p.reason),
            (Some(column), None) => format!("{column} {}", p.reason),
            (None, _) => p.reason.clone(),
        },
        None => String::from("bad input"),
    };
    let listed: Vec<_> = problems
        .iter()
        .take(LISTED)
        .map(|p| {
            (
                p.table.clone(),
                p.row,
                p.column.clone(),
                p.value.clone(),
                p.reason.clone(),
            )
        })
        .collect();
    Python::attach(|py| {
        let err = EdgeError::new_err(text);
        let value = err.value(py);
        if let Err(failed) = value
            .setattr("problems", listed)
            .and_then(|()| value.setattr("total", total))
        {
            return failed;
        }
        err
    })
}
