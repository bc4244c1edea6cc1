//! The declared fields of a stretch of rows as values and classes.

use crate::columns::{Bad, Column, Wanted};
use crate::condition::Value;
use crate::evaluate::{
    boolean_value, instant_value, number_value, Evaluator, TextMemory, NO_CLASS, UNKNOWN,
};
use crate::field_plan::{FieldPlan, NO_INSTANT, NULL_CLASS};
use crate::lexical::{Fault, NOT_UTF8};
use crate::plan::Side;
use crate::source::Kind;
use crate::strings::{FULL, INVALID, MISSING, NULL};
use crate::texts::{DictionaryCodes, Texts};

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
    known: DictionaryCodes,
    /// Rows whose type declares the field.
    wanted: Vec<bool>,
    /// All of them do.
    all: bool,
    /// There are texts to be learned.
    missing: bool,
    bad: Bad,
}

/// All fields of one side over a stretch.
pub struct Fields {
    pub stretches: Vec<Stretch>,
    /// What rules see, `STRETCH` for each field. Of booleans, the value itself: 0 null, 1 false, 2 true.
    classes: Vec<u32>,
}

impl Fields {
    pub fn new(side: &Side) -> Self {
        Self {
            stretches: side.fields.iter().map(|_| Stretch::default()).collect(),
            classes: vec![NULL_CLASS; side.fields.len() * STRETCH],
        }
    }

    /// The class of a field in a row of the stretch.
    #[inline]
    pub fn class(&self, field: usize, i: usize) -> u32 {
        self.classes[field * STRETCH + i]
    }

    /// Read the rows from `start` on, one per kind given. `whole`: every row has a kind.
    pub fn look(
        &mut self,
        side: &Side,
        columns: &[Option<Column>],
        start: usize,
        kinds: &[u32],
        whole: bool,
        evaluator: &Evaluator,
    ) {
        let lanes = self.classes.chunks_exact_mut(STRETCH);
        let fields = side.fields.iter().zip(&mut self.stretches).zip(lanes);
        for (number, ((plan, stretch), classes)) in fields.enumerate() {
            let classes = &mut classes[..kinds.len()];
            stretch.missing = false;
            stretch.bad.clear();
            let Some(column) = columns.get(number).and_then(Option::as_ref) else {
                stretch.clear(classes);
                continue;
            };
            stretch.wanted.clear();
            stretch.all = whole && plan.declared.iter().all(|declared| *declared);
            if stretch.all {
                stretch.wanted.resize(kinds.len(), true);
            } else {
                let declared =
                    |kind: &u32| plan.declared.get(*kind as usize).copied().unwrap_or(false);
                stretch.wanted.extend(kinds.iter().map(declared));
            }
            let memory = evaluator.texts.get(number).and_then(Option::as_ref);
            stretch.look(plan, column, start, memory, classes);
        }
    }

    /// Store texts that a look did not find, and report each value that a declaring row cannot have.
    pub fn learn(
        &mut self,
        side: &Side,
        columns: &[Option<Column>],
        start: usize,
        evaluator: &mut Evaluator,
        mut report: impl FnMut(usize, &Column, Fault),
    ) {
        let lanes = self.classes.chunks_exact_mut(STRETCH);
        let fields = side.fields.iter().zip(&mut self.stretches).zip(lanes);
        for (number, ((plan, stretch), classes)) in fields.enumerate() {
            let Some(column) = columns.get(number).and_then(Option::as_ref) else {
                continue;
            };
            if stretch.missing {
                if let Some(memory) = evaluator.texts.get_mut(number).and_then(Option::as_mut) {
                    stretch.learn(plan, column, start, memory, classes);
                }
            }
            for (i, fault) in stretch.bad.drain(..) {
                if stretch.wanted[i] {
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
            Kind::Boolean => boolean_value(self.class(field, i)),
        }
    }

    /// The hit set numbers of the rows of the stretch; `UNKNOWN` where they are not known yet, or there is no type.
    pub fn known_sets(&self, kinds: &[u32], evaluator: &Evaluator, out: &mut [u32]) {
        for (i, (slot, kind)) in out.iter_mut().zip(kinds).enumerate() {
            let class = |field: u32| self.class(field as usize, i);
            *slot = evaluator.known_set(*kind as usize, class);
        }
    }

    /// Rule on rows whose hit sets are `UNKNOWN`.
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
        if !any(out, UNKNOWN) {
            return;
        }
        for (slot, i) in out
            .iter_mut()
            .zip(rows)
            .filter(|(slot, _)| **slot == UNKNOWN)
        {
            *slot = evaluator.set(
                side,
                kinds[*i] as usize,
                |field| self.class(field, *i),
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
    fn clear(&mut self, classes: &mut [u32]) {
        let count = classes.len();
        self.codes.clear();
        self.codes.resize(count, NULL);
        self.numbers.clear();
        self.numbers.resize(count, f64::NAN);
        self.instants.clear();
        self.instants.resize(count, NO_INSTANT);
        classes.fill(NULL_CLASS);
    }

    fn look(
        &mut self,
        plan: &FieldPlan,
        column: &Column,
        start: usize,
        memory: Option<&TextMemory>,
        classes: &mut [u32],
    ) {
        let count = self.wanted.len();
        match plan.kind {
            Kind::Text => {
                if let Some(memory) = memory {
                    self.look_texts(plan, column, start, memory, classes);
                }
            }
            Kind::Number => {
                self.numbers.resize(count, f64::NAN);
                column.numbers(start, &mut self.numbers, &mut self.bad);
                keep(self.all, &self.wanted, &mut self.numbers, f64::NAN);
                plan.number_classes(&self.numbers, classes);
            }
            Kind::Instant => {
                self.instants.resize(count, NO_INSTANT);
                column.instants(start, &mut self.instants, &mut self.bad);
                keep(self.all, &self.wanted, &mut self.instants, NO_INSTANT);
                plan.instant_classes(&self.instants, classes);
            }
            Kind::Boolean => {
                column.booleans(start, classes, &mut self.bad);
                keep(self.all, &self.wanted, classes, NULL_CLASS);
            }
        }
    }

    fn look_texts(
        &mut self,
        plan: &FieldPlan,
        column: &Column,
        start: usize,
        memory: &TextMemory,
        classes: &mut [u32],
    ) {
        self.codes.resize(self.wanted.len(), NULL);
        let Some(texts) = &column.texts else {
            return self.clear(classes);
        };
        if memory.hardly && plan.used && !matches!(texts, Texts::Dictionary { .. }) {
            return self.test_texts(plan, texts, start, memory, classes);
        }
        let (strings, known) = (&memory.strings, &mut self.known);
        self.missing = !texts.look(start, &self.wanted, strings, known, &mut self.codes);
        if plan.used {
            // What is no text is told when learning.
            self.missing |= !memory.classes_of(&self.codes, classes);
        } else {
            self.missing |= self.codes.contains(&INVALID);
        }
    }

    /// Test every text of the stretch; what is no text, or has an answer that was never met, is left to be learned.
    fn test_texts(
        &mut self,
        plan: &FieldPlan,
        texts: &Texts,
        start: usize,
        memory: &TextMemory,
        classes: &mut [u32],
    ) {
        let rows = self.codes.iter_mut().zip(classes).zip(&self.wanted);
        for (i, ((code, class), wanted)) in rows.enumerate() {
            let text = texts.get(start + i).filter(|_| *wanted);
            (*code, *class) = match text.map(std::str::from_utf8) {
                None => (NULL, NULL_CLASS),
                Some(Ok(text)) => match memory.known_class(&plan.tests, text) {
                    Some(class) => (FULL, class),
                    None => (MISSING, NO_CLASS),
                },
                Some(Err(_)) => (MISSING, NO_CLASS),
            };
            self.missing |= *code == MISSING;
        }
    }

    fn learn(
        &mut self,
        plan: &FieldPlan,
        column: &Column,
        start: usize,
        memory: &mut TextMemory,
        classes: &mut [u32],
    ) {
        if let Some(texts) = &column.texts {
            texts.learn(start, &mut memory.strings, &mut self.codes);
        }
        if !memory.hardly {
            let asked = |code: &&u32| **code != NULL;
            memory.weigh(self.codes.iter().filter(asked).count());
        }
        if plan.used {
            memory.catch_up(&plan.tests);
            if memory.classes_of(&self.codes, classes) {
                return;
            }
        }
        for (i, code) in self.codes.iter_mut().enumerate() {
            if *code == INVALID {
                self.bad.push((i, NOT_UTF8));
                *code = NULL;
            } else if *code == FULL && plan.used {
                classes[i] = memory.class_of_text(&plan.tests, column.text(start + i));
            }
        }
    }
}

/// Whether any value is this one; without leaving early, so that the loop is one of vectors.
pub fn any<T: PartialEq + Copy>(values: &[T], one: T) -> bool {
    values
        .iter()
        .fold(false, |any, value| any | (*value == one))
}

/// Make the rows that are not wanted null.
fn keep<T: Copy>(all: bool, wanted: &[bool], values: &mut [T], null: T) {
    if !all {
        for (value, wanted) in values.iter_mut().zip(wanted) {
            *value = if *wanted { *value } else { null };
        }
    }
}
