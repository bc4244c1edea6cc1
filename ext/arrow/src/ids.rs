//! Ids (leads, accounts): integers or text, one dense code each (spec 2.1).

use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, LargeStringArray, StringArray};
use arrow_schema::DataType;
use rayon::slice::ParallelSliceMut;

use crate::columns::{plain, Bad, Column};
use crate::errors::show;
use crate::integers::IntTable;
use crate::lexical::{canonical, Fault, NOT_UTF8};
use crate::strings::{TextTable, FULL, INVALID, NULL};
use crate::texts::DictionaryCodes;

/// In place of a code: the row was not asked for, but has an id.
pub const UNWANTED: u32 = u32::MAX;

const TOO_MANY: Fault = "is beyond the four thousand million ids one run can hold";

/// What the ids of a column are. Those of a file of text (CSV) are untyped until something else decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdKind {
    Integer,
    Text,
    Untyped,
}

impl IdKind {
    /// None for a column without any value, which fits all.
    pub fn of(kind: &DataType, lexical: bool) -> Option<Self> {
        match plain(kind) {
            DataType::Null => None,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if lexical => {
                Some(Self::Untyped)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Self::Text),
            _ => Some(Self::Integer),
        }
    }
}

/// One space of ids. Codes count from 1 in order of first sight; 0 is no id.
pub struct Ids {
    kind: Option<IdKind>,
    integers: IntTable,
    texts: TextTable,
    /// Texts looked at so far, and whether all of them are canonical integers.
    seen: usize,
    canonical: bool,
}

/// What a reader of ids keeps from stretch to stretch.
#[derive(Default)]
pub struct IdLook {
    known: DictionaryCodes,
    /// Ids of the stretch at hand, where its column does not hold them as they are.
    keys: Vec<i64>,
    wanted: Vec<bool>,
    values: Vec<Option<i64>>,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            kind: None,
            integers: IntTable::default(),
            texts: TextTable::of_ids(),
            seen: 0,
            canonical: true,
        }
    }
}

impl Ids {
    pub fn len(&self) -> usize {
        self.integers.len() + self.texts.len()
    }

    /// Make ready for a column of this kind of ids, or say why it cannot join those before.
    pub fn admit(&mut self, incoming: Option<IdKind>) -> Result<(), &'static str> {
        use IdKind::*;
        match (self.kind, incoming) {
            (_, None) => {}
            (None, incoming) => self.kind = incoming,
            (Some(Integer), Some(Text)) => {
                return Err("holds text, but the ids read before are integers")
            }
            (Some(Text), Some(Integer)) => {
                return Err("holds integers, but the ids read before are text")
            }
            (Some(Untyped), Some(Text)) => self.kind = Some(Text),
            (Some(Untyped), Some(Integer)) => {
                if !self.all_canonical() {
                    return Err("holds integers, but some id read before is no integer");
                }
                for code in 1..=self.texts.len() as u32 {
                    self.integers
                        .code(canonical(self.texts.bytes(code)).unwrap_or(0));
                }
                self.texts = TextTable::of_ids();
                self.kind = Some(Integer);
            }
            _ => {}
        }
        Ok(())
    }

    /// Make room for so many more ids, of the kind met so far.
    pub fn reserve(&mut self, more: usize) {
        if self.kind == Some(IdKind::Integer) {
            self.integers.reserve(more);
        } else {
            self.texts.reserve(more);
        }
    }

    fn all_canonical(&mut self) -> bool {
        while self.canonical && self.seen < self.texts.len() {
            self.seen += 1;
            self.canonical = canonical(self.texts.bytes(self.seen as u32)).is_some();
        }
        self.canonical
    }

    /// Untyped ids settle as integers if every one is the canonical form of one.
    fn settle(&mut self) {
        if self.kind == Some(IdKind::Untyped) && self.all_canonical() {
            // Codes are dense in both tables, so they stay.
            let _ = self.admit(Some(IdKind::Integer));
        }
    }

    /// The codes of the wanted rows of a stretch, `UNWANTED` for the others; 0 where null or bad, `MISSING` where there is
    /// none yet. Whether there is nothing to `learn`.
    pub fn look(
        &self,
        column: &Column,
        start: usize,
        wanted: &[bool],
        look: &mut IdLook,
        out: &mut [u32],
        bad: &mut Bad,
    ) -> bool {
        if self.kind == Some(IdKind::Integer) {
            return self.look_integers(column, start, wanted, look, out, bad);
        }
        let Some(texts) = &column.texts else {
            out.fill(NULL);
            return true;
        };
        let found = texts.look(start, wanted, &self.texts, &mut look.known, out);
        if found {
            settle_texts(column, start, wanted, out, bad);
        }
        found
    }

    /// Store what a look did not find.
    pub fn learn(
        &mut self,
        column: &Column,
        start: usize,
        wanted: &[bool],
        look: &IdLook,
        out: &mut [u32],
        bad: &mut Bad,
    ) {
        if self.kind == Some(IdKind::Integer) {
            let plain = column.plain::<Int64Type>(start, out.len());
            return self.integers.learn(plain.unwrap_or(&look.keys), out);
        }
        if let Some(texts) = &column.texts {
            texts.learn(start, &mut self.texts, out);
            settle_texts(column, start, wanted, out, bad);
        }
    }

    /// Look and learn.
    pub fn read(
        &mut self,
        column: &Column,
        start: usize,
        wanted: &[bool],
        look: &mut IdLook,
        out: &mut [u32],
        bad: &mut Bad,
    ) {
        if !self.look(column, start, wanted, look, out, bad) {
            self.learn(column, start, wanted, look, out, bad);
        }
    }

    fn look_integers(
        &self,
        column: &Column,
        start: usize,
        wanted: &[bool],
        look: &mut IdLook,
        out: &mut [u32],
        bad: &mut Bad,
    ) -> bool {
        if let Some(keys) = column.plain::<Int64Type>(start, out.len()) {
            let found = self.integers.look(keys, wanted, out);
            for (slot, wanted) in out.iter_mut().zip(wanted) {
                *slot = if *wanted { *slot } else { UNWANTED };
            }
            return found;
        }
        look.values.clear();
        look.values.resize(out.len(), None);
        column.integers(start, &mut look.values, bad);
        look.keys.clear();
        look.keys
            .extend(look.values.iter().map(|value| value.unwrap_or(0)));
        look.wanted.clear();
        look.wanted.extend(
            look.values
                .iter()
                .zip(wanted)
                .map(|(value, wanted)| *wanted && value.is_some()),
        );
        let found = self.integers.look(&look.keys, &look.wanted, out);
        for ((slot, wanted), value) in out.iter_mut().zip(wanted).zip(&look.values) {
            *slot = if *wanted || value.is_none() {
                *slot
            } else {
                UNWANTED
            };
        }
        found
    }

    /// An id for a message.
    pub fn show(&self, code: u32) -> String {
        match self.kind {
            Some(IdKind::Integer) => self.integers.key(code).to_string(),
            _ => show(self.texts.text(code)),
        }
    }

    pub fn find_integer(&self, id: i64) -> Option<u32> {
        match self.kind {
            Some(IdKind::Integer) => self.integers.find(id),
            Some(IdKind::Untyped) => self.texts.find(id.to_string().as_bytes()),
            _ => None,
        }
    }

    pub fn find_text(&self, id: &str) -> Option<u32> {
        match self.kind {
            Some(IdKind::Integer) => None,
            _ => self.texts.find(id.as_bytes()),
        }
    }

    /// The ids of these codes as an Arrow column, null for codes that are none.
    pub fn column(&mut self, codes: impl Iterator<Item = u32> + Clone) -> ArrayRef {
        self.settle();
        let known = self.len() as u32;
        let held = |code: u32| (1..=known).contains(&code);
        if self.kind.is_none_or(|kind| kind == IdKind::Integer) {
            return Arc::new(
                codes
                    .map(|code| held(code).then(|| self.integers.key(code)))
                    .collect::<Int64Array>(),
            );
        }
        let texts = codes
            .clone()
            .map(|code| held(code).then(|| self.texts.text(code)));
        let bytes: usize = texts.clone().flatten().map(str::len).sum();
        if i32::try_from(bytes).is_ok() {
            Arc::new(texts.collect::<StringArray>())
        } else {
            Arc::new(texts.collect::<LargeStringArray>())
        }
    }

    /// By code - 1: the place of the id when all are sorted, integers by value, text by code point.
    pub fn ranks(&mut self) -> Vec<u32> {
        self.settle();
        let mut codes: Vec<u32> = (1..=self.len() as u32).collect();
        if self.kind.is_none_or(|kind| kind == IdKind::Integer) {
            codes.par_sort_unstable_by_key(|code| self.integers.key(*code));
        } else {
            codes.par_sort_unstable_by(|a, b| self.texts.bytes(*a).cmp(self.texts.bytes(*b)));
        }
        let mut ranks = vec![0; codes.len()];
        for (rank, code) in codes.iter().enumerate() {
            ranks[*code as usize - 1] = rank as u32;
        }
        ranks
    }
}

/// What codes of texts say as ids: others are `UNWANTED`, those that cannot be are bad.
fn settle_texts(column: &Column, start: usize, wanted: &[bool], out: &mut [u32], bad: &mut Bad) {
    for (i, slot) in out.iter_mut().enumerate() {
        if !wanted[i] {
            *slot = if column.is_null(start + i) {
                NULL
            } else {
                UNWANTED
            };
        } else if *slot >= FULL {
            bad.push((i, if *slot == INVALID { NOT_UTF8 } else { TOO_MANY }));
            *slot = NULL;
        }
    }
}
