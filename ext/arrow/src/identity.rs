//! Identities and contents of events (spec 2.4, 2.5): exact, and ranked in canonical order at the end.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, LargeStringArray, StringArray};
use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::slice::ParallelSliceMut;

use crate::evaluate::{Evaluator, TextMemory};
use crate::fields::Fields;
use crate::ids::IdKind;
use crate::kept::{write_row, EventKeys, Home, Kept};
use crate::lexical::canonical;
use crate::order_keys::{instant_order, number_order, write_id, RowBytes, DIGEST};
use crate::plan::Side;
use crate::source::Kind;
use crate::strings::TextTable;

/// Distinct records of equal width, compared word by word.
struct Records {
    width: usize,
    words: Vec<u32>,
    places: HashTable<u32>,
    /// What each record is called outside.
    numbers: Vec<u32>,
}

impl Records {
    fn new(width: usize) -> Self {
        Self {
            width,
            words: Vec::new(),
            places: HashTable::new(),
            numbers: Vec::new(),
        }
    }

    fn record(words: &[u32], width: usize, place: u32) -> &[u32] {
        words
            .get(place as usize * width..(place as usize + 1) * width)
            .unwrap_or(&[])
    }

    /// The number of a record, taken from `next` if it is new.
    fn number(&mut self, hasher: &DefaultHashBuilder, record: &[u32], next: &mut u32) -> u32 {
        let hash = hasher.hash_one(record);
        let (words, width) = (&self.words, self.width);
        if let Some(place) = self
            .places
            .find(hash, |place| Self::record(words, width, *place) == record)
        {
            return self.numbers[*place as usize];
        }
        let place = self.numbers.len() as u32;
        self.words.extend_from_slice(record);
        let words = &self.words;
        self.places.insert_unique(hash, place, |place| {
            hasher.hash_one(Self::record(words, width, *place))
        });
        self.numbers.push(*next);
        *next += 1;
        *next - 1
    }
}

/// Event ids in the order they came. They hardly ever repeat, so each is simply kept until the ranks are asked for:
/// a table to find equal ones early would cost more than the ids.
#[derive(Default)]
struct EventIds {
    integers: Vec<i64>,
    arena: Vec<u8>,
    ends: Vec<usize>,
    numbers: Vec<u32>,
    /// Texts looked at so far, and whether one of them is no canonical integer.
    seen: u32,
    worded: bool,
}

impl EventIds {
    /// Whether all ids of text are canonical integers.
    fn all_spelled(&mut self) -> bool {
        while !self.worded && (self.seen as usize) < self.ends.len() {
            self.worded = canonical(self.text(self.seen)).is_none();
            self.seen += 1;
        }
        !self.worded
    }

    fn text(&self, place: u32) -> &[u8] {
        let place = place as usize;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        self.arena.get(start..self.ends[place]).unwrap_or(b"")
    }

    /// The id at a place; `spelled`: as the integer it spells.
    fn id(&self, place: u32, spelled: bool) -> EventId<'_> {
        if let Some(id) = self.integers.get(place as usize) {
            return EventId::Integer(*id);
        }
        let text = self.text(place);
        let integer = canonical(text).filter(|_| spelled);
        integer.map_or(EventId::Text(text), EventId::Integer)
    }

    /// The place of an identity number, None for a row without an id. Numbers were given in ascending order.
    fn place(&self, number: u32, rows: u32) -> Option<usize> {
        if number < rows && self.numbers.len() == rows as usize {
            return Some(number as usize);
        }
        self.numbers.binary_search(&number).ok()
    }

    /// Ids of text as the integers they spell, where all of them spell one.
    fn spelled(&self) -> Vec<i64> {
        let texts = 0..self.ends.len() as u32;
        let spelled: Option<Vec<i64>> = texts.map(|place| canonical(self.text(place))).collect();
        spelled.unwrap_or_default()
    }
}

/// An event id as it was read.
#[derive(Clone, Copy)]
pub enum EventId<'a> {
    Integer(i64),
    Text(&'a [u8]),
}

/// All identities and contents of one events table.
pub struct Identities {
    hasher: DefaultHashBuilder,
    kind: Option<IdKind>,
    events: Vec<Records>,
    contents: Vec<Records>,
    ids: EventIds,
    next: u32,
    next_content: u32,
    record: Vec<u32>,
    kept: Option<Kept>,
}

/// Words such that comparing words compares values, null first (spec 2.4). Text is its code, replaced by its rank
/// before anything is sorted.
fn words_of(ordered: u64) -> [u32; 2] {
    [(ordered >> 32) as u32, ordered as u32]
}

fn width(side: &Side, kind: usize) -> usize {
    let words = |field: &usize| match side.fields[*field].kind {
        Kind::Text | Kind::Boolean => 1,
        Kind::Number | Kind::Instant => 2,
    };
    side.kinds[kind].fields.iter().map(words).sum()
}

impl Identities {
    /// `kind`: what the column of event ids holds, None without one or where all are null. `keep`: what outlives the
    /// run can be asked for.
    pub fn new(side: &Side, kind: Option<IdKind>, keep: bool) -> Self {
        let records = |more: usize| {
            (0..side.kinds.len())
                .map(|kind| Records::new(width(side, kind) + more))
                .collect()
        };
        Self {
            hasher: DefaultHashBuilder::default(),
            kind,
            events: records(0),
            contents: records(2),
            ids: EventIds::default(),
            next: 0,
            next_content: 0,
            record: Vec::new(),
            kept: keep.then(Kept::default),
        }
    }

    /// Whether another row may come: numbers are uint32.
    pub fn full(&self) -> bool {
        self.next == u32::MAX || self.next_content == u32::MAX
    }

    /// Write down the properties of a row.
    pub fn load(&mut self, side: &Side, kind: usize, fields: &Fields, i: usize, at: i64) {
        self.record.clear();
        self.record.extend(words_of(instant_order(at)));
        for field in &side.kinds[kind].fields {
            let stretch = &fields.stretches[*field];
            match side.fields[*field].kind {
                Kind::Text => self.record.push(stretch.codes[i]),
                Kind::Boolean => self.record.push(fields.class(*field, i)),
                Kind::Number => {
                    let ordered = number_order(stretch.numbers[i]);
                    self.record.extend(words_of(ordered));
                }
                Kind::Instant => {
                    let ordered = instant_order(stretch.instants[i]);
                    self.record.extend(words_of(ordered));
                }
            }
        }
    }

    /// The content number of the row loaded.
    pub fn content(&mut self, kind: usize) -> u32 {
        self.contents[kind].number(&self.hasher, &self.record, &mut self.next_content)
    }

    /// The identity number of the row loaded, which has this event id or none.
    pub fn order(&mut self, kind: usize, id: Option<EventId<'_>>) -> u32 {
        match id {
            None => {
                return self.events[kind].number(&self.hasher, &self.record[2..], &mut self.next)
            }
            Some(EventId::Integer(id)) => self.ids.integers.push(id),
            Some(EventId::Text(id)) => {
                self.ids.arena.extend_from_slice(id);
                self.ids.ends.push(self.ids.arena.len());
            }
        }
        self.ids.numbers.push(self.next);
        self.next += 1;
        self.next - 1
    }

    /// Keep what outlives the run of the row loaded, whose identity number was given just now.
    pub fn keep(
        &mut self,
        side: &Side,
        kind: usize,
        number: u32,
        id: Option<EventId<'_>>,
        texts: &[Option<TextMemory>],
    ) {
        let Some(kept) = &mut self.kept else { return };
        if id.is_some() {
            kept.id(side, kind, &self.record, texts);
        } else if number as usize == kept.len() {
            kept.record(kind, self.events[kind].numbers.len() as u32 - 1);
        }
    }

    /// Order keys and content digests of these identities; the first that is none otherwise.
    pub fn keys(
        &mut self,
        side: &Side,
        texts: &[Option<TextMemory>],
        numbers: &[u32],
    ) -> Result<EventKeys, u32> {
        let spelled = self.kind == Some(IdKind::Untyped) && self.ids.all_spelled();
        let mut row = RowBytes::default();
        let mut keys = EventKeys {
            offsets: Vec::with_capacity(numbers.len() + 1),
            data: Vec::new(),
            digests: Vec::with_capacity(numbers.len() * DIGEST),
        };
        keys.offsets.push(0);
        for number in numbers {
            let kept = self.kept.as_ref();
            let (kept, home) = kept
                .and_then(|kept| Some((kept, kept.home(*number)?)))
                .ok_or(*number)?;
            match home {
                Home::Record { kind, place } => {
                    let kind = kind as usize;
                    let records = &self.events[kind];
                    let record = Records::record(&records.words, records.width, place);
                    write_row(side, kind, 0, record, texts, &mut row);
                    keys.data.extend_from_slice(row.order());
                }
                Home::Id { place } => write_id(self.ids.id(place, spelled), &mut keys.data),
            }
            keys.offsets.push(keys.data.len() as i64);
            keys.digests.extend_from_slice(&kept.digest(home));
        }
        Ok(keys)
    }

    /// Rank by identity number, and how many of the first ranks have no id. Equal ids have equal ranks.
    pub fn ranks(&self, side: &Side, evaluator: &Evaluator) -> (Vec<u32>, usize) {
        let mut ranks = vec![0; self.next as usize];
        let mut rank = 0;
        let text_ranks: Vec<Vec<u32>> = evaluator
            .texts
            .iter()
            .map(|memory| {
                memory
                    .as_ref()
                    .map_or(Vec::new(), |m| text_ranks(&m.strings))
            })
            .collect();
        let mut kinds: Vec<usize> = (0..side.kinds.len()).collect();
        kinds.sort_by_key(|kind| side.kinds[*kind].rank);
        for kind in kinds {
            let records = &self.events[kind];
            let words = ranked(side, kind, records, &text_ranks);
            let mut places: Vec<u32> = (0..records.numbers.len() as u32).collect();
            let record = |place: u32| Records::record(&words, records.width, place);
            places.par_sort_unstable_by(|a, b| record(*a).cmp(record(*b)));
            for place in places {
                ranks[records.numbers[place as usize] as usize] = rank;
                rank += 1;
            }
        }
        self.rank_ids(&mut ranks, rank);
        (ranks, rank as usize)
    }

    fn rank_ids(&self, ranks: &mut [u32], first: u32) {
        let texts = self.ids.ends.len() as u32;
        let parsed = self.parsed();
        let integers = if parsed.is_empty() {
            &self.ids.integers
        } else {
            &parsed
        };
        if integers.len() == self.ids.numbers.len() {
            let mut places: Vec<(i64, u32)> = integers.iter().copied().zip(0..).collect();
            places.par_sort_unstable();
            let same = |a: &(i64, u32), b: &(i64, u32)| a.0 == b.0;
            self.spread(&places, same, |place| place.1, ranks, first);
        } else {
            let mut places: Vec<(u64, u32)> = (0..texts)
                .map(|place| (head(self.ids.text(place)), place))
                .collect();
            places.par_sort_unstable_by(|a, b| {
                a.0.cmp(&b.0)
                    .then_with(|| self.ids.text(a.1).cmp(self.ids.text(b.1)))
            });
            let same = |a: &(u64, u32), b: &(u64, u32)| {
                a.0 == b.0 && self.ids.text(a.1) == self.ids.text(b.1)
            };
            self.spread(&places, same, |place| place.1, ranks, first);
        }
    }

    /// Ids of a file of text (CSV) as integers, where they are; else nothing.
    fn parsed(&self) -> Vec<i64> {
        if self.kind == Some(IdKind::Untyped) {
            self.ids.spelled()
        } else {
            Vec::new()
        }
    }

    /// The event ids of these identity numbers, null for rows without one: integers or text, text where there are none.
    pub fn column(&self, numbers: &[u32]) -> ArrayRef {
        let parsed = self.parsed();
        let places = numbers
            .iter()
            .map(|number| self.ids.place(*number, self.next));
        if self.kind == Some(IdKind::Integer) || !parsed.is_empty() {
            let integers = if parsed.is_empty() {
                &self.ids.integers
            } else {
                &parsed
            };
            let value = |place: usize| integers.get(place).copied();
            return Arc::new(
                places
                    .map(|place| place.and_then(value))
                    .collect::<Int64Array>(),
            );
        }
        let texts = places
            .map(|place| place.and_then(|p| std::str::from_utf8(self.ids.text(p as u32)).ok()));
        let bytes: usize = texts.clone().flatten().map(str::len).sum();
        if i32::try_from(bytes).is_ok() {
            Arc::new(texts.collect::<StringArray>())
        } else {
            Arc::new(texts.collect::<LargeStringArray>())
        }
    }

    /// Give sorted places their ranks, equal neighbours the same.
    fn spread<T>(
        &self,
        sorted: &[T],
        same: impl Fn(&T, &T) -> bool,
        place: impl Fn(&T) -> u32,
        ranks: &mut [u32],
        first: u32,
    ) {
        let mut rank = first;
        for (i, one) in sorted.iter().enumerate() {
            if i > 0 && !same(&sorted[i - 1], one) {
                rank += 1;
            }
            ranks[self.ids.numbers[place(one) as usize] as usize] = rank;
        }
    }
}

/// The first bytes of a text as a number that sorts like them.
fn head(text: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (slot, byte) in bytes.iter_mut().zip(text) {
        *slot = *byte;
    }
    u64::from_be_bytes(bytes)
}

/// By code - 1: the place of a text among all, from 1 (0 is null).
fn text_ranks(strings: &TextTable) -> Vec<u32> {
    let mut codes: Vec<u32> = (1..=strings.len() as u32).collect();
    codes.par_sort_unstable_by(|a, b| strings.bytes(*a).cmp(strings.bytes(*b)));
    let mut ranks = vec![0; codes.len()];
    for (rank, code) in codes.iter().enumerate() {
        ranks[*code as usize - 1] = rank as u32 + 1;
    }
    ranks
}

/// The records of a type with ranks of texts in place of their codes.
fn ranked(side: &Side, kind: usize, records: &Records, text_ranks: &[Vec<u32>]) -> Vec<u32> {
    let mut words = records.words.clone();
    let mut at = 0;
    for field in &side.kinds[kind].fields {
        match side.fields[*field].kind {
            Kind::Text => {
                for code in words.iter_mut().skip(at).step_by(records.width.max(1)) {
                    *code = text_ranks[*field]
                        .get((*code as usize).wrapping_sub(1))
                        .copied()
                        .unwrap_or(0);
                }
                at += 1;
            }
            Kind::Boolean => at += 1,
            Kind::Number | Kind::Instant => at += 2,
        }
    }
    words
}
