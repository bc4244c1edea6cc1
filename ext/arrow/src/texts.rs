//! Text of any Arrow layout as bytes, with every access checked, and its codes in a text table.
//!
//! The C data interface hands over memory that nobody has validated. Offsets, views and dictionary keys are therefore
//! checked where they are used, and UTF-8 where a text is first stored.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, LargeStringArray, StringArray, StringViewArray,
};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_data::{ByteView, MAX_INLINE_VIEW_LEN};
use arrow_schema::DataType;

use crate::strings::{TextTable, GROUP, INVALID, MISSING, NULL};

/// Bytes that are no UTF-8: what stands for a text outside its buffer.
const BROKEN: &[u8] = b"\xff";
/// A dictionary entry that no row has used yet.
const UNSEEN: u32 = u32::MAX - 2;
const NO_KEY: u32 = u32::MAX;
/// Values of a dictionary whose codes are kept: everyone who reads a stretch keeps their own.
const MOST_KEPT: usize = 1 << 16;
/// Rows whose validity is one word.
const WORD: usize = 64;
const VIEW: usize = std::mem::size_of::<u128>();

/// Texts by row.
#[derive(Clone)]
pub enum Texts {
    Small(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
    Dictionary { keys: ArrayRef, values: Box<Texts> },
}

#[inline]
fn between<'a, O: ArrowNativeType>(offsets: &[O], data: &'a [u8], row: usize) -> &'a [u8] {
    match (offsets.get(row), offsets.get(row + 1)) {
        (Some(start), Some(end)) => data.get(start.as_usize()..end.as_usize()).unwrap_or(BROKEN),
        _ => BROKEN,
    }
}

#[inline]
fn viewed(array: &StringViewArray, row: usize) -> &[u8] {
    let Some(raw) = array.views().get(row) else {
        return BROKEN;
    };
    let view = ByteView::from(*raw);
    if view.length <= MAX_INLINE_VIEW_LEN {
        let start = row * VIEW + 4;
        return array
            .views()
            .inner()
            .get(start..start + view.length as usize)
            .unwrap_or(BROKEN);
    }
    let start = view.offset as usize;
    let buffer = array.data_buffers().get(view.buffer_index as usize);
    buffer
        .and_then(|buffer| buffer.get(start..start + view.length as usize))
        .unwrap_or(BROKEN)
}

fn fill<T: ArrowPrimitiveType>(keys: &ArrayRef, start: usize, out: &mut [u32])
where
    T::Native: TryInto<u32>,
{
    let Some(keys) = keys.as_primitive_opt::<T>() else {
        return out.fill(NO_KEY);
    };
    let Some(values) = keys.values().get(start..start + out.len()) else {
        return out.fill(NO_KEY);
    };
    for (slot, key) in out.iter_mut().zip(values) {
        // A key that does not fit is one past every dictionary.
        *slot = (*key).try_into().unwrap_or(NO_KEY - 1);
    }
    if let Some(nulls) = keys.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (i, slot) in out.iter_mut().enumerate() {
            if nulls.is_null(start + i) {
                *slot = NO_KEY;
            }
        }
    }
}

/// Dictionary keys of a stretch.
fn keys_of(keys: &ArrayRef, start: usize, out: &mut [u32]) {
    match keys.data_type() {
        DataType::Int8 => fill::<Int8Type>(keys, start, out),
        DataType::Int16 => fill::<Int16Type>(keys, start, out),
        DataType::Int32 => fill::<Int32Type>(keys, start, out),
        DataType::Int64 => fill::<Int64Type>(keys, start, out),
        DataType::UInt8 => fill::<UInt8Type>(keys, start, out),
        DataType::UInt16 => fill::<UInt16Type>(keys, start, out),
        DataType::UInt32 => fill::<UInt32Type>(keys, start, out),
        DataType::UInt64 => fill::<UInt64Type>(keys, start, out),
        _ => out.fill(NO_KEY),
    }
}

/// Codes of the values of a dictionary, kept while batches share it.
#[derive(Default)]
pub struct DictionaryCodes {
    /// Held, so that equal addresses mean the same memory.
    values: Option<Texts>,
    codes: Vec<u32>,
    /// Rows asked for, while they are looked up.
    rows: Vec<u32>,
}

impl Texts {
    /// None if the array is no text.
    pub fn of(array: &ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Small(array.as_string_opt::<i32>()?.clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string_opt::<i64>()?.clone()),
            DataType::Utf8View => Self::View(array.as_string_view_opt()?.clone()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary_opt()?;
                let keys = dictionary.keys().slice(0, array.len());
                Self::Dictionary {
                    keys,
                    values: Box::new(Self::of(dictionary.values())?),
                }
            }
            _ => return None,
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Small(array) => array.len(),
            Self::Large(array) => array.len(),
            Self::View(array) => array.len(),
            Self::Dictionary { keys, .. } => keys.len(),
        }
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::Small(array) => array.nulls(),
            Self::Large(array) => array.nulls(),
            Self::View(array) => array.nulls(),
            Self::Dictionary { keys, .. } => keys.nulls(),
        }
    }

    /// Addresses of everything that makes up the texts.
    fn addresses(&self) -> Vec<usize> {
        let mut all = vec![
            self.len(),
            self.nulls()
                .map_or(0, |nulls| nulls.buffer().as_ptr() as usize),
        ];
        all.push(self.nulls().map_or(0, |nulls| nulls.offset()));
        match self {
            Self::Small(a) => all.extend([
                a.value_offsets().as_ptr() as usize,
                a.value_data().as_ptr() as usize,
            ]),
            Self::Large(a) => all.extend([
                a.value_offsets().as_ptr() as usize,
                a.value_data().as_ptr() as usize,
            ]),
            Self::View(a) => {
                all.push(a.views().as_ptr() as usize);
                all.extend(
                    a.data_buffers()
                        .iter()
                        .map(|buffer| buffer.as_ptr() as usize),
                );
            }
            Self::Dictionary { .. } => {}
        }
        all
    }

    /// The bytes of a row, None for null.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        if row >= self.len() || self.nulls().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        Some(match self {
            Self::Small(array) => between(array.value_offsets(), array.value_data(), row),
            Self::Large(array) => between(array.value_offsets(), array.value_data(), row),
            Self::View(array) => viewed(array, row),
            Self::Dictionary { keys, values } => {
                let mut key = [NO_KEY];
                keys_of(keys, row, &mut key);
                if key[0] as usize >= values.len() {
                    return Some(BROKEN);
                }
                return values.get(key[0] as usize);
            }
        })
    }

    /// The codes of the wanted rows of a stretch: `NULL`, `INVALID`, a code of the table, or `MISSING`. Whether there
    /// is nothing to `learn`.
    pub fn look(
        &self,
        start: usize,
        wanted: &[bool],
        table: &TextTable,
        known: &mut DictionaryCodes,
        out: &mut [u32],
    ) -> bool {
        let rows = &mut known.rows;
        let nulls = self.nulls().filter(|nulls| nulls.null_count() > 0);
        match self {
            Self::Small(array) => {
                let (offsets, data) = (array.value_offsets(), array.value_data());
                let rows = asked(wanted, start, nulls, rows);
                grouped(rows, |i| between(offsets, data, start + i), table, out)
            }
            Self::Large(array) => {
                let (offsets, data) = (array.value_offsets(), array.value_data());
                let rows = asked(wanted, start, nulls, rows);
                grouped(rows, |i| between(offsets, data, start + i), table, out)
            }
            Self::View(array) => {
                let rows = asked(wanted, start, nulls, rows);
                grouped(rows, |i| viewed(array, start + i), table, out)
            }
            Self::Dictionary { keys, values } => {
                keys_of(keys, start, out);
                known.look(wanted, values, table, out)
            }
        }
    }

    /// Store what a look did not find: its code, `INVALID` or `FULL`.
    pub fn learn(&self, start: usize, table: &mut TextTable, out: &mut [u32]) {
        for (i, slot) in out.iter_mut().enumerate() {
            if *slot == MISSING {
                *slot = self.get(start + i).map_or(NULL, |text| table.code(text));
            }
        }
    }
}

impl DictionaryCodes {
    /// Start afresh unless these are the values met last.
    fn meet(&mut self, values: &Texts) {
        let same = self
            .values
            .as_ref()
            .is_some_and(|held| held.addresses() == values.addresses());
        if !same {
            self.values = Some(values.clone());
            let kept = values.len() <= MOST_KEPT;
            self.codes.clear();
            self.codes
                .resize(if kept { values.len() } else { 0 }, UNSEEN);
        }
    }

    /// Codes in place of the keys of the wanted rows, `NULL` in the others; whether all were found.
    fn look(
        &mut self,
        wanted: &[bool],
        values: &Texts,
        table: &TextTable,
        out: &mut [u32],
    ) -> bool {
        self.meet(values);
        let mut found = true;
        for (slot, wanted) in out.iter_mut().zip(wanted) {
            let key = if *wanted { *slot } else { NO_KEY };
            *slot = match self.codes.get(key as usize) {
                Some(code) if *code != UNSEEN => *code,
                None if key == NO_KEY => NULL,
                _ => {
                    let code = self.find(key, values, table);
                    found &= code != MISSING;
                    code
                }
            };
        }
        found
    }

    /// The code of a key that is not kept yet.
    #[cold]
    fn find(&mut self, key: u32, values: &Texts, table: &TextTable) -> u32 {
        if key as usize >= values.len() {
            return INVALID;
        }
        let found = |bytes| table.find(bytes).unwrap_or(MISSING);
        let code = values.get(key as usize).map_or(NULL, found);
        if let Some(slot) = self.codes.get_mut(key as usize) {
            *slot = if code == MISSING { UNSEEN } else { code };
        }
        code
    }
}

/// The rows of a stretch that are wanted and not null, in `rows`.
fn asked<'a>(
    wanted: &[bool],
    start: usize,
    nulls: Option<&NullBuffer>,
    rows: &'a mut Vec<u32>,
) -> &'a [u32] {
    rows.resize(wanted.len() + 1, 0);
    let mut count = 0;
    // Which rows are asked is as good as random, so they are gathered without a branch.
    let mut gather = |first: usize, wanted: &[bool], valid: u64| {
        for (i, wanted) in wanted.iter().enumerate() {
            rows[count] = (first + i) as u32;
            count += usize::from(*wanted) & (valid >> i) as usize;
        }
    };
    let words = wanted.chunks(WORD).zip((0..).step_by(WORD));
    match nulls {
        None => words.for_each(|(wanted, first)| gather(first, wanted, u64::MAX)),
        Some(nulls) => {
            let valid = nulls.inner().slice(start, wanted.len());
            let valid = valid.bit_chunks();
            words
                .zip(valid.iter_padded())
                .for_each(|((wanted, first), valid)| gather(first, wanted, valid));
        }
    }
    &rows[..count]
}

/// Look up rows in groups; whether all were found.
#[inline]
fn grouped<'a>(
    rows: &[u32],
    text: impl Fn(usize) -> &'a [u8],
    table: &TextTable,
    out: &mut [u32],
) -> bool {
    if rows.len() < out.len() {
        out.fill(NULL);
    }
    let mut texts: [&[u8]; GROUP] = [b""; GROUP];
    let mut codes = [NULL; GROUP];
    let mut found = true;
    for group in rows.chunks(GROUP) {
        for (slot, row) in texts.iter_mut().zip(group) {
            *slot = text(*row as usize);
        }
        found &= table.look(&texts[..group.len()], &mut codes);
        for (row, code) in group.iter().zip(&codes) {
            out[*row as usize] = *code;
        }
    }
    found
}
