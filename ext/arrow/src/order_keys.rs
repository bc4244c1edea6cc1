//! What an event is, as bytes that mean the same in every run: order keys and digests (spec 2.4, 2.5).

use siphasher::sip128::SipHasher24;

use crate::field_plan::NO_INSTANT;
use crate::identity::EventId;
use crate::source::Kind;

pub const DIGEST: usize = 16;
pub type Digest = [u8; DIGEST];
/// Stands for an event without an id, and for a null value.
pub const NO_DIGEST: Digest = [0; DIGEST];

/// Stored states hold digests made with it.
const KEY: &[u8; 16] = b"leadcore digests";

const NULL: u8 = 0;
const VALUE: u8 = 1;

const NO_ID: u8 = 0;
const INTEGER_ID: u8 = 1;
const TEXT_ID: u8 = 2;

/// Bytes of the instant in front of an order key.
const AT: usize = 8;

fn digest(bytes: &[u8]) -> Digest {
    u128::from(SipHasher24::new_with_key(KEY).hash(bytes)).to_le_bytes()
}

/// An integer that sorts as the number does; 0 is null (NaN).
#[inline]
pub fn number_order(value: f64) -> u64 {
    let bits = value.to_bits();
    match value {
        value if value.is_nan() => 0,
        _ if bits >> 63 == 1 => !bits,
        _ => bits | 1 << 63,
    }
}

/// An integer that sorts as the instant does; 0 is null.
#[inline]
pub fn instant_order(value: i64) -> u64 {
    const { assert!(NO_INSTANT == i64::MIN) }; // null sorts first
    value as u64 ^ 1 << 63
}

/// A row in bytes: its instant, then its order key as a row without an id. The buffer is used again and again.
#[derive(Default)]
pub struct RowBytes {
    bytes: Vec<u8>,
}

impl RowBytes {
    /// Begin a row of the type that stands at this place among all types by name; its properties follow in document
    /// order.
    #[inline]
    pub fn begin(&mut self, at: u64, place: u16) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&at.to_be_bytes());
        self.bytes.push(NO_ID);
        self.bytes.extend_from_slice(&place.to_be_bytes());
    }

    #[inline]
    pub fn null(&mut self) {
        self.bytes.push(NULL);
    }

    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.bytes.extend_from_slice(&[VALUE, u8::from(value)]);
    }

    /// A number or an instant as the integer that sorts as it does.
    #[inline]
    pub fn ordered(&mut self, value: u64) {
        if value == 0 {
            return self.null();
        }
        self.bytes.push(VALUE);
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Text ends in two zeros, and a zero in it is followed by 0xFF: so a text sorts before those it begins.
    #[inline]
    pub fn text(&mut self, text: &[u8]) {
        self.bytes.push(VALUE);
        let mut rest = text;
        while let Some(zero) = memchr::memchr(0, rest) {
            let (head, tail) = rest.split_at(zero + 1);
            self.bytes.extend_from_slice(head);
            self.bytes.push(0xFF);
            rest = tail;
        }
        self.bytes.extend_from_slice(rest);
        self.bytes.extend_from_slice(&[0, 0]);
    }

    /// Comparing these bytes is the canonical order of rows at one instant, if this one has no id.
    pub fn order(&self) -> &[u8] {
        self.bytes.get(AT..).unwrap_or(&[])
    }

    /// Equal for equal instant, type and properties.
    pub fn digest(&self) -> Digest {
        digest(&self.bytes)
    }
}

/// The order key of a row with this id, put behind what is there: after all rows without one.
pub fn write_id(id: EventId<'_>, out: &mut Vec<u8>) {
    match id {
        EventId::Integer(id) => {
            out.push(INTEGER_ID);
            out.extend_from_slice(&(id as u64 ^ 1 << 63).to_be_bytes());
        }
        EventId::Text(id) => {
            out.push(TEXT_ID);
            out.extend_from_slice(id);
        }
    }
}

/// Digests of single values that are not null. The buffer is used again and again.
#[derive(Default)]
pub struct ValueDigests {
    bytes: Vec<u8>,
}

impl ValueDigests {
    pub fn boolean(&mut self, value: bool) -> Digest {
        self.of(Kind::Boolean, &[u8::from(value)])
    }

    /// Of a number or an instant as the integer that sorts as it does.
    pub fn ordered(&mut self, kind: Kind, value: u64) -> Digest {
        self.of(kind, &value.to_be_bytes())
    }

    pub fn text(&mut self, text: &[u8]) -> Digest {
        self.of(Kind::Text, text)
    }

    fn of(&mut self, kind: Kind, payload: &[u8]) -> Digest {
        self.bytes.clear();
        self.bytes.push(match kind {
            Kind::Boolean => 1,
            Kind::Number => 2,
            Kind::Instant => 3,
            Kind::Text => 4,
        });
        self.bytes.extend_from_slice(payload);
        digest(&self.bytes)
    }
}
