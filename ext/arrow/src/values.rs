//! Arrow values as Python objects and numpy arrays.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, GenericStringArray, OffsetSizeTrait};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use numpy::{Element, PyArray1};
use pyo3::exceptions::{PyNotImplementedError, PyOverflowError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDate, PyDateTime, PyDict, PyList, PyString, PyTuple, PyTzInfo};
use pyo3::IntoPyObjectExt;

use crate::calendar::{civil, date_of, to_micros};
use crate::table::value_error;

type Objects<'py> = Vec<Bound<'py, PyAny>>;

/// One column: numpy where its values have a numpy type and none is null, else a list.
pub fn column<'py>(
    py: Python<'py>,
    kind: &DataType,
    chunks: &[ArrayRef],
) -> PyResult<Bound<'py, PyAny>> {
    let nulls = chunks.iter().any(|c| c.null_count() > 0);
    if !nulls {
        match kind {
            DataType::Boolean => {
                let values: Vec<bool> = chunks
                    .iter()
                    .flat_map(|c| c.as_boolean().values())
                    .collect();
                return Ok(PyArray1::from_vec(py, values).into_any());
            }
            DataType::Int8 => return Ok(numbers::<Int8Type>(py, chunks)),
            DataType::Int16 => return Ok(numbers::<Int16Type>(py, chunks)),
            DataType::Int32 => return Ok(numbers::<Int32Type>(py, chunks)),
            DataType::Int64 => return Ok(numbers::<Int64Type>(py, chunks)),
            DataType::UInt8 => return Ok(numbers::<UInt8Type>(py, chunks)),
            DataType::UInt16 => return Ok(numbers::<UInt16Type>(py, chunks)),
            DataType::UInt32 => return Ok(numbers::<UInt32Type>(py, chunks)),
            DataType::UInt64 => return Ok(numbers::<UInt64Type>(py, chunks)),
            DataType::Float32 => return Ok(numbers::<Float32Type>(py, chunks)),
            DataType::Float64 => return Ok(numbers::<Float64Type>(py, chunks)),
            DataType::Timestamp(unit, _) => {
                let (counts, dtype) = match unit {
                    TimeUnit::Second => {
                        (numbers::<TimestampSecondType>(py, chunks), "datetime64[s]")
                    }
                    TimeUnit::Millisecond => (
                        numbers::<TimestampMillisecondType>(py, chunks),
                        "datetime64[ms]",
                    ),
                    TimeUnit::Microsecond => (
                        numbers::<TimestampMicrosecondType>(py, chunks),
                        "datetime64[us]",
                    ),
                    TimeUnit::Nanosecond => (
                        numbers::<TimestampNanosecondType>(py, chunks),
                        "datetime64[ns]",
                    ),
                };
                return counts.call_method1("view", (dtype,));
            }
            _ => {}
        }
    }
    let values = PyList::empty(py);
    for chunk in chunks {
        for value in list(py, chunk.as_ref())? {
            values.append(value)?;
        }
    }
    Ok(values.into_any())
}

fn numbers<'py, T>(py: Python<'py>, chunks: &[ArrayRef]) -> Bound<'py, PyAny>
where
    T: ArrowPrimitiveType,
    T::Native: Element,
{
    let mut values = Vec::with_capacity(chunks.iter().map(|c| c.len()).sum());
    for chunk in chunks {
        values.extend_from_slice(chunk.as_primitive::<T>().values());
    }
    PyArray1::from_vec(py, values).into_any()
}

/// The values of an array as Python objects, None where null; instants as datetimes in UTC.
pub fn list<'py>(py: Python<'py>, array: &dyn Array) -> PyResult<Objects<'py>> {
    let none = || py.None().into_bound(py);
    match array.data_type() {
        DataType::Null => Ok((0..array.len()).map(|_| none()).collect()),
        DataType::Boolean => each(py, array, |i| object(py, array.as_boolean().value(i))),
        DataType::Int8 => primitive::<Int8Type>(py, array),
        DataType::Int16 => primitive::<Int16Type>(py, array),
        DataType::Int32 => primitive::<Int32Type>(py, array),
        DataType::Int64 => primitive::<Int64Type>(py, array),
        DataType::UInt8 => primitive::<UInt8Type>(py, array),
        DataType::UInt16 => primitive::<UInt16Type>(py, array),
        DataType::UInt32 => primitive::<UInt32Type>(py, array),
        DataType::UInt64 => primitive::<UInt64Type>(py, array),
        DataType::Float16 => each(py, array, |i| {
            object(py, f64::from(array.as_primitive::<Float16Type>().value(i)))
        }),
        DataType::Float32 => primitive::<Float32Type>(py, array),
        DataType::Float64 => primitive::<Float64Type>(py, array),
        DataType::Timestamp(unit, _) => instants(py, array, *unit),
        DataType::Date32 => each(py, array, |i| {
            date(py, array.as_primitive::<Date32Type>().value(i).into())
        }),
        DataType::Date64 => each(py, array, |i| {
            date(
                py,
                array
                    .as_primitive::<Date64Type>()
                    .value(i)
                    .div_euclid(86_400_000),
            )
        }),
        DataType::Utf8 => text::<i32>(py, array.as_string()),
        DataType::LargeUtf8 => text::<i64>(py, array.as_string()),
        DataType::Utf8View => each(py, array, |i| {
            Ok(PyString::new(py, array.as_string_view().value(i)).into_any())
        }),
        DataType::Binary => each(py, array, |i| {
            Ok(PyBytes::new(py, array.as_binary::<i32>().value(i)).into_any())
        }),
        DataType::LargeBinary => each(py, array, |i| {
            Ok(PyBytes::new(py, array.as_binary::<i64>().value(i)).into_any())
        }),
        DataType::BinaryView => each(py, array, |i| {
            Ok(PyBytes::new(py, array.as_binary_view().value(i)).into_any())
        }),
        DataType::FixedSizeBinary(_) => each(py, array, |i| {
            Ok(PyBytes::new(py, array.as_fixed_size_binary().value(i)).into_any())
        }),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => decimals(py, array),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let values = list(py, dictionary.values().as_ref())?;
            if values.is_empty() {
                return Ok((0..array.len()).map(|_| none()).collect());
            }
            let keys = dictionary.normalized_keys();
            each(py, array, |i| Ok(values[keys[i]].clone()))
        }
        DataType::RunEndEncoded(..) => {
            let DataType::RunEndEncoded(_, values) = array.data_type() else {
                return Ok(Vec::new());
            };
            list(
                py,
                &arrow_cast::cast(array, values.data_type()).map_err(value_error)?,
            )
        }
        DataType::List(_) => each(py, array, |i| nested(py, &array.as_list::<i32>().value(i))),
        DataType::LargeList(_) => each(py, array, |i| nested(py, &array.as_list::<i64>().value(i))),
        DataType::ListView(_) => each(py, array, |i| {
            nested(py, &array.as_list_view::<i32>().value(i))
        }),
        DataType::LargeListView(_) => each(py, array, |i| {
            nested(py, &array.as_list_view::<i64>().value(i))
        }),
        DataType::FixedSizeList(..) => each(py, array, |i| {
            nested(py, &array.as_fixed_size_list().value(i))
        }),
        DataType::Struct(fields) => {
            let columns = array
                .as_struct()
                .columns()
                .iter()
                .map(|c| list(py, c.as_ref()));
            let columns = columns.collect::<PyResult<Vec<_>>>()?;
            each(py, array, |i| {
                let row = PyDict::new(py);
                for (field, column) in fields.iter().zip(&columns) {
                    row.set_item(field.name(), &column[i])?;
                }
                Ok(row.into_any())
            })
        }
        DataType::Map(..) => each(py, array, |i| {
            let entries = array.as_map().value(i);
            let keys = list(py, entries.column(0).as_ref())?;
            let values = list(py, entries.column(1).as_ref())?;
            let pairs = keys
                .into_iter()
                .zip(values)
                .map(|(k, v)| PyTuple::new(py, [k, v]));
            Ok(PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)?.into_any())
        }),
        DataType::Interval(
            IntervalUnit::YearMonth | IntervalUnit::DayTime | IntervalUnit::MonthDayNano,
        )
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_) => {
            let options = FormatOptions::default();
            let shown = ArrayFormatter::try_new(array, &options).map_err(value_error)?;
            each(py, array, |i| {
                let value = shown.value(i).try_to_string().map_err(value_error)?;
                Ok(PyString::new(py, &value).into_any())
            })
        }
        other => Err(PyNotImplementedError::new_err(format!(
            "columns of type {other} have no Python form"
        ))),
    }
}

fn each<'py>(
    py: Python<'py>,
    array: &dyn Array,
    value: impl Fn(usize) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Objects<'py>> {
    let one = |i| {
        if array.is_null(i) {
            Ok(py.None().into_bound(py))
        } else {
            value(i)
        }
    };
    (0..array.len()).map(one).collect()
}

fn object<'py>(py: Python<'py>, value: impl IntoPyObjectExt<'py>) -> PyResult<Bound<'py, PyAny>> {
    value.into_bound_py_any(py)
}

fn primitive<'py, T>(py: Python<'py>, array: &dyn Array) -> PyResult<Objects<'py>>
where
    T: ArrowPrimitiveType,
    T::Native: IntoPyObjectExt<'py>,
{
    let values = array.as_primitive::<T>();
    each(py, array, |i| object(py, values.value(i)))
}

fn text<'py, O: OffsetSizeTrait>(
    py: Python<'py>,
    array: &GenericStringArray<O>,
) -> PyResult<Objects<'py>> {
    each(py, array, |i| {
        Ok(PyString::new(py, array.value(i)).into_any())
    })
}

fn nested<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyList::new(py, list(py, array.as_ref())?)?.into_any())
}

fn decimals<'py>(py: Python<'py>, array: &dyn Array) -> PyResult<Objects<'py>> {
    static DECIMAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let decimal = DECIMAL.import(py, "decimal", "Decimal")?;
    let options = FormatOptions::default();
    let shown = ArrayFormatter::try_new(array, &options).map_err(value_error)?;
    each(py, array, |i| {
        decimal.call1((shown.value(i).try_to_string().map_err(value_error)?,))
    })
}

/// Timestamps of any unit as aware datetimes; a naive timestamp is UTC, nanoseconds floor (spec 1.1).
fn instants<'py>(py: Python<'py>, array: &dyn Array, unit: TimeUnit) -> PyResult<Objects<'py>> {
    let utc = PyTzInfo::utc(py)?;
    let one = |count: i64, numerator: i64, denominator: i64| {
        let civil = to_micros(count, numerator, denominator)
            .map(civil)
            .filter(|c| (1..=9999).contains(&c.year));
        let Some(c) = civil else {
            return Err(PyOverflowError::new_err(
                "an instant lies outside the years 1 to 9999",
            ));
        };
        let (year, micro) = (c.year as i32, c.micro);
        Ok(PyDateTime::new(
            py,
            year,
            c.month,
            c.day,
            c.hour,
            c.minute,
            c.second,
            micro,
            Some(&utc),
        )?
        .into_any())
    };
    match unit {
        TimeUnit::Second => each(py, array, |i| {
            one(
                array.as_primitive::<TimestampSecondType>().value(i),
                1_000_000,
                1,
            )
        }),
        TimeUnit::Millisecond => each(py, array, |i| {
            one(
                array.as_primitive::<TimestampMillisecondType>().value(i),
                1_000,
                1,
            )
        }),
        TimeUnit::Microsecond => each(py, array, |i| {
            one(
                array.as_primitive::<TimestampMicrosecondType>().value(i),
                1,
                1,
            )
        }),
        TimeUnit::Nanosecond => each(py, array, |i| {
            one(
                array.as_primitive::<TimestampNanosecondType>().value(i),
                1,
                1_000,
            )
        }),
    }
}

fn date(py: Python<'_>, days: i64) -> PyResult<Bound<'_, PyAny>> {
    let (year, month, day) = date_of(days);
    if !(1..=9999).contains(&year) {
        return Err(PyOverflowError::new_err(
            "a date lies outside the years 1 to 9999",
        ));
    }
    Ok(PyDate::new(py, year as i32, month, day)?.into_any())
}
