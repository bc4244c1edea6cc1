//! Tables from numpy arrays and plain parts: what the Python side puts its results into.

use std::sync::Arc;

use arrow_array::builder::GenericStringBuilder;
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int32Array, ListArray, OffsetSizeTrait,
    PrimitiveArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use numpy::{Element, PyArray1, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::chunks::Column;
use crate::table::{value_error, Table};

/// See `Table.build` in `_edge.pyi`.
pub fn build(columns: &Bound<'_, PyAny>) -> PyResult<Table> {
    let mut made = Vec::new();
    for column in columns.try_iter()? {
        let (name, value): (String, Bound<'_, PyAny>) = column?.extract()?;
        let chunks = chunks(&value).map_err(|e| named(value.py(), &name, e))?;
        let kind = chunks
            .first()
            .map_or(DataType::Null, |c| c.data_type().clone());
        made.push(Column {
            field: Arc::new(Field::new(name, kind, true)),
            chunks,
        });
    }
    Table::from_columns(made).map_err(value_error)
}

/// The same exception with the column's name before its text.
fn named(py: Python<'_>, name: &str, error: PyErr) -> PyErr {
    let text = format!("column {name}: {}", error.value(py));
    PyErr::from_type(error.get_type(py), text)
}

fn chunks(value: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        return Ok(vec![numbers(array, None)?]);
    }
    let parts = value
        .cast::<PyTuple>()
        .map_err(|_| PyTypeError::new_err("neither a numpy array nor a tuple"))?;
    let kind: String = parts.get_item(0)?.extract()?;
    let part = |i: usize| parts.get_item(i);
    let made = match kind.as_str() {
        "instant" => {
            let values: Vec<i64> = copied(&part(1)?)?;
            let nulls = validity(&part(2)?, values.len())?;
            let array = PrimitiveArray::<TimestampMicrosecondType>::new(values.into(), nulls);
            Arc::new(array.with_timezone("UTC")) as ArrayRef
        }
        "nullable" => {
            let array = part(1)?.cast_into::<PyUntypedArray>()?;
            let nulls = validity(&part(2)?, array.len())?;
            numbers(&array, nulls)?
        }
        "dictionary" => dictionary(&part(1)?, &part(2)?)?,
        "text" => text(&part(1)?)?,
        "lists" => lists(&part(1)?, &part(2)?)?,
        "column" => {
            let table = part(1)?.cast_into::<Table>()?;
            let mut columns = table.get().columns();
            let one = columns.pop().filter(|_| columns.is_empty());
            let Some(column) = one else {
                return Err(value_error("a table of one column is wanted"));
            };
            let mut chunks = column.chunks;
            if chunks.is_empty() {
                chunks.push(arrow_array::new_empty_array(column.field.data_type()));
            }
            return Ok(chunks);
        }
        other => return Err(value_error(format!("no such kind of column: {other}"))),
    };
    Ok(vec![made])
}

/// A numpy array of numbers or booleans as an Arrow array of the same type.
pub fn numbers(array: &Bound<'_, PyUntypedArray>, nulls: Option<NullBuffer>) -> PyResult<ArrayRef> {
    if array.ndim() != 1 {
        return Err(value_error(format!(
            "an array of {} dimensions is no column",
            array.ndim()
        )));
    }
    let dtype = array.dtype();
    let text: String = dtype.getattr("str")?.extract()?;
    Ok(match text.trim_start_matches(['<', '|', '=']) {
        "b1" => {
            // As bytes: numpy does not promise that a boolean is 0 or 1.
            let bytes: Vec<u8> = copied(&array.call_method1("view", ("uint8",))?)?;
            Arc::new(BooleanArray::new(
                bytes.iter().map(|&b| b != 0).collect(),
                nulls,
            ))
        }
        "i1" => primitive::<Int8Type>(array, nulls)?,
        "i2" => primitive::<Int16Type>(array, nulls)?,
        "i4" => primitive::<Int32Type>(array, nulls)?,
        "i8" => primitive::<Int64Type>(array, nulls)?,
        "u1" => primitive::<UInt8Type>(array, nulls)?,
        "u2" => primitive::<UInt16Type>(array, nulls)?,
        "u4" => primitive::<UInt32Type>(array, nulls)?,
        "u8" => primitive::<UInt64Type>(array, nulls)?,
        "f4" => primitive::<Float32Type>(array, nulls)?,
        "f8" => primitive::<Float64Type>(array, nulls)?,
        _ => return Err(value_error(format!("arrays of {} are no columns", dtype))),
    })
}

fn primitive<T>(array: &Bound<'_, PyUntypedArray>, nulls: Option<NullBuffer>) -> PyResult<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Element + Copy,
{
    let values: Vec<T::Native> = copied(array.as_any())?;
    Ok(Arc::new(PrimitiveArray::<T>::new(values.into(), nulls)))
}

/// A copy of a numpy array's values, whatever its strides.
pub fn copied<T: Element + Copy>(array: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let array = array.cast::<PyArray1<T>>().map_err(|_| {
        let shown = array
            .getattr("dtype")
            .map(|d| d.to_string())
            .unwrap_or_else(|_| String::from("no numpy array"));
        PyTypeError::new_err(format!(
            "a numpy array of {} is wanted, not {shown}",
            std::any::type_name::<T>()
        ))
    })?;
    let values = array.try_readonly().map_err(value_error)?;
    Ok(match values.as_slice() {
        Ok(slice) => slice.to_vec(),
        Err(_) => values.as_array().iter().copied().collect(),
    })
}

fn validity(valid: &Bound<'_, PyAny>, rows: usize) -> PyResult<Option<NullBuffer>> {
    if valid.is_none() {
        return Ok(None);
    }
    let valid: Vec<u8> = copied(&valid.call_method1("view", ("uint8",))?)?;
    if valid.len() != rows {
        return Err(value_error(format!(
            "{} values but validity of {}",
            rows,
            valid.len()
        )));
    }
    let nulls = NullBuffer::from(valid.iter().map(|&v| v != 0).collect::<Vec<bool>>());
    Ok(Some(nulls).filter(|n| n.null_count() > 0))
}

fn dictionary(codes: &Bound<'_, PyAny>, texts: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let codes: Vec<i32> = copied(codes)?;
    let texts = text(texts)?;
    if *texts.data_type() != DataType::Utf8 {
        return Err(value_error("the texts of a dictionary are more than 2 GiB"));
    }
    let count = texts.len();
    if let Some(code) = codes
        .iter()
        .find(|&&c| c < -1 || c >= 0 && c as usize >= count)
    {
        return Err(value_error(format!("code {code} with {count} texts")));
    }
    let keys = Int32Array::from_iter(codes.into_iter().map(|c| Some(c).filter(|&c| c >= 0)));
    Ok(Arc::new(
        DictionaryArray::<Int32Type>::try_new(keys, texts).map_err(value_error)?,
    ))
}

/// A list of str or None: text, with 64-bit offsets where 2 GiB do not hold it.
fn text(texts: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let mut held = Vec::with_capacity(texts.len()?);
    let mut bytes = 0;
    for text in texts.try_iter()? {
        let text = text?;
        if text.is_none() {
            held.push(None);
            continue;
        }
        let text = text.cast_into::<PyString>()?;
        bytes += text.to_str()?.len();
        held.push(Some(text));
    }
    Ok(text_array(&held, bytes))
}

/// Text held by Python as an Arrow array; `bytes` is its length in UTF-8, and every one of them has been read once.
pub fn text_array(held: &[Option<Bound<'_, PyString>>], bytes: usize) -> ArrayRef {
    fn fill<O: OffsetSizeTrait>(held: &[Option<Bound<'_, PyString>>], bytes: usize) -> ArrayRef {
        let mut builder = GenericStringBuilder::<O>::with_capacity(held.len(), bytes);
        for text in held {
            builder.append_option(text.as_ref().and_then(|t| t.to_str().ok()));
        }
        Arc::new(builder.finish())
    }
    if bytes <= i32::MAX as usize {
        fill::<i32>(held, bytes)
    } else {
        fill::<i64>(held, bytes)
    }
}

fn lists(offsets: &Bound<'_, PyAny>, texts: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let offsets: Vec<i64> = copied(offsets)?;
    let texts = text(texts)?;
    let fits = offsets.first() == Some(&0)
        && offsets.windows(2).all(|w| w[0] <= w[1])
        && offsets
            .last()
            .is_some_and(|&end| end as usize == texts.len() && end <= i64::from(i32::MAX));
    if !fits {
        return Err(value_error(format!(
            "offsets do not divide {} texts into lists",
            texts.len()
        )));
    }
    let offsets: Vec<i32> = offsets.iter().map(|&o| o as i32).collect();
    let item = Arc::new(Field::new_list_field(texts.data_type().clone(), true));
    let list = ListArray::try_new(
        item,
        OffsetBuffer::new(ScalarBuffer::from(offsets)),
        texts,
        None,
    );
    Ok(Arc::new(list.map_err(value_error)?))
}
