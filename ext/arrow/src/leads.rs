//! The leads table and small tables of ids and instants, read whole (spec 2.1, 2.8).

use std::collections::HashMap;
use std::sync::Mutex;

use arrow_array::RecordBatchReader;
use pyo3::prelude::*;

use crate::columns::{Column, Wanted};
use crate::errors::Problem;
use crate::fields::{Fields, NO_KIND, STRETCH};
use crate::ids::Ids;
use crate::lexical::Fault;
use crate::plan::NO_INSTANT;
use crate::rows::{next_batch, problem_of, problem_told, table_error, Run, IS_NULL};
use crate::schema::{Columns, Place};
use crate::strings::NULL;
use crate::texts::DictionaryCodes;

const TABLE: &str = "leads";
/// In place of a missing `created_at`: later than all.
const NEVER: i64 = i64::MAX;

/// The rows kept of a leads table.
#[derive(Default)]
pub struct Leads {
    pub code: Vec<u32>,
    pub hits: Vec<u32>,
    pub valid_from: Option<Vec<i64>>,
    pub created_at: Option<Vec<i64>>,
    pub account: Option<Vec<u32>>,
    pub as_of: Option<Vec<i64>>,
    rows: Vec<u64>,
}

/// Rows of one stretch and what is wrong with them.
#[derive(Default)]
struct Stretch {
    faulty: Vec<bool>,
    told: Vec<bool>,
    problems: Vec<(usize, Problem)>,
}

impl Stretch {
    fn reset(&mut self, count: usize) {
        self.faulty.clear();
        self.faulty.resize(count, false);
        self.told.clear();
        self.told.resize(count, false);
        self.problems.clear();
    }

    /// Rows the reader of a file could not read.
    fn heed(&mut self, table: &str, row: u64, start: usize, problem: Option<&Column>) {
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

    fn fault(
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

    fn instants(
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

    fn ids(
        &mut self,
        table: &str,
        row: u64,
        column: &Column,
        start: usize,
        required: bool,
        space: (&mut Ids, &mut DictionaryCodes),
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
    fn tell(&mut self, table: &str, run: &mut Run<'_>, lead: &[u32]) {
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

/// Read a leads table.
pub fn read_leads(
    run: &mut Run<'_>,
    accounts: &mut Ids,
    stream: Box<dyn RecordBatchReader + Send>,
    names: &HashMap<String, String>,
    as_of: Option<&str>,
) -> PyResult<Leads> {
    run.faults.open();
    let side = &run.plan.leads;
    let mut columns = Columns::new(TABLE, stream.as_ref(), names);
    let lead = columns.find_ids("lead_id", true, run.leads);
    let valid_from = columns.find("valid_from", Wanted::Instant, false);
    let created_at = columns.find("created_at", Wanted::Instant, false);
    let account = columns.find_ids("account_id", false, accounts);
    let as_of = as_of.and_then(|name| columns.find_named(name.to_string(), Wanted::Instant, true));
    let problem = columns.find_problems();
    let places: Vec<Option<Place>> = side
        .fields
        .iter()
        .map(|field| columns.find(&field.name, field.kind.into(), !field.optional))
        .collect();
    columns.check()?;
    let Some(lead) = lead else {
        return Err(table_error(TABLE, String::from("lead_id is required")));
    };

    let mut stream = Mutex::new(stream);
    let mut out = Leads {
        valid_from: valid_from.as_ref().map(|_| Vec::new()),
        created_at: created_at.as_ref().map(|_| Vec::new()),
        account: account.as_ref().map(|_| Vec::new()),
        as_of: as_of.as_ref().map(|_| Vec::new()),
        ..Leads::default()
    };
    let (mut fields, mut stretch) = (Fields::new(side), Stretch::default());
    let (mut known, mut accounts_known) = (DictionaryCodes::default(), DictionaryCodes::default());
    let mut row = 0u64;
    while let Some(batch) = next_batch(TABLE, &mut stream)? {
        let place = |place: &Place| {
            place
                .column(&batch)
                .map_err(|reason| table_error(TABLE, reason))
        };
        let optional = |found: &Option<Place>| found.as_ref().map(place).transpose();
        let lead = place(&lead)?;
        let [valid_from, created_at, as_of] = [
            optional(&valid_from)?,
            optional(&created_at)?,
            optional(&as_of)?,
        ];
        let [account, problem] = [optional(&account)?, optional(&problem)?];
        let attributes = places.iter().map(optional).collect::<PyResult<Vec<_>>>()?;
        let mut start = 0;
        while start < batch.num_rows() {
            let count = (batch.num_rows() - start).min(STRETCH);
            stretch.reset(count);
            stretch.heed(TABLE, row, start, problem.as_ref());
            let leads = stretch.ids(TABLE, row, &lead, start, true, (run.leads, &mut known));
            let mut instants = |column: &Option<Column>, required| {
                column
                    .as_ref()
                    .map(|column| stretch.instants(TABLE, row, column, start, required))
            };
            let valid = instants(&valid_from, false);
            let created = instants(&created_at, false);
            let asked = instants(&as_of, true);
            let owners = account.as_ref().map(|column| {
                stretch.ids(
                    TABLE,
                    row,
                    column,
                    start,
                    false,
                    (accounts, &mut accounts_known),
                )
            });
            let kinds: Vec<u32> = stretch
                .told
                .iter()
                .map(|told| if *told { NO_KIND } else { 0 })
                .collect();
            fields.read(
                side,
                &attributes,
                start,
                &kinds,
                !stretch.told.contains(&true),
                run.evaluator,
                |i, column, why| {
                    stretch.fault(TABLE, row, column, start, i, why);
                },
            );
            stretch.tell(TABLE, run, &leads);
            for i in (0..count).filter(|i| !stretch.faulty[*i]) {
                out.code.push(leads[i] - 1);
                out.rows.push(row + i as u64);
                out.hits
                    .push(fields.set(side, &attributes, start, 0, i, run.evaluator));
                if let (Some(out), Some(values)) = (&mut out.valid_from, &valid) {
                    out.push(values[i]);
                }
                if let (Some(out), Some(values)) = (&mut out.created_at, &created) {
                    out.push(if values[i] == NO_INSTANT {
                        NEVER
                    } else {
                        values[i]
                    });
                }
                if let (Some(out), Some(values)) = (&mut out.as_of, &asked) {
                    out.push(values[i]);
                }
                if let (Some(out), Some(values)) = (&mut out.account, &owners) {
                    out.push(values[i]);
                }
            }
            start += count;
            row += count as u64;
        }
    }
    *run.faults.rows.entry(TABLE.to_string()).or_default() += row;
    let name = names.get("lead_id").map_or("lead_id", String::as_str);
    out.refuse_twins(run, name);
    run.faults.close()?;
    Ok(out)
}

impl Leads {
    /// A lead stands once in the table, or once at each `valid_from` (spec 2.1). Where rows are rejected all twins
    /// go, since which of them came first must not decide anything (spec 10.1).
    fn refuse_twins(&mut self, run: &mut Run<'_>, name: &str) {
        let from = |place: usize| {
            self.valid_from
                .as_ref()
                .map_or(NO_INSTANT, |all| all[place])
        };
        let mut twins: Vec<(usize, usize)> = Vec::new();
        if self.valid_from.is_some() {
            let mut places: Vec<usize> = (0..self.code.len()).collect();
            places.sort_unstable_by_key(|place| (self.code[*place], from(*place), *place));
            let same = |a: usize, b: usize| self.code[a] == self.code[b] && from(a) == from(b);
            for group in places.chunk_by(|a, b| same(*a, *b)) {
                twins.extend(group.iter().skip(1).map(|twin| (group[0], *twin)));
            }
        } else {
            let mut first = vec![usize::MAX; run.leads.len()];
            for (place, code) in self.code.iter().enumerate() {
                match &mut first[*code as usize] {
                    first if *first == usize::MAX => *first = place,
                    first => twins.push((*first, place)),
                }
            }
        }
        if twins.is_empty() {
            return;
        }
        if run.faults.reject {
            let mut firsts: Vec<(usize, usize)> = Vec::new();
            for (first, twin) in &twins {
                if !firsts.iter().rev().take(1).any(|(_, known)| known == first) {
                    firsts.push((*twin, *first));
                }
            }
            firsts.sort_unstable_by_key(|(_, first)| *first);
            firsts.dedup_by_key(|(_, first)| *first);
            twins.extend(firsts);
        }
        twins.sort_unstable_by_key(|(_, twin)| *twin);
        let mut gone = vec![false; self.code.len()];
        for (other, twin) in twins {
            let at = if self.valid_from.is_some() {
                " at this valid_from"
            } else {
                ""
            };
            let value = run.leads.show(self.code[twin] + 1);
            run.faults.problem(Problem {
                table: TABLE.to_string(),
                row: Some(self.rows[twin]),
                column: Some(name.to_string()),
                reason: format!("lead {value} stands in row {} too{at}", self.rows[other]),
                value: Some(value),
            });
            run.faults.reject_row(TABLE, Some(self.code[twin]));
            gone[twin] = true;
        }
        fn keep<T>(all: &mut Vec<T>, gone: &[bool]) {
            let mut gone = gone.iter();
            all.retain(|_| !gone.next().copied().unwrap_or(false));
        }
        keep(&mut self.code, &gone);
        keep(&mut self.hits, &gone);
        keep(&mut self.rows, &gone);
        [&mut self.valid_from, &mut self.created_at, &mut self.as_of]
            .into_iter()
            .flatten()
            .for_each(|all| keep(all, &gone));
        self.account.iter_mut().for_each(|all| keep(all, &gone));
    }
}

/// Columns of codes and columns of instants.
pub type Pairs = (Vec<Vec<u32>>, Vec<Vec<i64>>);

/// Read a table of lead ids (as codes) and instants, all required.
pub fn read_pairs(
    run: &mut Run<'_>,
    stream: Box<dyn RecordBatchReader + Send>,
    table: &str,
    names: &HashMap<String, String>,
    ids: &[String],
    instants: &[String],
) -> PyResult<Pairs> {
    run.faults.open();
    let mut columns = Columns::new(table, stream.as_ref(), names);
    let id_places: Vec<_> = ids
        .iter()
        .map(|name| columns.find_ids(name, true, run.leads))
        .collect();
    let instant_places: Vec<_> = instants
        .iter()
        .map(|name| columns.find(name, Wanted::Instant, true))
        .collect();
    let problem = columns.find_problems();
    columns.check()?;
    let mut stream = Mutex::new(stream);
    let mut codes: Vec<Vec<u32>> = vec![Vec::new(); ids.len()];
    let mut times: Vec<Vec<i64>> = vec![Vec::new(); instants.len()];
    let mut known: Vec<DictionaryCodes> = ids.iter().map(|_| DictionaryCodes::default()).collect();
    let (mut stretch, mut row) = (Stretch::default(), 0u64);
    while let Some(batch) = next_batch(table, &mut stream)? {
        let place = |place: &Place| {
            place
                .column(&batch)
                .map_err(|reason| table_error(table, reason))
        };
        let problem = problem.as_ref().map(place).transpose()?;
        let id_columns = id_places
            .iter()
            .flatten()
            .map(place)
            .collect::<PyResult<Vec<_>>>()?;
        let instant_columns = instant_places
            .iter()
            .flatten()
            .map(place)
            .collect::<PyResult<Vec<_>>>()?;
        let mut start = 0;
        while start < batch.num_rows() {
            let count = (batch.num_rows() - start).min(STRETCH);
            stretch.reset(count);
            stretch.heed(table, row, start, problem.as_ref());
            let mut found = Vec::new();
            for (column, known) in id_columns.iter().zip(&mut known) {
                found.push(stretch.ids(table, row, column, start, true, (run.leads, known)));
            }
            let read: Vec<_> = instant_columns
                .iter()
                .map(|column| stretch.instants(table, row, column, start, true))
                .collect();
            stretch.tell(table, run, found.first().map_or(&[], Vec::as_slice));
            for i in (0..count).filter(|i| !stretch.faulty[*i]) {
                codes
                    .iter_mut()
                    .zip(&found)
                    .for_each(|(out, values)| out.push(values[i] - 1));
                times
                    .iter_mut()
                    .zip(&read)
                    .for_each(|(out, values)| out.push(values[i]));
            }
            start += count;
            row += count as u64;
        }
    }
    *run.faults.rows.entry(table.to_string()).or_default() += row;
    run.faults.close()?;
    Ok((codes, times))
}
