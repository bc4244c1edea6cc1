//! Distinct texts and their dense codes, found in batches.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

use crate::slots::Slots;
use crate::uuids::{self, Uuids};

/// No text: null, or a row that was not asked for.
pub const NULL: u32 = 0;
/// The bytes are no UTF-8, so they are no text at all.
pub const INVALID: u32 = u32::MAX;
/// The text is valid but the table is full and does not hold it.
pub const FULL: u32 = u32::MAX - 1;

/// A text that a look did not find: to be learned.
pub const MISSING: u32 = u32::MAX - 3;

/// How many look-ups run side by side: enough to hide a cache miss, few enough to stay in registers and L1.
pub const GROUP: usize = 32;

/// Bytes a length takes in front of each text in the arena, so that one access compares both.
const LENGTH: usize = 4;

/// Texts that are no shorter than a piece and no longer than so many are hashed and compared in as many pieces, whatever
/// their length: loops that run as often as a text is long would be guessed wrong.
const PIECES: usize = 4;
const PIECE: usize = size_of::<u128>();

/// The pieces of a text, which overlap where it is shorter than all of them.
#[inline]
fn pieces(text: &[u8]) -> Option<[u128; PIECES]> {
    if text.len() > PIECES * PIECE {
        return None;
    }
    let last = text.len().checked_sub(PIECE)?;
    let piece = |i: usize| text[(i * PIECE).min(last)..].first_chunk().copied();
    let pieces = [piece(0)?, piece(1)?, piece(2)?, piece(3)?];
    Some(pieces.map(u128::from_le_bytes))
}

/// Whether two texts are the same.
#[inline]
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && match (pieces(a), pieces(b)) {
            (Some(a), Some(b)) => a.iter().zip(&b).fold(0, |other, (a, b)| other | (a ^ b)) == 0,
            _ => a == b,
        }
}

/// An open-addressing table from text to a code that counts from 1 in order of first sight. A slot holds where the text
/// starts, and in one word half of its hash above its code, which is 0 where the slot is free.
///
/// Codes are exact: the bytes are compared, a hash never decides alone. The seed of the hash is random, so input
/// cannot be made to collide; codes do not depend on it.
///
/// As long as a table of ids holds nothing but UUIDs, they are found by their number, without a look at the texts.
pub struct TextTable {
    hasher: DefaultHashBuilder,
    seeds: [u64; 2 * PIECES],
    slots: Slots<2>,
    /// All there is, while it is UUIDs; `slots` are not used then.
    uuids: Option<Uuids>,
    starts: Vec<u64>,
    arena: Vec<u8>,
    most: usize,
    most_bytes: usize,
}

impl TextTable {
    /// A table that holds every text it is shown.
    pub fn unbounded() -> Self {
        Self::bounded(MISSING as usize - 1, usize::MAX)
    }

    /// A table of ids, that holds every one it is shown.
    pub fn of_ids() -> Self {
        Self {
            uuids: Some(Uuids::default()),
            ..Self::unbounded()
        }
    }

    /// A table that stops taking new texts at `most` of them or at `most_bytes` bytes.
    pub fn bounded(most: usize, most_bytes: usize) -> Self {
        let hasher = DefaultHashBuilder::default();
        Self {
            seeds: std::array::from_fn(|i| hasher.hash_one(i)),
            hasher,
            slots: Slots::new(64),
            uuids: None,
            starts: Vec::new(),
            arena: Vec::new(),
            most,
            most_bytes,
        }
    }

    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Bytes of all texts, and what stands between them.
    pub fn size(&self) -> usize {
        self.arena.len()
    }

    /// The bytes of a code; empty for a code this table did not give.
    pub fn bytes(&self, code: u32) -> &[u8] {
        match self.starts.get((code as usize).wrapping_sub(1)) {
            Some(&start) => self.at(start),
            None => b"",
        }
    }

    /// The text of a code. Only valid UTF-8 is ever stored, so nothing is lost here.
    pub fn text(&self, code: u32) -> &str {
        std::str::from_utf8(self.bytes(code)).unwrap_or("")
    }

    fn at(&self, start: u64) -> &[u8] {
        self.part(start, self.length(start))
    }

    /// How long the text is that starts here.
    #[inline]
    fn length(&self, start: u64) -> usize {
        let rest = self.arena.get(start as usize..);
        let prefix = rest.and_then(<[u8]>::first_chunk);
        prefix.map_or(0, |prefix| u32::from_le_bytes(*prefix) as usize)
    }

    #[inline]
    fn part(&self, start: u64, length: usize) -> &[u8] {
        let start = start as usize + LENGTH;
        self.arena.get(start..start + length).unwrap_or(b"")
    }

    #[inline]
    fn hash(&self, bytes: &[u8]) -> u64 {
        if let Some(pieces) = pieces(bytes) {
            let mut hash = 0;
            for (piece, seeds) in pieces.into_iter().zip(self.seeds.as_chunks::<2>().0) {
                let [low, high] = [piece as u64 ^ seeds[0], (piece >> 64) as u64 ^ seeds[1]];
                let product = u128::from(low.rotate_left(bytes.len() as u32)) * u128::from(high);
                hash ^= (product >> 64) as u64 ^ product as u64;
            }
            return hash;
        }
        let mut state = self.hasher.build_hasher();
        state.write(bytes);
        state.finish()
    }

    /// The code of a text, or None if it was never stored.
    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        match &self.uuids {
            Some(uuids) => uuids.find(uuids::parse(bytes)?),
            None => self.probe(bytes, self.hash(bytes)).ok(),
        }
    }

    /// The code, or the free slot where it would stand.
    #[inline]
    fn probe(&self, bytes: &[u8], hash: u64) -> Result<u32, usize> {
        let slots = self.slots.all();
        let mask = slots.len() - 1;
        let mut index = hash as usize & mask;
        loop {
            let [start, held] = slots[index];
            if held as u32 == NULL {
                return Err(index);
            }
            if held >> 32 == hash >> 32 && equal(self.at(start), bytes) {
                return Ok(held as u32);
            }
            index = (index + 1) & mask;
        }
    }

    /// The code of a text, storing it if it is new; `INVALID` or `FULL` where that cannot be.
    pub fn code(&mut self, bytes: &[u8]) -> u32 {
        if let Some(uuids) = &self.uuids {
            let key = uuids::parse(bytes);
            if let Some(code) = key.and_then(|key| uuids.find(key)) {
                return code;
            }
            if let Some(reason) = self.refusal(bytes) {
                return reason;
            }
            match (key, &mut self.uuids) {
                (Some(key), Some(uuids)) => {
                    uuids.store(key, self.starts.len() as u32 + 1);
                    return self.store(bytes).1;
                }
                _ => self.give_up_uuids(),
            }
        }
        let hash = self.hash(bytes);
        if let Ok(code) = self.probe(bytes, hash) {
            return code;
        }
        if let Some(reason) = self.refusal(bytes) {
            return reason;
        }
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow(self.slots.len() * 2);
        }
        let (start, code) = self.store(bytes);
        if let Err(index) = self.probe(bytes, hash) {
            self.slots.all_mut()[index] = [start, hash >> 32 << 32 | u64::from(code)];
        }
        code
    }

    /// Why a text cannot be stored.
    fn refusal(&self, bytes: &[u8]) -> Option<u32> {
        if std::str::from_utf8(bytes).is_err() {
            return Some(INVALID);
        }
        let full = self.len() >= self.most
            || self.arena.len().saturating_add(bytes.len()) > self.most_bytes
            || u32::try_from(bytes.len()).is_err();
        full.then_some(FULL)
    }

    /// Keep a new text: where it starts, and its code.
    fn store(&mut self, bytes: &[u8]) -> (u64, u32) {
        let start = self.arena.len() as u64;
        self.arena
            .extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.arena.extend_from_slice(bytes);
        self.starts.push(start);
        (start, self.starts.len() as u32)
    }

    /// From now on look at texts, since one is no UUID; codes stay.
    #[cold]
    fn give_up_uuids(&mut self) {
        self.uuids = None;
        self.grow((self.len() * 4).next_power_of_two().max(64));
    }

    /// Make room for so many more ids at once.
    pub fn reserve(&mut self, more: usize) {
        match &mut self.uuids {
            Some(uuids) => uuids.reserve(more),
            None => {
                let count = ((self.len() + more) * 2).next_power_of_two();
                if count > self.slots.len() {
                    self.grow(count);
                }
            }
        }
    }

    /// Find all texts by hash in so many slots.
    fn grow(&mut self, count: usize) {
        let mut grown = Slots::new(count);
        let (mask, slots) = (count - 1, grown.all_mut());
        for (start, code) in self.starts.iter().zip(1u64..) {
            let hash = self.hash(self.at(*start));
            let mut index = hash as usize & mask;
            while slots[index][1] != 0 {
                index = (index + 1) & mask;
            }
            slots[index] = [*start, hash >> 32 << 32 | code];
        }
        self.slots = grown;
    }

    /// Codes of up to `GROUP` texts at once, `MISSING` where there is none: all hashes first, then all slots, then all
    /// lengths, then all comparisons, so that the cache misses of one step overlap. Whether all were found.
    pub fn look(&self, texts: &[&[u8]], out: &mut [u32]) -> bool {
        if let Some(uuids) = &self.uuids {
            return uuids.look(texts, out);
        }
        let mut found = true;
        let mut hashes = [0u64; GROUP];
        let mut slots = [[0u64; 2]; GROUP];
        let mut lengths = [0usize; GROUP];
        let all = self.slots.all();
        let mask = all.len() - 1;
        for (hash, text) in hashes.iter_mut().zip(texts) {
            *hash = self.hash(text);
        }
        for (slot, hash) in slots.iter_mut().zip(&hashes).take(texts.len()) {
            *slot = all[*hash as usize & mask];
        }
        for (length, slot) in lengths.iter_mut().zip(&slots).take(texts.len()) {
            *length = self.length(slot[0]);
        }
        let all = texts.iter().zip(&hashes).zip(&slots).zip(&lengths);
        for ((((text, hash), [start, held]), length), code) in all.zip(out) {
            *code = *held as u32;
            let other = *code == NULL || held >> 32 != hash >> 32 || *length != text.len();
            if other || !equal(self.part(*start, *length), text) {
                *code = self.probe(text, *hash).unwrap_or(MISSING);
                found &= *code != MISSING;
            }
        }
        found
    }
}
