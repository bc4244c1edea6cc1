//! Numpy arrays of any dtype as columns.

use std::sync::Arc;

use arrow_array::builder::TimestampMicrosecondBuilder;
use arrow_array::{ArrayRef, NullArray};
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::build::{copied, numbers};
use crate::calendar::{to_micros, DAY, SECOND};
use crate::cells::Cells;
use crate::from_python::Problems;

/// This object as a numpy array, if it is one or has `__array__`.
pub fn as_array<'py>(values: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyUntypedArray>>> {
    if let Ok(array) = values.cast::<PyUntypedArray>() {
        return Ok(Some(array.clone()));
    }
    if !values.hasattr("__array__")? {
        return Ok(None);
    }
    let array = values
        .py()
        .import("numpy")?
        .call_method1("asarray", (values,))?;
    Ok(array.cast_into().ok())
}

/// One column from one array; what it cannot be is a problem of the column.
pub fn column(
    name: &str,
    array: &Bound<'_, PyUntypedArray>,
    problems: &mut Problems,
) -> PyResult<ArrayRef> {
    if array.ndim() != 1 {
        problems.add(
            None,
            name,
            None,
            format!("an array of {} dimensions is no column", array.ndim()),
        );
        return Ok(Arc::new(NullArray::new(0)));
    }
    let dtype = array.dtype();
    // A masked array says what is null beside its values; only its list tells both.
    let masked = array.py().import("numpy.ma")?.getattr("MaskedArray")?;
    if array.is_instance(&masked)? {
        return listed(name, array, problems);
    }
    match dtype.kind() {
        b'b' | b'i' | b'u' => Ok(numbers(&native(array)?, None)?),
        b'f' if dtype.itemsize() == 2 => {
            let wide = array.call_method1("astype", ("float32",))?.cast_into()?;
            Ok(numbers(&wide, None)?)
        }
        b'f' if dtype.itemsize() <= 8 => Ok(numbers(&native(array)?, None)?),
        b'M' => instants(name, array, problems),
        b'O' | b'U' | b'T' => listed(name, array, problems),
        _ => {
            problems.add(
                None,
                name,
                None,
                format!("numpy arrays of {dtype} have no column type"),
            );
            Ok(Arc::new(NullArray::new(array.len())))
        }
    }
}

/// The array in the byte order of this machine.
fn native<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let dtype = array.dtype();
    if dtype.is_native_byteorder().unwrap_or(true) {
        return Ok(array.clone());
    }
    let order = dtype.call_method1("newbyteorder", ("=",))?;
    Ok(array.call_method1("astype", (order,))?.cast_into()?)
}

fn listed(
    name: &str,
    array: &Bound<'_, PyUntypedArray>,
    problems: &mut Problems,
) -> PyResult<ArrayRef> {
    let values = array.call_method0("tolist")?;
    let mut cells = Cells::new(array.len());
    for value in values.try_iter()? {
        cells.push(name, &value?, problems)?;
    }
    Ok(cells.finish(name, problems))
}

/// How a unit of datetime64 counts: microseconds of one count as a fraction.
struct Unit {
    numerator: i64,
    denominator: i64,
}

/// The unit of a datetime64 dtype. Years and months have no fixed length and go by days (None).
fn unit(dtype: &Bound<'_, PyAny>) -> PyResult<Option<Unit>> {
    let data = dtype
        .py()
        .import("numpy")?
        .call_method1("datetime_data", (dtype,))?;
    let data = data.cast_into::<PyTuple>()?;
    let unit: String = data.get_item(0)?.extract()?;
    let count: i64 = data.get_item(1)?.extract()?;
    let of = |numerator: i64, denominator: i64| Unit {
        numerator,
        denominator,
    };
    let unit = match unit.as_str() {
        "W" => of(7 * DAY, 1),
        "D" => of(DAY, 1),
        "h" => of(3600 * SECOND, 1),
        "m" => of(60 * SECOND, 1),
        "s" => of(SECOND, 1),
        "ms" => of(1_000, 1),
        "us" => of(1, 1),
        "ns" => of(1, 1_000),
        "ps" => of(1, 1_000_000),
        "fs" => of(1, 1_000_000_000),
        "as" => of(1, 1_000_000_000_000),
        _ => return Ok(None),
    };
    // datetime64[25us] counts in steps of 25; a step that is no whole number goes by numpy's own conversion.
    Ok(match unit {
        Unit {
            numerator,
            denominator: 1,
        } => numerator.checked_mul(count).map(|n| of(n, 1)),
        Unit { denominator, .. } if denominator % count == 0 => Some(of(1, denominator / count)),
        _ => None,
    })
}

/// Counts of microseconds or coarser units, with numpy's smallest integer for NaT.
fn counts(array: &Bound<'_, PyAny>) -> PyResult<(Vec<i64>, Unit)> {
    let dtype = array.getattr("dtype")?;
    let (array, unit) = match unit(&dtype)? {
        Some(unit) => (array.clone(), unit),
        None => {
            let micros = array.call_method1("astype", ("datetime64[us]",))?;
            (
                micros,
                Unit {
                    numerator: 1,
                    denominator: 1,
                },
            )
        }
    };
    let array = native(array.cast::<PyUntypedArray>()?)?;
    Ok((copied(&array.call_method1("view", ("int64",))?)?, unit))
}

fn instants(
    name: &str,
    array: &Bound<'_, PyUntypedArray>,
    problems: &mut Problems,
) -> PyResult<ArrayRef> {
    let (counts, unit) = counts(array.as_any())?;
    let mut builder = TimestampMicrosecondBuilder::with_capacity(counts.len()).with_timezone("UTC");
    for (row, &count) in counts.iter().enumerate() {
        let micros = to_micros(count, unit.numerator, unit.denominator);
        if count != i64::MIN && micros.is_none() {
            problems.add(
                Some(row),
                name,
                None,
                String::from("the instant lies outside the years 1 to 9999"),
            );
        }
        builder.append_option(micros.filter(|_| count != i64::MIN));
    }
    Ok(Arc::new(builder.finish()))
}

/// The instant of a datetime64 scalar, None in it for NaT; None if the scalar is of another type.
pub fn scalar_instant(value: &Bound<'_, PyAny>) -> PyResult<Option<Result<Option<i64>, String>>> {
    let kind: String = value.getattr("dtype")?.getattr("kind")?.extract()?;
    if kind != "M" {
        return Ok(None);
    }
    let array = value
        .py()
        .import("numpy")?
        .call_method1("atleast_1d", (value,))?;
    let (counts, unit) = counts(&array)?;
    Ok(counts.first().map(|&count| {
        if count == i64::MIN {
            return Ok(None);
        }
        let micros = to_micros(count, unit.numerator, unit.denominator);
        micros
            .map(Some)
            .ok_or_else(|| String::from("the instant lies outside the years 1 to 9999"))
    }))
}
