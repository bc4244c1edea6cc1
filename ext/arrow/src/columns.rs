//! One column of a record batch, read in stretches into plain values, whatever its Arrow type.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_buffer::NullBuffer;
use arrow_cast::display::{array_value_to_string, ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, TimeUnit};

use crate::errors::show;
use crate::field_plan::NO_INSTANT;
use crate::instants;
use crate::lexical::{self, Fault, NOT_IN_RANGE, NOT_UTF8};
use crate::texts::Texts;

/// What a column is asked to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    Id,
    Text,
    Number,
    Boolean,
    Instant,
}

pub fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// The type of the values, without dictionary or run-end encoding.
pub fn plain(kind: &DataType) -> &DataType {
    match kind {
        DataType::Dictionary(_, value) => plain(value),
        DataType::RunEndEncoded(_, value) => plain(value.data_type()),
        other => other,
    }
}

impl Wanted {
    /// Whether a column of this Arrow type can serve. `lexical`: all is text (CSV).
    pub fn accepts(self, kind: &DataType, lexical: bool) -> bool {
        let kind = plain(kind);
        let number = kind.is_integer() || kind.is_floating() || kind.is_decimal();
        match self {
            _ if *kind == DataType::Null => true,
            _ if lexical && is_text(kind) => true,
            Self::Id => is_text(kind) || number,
            Self::Text => is_text(kind),
            Self::Number => number,
            Self::Boolean => *kind == DataType::Boolean,
            Self::Instant => {
                is_text(kind)
                    || matches!(
                        kind,
                        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
                    )
            }
        }
    }

    /// The word of the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "an id (integer or text)",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Instant => "an instant",
        }
    }
}

/// Places in a stretch that hold no usable value, and why.
pub type Bad = Vec<(usize, Fault)>;

/// A column of one batch. Text, also as dictionary, stays as it is; all other encodings are unpacked.
pub struct Column {
    pub name: String,
    pub array: ArrayRef,
    pub nulls: Option<NullBuffer>,
    pub texts: Option<Texts>,
}

impl Column {
    pub fn new(name: &str, array: &ArrayRef) -> Result<Self, String> {
        let array = match array.data_type() {
            DataType::Dictionary(_, value) if is_text(value) => array.clone(),
            kind @ (DataType::Dictionary(..) | DataType::RunEndEncoded(..)) => {
                arrow_cast::cast(array, plain(kind)).map_err(|error| error.to_string())?
            }
            _ => array.clone(),
        };
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(Self {
            name: name.to_string(),
            texts: Texts::of(&array),
            array,
            nulls,
        })
    }

    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        match &self.nulls {
            Some(nulls) => nulls.is_null(row),
            None => *self.array.data_type() == DataType::Null,
        }
    }

    /// A value for a message.
    pub fn show(&self, row: usize) -> Option<String> {
        if self.is_null(row) {
            return None;
        }
        match &self.texts {
            Some(texts) => texts
                .get(row)
                .map(|bytes| show(&String::from_utf8_lossy(bytes))),
            None => self.written(row).map(|text| show(&text)),
        }
    }

    /// A value that is no text as text; a date or timestamp that no calendar knows as its plain number.
    fn written(&self, row: usize) -> Option<String> {
        let value = self.array.slice(row, 1);
        let options = FormatOptions::new().with_display_error(false);
        let text = ArrayFormatter::try_new(&value, &options)
            .and_then(|format| format.value(0).try_to_string());
        if text.is_ok() || !value.data_type().is_temporal() {
            return text.ok();
        }
        let whole = match value.data_type() {
            DataType::Date32 => DataType::Int32,
            _ => DataType::Int64,
        };
        let plain = arrow_cast::cast(&value, &whole).ok()?;
        array_value_to_string(&plain, 0).ok()
    }

    /// The text of a row, empty where there is none.
    pub fn text(&self, row: usize) -> &str {
        let bytes = self
            .texts
            .as_ref()
            .and_then(|texts| texts.get(row))
            .unwrap_or(b"");
        std::str::from_utf8(bytes).unwrap_or("")
    }

    pub fn words<T>(
        &self,
        start: usize,
        out: &mut [T],
        bad: &mut Bad,
        null: T,
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) where
        T: Copy,
    {
        let Some(texts) = &self.texts else {
            return out.fill(null);
        };
        for (i, slot) in out.iter_mut().enumerate() {
            *slot = match texts.get(start + i).map(&read) {
                None => null,
                Some(Ok(value)) => value,
                Some(Err(fault)) => {
                    bad.push((i, fault));
                    null
                }
            };
        }
    }

    /// Map a stretch of a primitive column; rows that are null are not looked at, whatever their payload.
    #[inline]
    pub fn each<T: ArrowPrimitiveType, V: Copy>(
        &self,
        start: usize,
        out: &mut [V],
        bad: &mut Bad,
        null: V,
        read: impl Fn(T::Native) -> Result<V, Fault>,
    ) {
        let Some(array) = self.array.as_primitive_opt::<T>() else {
            return out.fill(null);
        };
        let Some(values) = array.values().get(start..start + out.len()) else {
            return out.fill(null);
        };
        for (i, (slot, value)) in out.iter_mut().zip(values).enumerate() {
            *slot = if self
                .nulls
                .as_ref()
                .is_some_and(|nulls| nulls.is_null(start + i))
            {
                null
            } else {
                match read(*value) {
                    Ok(value) => value,
                    Err(fault) => {
                        bad.push((i, fault));
                        null
                    }
                }
            };
        }
    }

    /// The stretch itself of a primitive column without nulls.
    pub fn plain<T: ArrowPrimitiveType>(&self, start: usize, count: usize) -> Option<&[T::Native]> {
        if self.nulls.is_some() {
            return None;
        }
        let values = self.array.as_primitive_opt::<T>()?.values();
        values.get(start..start + count)
    }

    /// Instants of a stretch (spec 1.1); `NO_INSTANT` is null.
    pub fn instants(&self, start: usize, out: &mut [i64], bad: &mut Bad) {
        let null = NO_INSTANT;
        let checked = |micros: Option<i64>| micros.and_then(instants::in_range).ok_or(NOT_IN_RANGE);
        match self.array.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                if let Some(values) = self.plain::<TimestampMicrosecondType>(start, out.len()) {
                    if values
                        .iter()
                        .fold(true, |all, x| all & instants::in_range(*x).is_some())
                    {
                        return out.copy_from_slice(values);
                    }
                }
                self.each::<TimestampMicrosecondType, _>(start, out, bad, null, |x| {
                    checked(Some(x))
                });
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                self.each::<TimestampNanosecondType, _>(start, out, bad, null, |x| {
                    checked(Some(x.div_euclid(1000)))
                });
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                self.each::<TimestampMillisecondType, _>(start, out, bad, null, |x| {
                    checked(x.checked_mul(1000))
                });
            }
            DataType::Timestamp(TimeUnit::Second, _) => {
                self.each::<TimestampSecondType, _>(start, out, bad, null, |x| {
                    checked(x.checked_mul(1_000_000))
                });
            }
            DataType::Date32 => {
                self.each::<Date32Type, _>(start, out, bad, null, |x| {
                    checked(i64::from(x).checked_mul(instants::DAY))
                });
            }
            DataType::Date64 => {
                self.each::<Date64Type, _>(start, out, bad, null, |x| checked(x.checked_mul(1000)));
            }
            _ => self.words(start, out, bad, null, |bytes| {
                instants::parse(bytes).ok_or(lexical::NOT_INSTANT)
            }),
        }
    }

    /// Booleans of a stretch: 0 null, 1 false, 2 true.
    pub fn booleans(&self, start: usize, out: &mut [u32], bad: &mut Bad) {
        match self.array.as_boolean_opt() {
            Some(array) => {
                for (i, slot) in out.iter_mut().enumerate() {
                    let row = start + i;
                    *slot = if self.is_null(row) {
                        0
                    } else {
                        1 + u32::from(array.value(row))
                    };
                }
            }
            None => self.words(start, out, bad, 0, |bytes| {
                let text = std::str::from_utf8(bytes).map_err(|_| NOT_UTF8)?;
                lexical::boolean(text).map(|value| 1 + u32::from(value))
            }),
        }
    }
}
