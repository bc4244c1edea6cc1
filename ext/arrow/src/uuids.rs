//! Texts that are UUIDs, found by the number they spell.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use crate::slots::Slots;
use crate::strings::{GROUP, MISSING};

/// Bytes of a UUID's text, and where its dashes stand.
const LENGTH: usize = 36;
const DASHES: [usize; 4] = [8, 13, 18, 23];

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// A UUID as two words.
type Key = [u64; 2];

/// Eight lower-case hexadecimal digits, the first in the highest byte, as their number; and whether they are that. All
/// eight are worked on at once: a digit lies 0 to 9 above "0" or, with its bit 6 set, 0 to 5 above "a".
#[inline]
fn digits(text: u64) -> (u64, bool) {
    let letters = text >> 6 & ONES;
    let above = (text | TOPS).wrapping_sub(0x30 * ONES + 0x31 * letters);
    let digit = above & !TOPS;
    let room = ((9 * ONES) | TOPS)
        .wrapping_sub(4 * letters)
        .wrapping_sub(digit);
    let good = !text & above & room & TOPS == TOPS;
    let mut packed = digit + 10 * letters;
    packed = (packed | packed >> 4) & 0x00ff_00ff_00ff_00ff;
    packed = (packed | packed >> 8) & 0x0000_ffff_0000_ffff;
    packed = (packed | packed >> 16) & 0xffff_ffff;
    (packed, good)
}

/// The number a text spells, if it is a UUID in the one form that others are turned into: lower case, with dashes.
#[inline]
pub fn parse(text: &[u8]) -> Option<Key> {
    let text: &[u8; LENGTH] = text.try_into().ok()?;
    let half = |i: usize| u32::from_be_bytes([text[i], text[i + 1], text[i + 2], text[i + 3]]);
    let word = |i: usize, j: usize| u64::from(half(i)) << 32 | u64::from(half(j));
    let (a, a_good) = digits(word(0, 4));
    let (b, b_good) = digits(word(9, 14));
    let (c, c_good) = digits(word(19, 24));
    let (d, d_good) = digits(word(28, 32));
    let dashes = DASHES.map(|i| text[i]) == [b'-'; 4];
    (a_good & b_good & c_good & d_good & dashes).then_some([a << 32 | b, c << 32 | d])
}

/// Codes by UUID: a slot holds the number and its code, which is 0 where the slot is free.
pub struct Uuids {
    /// Random, so that input cannot be made to collide; codes do not depend on them.
    seeds: Key,
    slots: Slots<3>,
    count: usize,
}

#[inline]
fn hash(seeds: Key, key: Key) -> usize {
    let product = u128::from(key[0] ^ seeds[0]) * u128::from(key[1] ^ seeds[1]);
    ((product >> 64) as u64 ^ product as u64) as usize
}

impl Default for Uuids {
    fn default() -> Self {
        let random = DefaultHashBuilder::default();
        Self {
            seeds: [random.hash_one(0u64), random.hash_one(1u64)],
            slots: Slots::new(64),
            count: 0,
        }
    }
}

impl Uuids {
    #[inline]
    fn hash(&self, key: Key) -> usize {
        hash(self.seeds, key)
    }

    /// The code, or the free slot where it would stand.
    #[inline]
    fn probe(&self, key: Key, hash: usize) -> Result<u32, usize> {
        let slots = self.slots.all();
        let mask = slots.len() - 1;
        let mut index = hash & mask;
        loop {
            let [high, low, code] = slots[index];
            if code == 0 {
                return Err(index);
            }
            if [high, low] == key {
                return Ok(code as u32);
            }
            index = (index + 1) & mask;
        }
    }

    pub fn find(&self, key: Key) -> Option<u32> {
        self.probe(key, self.hash(key)).ok()
    }

    /// Store a new UUID.
    pub fn store(&mut self, key: Key, code: u32) {
        self.reserve(1);
        if let Err(index) = self.probe(key, self.hash(key)) {
            self.slots.all_mut()[index] = [key[0], key[1], u64::from(code)];
            self.count += 1;
        }
    }

    /// Make room for so many more at once.
    pub fn reserve(&mut self, more: usize) {
        let seeds = self.seeds;
        self.slots
            .reserve(self.count, more, |slot| hash(seeds, [slot[0], slot[1]]));
    }

    /// Codes of up to `GROUP` texts at once, `MISSING` where there is none, or the text is no UUID. Whether all were found.
    pub fn look(&self, texts: &[&[u8]], out: &mut [u32]) -> bool {
        let mut keys: [Option<Key>; GROUP] = [None; GROUP];
        let mut hashes = [0usize; GROUP];
        let mut slots = [[0u64; 3]; GROUP];
        let all = self.slots.all();
        let mask = all.len() - 1;
        for ((key, hash), text) in keys.iter_mut().zip(&mut hashes).zip(texts) {
            *key = parse(text);
            *hash = key.map_or(0, |key| self.hash(key));
        }
        for (slot, hash) in slots.iter_mut().zip(&hashes).take(texts.len()) {
            *slot = all[hash & mask];
        }
        let mut found = true;
        for (i, code) in out.iter_mut().enumerate().take(texts.len()) {
            let [high, low, held] = slots[i];
            *code = match keys[i] {
                Some(key) if held != 0 && key == [high, low] => held as u32,
                Some(key) => self.probe(key, hashes[i]).unwrap_or(MISSING),
                None => MISSING,
            };
            found &= *code != MISSING;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_form_is_a_number() {
        let text = b"00112233-4455-6677-8899-aabbccddeeff";
        let key = [0x0011_2233_4455_6677, 0x8899_aabb_ccdd_eeff];
        assert_eq!(parse(text), Some(key));
        for i in 0..LENGTH {
            for byte in 0..=255 {
                let mut other = *text;
                other[i] = byte;
                let hex = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                let good = if DASHES.contains(&i) {
                    byte == b'-'
                } else {
                    hex
                };
                assert_eq!(parse(&other).is_some(), good, "{byte} at {i}");
            }
        }
        assert_eq!(parse(&text[..35]), None);
    }
}
