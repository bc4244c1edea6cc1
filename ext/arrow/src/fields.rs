//! The declared fields of a stretch of rows as values and classes.

use crate::columns::{Bad, Column, Wanted};
use crate::condition::Value;
use crate::evaluate::{boolean_value, instant_value, number_value, Evaluator};
use crate::lexical::{Fault, NOT_UTF8};
use crate::plan::{FieldPlan, Side, NO_INSTANT, NULL_CLASS};
use crate::source::Kind;
use crate::strings::{INVALID, NULL};
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
    pub fn read(
        &mut self,
        side: &Side,
        columns: &[Option<Column>],
        start: usize,
        kinds: &[u32],
        evaluator: &mut Evaluator,
        mut report: impl FnMut(usize, &Column, Fault),
    ) {
        for (number, plan) in side.fields.iter().enumerate() {
            let (Some(stretch), Some(column)) =
                (self.stretches.get_mut(number), columns.get(number))
            else {
                continue;
            };
            let Some(column) = column else {
                stretch.clear(kinds.len());
                continue;
            };
            self.wanted.clear();
            self.wanted.extend(
                kinds
                    .iter()
                    .map(|kind| plan.declared.get(*kind as usize).copied().unwrap_or(false)),
            );
            self.bad.clear();
            stretch.read(
                plan,
                column,
                start,
                &self.wanted,
                evaluator,
                number,
                &mut self.bad,
            );
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

    /// The hit set number of a row of the stretch.
    #[inline]
    pub fn set(
        &self,
        side: &Side,
        columns: &[Option<Column>],
        start: usize,
        kind: u32,
        i: usize,
        evaluator: &mut Evaluator,
    ) -> u32 {
        evaluator.set(
            side,
            kind as usize,
            |field| self.stretches[field].classes[i],
            |field| self.value(side, field, i),
            |field| {
                columns[field]
                    .as_ref()
                    .map_or("", |column| column.text(start + i))
            },
        )
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

    #[allow(clippy::too_many_arguments)]
    fn read(
        &mut self,
        plan: &FieldPlan,
        column: &Column,
        start: usize,
        wanted: &[bool],
        evaluator: &mut Evaluator,
        number: usize,
        bad: &mut Bad,
    ) {
        let count = wanted.len();
        match plan.kind {
            Kind::Text => {
                if let Some(memory) = evaluator.texts.get_mut(number).and_then(Option::as_mut) {
                    self.codes.resize(count, NULL);
                    self.classes.resize(count, NULL_CLASS);
                    let Some(texts) = &column.texts else {
                        return self.clear(count);
                    };
                    texts.codes(
                        start,
                        wanted,
                        &mut memory.strings,
                        &mut self.known,
                        &mut self.codes,
                    );
                    memory.catch_up(&plan.tests);
                    for (i, (class, code)) in
                        self.classes.iter_mut().zip(&mut self.codes).enumerate()
                    {
                        *class = match memory.class_of(*code) {
                            Some(class) => class,
                            None => memory.class_of_text(&plan.tests, column.text(start + i)),
                        };
                        if *code == INVALID {
                            bad.push((i, NOT_UTF8));
                            *code = NULL;
                        }
                    }
                }
            }
            Kind::Number => {
                self.numbers.resize(count, f64::NAN);
                column.numbers(start, &mut self.numbers, bad);
                self.classes.resize(count, NULL_CLASS);
                for ((class, value), wanted) in
                    self.classes.iter_mut().zip(&mut self.numbers).zip(wanted)
                {
                    if !wanted {
                        *value = f64::NAN;
                    }
                    *class = plan.number_class(*value);
                }
            }
            Kind::Instant => {
                self.instants.resize(count, NO_INSTANT);
                column.instants(start, &mut self.instants, bad);
                self.classes.resize(count, NULL_CLASS);
                for ((class, value), wanted) in
                    self.classes.iter_mut().zip(&mut self.instants).zip(wanted)
                {
                    if !wanted {
                        *value = NO_INSTANT;
                    }
                    *class = plan.instant_class(*value);
                }
            }
            Kind::Boolean => {
                self.classes.resize(count, NULL_CLASS);
                column.booleans(start, &mut self.classes, bad);
                for (class, wanted) in self.classes.iter_mut().zip(wanted) {
                    if !wanted {
                        *class = NULL_CLASS;
                    }
                }
            }
        }
    }
}
