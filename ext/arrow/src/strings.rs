//! Distinct texts and their dense codes, found in batches.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

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

#[derive(Clone, Copy, Default)]
struct Slot {
    start: u64,
    tag: u32,
    code: u32,
}

/// An open-addressing table from text to a code that counts from 1 in order of first sight.
///
/// Codes are exact: the bytes are compared, a hash never decides alone. The seed of the hash is random, so input
/// cannot be made to collide; codes do not depend on it.
pub struct TextTable {
    hasher: DefaultHashBuilder,
    slots: Vec<Slot>,
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

    /// A table that stops taking new texts at `most` of them or at `most_bytes` bytes.
    pub fn bounded(most: usize, most_bytes: usize) -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            slots: vec![Slot::default(); 64],
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
        let start = start as usize;
        let mut length = [0; LENGTH];
        match self.arena.get(start..start + LENGTH) {
            Some(prefix) => length.copy_from_slice(prefix),
            None => return b"",
        }
        let length = u32::from_le_bytes(length) as usize;
        self.arena
            .get(start + LENGTH..start + LENGTH + length)
            .unwrap_or(b"")
    }

    #[inline]
    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut state = self.hasher.build_hasher();
        state.write(bytes);
        state.finish()
    }

    #[inline]
    fn same(&self, start: u64, bytes: &[u8]) -> bool {
        let start = start as usize;
        let Some(stored) = self.arena.get(start..start + LENGTH + bytes.len()) else {
            return false;
        };
        let (length, text) = stored.split_at(LENGTH);
        length == (bytes.len() as u32).to_le_bytes().as_slice() && text == bytes
    }

    /// The code of a text, or None if it was never stored.
    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        self.probe(bytes, self.hash(bytes)).ok()
    }

    /// The code, or the free slot where it would stand.
    #[inline]
    fn probe(&self, bytes: &[u8], hash: u64) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let tag = (hash >> 32) as u32;
        let mut index = hash as usize & mask;
        loop {
            let slot = self.slots[index];
            if slot.code == NULL {
                return Err(index);
            }
            if slot.tag == tag && self.same(slot.start, bytes) {
                return Ok(slot.code);
            }
            index = (index + 1) & mask;
        }
    }

    /// The code of a text, storing it if it is new; `INVALID` or `FULL` where that cannot be.
    pub fn code(&mut self, bytes: &[u8]) -> u32 {
        self.code_of_hash(bytes, self.hash(bytes))
    }

    fn code_of_hash(&mut self, bytes: &[u8], hash: u64) -> u32 {
        let mut index = match self.probe(bytes, hash) {
            Ok(code) => return code,
            Err(index) => index,
        };
        if std::str::from_utf8(bytes).is_err() {
            return INVALID;
        }
        if self.len() >= self.most
            || self.arena.len().saturating_add(bytes.len()) > self.most_bytes
            || u32::try_from(bytes.len()).is_err()
        {
            return FULL;
        }
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
            index = match self.probe(bytes, hash) {
                Ok(code) => return code,
                Err(index) => index,
            };
        }
        let start = self.arena.len() as u64;
        self.arena
            .extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.arena.extend_from_slice(bytes);
        self.starts.push(start);
        let code = self.starts.len() as u32;
        self.slots[index] = Slot {
            start,
            tag: (hash >> 32) as u32,
            code,
        };
        code
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let mut slots = vec![Slot::default(); mask + 1];
        for slot in self.slots.iter().filter(|slot| slot.code != NULL) {
            // The tag holds only the upper half of the hash, so small tables rehash from the text.
            let mut index = self.hash(self.at(slot.start)) as usize & mask;
            while slots[index].code != NULL {
                index = (index + 1) & mask;
            }
            slots[index] = *slot;
        }
        self.slots = slots;
    }

    /// Codes of up to `GROUP` texts at once, `MISSING` where there is none: all hashes first, then all slots, then all
    /// comparisons, so that the cache misses of one step overlap. Whether all were found.
    pub fn look(&self, texts: &[&[u8]], out: &mut [u32]) -> bool {
        let mut found = true;
        let mut hashes = [0u64; GROUP];
        let mut slots = [Slot::default(); GROUP];
        let mask = self.slots.len() - 1;
        for (hash, text) in hashes.iter_mut().zip(texts) {
            *hash = self.hash(text);
        }
        for (slot, hash) in slots.iter_mut().zip(&hashes).take(texts.len()) {
            *slot = self.slots[*hash as usize & mask];
        }
        for (i, text) in texts.iter().enumerate().take(GROUP) {
            let slot = slots[i];
            out[i] = if slot.code != NULL
                && slot.tag == (hashes[i] >> 32) as u32
                && self.same(slot.start, text)
            {
                slot.code
            } else {
                self.probe(text, hashes[i]).unwrap_or(MISSING)
            };
            found &= out[i] != MISSING;
        }
        found
    }
}
