//! Faulty rows of the tables of one run: counted, listed, and kept where the run rejects them (spec 11, 12).

use std::collections::BTreeMap;

use hashbrown::HashMap;
use pyo3::PyErr;

use crate::errors::{edge_error, Problem, LISTED};

/// The name under which undeclared types are counted when there are too many different ones.
const OTHERS: &str = "…";
const MOST_NAMES: usize = 65_536;

/// What a run knows of the rows it read.
#[derive(Default)]
pub struct Faults {
    pub reject: bool,
    pub rows: BTreeMap<String, u64>,
    pub ignored: BTreeMap<String, u64>,
    pub rejected: BTreeMap<String, u64>,
    /// By lead code: rows rejected.
    pub leads: HashMap<u32, u64>,
    /// Rejected rows: all of them where the run rejects, else the first of the table at hand.
    pub problems: Vec<Problem>,
    /// Problems of the table at hand.
    total: u64,
}

impl Faults {
    pub fn new(reject: bool) -> Self {
        Self {
            reject,
            ..Self::default()
        }
    }

    /// Begin a table.
    pub fn open(&mut self) {
        self.total = 0;
        if !self.reject {
            self.problems.clear();
        }
    }

    pub fn problem(&mut self, problem: Problem) {
        self.total += 1;
        if self.reject || self.problems.len() < LISTED {
            self.problems.push(problem);
        }
    }

    /// Count a row as rejected, once, however many problems it has.
    pub fn reject_row(&mut self, table: &str, lead: Option<u32>) {
        *self.rejected.entry(table.to_string()).or_default() += 1;
        if let Some(lead) = lead {
            *self.leads.entry(lead).or_default() += 1;
        }
    }

    pub fn ignore(&mut self, name: &str, rows: u64) {
        let name = if self.ignored.len() < MOST_NAMES || self.ignored.contains_key(name) {
            name
        } else {
            OTHERS
        };
        *self.ignored.entry(name.to_string()).or_default() += rows;
    }

    /// Whether the table at hand cannot be used.
    pub fn failed(&self) -> bool {
        !self.reject && self.total > 0
    }

    /// The error at the end of a table, if it was faulty and faults are not tolerated.
    pub fn close(&self) -> Result<(), PyErr> {
        if self.failed() {
            Err(edge_error(&self.problems, self.total))
        } else {
            Ok(())
        }
    }
}
