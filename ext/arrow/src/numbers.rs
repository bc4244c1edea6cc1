//! Numbers and integers of a column of any numeric Arrow type (spec 2.7).

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::ArrowPrimitiveType;
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;

use crate::columns::{Bad, Column};
use crate::lexical::{self, Fault, INFINITE, NOT_EXACT, NOT_INTEGER, NOT_UTF8};

impl Column {
    fn integers_to_numbers<T: ArrowPrimitiveType>(
        &self,
        start: usize,
        out: &mut [f64],
        bad: &mut Bad,
    ) where
        T::Native: Into<i128>,
    {
        self.each::<T, f64>(start, out, bad, f64::NAN, |value| {
            let value: i128 = value.into();
            if lexical::exact(value) {
                Ok(value as f64)
            } else {
                Err(NOT_EXACT)
            }
        });
    }

    /// float64 of a stretch of a float64 column, the common case, in loops without branches.
    fn floats(&self, start: usize, out: &mut [f64], bad: &mut Bad) {
        let values = self
            .array
            .as_primitive_opt::<Float64Type>()
            .map(|array| array.values());
        let Some(values) = values.and_then(|values| values.get(start..start + out.len())) else {
            return out.fill(f64::NAN);
        };
        let mut infinite = false;
        match &self.nulls {
            None => {
                for (slot, value) in out.iter_mut().zip(values) {
                    infinite |= value.is_infinite();
                    *slot = value + 0.0; // of -0.0 makes 0.0
                }
            }
            Some(nulls) => {
                // Which rows are null is as good as random: a branch would be guessed wrong.
                let valid = nulls.inner().slice(start, out.len());
                let chunks = valid.bit_chunks();
                let rows = out.chunks_mut(64).zip(values.chunks(64));
                for ((out, values), bits) in rows.zip(chunks.iter_padded()) {
                    for (i, (slot, value)) in out.iter_mut().zip(values).enumerate() {
                        let null = (bits >> i & 1).wrapping_sub(1); // all ones: a NaN
                        let value = f64::from_bits((value + 0.0).to_bits() | null);
                        infinite |= value.is_infinite();
                        *slot = value;
                    }
                }
            }
        }
        if infinite {
            for (i, slot) in out
                .iter_mut()
                .enumerate()
                .filter(|(_, slot)| slot.is_infinite())
            {
                *slot = f64::NAN;
                bad.push((i, INFINITE));
            }
        }
    }

    /// float64 of a stretch (spec 2.7); NaN is null.
    pub fn numbers(&self, start: usize, out: &mut [f64], bad: &mut Bad) {
        let null = f64::NAN;
        let finite = |value: f64| {
            if value.is_infinite() {
                Err(INFINITE)
            } else {
                Ok(value + 0.0)
            }
        };
        match self.array.data_type() {
            DataType::Float64 => self.floats(start, out, bad),
            DataType::Float32 => {
                self.each::<Float32Type, _>(start, out, bad, null, |x| finite(x.into()))
            }
            DataType::Float16 => {
                self.each::<Float16Type, _>(start, out, bad, null, |x| finite(x.to_f64()))
            }
            DataType::Int8 => self.each::<Int8Type, _>(start, out, bad, null, |x| Ok(x.into())),
            DataType::Int16 => self.each::<Int16Type, _>(start, out, bad, null, |x| Ok(x.into())),
            DataType::Int32 => self.each::<Int32Type, _>(start, out, bad, null, |x| Ok(x.into())),
            DataType::UInt8 => self.each::<UInt8Type, _>(start, out, bad, null, |x| Ok(x.into())),
            DataType::UInt16 => self.each::<UInt16Type, _>(start, out, bad, null, |x| Ok(x.into())),
            DataType::UInt32 => self.each::<UInt32Type, _>(start, out, bad, null, |x| Ok(x.into())),
            DataType::Int64 => self.integers_to_numbers::<Int64Type>(start, out, bad),
            DataType::UInt64 => self.integers_to_numbers::<UInt64Type>(start, out, bad),
            kind if kind.is_decimal() => self.decimals(start, out, bad),
            _ => self.words(start, out, bad, null, |bytes| {
                lexical::number(std::str::from_utf8(bytes).map_err(|_| NOT_UTF8)?)
            }),
        }
    }

    /// The float64 nearest to each decimal: by its digits, since float64 parsing rounds once. A decimal that is an
    /// integer must fit exactly, as integers must.
    fn decimals(&self, start: usize, out: &mut [f64], bad: &mut Bad) {
        for (i, slot) in out.iter_mut().enumerate() {
            *slot = f64::NAN;
            if self.is_null(start + i) {
                continue;
            }
            let digits = array_value_to_string(&self.array, start + i).ok();
            match digits.as_deref().map(decimal).unwrap_or(Err(INFINITE)) {
                Ok(value) => *slot = value,
                Err(fault) => bad.push((i, fault)),
            }
        }
    }

    /// Integers of a stretch, None where null, for ids: whatever is not a whole number of 64 bits is bad.
    pub fn integers(&self, start: usize, out: &mut [Option<i64>], bad: &mut Bad) {
        let whole = |value: f64| {
            // Beyond 2^53 a float64 no longer tells neighbouring ids apart.
            if value.is_nan() {
                Ok(None)
            } else if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
                Ok(Some(value as i64))
            } else {
                Err(NOT_INTEGER)
            }
        };
        match self.array.data_type() {
            DataType::Int64 => self.each::<Int64Type, _>(start, out, bad, None, |x| Ok(Some(x))),
            DataType::Int32 => {
                self.each::<Int32Type, _>(start, out, bad, None, |x| Ok(Some(x.into())))
            }
            DataType::Int16 => {
                self.each::<Int16Type, _>(start, out, bad, None, |x| Ok(Some(x.into())))
            }
            DataType::Int8 => {
                self.each::<Int8Type, _>(start, out, bad, None, |x| Ok(Some(x.into())))
            }
            DataType::UInt32 => {
                self.each::<UInt32Type, _>(start, out, bad, None, |x| Ok(Some(x.into())))
            }
            DataType::UInt16 => {
                self.each::<UInt16Type, _>(start, out, bad, None, |x| Ok(Some(x.into())))
            }
            DataType::UInt8 => {
                self.each::<UInt8Type, _>(start, out, bad, None, |x| Ok(Some(x.into())))
            }
            DataType::UInt64 => self.each::<UInt64Type, _>(start, out, bad, None, |x| {
                i64::try_from(x).map(Some).map_err(|_| NOT_INTEGER)
            }),
            DataType::Float64 => self.each::<Float64Type, _>(start, out, bad, None, whole),
            DataType::Float32 => {
                self.each::<Float32Type, _>(start, out, bad, None, |x| whole(x.into()))
            }
            DataType::Float16 => {
                self.each::<Float16Type, _>(start, out, bad, None, |x| whole(x.to_f64()))
            }
            kind if kind.is_decimal() => {
                for (i, slot) in out.iter_mut().enumerate() {
                    *slot = None;
                    if self.is_null(start + i) {
                        continue;
                    }
                    *slot = array_value_to_string(&self.array, start + i)
                        .ok()
                        .and_then(|text| whole_decimal(&text));
                    if slot.is_none() {
                        bad.push((i, NOT_INTEGER));
                    }
                }
            }
            _ => self.words(start, out, bad, None, |bytes| {
                lexical::canonical(bytes).map(Some).ok_or(NOT_INTEGER)
            }),
        }
    }
}

/// The float64 of a decimal such as `42.00`.
fn decimal(text: &str) -> Result<f64, Fault> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.contains(['e', 'E']) && fraction.bytes().all(|b| b == b'0') {
        return lexical::number(whole);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value + 0.0),
        _ => Err(INFINITE),
    }
}

/// The integer of a decimal such as `42.00`.
fn whole_decimal(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction
        .bytes()
        .all(|b| b == b'0')
        .then(|| whole.parse().ok())
        .flatten()
}
