//! Identities as order keys and content digests, which outlive the run (spec 2.4, 2.5).

use crate::evaluate::TextMemory;
use crate::integers::IntTable;
use crate::order_keys::{instant_order, number_order, Digest, RowBytes, ValueDigests, NO_DIGEST};
use crate::plan::Side;
use crate::source::Kind;

/// Where an identity is written down.
#[derive(Clone, Copy)]
pub enum Home {
    /// Without an id: the record of a type.
    Record { kind: u32, place: u32 },
    /// With one: the row's place among all with one.
    Id { place: u32 },
}

/// What is kept of each identity beside its number.
#[derive(Default)]
pub struct Kept {
    homes: Vec<Home>,
    /// Of rows with an id.
    digests: Vec<Digest>,
    row: RowBytes,
}

impl Kept {
    /// Keep a new identity without an id: this record of its type.
    pub fn record(&mut self, kind: usize, place: u32) {
        let kind = kind as u32;
        self.homes.push(Home::Record { kind, place });
    }

    /// Keep the row of an identity that has an id.
    pub fn id(&mut self, side: &Side, kind: usize, record: &[u32], texts: &[Option<TextMemory>]) {
        let place = self.digests.len() as u32;
        self.homes.push(Home::Id { place });
        let (at, properties) = record.split_first_chunk().unwrap_or((&[0; 2], record));
        write_row(side, kind, whole(*at), properties, texts, &mut self.row);
        self.digests.push(self.row.digest());
    }

    pub fn len(&self) -> usize {
        self.homes.len()
    }

    pub fn home(&self, number: u32) -> Option<Home> {
        self.homes.get(number as usize).copied()
    }

    pub fn digest(&self, home: Home) -> Digest {
        match home {
            Home::Record { .. } => NO_DIGEST,
            Home::Id { place } => self.digests[place as usize],
        }
    }
}

/// Order keys one behind the other, and what else is kept of these identities.
pub struct EventKeys {
    pub offsets: Vec<i64>,
    pub data: Vec<u8>,
    pub digests: Vec<u8>,
}

fn whole([high, low]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// A record of identities, texts as codes, in bytes.
pub fn write_row(
    side: &Side,
    kind: usize,
    at: u64,
    record: &[u32],
    texts: &[Option<TextMemory>],
    row: &mut RowBytes,
) {
    row.begin(at, side.kinds[kind].rank);
    let mut words = record.iter().copied();
    let mut next = || words.next().unwrap_or(0);
    for field in &side.kinds[kind].fields {
        match side.fields[*field].kind {
            Kind::Text => match (next(), &texts[*field]) {
                (0, _) | (_, None) => row.null(),
                (code, Some(memory)) => row.text(memory.strings.bytes(code)),
            },
            Kind::Boolean => match next() {
                0 => row.null(),
                class => row.boolean(class == 2),
            },
            Kind::Number | Kind::Instant => row.ordered(whole([next(), next()])),
        }
    }
}

/// Digests of the values of a code column by code; that of code 0, null, is zeros.
pub fn code_digests(kind: Kind, texts: Option<&TextMemory>, values: Option<&IntTable>) -> Vec<u8> {
    let mut digests = ValueDigests::default();
    let mut out = NO_DIGEST.to_vec();
    let keys = values.map_or(&[][..], IntTable::keys);
    match kind {
        Kind::Text => {
            if let Some(TextMemory { strings, .. }) = texts {
                for code in 1..=strings.len() as u32 {
                    out.extend_from_slice(&digests.text(strings.bytes(code)));
                }
            }
        }
        Kind::Boolean => {
            for value in [false, true] {
                out.extend_from_slice(&digests.boolean(value));
            }
        }
        Kind::Number => {
            for key in keys {
                let ordered = number_order(f64::from_bits(*key as u64));
                out.extend_from_slice(&digests.ordered(kind, ordered));
            }
        }
        Kind::Instant => {
            for key in keys {
                out.extend_from_slice(&digests.ordered(kind, instant_order(*key)));
            }
        }
    }
    out
}
