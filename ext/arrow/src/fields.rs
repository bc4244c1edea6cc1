//! The declared fields of a stretch of rows as values and classes.

use crate::columns::{Bad, Column, Wanted};
use crate::condition::Value;
use crate::evaluate::{boolean_value, instant_value, number_value, Evaluator, TextMemory, UNKNOWN};
use crate::field_plan::{FieldPlan, NO_INSTANT, NULL_CLASS};
use crate::lexical::{Fault, NOT_UTF8};
use crate::plan::Side;
use crate::source::Kind;
use crate::strings::{FULL, INVALID, NULL};
use crate::texts::DictionaryCodes;

/// Rows handled together: all of a stretch's values stay in the L2 cache.
pub const STRETCH: usize = 2048;
/// The type of a row that has none: undeclared, or too faulty to tell.
pub const NO_KIND: u32 = u32::MAX;

impl From<Kind> for Wanted {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Number => Self::Number,
            Kind::Boolean => Self::Boolean,
            Kind::Instant => Self::Instant,
        }
    }
}

/// One field over a stretch. Only the vector of its kind is filled; rows whose type does not declare the field are
/// null in it.
#[derive(Default)]
pub struct Stretch {
    /// Codes of texts.
    pub codes: Vec<u32>,
    /// NaN: null.
    pub numbers: Vec<f64>,
    /// `NO_INSTANT`: null.
    pub instants: Vec<i64>,
    /// What rules see. Of booleans, the value itself: 0 null, 1 false, 2 true.
    pub classes: Vec<u32>,
    known: DictionaryCodes,
}

/// All fields of one side over a stretch.
pub struct Fields {
    pub stretches: Vec<Stretch>,
    wanted: Vec<bool>,
    bad: Bad,
}

impl Fields {
    pub fn new(side: &Side) -> Self {
        let stretches = side.fields.iter().map(|_| Stretch::default()).collect();
        Self {
            stretches,
            wanted: Vec::new(),
            bad: Vec::new(),
        }
    }

    /// Read the rows from `start` on, one per kind given, and report each value that a declaring row cannot have.
    /// `whole`: every row has a kind.
    #[allow(clippy::too_many_arguments)]
    pub fn read(
        &mut self,
        side: &Side,
        columns: &[Option<Column>],
        start: usize,
        kinds: &[u32],
        whole: bool,
        evaluator: &mut Evaluator,
        mut report: impl FnMut(usize, &Column, Fault),
    ) {
        for (number, plan) in side.fields.iter().enumerate() {
            let Some(stretch) = self.stretches.get_mut(number) else {
                continue;
            };
            let Some(column) = columns.get(number).and_then(Option::as_ref) else {
                stretch.clear(kinds.len());
                continue;
            };
            self.wanted.clear();
            let all = whole && plan.declared.iter().all(|declared| *declared);
            if all {
                self.wanted.resize(kinds.len(), true);
            } else {
                let declared =
                    |kind: &u32| plan.declared.get(*kind as usize).copied().unwrap_or(false);
                self.wanted.extend(kinds.iter().map(declared));
            }
            self.bad.clear();
            let memory = evaluator.texts.get_mut(number).and_then(Option::as_mut);
            let wanted = Wants {
                rows: &self.wanted,
                all,
            };
            stretch.read(plan, column, start, &wanted, memory, &mut self.bad);
            for (i, fault) in self.bad.drain(..) {
                if self.wanted[i] {
                    report(i, column, fault);
                }
            }
        }
    }

    /// What a field says in a row of the stretch; texts are known by their class.
    pub fn value<'a>(&self, side: &Side, field: usize, i: usize) -> Value<'a> {
        let stretch = &self.stretches[field];
        match side.fields[field].kind {
            Kind::Text => Value::Null,
            Kind::Number => number_value(stretch.numbers[i]),
            Kind::Instant => instant_value(stretch.instants[i]),
            Kind::Boolean => boolean_value(stretch.classes[i]),
        }
    }

    /// The hit set numbers of some rows of the stretch, whose types are known.
    #[allow(clippy::too_many_arguments)]
    pub fn sets(
        &self,
        side: &Side,
        columns: &[Option<Column>],
        start: usize,
        kinds: &[u32],
        rows: &[usize],
        evaluator: &mut Evaluator,
        out: &mut [u32],
    ) {
        let lanes: Vec<&[u32]> = self
            .stretches
            .iter()
            .map(|stretch| stretch.classes.as_slice())
            .collect();
        evaluator.known_sets(kinds, rows, &lanes, out);
        for (slot, i) in out
            .iter_mut()
            .zip(rows)
            .filter(|(slot, _)| **slot == UNKNOWN)
        {
            *slot = evaluator.set(
                side,
                kinds[*i] as usize,
                |field| lanes[field][*i],
                |field| self.value(side, field, *i),
                |field| {
                    columns[field]
                        .as_ref()
                        .map_or("", |column| column.text(start + i))
                },
            );
        }
    }
}

impl Stretch {
    /// All null.
    fn clear(&mut self, count: usize) {
        self.codes.clear();
        self.codes.resize(count, NULL);
        self.numbers.clear();
        self.numbers.resize(count, f64::NAN);
        self.instants.clear();
        self.instants.resize(count, NO_INSTANT);
        self.classes.clear();
        self.classes.resize(count, NULL_CLASS);
    }

    fn read(
        &mut self,
        plan: &FieldPlan,
        column: &Column,
        start: usize,
        wanted: &Wants<'_>,
        memory: Option<&mut TextMemory>,
        bad: &mut Bad,
    ) {
        let count = wanted.rows.len();
        self.classes.resize(count, NULL_CLASS);
        match plan.kind {
            Kind::Text => {
                if let Some(memory) = memory {
                    self.texts(plan, column, start, wanted, memory, bad);
                }
            }
            Kind::Number => {
                self.numbers.resize(count, f64::NAN);
                column.numbers(start, &mut self.numbers, bad);
                wanted.keep(&mut self.numbers, f64::NAN);
                plan.number_classes(&self.numbers, &mut self.classes);
            }
            Kind::Instant => {
                self.instants.resize(count, NO_INSTANT);
                column.instants(start, &mut self.instants, bad);
                wanted.keep(&mut self.instants, NO_INSTANT);
                plan.instant_classes(&self.instants, &mut self.classes);
            }
            Kind::Boolean => {
                column.booleans(start, &mut self.classes, bad);
                wanted.keep(&mut self.classes, NULL_CLASS);
            }
        }
    }

    fn texts(
        &mut self,
        plan: &FieldPlan,
        column: &Column,
        start: usize,
        wanted: &Wants<'_>,
        memory: &mut TextMemory,
        bad: &mut Bad,
    ) {
        self.codes.resize(wanted.rows.len(), NULL);
        let Some(texts) = &column.texts else {
            return self.clear(wanted.rows.len());
        };
        texts.codes(
            start,
            wanted.rows,
            &mut memory.strings,
            &mut self.known,
            &mut self.codes,
        );
        if plan.used {
            memory.catch_up(&plan.tests);
            if memory.classes_of(&self.codes, &mut self.classes) {
                return;
            }
        }
        for (i, code) in self.codes.iter_mut().enumerate() {
            if *code == INVALID {
                bad.push((i, NOT_UTF8));
                *code = NULL;
            } else if *code == FULL && plan.used {
                self.classes[i] = memory.class_of_text(&plan.tests, column.text(start + i));
            }
        }
    }
}

/// The rows of a stretch whose type declares a field.
struct Wants<'a> {
    rows: &'a [bool],
    all: bool,
}

impl Wants<'_> {
    /// Make the other rows null.
    fn keep<T: Copy>(&self, values: &mut [T], null: T) {
        if !self.all {
            for (value, wanted) in values.iter_mut().zip(self.rows) {
                *value = if *wanted { *value } else { null };
            }
        }
    }
}
