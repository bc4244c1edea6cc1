//! The leads table, read whole (spec 2.1).

use std::collections::HashMap;
use std::sync::Mutex;

use arrow_array::RecordBatchReader;
use pyo3::prelude::*;

use crate::columns::{Column, Wanted};
use crate::errors::Problem;
use crate::evaluate::UNKNOWN;
use crate::field_plan::NO_INSTANT;
use crate::fields::{Fields, NO_KIND, STRETCH};
use crate::ids::{IdLook, Ids};
use crate::rows::{next_batch, table_error, Run};
use crate::schema::{Columns, Place};
use crate::small_rows::SmallRows;

const TABLE: &str = "leads";
/// Ids room is made for before any is seen: how many rows there are is a claim of whoever hands them over.
const MOST_RESERVED: usize = 1 << 22;
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

/// The kept rows of a column that is there.
fn extend<T: Copy>(out: &mut Option<Vec<T>>, values: &Option<Vec<T>>, kept: &[usize]) {
    if let (Some(out), Some(values)) = (out, values) {
        out.extend(kept.iter().map(|i| values[*i]));
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
    let (mut fields, mut stretch) = (Fields::new(side), SmallRows::default());
    let (mut known, mut accounts_known) = (IdLook::default(), IdLook::default());
    let mut sets = Vec::new();
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
        if valid_from.is_none() {
            run.leads.reserve(batch.num_rows().min(MOST_RESERVED)); // a row for each lead
        }
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
            let whole = !stretch.told.contains(&true);
            fields.look(side, &attributes, start, &kinds, whole, run.evaluator);
            fields.learn(side, &attributes, start, run.evaluator, |i, column, why| {
                stretch.fault(TABLE, row, column, start, i, why);
            });
            stretch.tell(TABLE, run, &leads);
            let kept: Vec<usize> = (0..count).filter(|i| !stretch.faulty[*i]).collect();
            sets.resize(count, UNKNOWN);
            fields.known_sets(&kinds, run.evaluator, &mut sets);
            let from = out.hits.len();
            out.hits.extend(kept.iter().map(|i| sets[*i]));
            let hits = &mut out.hits[from..];
            fields.sets(side, &attributes, start, &kinds, &kept, run.evaluator, hits);
            out.code.extend(kept.iter().map(|i| leads[*i] - 1));
            out.rows.extend(kept.iter().map(|i| row + *i as u64));
            extend(&mut out.valid_from, &valid, &kept);
            extend(&mut out.created_at, &created, &kept);
            extend(&mut out.as_of, &asked, &kept);
            extend(&mut out.account, &owners, &kept);
            start += count;
            row += count as u64;
        }
    }
    for created in out
        .created_at
        .iter_mut()
        .flatten()
        .filter(|at| **at == NO_INSTANT)
    {
        *created = NEVER;
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
                reason: format!("stands in row {} too{at}", self.rows[other]),
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
