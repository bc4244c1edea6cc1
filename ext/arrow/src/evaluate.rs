//! Rows to hit set numbers: each distinct text is tested once, each distinct row of classes ruled once.

use hashbrown::HashMap;

use crate::condition::Value;
use crate::field_plan::{FieldPlan, NO_INSTANT, NULL_CLASS};
use crate::hits::{HitSets, Memo};
use crate::plan::Side;
use crate::source::Kind;
use crate::strings::{TextTable, MISSING};
use crate::text::{Answer, TextTests};

/// In place of a hit set number that is not remembered.
pub const UNKNOWN: u32 = u32::MAX;
/// A text whose class is not kept: the class table is full.
pub const NO_CLASS: u32 = u32::MAX;

/// Bounds of what is remembered about texts that need no code of their own.
const MOST_TEXTS: usize = 1 << 20;
const MOST_BYTES: usize = 128 << 20;
/// From so many stored texts on, they hardly repeat where each was asked less often than this.
const ENOUGH: usize = 1 << 16;
const REPEATS: usize = 4;
const MOST_CLASSES: usize = 1 << 20;
/// Words of answers kept in all: a class of a field with very many tests is large.
const MOST_WORDS: usize = 16 << 20;

/// Distinct answers of a field's tests; class 0 is null.
#[derive(Default)]
pub struct Classes {
    answers: Vec<Answer>,
    numbers: HashMap<Answer, u32>,
    words: usize,
}

impl Classes {
    /// The class of an answer met before.
    fn find(&self, answer: &Answer) -> Option<u32> {
        self.numbers.get(answer).copied()
    }

    /// The number of an answer, `NO_CLASS` if it is new and there is no room for it.
    pub fn class(&mut self, answer: Answer) -> u32 {
        if let Some(class) = self.numbers.get(&answer) {
            return *class;
        }
        self.words += answer.words().len();
        if self.answers.len() >= MOST_CLASSES || self.words > MOST_WORDS {
            return NO_CLASS;
        }
        self.answers.push(answer.clone());
        let class = self.answers.len() as u32;
        self.numbers.insert(answer, class);
        class
    }

    fn words(&self, class: u32) -> Option<&[u32]> {
        self.answers
            .get((class as usize).wrapping_sub(1))
            .map(Answer::words)
    }
}

/// What is remembered of one text field.
pub struct TextMemory {
    pub strings: TextTable,
    /// Class by code.
    class_of: Vec<u32>,
    classes: Classes,
    /// Every text has a code of its own.
    exact: bool,
    /// Texts asked of stretches in which some were new.
    asked: usize,
    /// Texts hardly repeat: they are tested row by row from now on, and no more are stored.
    pub hardly: bool,
}

impl TextMemory {
    fn new(exact: bool) -> Self {
        let strings = if exact {
            TextTable::unbounded()
        } else {
            TextTable::bounded(MOST_TEXTS, MOST_BYTES)
        };
        Self {
            strings,
            class_of: vec![NULL_CLASS],
            classes: Classes::default(),
            exact,
            asked: 0,
            hardly: false,
        }
    }

    /// Take note of how many texts were asked of a stretch in which some were new.
    pub fn weigh(&mut self, asked: usize) {
        self.asked += asked;
        let stored = self.strings.len();
        self.hardly |= !self.exact && stored >= ENOUGH && stored > self.asked / REPEATS;
    }

    /// The class of a text, if a text with its answer was met before.
    pub fn known_class(&self, tests: &TextTests, text: &str) -> Option<u32> {
        self.classes.find(&tests.answer(text))
    }

    /// Test the texts that were stored since the last call.
    pub fn catch_up(&mut self, tests: &TextTests) {
        while self.class_of.len() <= self.strings.len() {
            let answer = tests.answer(self.strings.text(self.class_of.len() as u32));
            self.class_of.push(self.classes.class(answer));
        }
    }

    /// The classes of codes; whether all were there, which those of `FULL`, `INVALID` and `MISSING` are not. A row with
    /// one that is missing has no class, and so no hit set that is known.
    pub fn classes_of(&self, codes: &[u32], out: &mut [u32]) -> bool {
        let mut all = true;
        for (class, code) in out.iter_mut().zip(codes) {
            *class = match self.class_of.get(*code as usize) {
                Some(class) => *class,
                None => {
                    all = false;
                    if *code == MISSING {
                        NO_CLASS
                    } else {
                        NULL_CLASS
                    }
                }
            };
        }
        all
    }

    /// The class of a text that is not stored.
    pub fn class_of_text(&mut self, tests: &TextTests, text: &str) -> u32 {
        self.classes.class(tests.answer(text))
    }
}

/// All that is remembered of one side. Everything but the hit sets and exact codes is bounded.
pub struct Evaluator {
    pub texts: Vec<Option<TextMemory>>,
    memo: Memo,
    pub sets: HitSets,
    hits: Vec<u32>,
    path: Vec<u32>,
}

impl Evaluator {
    /// `exact`: fields whose texts need codes of their own, beside those that rules test.
    pub fn new(side: &Side, first_set: &[u32], exact: impl Fn(usize) -> bool) -> Self {
        let memory = |(number, field): (usize, &FieldPlan)| {
            let needed = field.kind == Kind::Text && (exact(number) || field.used);
            needed.then(|| TextMemory::new(exact(number)))
        };
        Self {
            texts: side.fields.iter().enumerate().map(memory).collect(),
            memo: Memo::new(side),
            sets: HitSets::starting_with(first_set),
            hits: Vec::new(),
            path: Vec::new(),
        }
    }

    /// The class of one text of a field.
    pub fn text_class(&mut self, side: &Side, field: usize, text: &str) -> u32 {
        let tests = &side.fields[field].tests;
        let Some(memory) = self.texts.get_mut(field).and_then(Option::as_mut) else {
            return NULL_CLASS;
        };
        let code = memory.strings.code(text.as_bytes());
        memory.catch_up(tests);
        match memory.class_of.get(code as usize) {
            Some(class) => *class,
            None => memory.class_of_text(tests, text),
        }
    }

    /// The hit set number of a row if it is known, else `UNKNOWN`.
    #[inline]
    pub fn known_set(&self, kind: usize, class: impl Fn(u32) -> u32) -> u32 {
        self.memo.find(kind, class).wrapping_sub(1)
    }

    /// The hit set number of a row. `class` gives the class of a field, `value` what it says and `text` its text;
    /// only fields the type reads are asked for.
    #[inline]
    pub fn set<'a>(
        &mut self,
        side: &Side,
        kind: usize,
        class: impl Fn(usize) -> u32,
        value: impl Fn(usize) -> Value<'a>,
        text: impl Fn(usize) -> &'a str,
    ) -> u32 {
        match self.known_set(kind, |field| class(field as usize)) {
            UNKNOWN => self.rule(side, kind, class, value, text),
            set => set,
        }
    }

    /// The slow way: run the rules of the type, and remember.
    #[cold]
    fn rule<'a>(
        &mut self,
        side: &Side,
        kind: usize,
        class: impl Fn(usize) -> u32,
        value: impl Fn(usize) -> Value<'a>,
        text: impl Fn(usize) -> &'a str,
    ) -> u32 {
        let reads = &side.kinds[kind].reads;
        self.path.clear();
        self.path.extend(reads.iter().map(|field| class(*field)));
        let loose: Vec<Option<Answer>> = reads
            .iter()
            .zip(&self.path)
            .map(|(field, class)| {
                (*class == NO_CLASS).then(|| side.fields[*field].tests.answer(text(*field)))
            })
            .collect();
        let mut row = vec![Value::Null; side.fields.len()];
        for ((field, class), loose) in reads.iter().zip(&self.path).zip(&loose) {
            row[*field] = match (side.fields[*field].kind, loose) {
                (Kind::Text, Some(answer)) => Value::Text(answer.words()),
                (Kind::Text, None) => {
                    let memory = self.texts[*field].as_ref();
                    memory
                        .and_then(|memory| memory.classes.words(*class))
                        .map_or(Value::Null, Value::Text)
                }
                _ => value(*field),
            };
        }
        side.hits(kind, &row, &mut self.hits);
        let set = self.sets.number(&self.hits);
        if loose.iter().all(Option::is_none) {
            self.memo.remember(kind, &self.path, set);
        }
        set
    }
}

/// What a number says; NaN is null (spec 2.7).
pub fn number_value<'a>(value: f64) -> Value<'a> {
    if value.is_nan() {
        Value::Null
    } else {
        Value::Number(value)
    }
}

/// What an instant says.
pub fn instant_value<'a>(value: i64) -> Value<'a> {
    if value == NO_INSTANT {
        Value::Null
    } else {
        Value::Instant(value)
    }
}

/// What a boolean code says: 0 null, 1 false, 2 true.
pub fn boolean_value<'a>(value: u32) -> Value<'a> {
    match value {
        1 => Value::Boolean(false),
        2 => Value::Boolean(true),
        _ => Value::Null,
    }
}
