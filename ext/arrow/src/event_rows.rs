//! A stretch of the events table as plain values, with what is wrong in it.

use arrow_array::RecordBatch;

use crate::columns::{Bad, Column};
use crate::errors::Problem;
use crate::evaluate::{Evaluator, UNKNOWN};
use crate::faults::Faults;
use crate::field_plan::NO_INSTANT;
use crate::fields::{any, Fields, NO_KIND};
use crate::ids::{IdKind, IdLook, Ids, UNWANTED};
use crate::lexical::{Fault, NOT_UTF8};
use crate::plan::{Plan, Side};
use crate::rows::{problem_of, problem_told, Run, IS_NULL};
use crate::schema::Place;
use crate::strings::{TextTable, INVALID, MISSING, NULL};
use crate::texts::DictionaryCodes;

pub const TABLE: &str = "events";
/// Names of undeclared types told apart.
const MOST_NAMES: usize = 65_536;
const MOST_NAME_BYTES: usize = 16 << 20;

/// Where the columns stand.
pub struct Places {
    pub lead: Place,
    pub at: Place,
    pub kind: Place,
    pub event_id: Option<Place>,
    pub problem: Option<Place>,
    pub fields: Vec<Option<Place>>,
}

/// The columns of one batch.
pub struct Batch {
    pub lead: Column,
    pub at: Column,
    pub kind: Column,
    pub event_id: Option<Column>,
    pub problem: Option<Column>,
    pub fields: Vec<Option<Column>>,
    pub rows: usize,
    /// The first row not yet read.
    pub next: usize,
}

impl Batch {
    pub fn new(places: &Places, batch: &RecordBatch) -> Result<Self, String> {
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

/// Names of event types: the declared ones have the first codes.
pub struct TypeNames {
    names: TextTable,
    declared: u32,
    /// By code: rows of undeclared types not yet told; at 0 those whose name is not kept.
    ignored: Vec<u64>,
}

impl TypeNames {
    pub fn new(side: &Side) -> Self {
        let mut names = TextTable::bounded(side.kinds.len() + MOST_NAMES, MOST_NAME_BYTES);
        for kind in &side.kinds {
            names.code(kind.name.as_bytes());
        }
        let declared = side.kinds.len() as u32;
        Self {
            names,
            declared,
            ignored: Vec::new(),
        }
    }

    pub fn ignore(&mut self, code: u32) {
        let code = if code as usize > self.names.len() {
            0
        } else {
            code as usize
        };
        if code >= self.ignored.len() {
            self.ignored.resize(code + 1, 0);
        }
        self.ignored[code] += 1;
    }

    /// Hand on how many rows were ignored.
    pub fn tell(&mut self, faults: &mut Faults) {
        for (code, rows) in self
            .ignored
            .iter_mut()
            .enumerate()
            .filter(|(_, rows)| **rows > 0)
        {
            faults.ignore(
                if code == 0 {
                    "…"
                } else {
                    self.names.text(code as u32)
                },
                *rows,
            );
            *rows = 0;
        }
    }
}

/// What a look at a stretch may read: nothing of it changes while stretches are looked at side by side.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub plan: &'a Plan,
    pub leads: &'a Ids,
    pub names: &'a TypeNames,
    pub evaluator: &'a Evaluator,
    pub batch: &'a Batch,
}

/// One stretch.
///
/// It is read in two steps. `look` finds what is known already and changes nothing but the stretch, so that several may
/// be looked at side by side; `learn`, in the order of rows, stores what is new and says what is wrong. Codes are those
/// of reading row by row.
pub struct EventRows {
    /// Codes of type names.
    pub codes: Vec<u32>,
    /// Event types, `NO_KIND` where undeclared.
    pub kinds: Vec<u32>,
    pub at: Vec<i64>,
    /// Lead codes from 1, 0 where unreadable.
    pub leads: Vec<u32>,
    /// Event ids that are integers.
    pub integers: Vec<Option<i64>>,
    pub faulty: Vec<bool>,
    /// Every row is good and of a declared type.
    pub whole: bool,
    pub fields: Fields,
    /// Hit set numbers, `UNKNOWN` where they are not known yet.
    sets: Vec<u32>,
    /// The first of its rows: in the batch, and in the table.
    pub start: usize,
    pub row: u64,
    /// Rows a file reader could not read: nothing more is said of them.
    told: Vec<bool>,
    wanted: Vec<bool>,
    bad: Bad,
    problems: Vec<(usize, Problem)>,
    names_known: DictionaryCodes,
    leads_look: IdLook,
    /// There are lead ids to be learned.
    missing: bool,
}

impl EventRows {
    pub fn new(side: &Side) -> Self {
        Self {
            codes: Vec::new(),
            kinds: Vec::new(),
            at: Vec::new(),
            leads: Vec::new(),
            integers: Vec::new(),
            faulty: Vec::new(),
            whole: true,
            fields: Fields::new(side),
            sets: Vec::new(),
            start: 0,
            row: 0,
            told: Vec::new(),
            wanted: Vec::new(),
            bad: Bad::default(),
            problems: Vec::new(),
            names_known: DictionaryCodes::default(),
            leads_look: IdLook::default(),
            missing: false,
        }
    }

    /// Take `count` rows of a batch from `start` on, the first of which is `row` in the table, with what is known.
    pub fn look(&mut self, known: Known<'_>, start: usize, row: u64, count: usize) {
        let batch = known.batch;
        (self.start, self.row) = (start, row);
        self.reset(count);
        self.heed(batch.problem.as_ref());
        match &batch.kind.texts {
            Some(texts) => {
                let (names, seen) = (&known.names.names, &mut self.names_known);
                texts.look(start, &self.wanted, names, seen, &mut self.codes);
            }
            None => self.codes.fill(NULL),
        }
        // Declared names are known from the start.
        for (kind, code) in self.kinds.iter_mut().zip(&self.codes) {
            let number = code.wrapping_sub(1);
            *kind = if number < known.names.declared {
                number
            } else {
                NO_KIND
            };
        }
        batch.at.instants(start, &mut self.at, &mut self.bad);
        if any(&self.kinds, NO_KIND) || any(&self.at, NO_INSTANT) || any(&self.told, true) {
            self.whole = false;
            self.judge(batch);
        }
        self.missing = !known.leads.look(
            &batch.lead,
            start,
            &self.wanted,
            &mut self.leads_look,
            &mut self.leads,
            &mut self.bad,
        );
        let (kinds, whole) = (&self.kinds, self.whole);
        let (side, columns) = (&known.plan.events, &batch.fields);
        self.fields
            .look(side, columns, start, kinds, whole, known.evaluator);
        self.sets.resize(count, UNKNOWN);
        self.fields
            .known_sets(kinds, known.evaluator, &mut self.sets);
    }

    /// Store what is new in the stretch, and find what is wrong in it.
    pub fn learn(
        &mut self,
        run: &mut Run<'_>,
        names: &mut TypeNames,
        batch: &Batch,
        id_kind: Option<IdKind>,
    ) {
        if !self.whole {
            self.learn_names(run, names, batch);
        }
        if self.missing {
            run.leads.learn(
                &batch.lead,
                self.start,
                &self.wanted,
                &self.leads_look,
                &mut self.leads,
                &mut self.bad,
            );
        }
        if any(&self.leads, NULL) {
            self.blame(&batch.lead, |rows, i| rows.leads[i] == NULL);
        }
        self.bad.clear();
        let (problems, faulty, told) = (&mut self.problems, &mut self.faulty, &self.told);
        let (side, start, row) = (&run.plan.events, self.start, self.row);
        self.fields.learn(
            side,
            &batch.fields,
            start,
            run.evaluator,
            |i, column, why| {
                if !told[i] {
                    problems.push((i, problem_of(TABLE, row + i as u64, column, start + i, why)));
                    faulty[i] = true;
                }
            },
        );
        if let Some(ids) = &batch.event_id {
            self.event_ids(ids, id_kind);
        }
        self.whole &= self.problems.is_empty();
    }

    /// Store names of undeclared types; those that are no text are faults, whose rows tell their lead.
    fn learn_names(&mut self, run: &Run<'_>, names: &mut TypeNames, batch: &Batch) {
        let Some(texts) = &batch.kind.texts else {
            return;
        };
        let unknown = |i: &usize| self.codes[*i] == MISSING;
        let new: Vec<usize> = (0..self.codes.len()).filter(unknown).collect();
        if new.is_empty() {
            return;
        }
        texts.learn(self.start, &mut names.names, &mut self.codes);
        let broken = |i: &usize| self.codes[*i] == INVALID;
        let broken: Vec<usize> = new.into_iter().filter(broken).collect();
        if broken.is_empty() {
            return;
        }
        for i in broken {
            self.fault(i, &batch.kind, NOT_UTF8);
            self.wanted[i] = true;
        }
        self.bad.clear();
        self.missing = !run.leads.look(
            &batch.lead,
            self.start,
            &self.wanted,
            &mut self.leads_look,
            &mut self.leads,
            &mut self.bad,
        );
    }

    /// The good rows of declared types and their hit sets; what is ignored is counted.
    pub fn kept(&self, names: &mut TypeNames, rows: &mut Vec<usize>, sets: &mut Vec<u32>) {
        rows.clear();
        sets.clear();
        if self.whole {
            rows.extend(0..self.kinds.len());
            sets.extend_from_slice(&self.sets);
            return;
        }
        for i in (0..self.kinds.len()).filter(|i| !self.faulty[*i]) {
            if self.kinds[i] == NO_KIND {
                names.ignore(self.codes[i]);
            } else {
                rows.push(i);
                sets.push(self.sets[i]);
            }
        }
    }

    fn reset(&mut self, count: usize) {
        self.codes.resize(count, NULL);
        self.kinds.resize(count, NO_KIND);
        self.at.resize(count, NO_INSTANT);
        self.leads.resize(count, NULL);
        self.integers.resize(count, None);
        for (flags, value) in [
            (&mut self.faulty, false),
            (&mut self.told, false),
            (&mut self.wanted, true),
        ] {
            flags.clear();
            flags.resize(count, value);
        }
        self.bad.clear();
        self.problems.clear();
        self.whole = true;
    }

    fn fault(&mut self, i: usize, column: &Column, why: Fault) {
        if !self.told[i] {
            let row = self.row + i as u64;
            self.problems
                .push((i, problem_of(TABLE, row, column, self.start + i, why)));
            self.faulty[i] = true;
        }
    }

    fn heed(&mut self, problem: Option<&Column>) {
        let Some(problem) = problem else { return };
        for i in 0..self.told.len() {
            let at = self.start + i;
            if !problem.is_null(at) {
                let told = problem_told(TABLE, self.row + i as u64, problem.text(at));
                self.problems.push((i, told));
                (self.told[i], self.faulty[i]) = (true, true);
            }
        }
    }

    /// Faults of `at` and `type`, and which rows need their lead: those of declared types, and faulty ones, whose
    /// lead is told.
    #[cold]
    fn judge(&mut self, batch: &Batch) {
        self.blame(&batch.at, |rows, i| rows.at[i] == NO_INSTANT);
        for i in 0..self.kinds.len() {
            match self.codes[i] {
                NULL => self.fault(i, &batch.kind, IS_NULL),
                INVALID => self.fault(i, &batch.kind, NOT_UTF8),
                _ => {}
            }
            if self.told[i] {
                self.kinds[i] = NO_KIND;
            }
            self.wanted[i] = self.kinds[i] != NO_KIND || self.faulty[i];
        }
    }

    /// Report the rows that lack a value: for the reason found when reading, else because it is null.
    fn blame(&mut self, column: &Column, lacks: impl Fn(&Self, usize) -> bool) {
        let mut reasons = std::mem::take(&mut self.bad).into_iter().peekable();
        for i in 0..self.kinds.len() {
            let reason = reasons.next_if(|(at, _)| *at == i);
            if lacks(self, i) {
                self.fault(i, column, reason.map_or(IS_NULL, |(_, why)| why));
            }
        }
    }

    fn event_ids(&mut self, ids: &Column, kind: Option<IdKind>) {
        if kind == Some(IdKind::Integer) {
            ids.integers(self.start, &mut self.integers, &mut self.bad);
        } else if let Some(texts) = &ids.texts {
            let start = self.start;
            let text = |i: usize| texts.get(start + i);
            let broken =
                |i: &usize| text(*i).is_some_and(|text| std::str::from_utf8(text).is_err());
            self.bad
                .extend((0..self.kinds.len()).filter(broken).map(|i| (i, NOT_UTF8)));
        }
        for (i, why) in std::mem::take(&mut self.bad) {
            if self.kinds[i] != NO_KIND {
                self.fault(i, ids, why);
            }
        }
    }

    /// Hand on the faults, by row.
    pub fn tell(&mut self, faults: &mut Faults) {
        if self.problems.is_empty() {
            return;
        }
        self.problems.sort_by_key(|(i, _)| *i);
        self.problems
            .drain(..)
            .for_each(|(_, problem)| faults.problem(problem));
        for (lead, _) in self
            .leads
            .iter()
            .zip(&self.faulty)
            .filter(|(_, faulty)| **faulty)
        {
            let known = *lead != NULL && *lead != UNWANTED;
            faults.reject_row(TABLE, known.then(|| lead - 1));
        }
    }
}
