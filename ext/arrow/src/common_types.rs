//! One type for a column whose files have several, and values brought to it without loss.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_cast::{cast_with_options, CastOptions};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use crate::columns::{is_text, plain};

/// The type that holds the values of both, or None where they are of different kinds.
///
/// Texts meet in plain text, integers in 64 bits, instants in the finer unit up to microseconds (spec 1.1: nanoseconds
/// floor). What is wider than that in only one file is found when its values are cast.
pub fn common_type(one: &DataType, other: &DataType) -> Option<DataType> {
    let (a, b) = (plain(one), plain(other));
    match (a, b) {
        _ if one == other => Some(one.clone()),
        (DataType::Null, _) => Some(other.clone()),
        (_, DataType::Null) => Some(one.clone()),
        _ if is_text(a) && is_text(b) => Some(DataType::Utf8),
        _ if a == b => Some(a.clone()),
        _ if a.is_integer() && b.is_integer() => Some(DataType::Int64),
        _ if is_number(a) && is_number(b) => Some(DataType::Float64),
        (DataType::Timestamp(a, zone), DataType::Timestamp(b, _)) => {
            let unit = if per_second(*a).max(per_second(*b)) < per_second(TimeUnit::Microsecond) {
                TimeUnit::Millisecond
            } else {
                TimeUnit::Microsecond
            };
            Some(DataType::Timestamp(unit, zone.clone()))
        }
        (DataType::Timestamp(_, zone), DataType::Date32 | DataType::Date64)
        | (DataType::Date32 | DataType::Date64, DataType::Timestamp(_, zone)) => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        (DataType::Date32 | DataType::Date64, DataType::Date32 | DataType::Date64) => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        _ => None,
    }
}

/// What the values of a type are, for a message.
pub fn named(kind: &DataType) -> String {
    match plain(kind) {
        kind if is_text(kind) => String::from("text"),
        kind if is_number(kind) => String::from("numbers"),
        DataType::Boolean => String::from("booleans"),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => String::from("instants"),
        other => other.to_string(),
    }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_floating() || kind.is_decimal()
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The values as a type that `common_type` chose, or why it cannot hold them all.
pub fn exactly(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let cast = |from: &ArrayRef, to: &DataType| {
        cast_with_options(from, to, &options).map_err(|error| error.to_string())
    };
    if array.data_type() == wanted {
        return Ok(array.clone());
    }
    let unpacked = cast(array, plain(array.data_type()))?;
    let kind = unpacked.data_type();
    match wanted {
        _ if kind == wanted => Ok(unpacked),
        // A zone only labels instants; without one they are UTC (spec 1.1), which a cast would not know.
        DataType::Timestamp(unit, _) if *kind != DataType::Null => {
            let counts = cast(&unpacked, &DataType::Int64)?;
            cast(&in_unit(&counts, kind, *unit)?, wanted)
        }
        _ => {
            let found = cast(&unpacked, wanted)?;
            // Rounding is what a cast does not tell.
            if is_number(kind) && cast(&found, kind)?.to_data() != unpacked.to_data() {
                return Err(format!("{wanted} cannot hold all of its values exactly"));
            }
            Ok(found)
        }
    }
}

/// Counts of one kind of instant in a unit that is no coarser, but for nanoseconds.
fn in_unit(counts: &ArrayRef, kind: &DataType, unit: TimeUnit) -> Result<ArrayRef, String> {
    let counts = counts.as_primitive::<Int64Type>();
    let ticks = per_second(unit);
    let changed: Int64Array = match kind {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            counts.unary(|count| count.div_euclid(per_second(TimeUnit::Nanosecond) / ticks))
        }
        _ => {
            let factor = match kind {
                DataType::Date32 => 86_400 * ticks,
                DataType::Timestamp(from, _) => ticks / per_second(*from),
                _ => ticks / per_second(TimeUnit::Millisecond),
            };
            let beyond =
                |count| ArrowError::ComputeError(format!("{count} is beyond all instants"));
            let scaled = counts.try_unary(|c| c.checked_mul(factor).ok_or_else(|| beyond(c)));
            scaled.map_err(|error: ArrowError| error.to_string())?
        }
    };
    Ok(Arc::new(changed))
}
