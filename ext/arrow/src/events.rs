//! The events table in blocks of codes (spec 2.2, 2.6).

use std::collections::HashMap;
use std::sync::Mutex;

use arrow_array::{RecordBatch, RecordBatchReader};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::columns::{Bad, Column, Wanted};
use crate::errors::Problem;
use crate::evaluate::Evaluator;
use crate::faults::Faults;
use crate::fields::{Fields, NO_KIND, STRETCH};
use crate::identity::{EventId, Identities};
use crate::ids::{IdKind, Ids, UNWANTED};
use crate::integers::IntTable;
use crate::lexical::{Fault, NOT_UTF8};
use crate::plan::{Plan, NO_INSTANT};
use crate::rows::{next_batch, problem_of, problem_told, table_error, Stream, IS_NULL};
use crate::schema::{Columns, Place};
use crate::source::Kind;
use crate::strings::{TextTable, INVALID, NULL};
use crate::texts::DictionaryCodes;

const TABLE: &str = "events";
/// Names of undeclared types told apart.
const MOST_NAMES: usize = 65_536;

/// The caller's arrays, all of one length or empty.
pub struct Block<'a> {
    pub lead: &'a mut [u32],
    pub at: &'a mut [i64],
    pub hits: &'a mut [u32],
    pub row: &'a mut [i64],
    pub order: &'a mut [u32],
    pub content: &'a mut [u32],
    pub codes: Vec<&'a mut [u32]>,
    pub numbers: Vec<&'a mut [f64]>,
}

/// Everything of the encoder that reading events changes.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub leads: &'a mut Ids,
    pub evaluator: &'a mut Evaluator,
    pub faults: &'a mut Faults,
}

struct Places {
    lead: Place,
    at: Place,
    kind: Place,
    event_id: Option<Place>,
    problem: Option<Place>,
    fields: Vec<Option<Place>>,
}

struct Batch {
    lead: Column,
    at: Column,
    kind: Column,
    event_id: Option<Column>,
    problem: Option<Column>,
    fields: Vec<Option<Column>>,
    rows: usize,
    next: usize,
}

/// An events table being read.
pub struct Events {
    stream: Option<Stream>,
    places: Places,
    batch: Option<Batch>,
    /// Row number of the next row.
    row: u64,
    kinds: TextTable,
    kinds_known: DictionaryCodes,
    leads_known: DictionaryCodes,
    /// By code of a type name: rows of undeclared types not yet told.
    ignored: Vec<u64>,
    id_kind: Option<IdKind>,
    pub identities: Option<Identities>,
    pub contents: bool,
    values: Vec<Option<IntTable>>,
    fields: Fields,
    work: Work,
}

/// One stretch at work.
#[derive(Default)]
struct Work {
    codes: Vec<u32>,
    kinds: Vec<u32>,
    at: Vec<i64>,
    leads: Vec<u32>,
    wanted: Vec<bool>,
    faulty: Vec<bool>,
    integers: Vec<Option<i64>>,
    kept: Vec<usize>,
    bad: Bad,
    problems: Vec<(usize, Problem)>,
}

impl Batch {
    fn new(places: &Places, batch: &RecordBatch) -> Result<Self, String> {
        let optional =
            |place: &Option<Place>| place.as_ref().map(|place| place.column(batch)).transpose();
        Ok(Self {
            lead: places.lead.column(batch)?,
            at: places.at.column(batch)?,
            kind: places.kind.column(batch)?,
            event_id: optional(&places.event_id)?,
            problem: optional(&places.problem)?,
            fields: places
                .fields
                .iter()
                .map(optional)
                .collect::<Result<_, _>>()?,
            rows: batch.num_rows(),
            next: 0,
        })
    }
}

impl Events {
    /// Begin to read a table, whose schema must offer every declared column (spec 2.3).
    pub fn open(
        plan: &Plan,
        leads: &mut Ids,
        stream: Box<dyn RecordBatchReader + Send>,
        names: &HashMap<String, String>,
    ) -> PyResult<Self> {
        let mut columns = Columns::new(TABLE, stream.as_ref(), names);
        let lead = columns.find_ids("lead_id", true, leads);
        let at = columns.find("at", Wanted::Instant, true);
        let kind = columns.find("type", Wanted::Text, true);
        let event_id = columns.find("event_id", Wanted::Id, false);
        let problem = columns.find_problems();
        let side = &plan.events;
        let fields = side
            .fields
            .iter()
            .map(|field| columns.find(&field.name, field.kind.into(), !field.optional));
        let fields = fields.collect();
        let id_kind = event_id.as_ref().and_then(|place| columns.id_kind(place));
        columns.check()?;
        let (Some(lead), Some(at), Some(kind)) = (lead, at, kind) else {
            return Err(table_error(
                TABLE,
                String::from("lead_id, at and type are required"),
            ));
        };
        let contents = event_id.is_some();
        let mut kinds = TextTable::bounded(side.kinds.len() + MOST_NAMES, usize::MAX);
        for kind in &side.kinds {
            kinds.code(kind.name.as_bytes());
        }
        let coded =
            |field: &usize| (side.fields[*field].kind != Kind::Text).then(IntTable::default);
        Ok(Self {
            stream: Some(Mutex::new(stream)),
            places: Places {
                lead,
                at,
                kind,
                event_id,
                problem,
                fields,
            },
            batch: None,
            row: 0,
            kinds,
            kinds_known: DictionaryCodes::default(),
            leads_known: DictionaryCodes::default(),
            ignored: Vec::new(),
            id_kind,
            identities: (plan.ordered || contents).then(|| Identities::new(side, id_kind)),
            contents,
            values: plan.codes.iter().map(coded).collect(),
            fields: Fields::new(side),
            work: Work::default(),
        })
    }

    /// Fill a block; the number of rows filled, 0 at the end of the table.
    pub fn next_block(&mut self, run: &mut Run<'_>, block: &mut Block<'_>) -> PyResult<usize> {
        let most = block.lead.len();
        let mut filled = 0;
        while filled < most {
            if self.batch.is_none() && !self.pull()? {
                break;
            }
            let Some(mut batch) = self.batch.take() else {
                break;
            };
            let count = (batch.rows - batch.next).min(STRETCH).min(most - filled);
            self.read(run, &batch, count);
            self.tell(run, &batch, count);
            if run.faults.failed() {
                // Nothing of a faulty table is used; reading on only finds the other faults.
                filled = 0;
            } else {
                filled = self.write(run, &batch, count, block, filled)?;
            }
            batch.next += count;
            self.row += count as u64;
            if batch.next < batch.rows {
                self.batch = Some(batch);
            }
        }
        *run.faults.rows.entry(TABLE.to_string()).or_default() = self.row;
        let declared = run.plan.events.kinds.len();
        for (code, rows) in self
            .ignored
            .iter_mut()
            .enumerate()
            .filter(|(_, rows)| **rows > 0)
        {
            let name = if code > declared {
                self.kinds.text(code as u32)
            } else {
                "…"
            };
            run.faults.ignore(name, std::mem::take(rows));
        }
        if filled == 0 && self.stream.is_none() {
            run.faults.close()?;
        }
        Ok(filled)
    }

    /// Fetch the next batch; false at the end of the stream.
    fn pull(&mut self) -> PyResult<bool> {
        let Some(stream) = &mut self.stream else {
            return Ok(false);
        };
        match next_batch(TABLE, stream) {
            Ok(Some(batch)) => {
                let batch = Batch::new(&self.places, &batch)
                    .map_err(|reason| table_error(TABLE, reason))?;
                self.batch = Some(batch);
                Ok(true)
            }
            Ok(None) => {
                self.stream = None;
                Ok(false)
            }
            Err(error) => {
                self.stream = None;
                Err(error)
            }
        }
    }

    /// Read a stretch of a batch into plain values; faults go to `work`.
    fn read(&mut self, run: &mut Run<'_>, batch: &Batch, count: usize) {
        let side = &run.plan.events;
        let (work, start, row) = (&mut self.work, batch.next, self.row);
        work.reset(count);
        let fault =
            |problems: &mut Vec<(usize, Problem)>, i: usize, column: &Column, fault: Fault| {
                problems.push((
                    i,
                    problem_of(TABLE, row + i as u64, column, start + i, fault),
                ));
            };
        let mut told = vec![false; if batch.problem.is_some() { count } else { 0 }];
        if let Some(problem) = &batch.problem {
            for i in (0..count).filter(|i| !problem.is_null(start + i)) {
                work.problems.push((
                    i,
                    problem_told(TABLE, row + i as u64, problem.text(start + i)),
                ));
                (told[i], work.faulty[i]) = (true, true);
            }
        }
        let quiet = |i: usize| told.get(i).copied().unwrap_or(false);

        work.wanted.fill(true);
        match &batch.kind.texts {
            Some(texts) => {
                texts.codes(
                    start,
                    &work.wanted,
                    &mut self.kinds,
                    &mut self.kinds_known,
                    &mut work.codes,
                );
            }
            None => work.codes.fill(NULL),
        }
        batch.at.instants(start, &mut work.at, &mut work.bad);
        for (i, why) in work.bad.drain(..).filter(|(i, _)| !quiet(*i)) {
            fault(&mut work.problems, i, &batch.at, why);
            work.faulty[i] = true;
        }
        for i in 0..count {
            let code = work.codes[i];
            work.kinds[i] = if (code as usize).wrapping_sub(1) < side.kinds.len() {
                code - 1
            } else {
                NO_KIND
            };
            if work.at[i] == NO_INSTANT && !work.faulty[i] {
                fault(&mut work.problems, i, &batch.at, IS_NULL);
                work.faulty[i] = true;
            }
            if (code == NULL || code == INVALID) && !quiet(i) {
                fault(
                    &mut work.problems,
                    i,
                    &batch.kind,
                    if code == NULL { IS_NULL } else { NOT_UTF8 },
                );
                work.faulty[i] = true;
            }
            work.wanted[i] = work.kinds[i] != NO_KIND || work.faulty[i];
        }

        run.leads.read(
            &batch.lead,
            start,
            &work.wanted,
            &mut self.leads_known,
            &mut work.leads,
            &mut work.bad,
        );
        for i in 0..count {
            if work.leads[i] == NULL && !quiet(i) {
                let why = work
                    .bad
                    .iter()
                    .find(|(at, _)| *at == i)
                    .map_or(IS_NULL, |(_, why)| *why);
                fault(&mut work.problems, i, &batch.lead, why);
                work.faulty[i] = true;
            }
            if quiet(i) {
                work.kinds[i] = NO_KIND;
            }
        }
        work.bad.clear();

        let (problems, faulty) = (&mut work.problems, &mut work.faulty);
        self.fields.read(
            side,
            &batch.fields,
            start,
            &work.kinds,
            run.evaluator,
            |i, column, why| {
                fault(problems, i, column, why);
                faulty[i] = true;
            },
        );
        if let Some(ids) = &batch.event_id {
            work.integers.resize(count, None);
            if self.id_kind == Some(IdKind::Integer) {
                ids.integers(start, &mut work.integers, &mut work.bad);
            } else if let Some(texts) = &ids.texts {
                let broken = |i: &usize| {
                    texts
                        .get(start + i)
                        .is_some_and(|text| std::str::from_utf8(text).is_err())
                };
                work.bad
                    .extend((0..count).filter(broken).map(|i| (i, NOT_UTF8)));
            }
            for (i, why) in work.bad.drain(..).filter(|(i, _)| !quiet(*i)) {
                if work.kinds[i] != NO_KIND {
                    fault(&mut work.problems, i, ids, why);
                    work.faulty[i] = true;
                }
            }
        }
    }

    /// Hand on the faults of a stretch, by row.
    fn tell(&mut self, run: &mut Run<'_>, _batch: &Batch, count: usize) {
        let work = &mut self.work;
        if work.problems.is_empty() {
            return;
        }
        work.problems.sort_by_key(|(i, _)| *i);
        work.problems
            .drain(..)
            .for_each(|(_, problem)| run.faults.problem(problem));
        for i in (0..count).filter(|i| work.faulty[*i]) {
            let lead = work.leads[i];
            run.faults
                .reject_row(TABLE, (lead != NULL && lead != UNWANTED).then(|| lead - 1));
        }
    }

    /// Write the good rows of a stretch into the block, from `filled` on; how far it is filled then.
    fn write(
        &mut self,
        run: &mut Run<'_>,
        batch: &Batch,
        count: usize,
        block: &mut Block<'_>,
        filled: usize,
    ) -> PyResult<usize> {
        let side = &run.plan.events;
        let (work, start) = (&mut self.work, batch.next);
        let mut to = filled;
        work.kept.clear();
        for i in 0..count {
            if work.faulty[i] {
                continue;
            }
            let kind = work.kinds[i];
            if kind == NO_KIND {
                let code = if work.codes[i] as usize > self.kinds.len() {
                    0
                } else {
                    work.codes[i] as usize
                };
                if code >= self.ignored.len() {
                    self.ignored.resize(code + 1, 0);
                }
                self.ignored[code] += 1;
                continue;
            }
            work.kept.push(i);
            block.lead[to] = work.leads[i] - 1;
            block.at[to] = work.at[i];
            block.row[to] = (self.row + i as u64) as i64;
            block.hits[to] = self
                .fields
                .set(side, &batch.fields, start, kind, i, run.evaluator);
            to += 1;
        }
        for (field, out) in run.plan.numbers.iter().zip(&mut block.numbers) {
            let values = &self.fields.stretches[*field].numbers;
            for (slot, i) in out[filled..to].iter_mut().zip(&work.kept) {
                *slot = values[*i];
            }
        }
        for ((field, out), table) in run
            .plan
            .codes
            .iter()
            .zip(&mut block.codes)
            .zip(&mut self.values)
        {
            let stretch = &self.fields.stretches[*field];
            let kind = side.fields[*field].kind;
            for (slot, i) in out[filled..to].iter_mut().zip(&work.kept) {
                let key = match kind {
                    Kind::Text => {
                        *slot = stretch.codes[*i];
                        continue;
                    }
                    Kind::Number if !stretch.numbers[*i].is_nan() => {
                        Some(stretch.numbers[*i].to_bits() as i64)
                    }
                    Kind::Instant if stretch.instants[*i] != NO_INSTANT => {
                        Some(stretch.instants[*i])
                    }
                    Kind::Boolean if stretch.classes[*i] != 0 => {
                        Some(i64::from(stretch.classes[*i]))
                    }
                    _ => None,
                };
                *slot = match (key, table.as_mut()) {
                    (Some(key), Some(table)) => table.code(key),
                    _ => 0,
                };
            }
        }
        if let Some(identities) = &mut self.identities {
            for (place, i) in (filled..to).zip(&work.kept) {
                if identities.full() {
                    return Err(PyOverflowError::new_err(
                        "more than four thousand million identities in one run",
                    ));
                }
                let kind = work.kinds[*i] as usize;
                let id = match &batch.event_id {
                    Some(_) if self.id_kind == Some(IdKind::Integer) => {
                        work.integers[*i].map(EventId::Integer)
                    }
                    Some(ids) => ids
                        .texts
                        .as_ref()
                        .and_then(|texts| texts.get(start + i))
                        .map(EventId::Text),
                    None => None,
                };
                identities.load(side, kind, &self.fields.stretches, *i, work.at[*i]);
                block.order[place] = identities.order(kind, id);
                if self.contents {
                    block.content[place] = identities.content(kind);
                }
            }
        }
        Ok(to)
    }
}

impl Work {
    fn reset(&mut self, count: usize) {
        self.codes.resize(count, NULL);
        self.kinds.resize(count, NO_KIND);
        self.at.resize(count, NO_INSTANT);
        self.leads.resize(count, NULL);
        self.wanted.resize(count, true);
        self.faulty.clear();
        self.faulty.resize(count, false);
        self.bad.clear();
        self.problems.clear();
    }
}
