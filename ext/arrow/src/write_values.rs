//! Values of one column as text, for CSV and JSON lines.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array};
use arrow_array::{LargeStringArray, PrimitiveArray, StringArray, StringViewArray, UInt64Array};
use arrow_cast::cast;
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, TimeUnit};

use crate::calendar::{date_of, to_micros, write_iso};
use crate::write::Fault;

/// How a format writes each kind of value.
pub trait Form {
    fn null(out: &mut Vec<u8>);
    fn text(text: &str, out: &mut Vec<u8>);
    /// Digits and words that no format quotes.
    fn bare(digits: &[u8], out: &mut Vec<u8>);
    fn not_finite(number: f64, out: &mut Vec<u8>) -> Result<(), Fault>;
    fn list<'a>(texts: impl Iterator<Item = Option<&'a str>>, out: &mut Vec<u8>);
}

/// A column in one of the few forms that text formats tell apart.
pub enum Values {
    Null,
    Boolean(BooleanArray),
    Integer(Int64Array),
    Unsigned(UInt64Array),
    Float32(Float32Array),
    Float64(Float64Array),
    Decimal(ArrayRef),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    /// Counts, and what part of a microsecond or how many of them one is.
    Instant(Int64Array, (i64, i64)),
    /// Days since 1970.
    Date(Int64Array),
    /// Lists of text.
    Lists(ArrayRef),
    /// Anything else, as it is displayed.
    Other(ArrayRef),
}

impl Values {
    pub fn new(array: &ArrayRef) -> Result<Values, Fault> {
        Ok(match array.data_type() {
            DataType::Null => Values::Null,
            DataType::Boolean => Values::Boolean(array.as_boolean().clone()),
            kind if kind.is_signed_integer() => Values::Integer(primitive::<Int64Type>(array)?),
            kind if kind.is_unsigned_integer() => Values::Unsigned(primitive::<UInt64Type>(array)?),
            DataType::Float16 | DataType::Float32 => {
                Values::Float32(primitive::<Float32Type>(array)?)
            }
            DataType::Float64 => Values::Float64(primitive::<Float64Type>(array)?),
            kind if kind.is_decimal() => Values::Decimal(array.clone()),
            DataType::Utf8 => Values::Text(array.as_string().clone()),
            DataType::LargeUtf8 => Values::LargeText(array.as_string().clone()),
            DataType::Utf8View => Values::TextView(array.as_string_view().clone()),
            DataType::Dictionary(_, values) => return Values::new(&cast(array, values)?),
            DataType::RunEndEncoded(_, values) => {
                return Values::new(&cast(array, values.data_type())?)
            }
            DataType::Timestamp(unit, _) => Values::Instant(
                primitive::<Int64Type>(array)?,
                match unit {
                    TimeUnit::Second => (1_000_000, 1),
                    TimeUnit::Millisecond => (1_000, 1),
                    TimeUnit::Microsecond => (1, 1),
                    TimeUnit::Nanosecond => (1, 1_000),
                },
            ),
            DataType::Date32 => {
                Values::Date(primitive::<Int64Type>(&cast(array, &DataType::Int32)?)?)
            }
            DataType::Date64 => {
                let days = |ms: i64| ms.div_euclid(86_400_000);
                Values::Date(array.as_primitive::<Date64Type>().unary(days))
            }
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
                if is_text(item.data_type()) =>
            {
                Values::Lists(array.clone())
            }
            _ => Values::Other(array.clone()),
        })
    }

    /// Append the value of a row.
    pub fn write<F: Form>(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.is_null(row) {
            F::null(out);
            return Ok(());
        }
        match self {
            Values::Null => F::null(out),
            Values::Boolean(a) => F::bare(if a.value(row) { b"true" } else { b"false" }, out),
            Values::Integer(a) => F::bare(itoa::Buffer::new().format(a.value(row)).as_bytes(), out),
            Values::Unsigned(a) => {
                F::bare(itoa::Buffer::new().format(a.value(row)).as_bytes(), out)
            }
            Values::Float32(a) => match a.value(row) {
                v if v.is_finite() => F::bare(ryu::Buffer::new().format_finite(v).as_bytes(), out),
                v => return F::not_finite(v.into(), out),
            },
            Values::Float64(a) => match a.value(row) {
                v if v.is_finite() => F::bare(ryu::Buffer::new().format_finite(v).as_bytes(), out),
                v => return F::not_finite(v, out),
            },
            Values::Decimal(a) => F::bare(array_value_to_string(a, row)?.as_bytes(), out),
            Values::Text(a) => F::text(a.value(row), out),
            Values::LargeText(a) => F::text(a.value(row), out),
            Values::TextView(a) => F::text(a.value(row), out),
            Values::Instant(a, (numerator, denominator)) => {
                let count = a.value(row);
                let Some(micros) = to_micros(count, *numerator, *denominator) else {
                    return Err(Fault::Data(format!(
                        "the instant {count} lies outside what can be written"
                    )));
                };
                let mut text = Vec::with_capacity(32);
                write_iso(&mut text, micros);
                F::text(&String::from_utf8_lossy(&text), out);
            }
            Values::Date(a) => {
                let (year, month, day) = date_of(a.value(row));
                F::text(&format!("{year:04}-{month:02}-{day:02}"), out);
            }
            Values::Lists(a) => {
                let items = match a.data_type() {
                    DataType::List(_) => a.as_list::<i32>().value(row),
                    DataType::LargeList(_) => a.as_list::<i64>().value(row),
                    _ => a.as_fixed_size_list().value(row),
                };
                let items = cast(&items, &DataType::LargeUtf8)?;
                F::list(items.as_string::<i64>().iter(), out);
            }
            Values::Other(a) => F::text(&array_value_to_string(a, row)?, out),
        }
        Ok(())
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Values::Null => true,
            Values::Boolean(a) => a.is_null(row),
            Values::Integer(a) | Values::Instant(a, _) | Values::Date(a) => a.is_null(row),
            Values::Unsigned(a) => a.is_null(row),
            Values::Float32(a) => a.is_null(row),
            Values::Float64(a) => a.is_null(row),
            Values::Text(a) => a.is_null(row),
            Values::LargeText(a) => a.is_null(row),
            Values::TextView(a) => a.is_null(row),
            Values::Decimal(a) | Values::Lists(a) | Values::Other(a) => a.is_null(row),
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<PrimitiveArray<T>, Fault> {
    Ok(cast(array, &T::DATA_TYPE)?.as_primitive::<T>().clone())
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}
