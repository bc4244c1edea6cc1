//! What the readers of leads, pairs and events share: faults of a row, and batches of a stream.

use std::sync::Mutex;

use arrow_array::{RecordBatch, RecordBatchReader};
use pyo3::prelude::*;

use crate::columns::Column;
use crate::errors::{edge_error, show, Problem};
use crate::evaluate::Evaluator;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::lexical::Fault;
use crate::plan::Plan;

/// Everything of the encoder that reading a table changes.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub leads: &'a mut Ids,
    pub evaluator: &'a mut Evaluator,
    pub faults: &'a mut Faults,
}

pub const IS_NULL: Fault = "is null";

/// A stream of batches; in a mutex because it may be sent between threads but not shared.
pub type Stream = Mutex<Box<dyn RecordBatchReader + Send>>;

/// The problem of one value. `row` counts from the start of the table, `at` from the start of the column.
pub fn problem_of(table: &str, row: u64, column: &Column, at: usize, fault: Fault) -> Problem {
    Problem {
        table: table.to_string(),
        row: Some(row),
        column: Some(column.name.clone()),
        // What reads as null is no value to show (NaN).
        value: (fault != IS_NULL).then(|| column.show(at)).flatten(),
        reason: fault.to_string(),
    }
}

/// The problem a file reader left in place of a row it could not read: `column<TAB>value<TAB>reason`.
pub fn problem_told(table: &str, row: u64, told: &str) -> Problem {
    let mut parts = told.splitn(3, '\t');
    let mut next = || parts.next().unwrap_or("");
    let (column, value, reason) = (next(), next(), next());
    let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
    let reason = if reason.is_empty() { told } else { reason };
    Problem {
        table: table.to_string(),
        row: Some(row),
        column: some(column),
        value: some(value).map(|value| show(&value)),
        reason: reason.to_string(),
    }
}

/// A fault of the table as a whole.
pub fn table_error(table: &str, reason: String) -> PyErr {
    let problem = Problem {
        table: table.to_string(),
        row: None,
        column: None,
        value: None,
        reason,
    };
    edge_error(&[problem], 1)
}

/// The next batch that has rows.
pub fn next_batch(table: &str, stream: &mut Stream) -> PyResult<Option<RecordBatch>> {
    // Only `&mut` is ever used, so a poisoned lock guards nothing.
    let stream = stream
        .get_mut()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    loop {
        match stream.next() {
            None => return Ok(None),
            Some(Ok(batch)) if batch.num_rows() == 0 => {}
            Some(Ok(batch)) => return Ok(Some(batch)),
            Some(Err(error)) => {
                return Err(table_error(
                    table,
                    format!("the table cannot be read: {error}"),
                ))
            }
        }
    }
}
