//! Distinct 64-bit integers and their dense codes, found in batches.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use crate::slots::Slots;
use crate::strings::MISSING;

const GROUP: usize = 32;

/// An open-addressing table from integer to a code that counts from 1 in order of first sight. A slot holds an integer
/// and its code, which is 0 where it is free.
pub struct IntTable {
    seed: u64,
    slots: Slots<2>,
    keys: Vec<i64>,
}

#[inline]
fn hash(seed: u64, key: i64) -> usize {
    let product = u128::from(key as u64 ^ seed) * 0x9e37_79b9_7f4a_7c15;
    ((product >> 64) as u64 ^ product as u64) as usize
}

impl Default for IntTable {
    fn default() -> Self {
        Self {
            // Random, so that input cannot be made to collide; codes do not depend on it.
            seed: DefaultHashBuilder::default().hash_one(0x6c65_6164u64),
            slots: Slots::new(64),
            keys: Vec::new(),
        }
    }
}

impl IntTable {
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The integer of a code; 0 for a code this table did not give.
    pub fn key(&self, code: u32) -> i64 {
        self.keys
            .get((code as usize).wrapping_sub(1))
            .copied()
            .unwrap_or(0)
    }

    /// All integers by code, from code 1 on.
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }

    #[inline]
    fn hash(&self, key: i64) -> usize {
        hash(self.seed, key)
    }

    pub fn find(&self, key: i64) -> Option<u32> {
        self.probe(key, self.hash(key)).ok()
    }

    #[inline]
    fn probe(&self, key: i64, hash: usize) -> Result<u32, usize> {
        let slots = self.slots.all();
        let mask = slots.len() - 1;
        let mut index = hash & mask;
        loop {
            let [held, code] = slots[index];
            if code == 0 {
                return Err(index);
            }
            if held == key as u64 {
                return Ok(code as u32);
            }
            index = (index + 1) & mask;
        }
    }

    /// The code of an integer, storing it if it is new.
    pub fn code(&mut self, key: i64) -> u32 {
        let hash = self.hash(key);
        match self.probe(key, hash) {
            Ok(code) => code,
            Err(index) => self.store(key, hash, index),
        }
    }

    /// Store a new integer in the free slot found for it.
    fn store(&mut self, key: i64, hash: usize, mut index: usize) -> u32 {
        if (self.keys.len() + 1) * 2 > self.slots.len() {
            self.reserve(1);
            index = match self.probe(key, hash) {
                Ok(code) => return code,
                Err(index) => index,
            };
        }
        self.keys.push(key);
        let code = self.keys.len() as u32;
        self.slots.all_mut()[index] = [key as u64, u64::from(code)];
        code
    }

    /// Make room for so many more integers at once.
    pub fn reserve(&mut self, more: usize) {
        let seed = self.seed;
        self.slots
            .reserve(self.keys.len(), more, |slot| hash(seed, slot[0] as i64));
    }

    /// Codes of the wanted integers, `MISSING` where there is none, 0 for the others: slots are loaded in groups before
    /// any is compared, so that the cache misses overlap. Whether all were found.
    pub fn look(&self, keys: &[i64], wanted: &[bool], out: &mut [u32]) -> bool {
        let mut found = true;
        let all = self.slots.all();
        let mask = all.len() - 1;
        let rows = keys
            .chunks(GROUP)
            .zip(wanted.chunks(GROUP))
            .zip(out.chunks_mut(GROUP));
        let mut hashes = [0usize; GROUP];
        let mut slots = [[0u64; 2]; GROUP];
        for ((keys, wanted), out) in rows {
            for (hash, key) in hashes.iter_mut().zip(keys) {
                *hash = self.hash(*key);
            }
            for (slot, hash) in slots.iter_mut().zip(&hashes) {
                *slot = all[hash & mask];
            }
            let asked = keys.iter().zip(wanted).zip(&hashes).zip(&slots);
            for ((((key, wanted), hash), [held, code]), out) in asked.zip(out) {
                *out = if *wanted { *code as u32 } else { 0 };
                if *wanted & ((*code == 0) | (*held != *key as u64)) {
                    *out = self.probe(*key, *hash).unwrap_or(MISSING);
                    found &= *out != MISSING;
                }
            }
        }
        found
    }

    /// Store what a look did not find.
    pub fn learn(&mut self, keys: &[i64], out: &mut [u32]) {
        for (slot, key) in out.iter_mut().zip(keys) {
            if *slot == MISSING {
                *slot = self.code(*key);
            }
        }
    }
}
