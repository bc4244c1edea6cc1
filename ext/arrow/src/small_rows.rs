//! A stretch of a table of ids and instants, with what is wrong in it.

use crate::columns::Column;
use crate::errors::Problem;
use crate::field_plan::NO_INSTANT;
use crate::ids::{IdLook, Ids};
use crate::lexical::Fault;
use crate::rows::{problem_of, problem_told, Run, IS_NULL};
use crate::strings::NULL;

/// Rows of one stretch and what is wrong with them.
#[derive(Default)]
pub struct SmallRows {
    pub faulty: Vec<bool>,
    /// Rows a file reader could not read: nothing more is said of them.
    pub told: Vec<bool>,
    problems: Vec<(usize, Problem)>,
}

impl SmallRows {
    pub fn reset(&mut self, count: usize) {
        self.faulty.clear();
        self.faulty.resize(count, false);
        self.told.clear();
        self.told.resize(count, false);
        self.problems.clear();
    }

    /// Rows the reader of a file could not read.
    pub fn heed(&mut self, table: &str, row: u64, start: usize, problem: Option<&Column>) {
        let Some(problem) = problem else { return };
        for i in 0..self.told.len() {
            if !problem.is_null(start + i) {
                self.problems.push((
                    i,
                    problem_told(table, row + i as u64, problem.text(start + i)),
                ));
                (self.told[i], self.faulty[i]) = (true, true);
            }
        }
    }

    pub fn fault(
        &mut self,
        table: &str,
        row: u64,
        column: &Column,
        start: usize,
        i: usize,
        why: Fault,
    ) {
        if !self.told[i] {
            self.problems
                .push((i, problem_of(table, row + i as u64, column, start + i, why)));
            self.faulty[i] = true;
        }
    }

    pub fn instants(
        &mut self,
        table: &str,
        row: u64,
        column: &Column,
        start: usize,
        required: bool,
    ) -> Vec<i64> {
        let mut out = vec![NO_INSTANT; self.told.len()];
        let mut bad = Vec::new();
        column.instants(start, &mut out, &mut bad);
        let mut bad = bad.into_iter().peekable();
        for (i, value) in out
            .iter()
            .enumerate()
            .filter(|(_, value)| **value == NO_INSTANT)
        {
            debug_assert_eq!(*value, NO_INSTANT);
            match bad.next_if(|(at, _)| *at == i) {
                Some((_, why)) => self.fault(table, row, column, start, i, why),
                None if required => self.fault(table, row, column, start, i, IS_NULL),
                None => {}
            }
        }
        out
    }

    pub fn ids(
        &mut self,
        table: &str,
        row: u64,
        column: &Column,
        start: usize,
        required: bool,
        space: (&mut Ids, &mut IdLook),
    ) -> Vec<u32> {
        let mut out = vec![NULL; self.told.len()];
        let mut bad = Vec::new();
        let wanted = vec![true; out.len()];
        space
            .0
            .read(column, start, &wanted, space.1, &mut out, &mut bad);
        let mut bad = bad.into_iter().peekable();
        for i in (0..out.len()).filter(|i| out[*i] == NULL) {
            match bad.next_if(|(at, _)| *at == i) {
                Some((_, why)) => self.fault(table, row, column, start, i, why),
                None if required => self.fault(table, row, column, start, i, IS_NULL),
                None => {}
            }
        }
        out
    }

    /// Hand on the faults, by row; `lead` is a code from 1, 0 for none.
    pub fn tell(&mut self, table: &str, run: &mut Run<'_>, lead: &[u32]) {
        self.problems.sort_by_key(|(i, _)| *i);
        self.problems
            .drain(..)
            .for_each(|(_, problem)| run.faults.problem(problem));
        for (faulty, lead) in self.faulty.iter().zip(lead) {
            if *faulty {
                run.faults.reject_row(table, lead.checked_sub(1));
            }
        }
    }
}
