//! Python values of one lead as the types a model declares (spec 2.7), without Arrow.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyString, PyTzInfo};

use crate::identity::EventId;
use crate::instants;
use crate::lexical::{
    exact, Fault, INFINITE, NOT_EXACT, NOT_INSTANT, NOT_INTEGER, NOT_IN_RANGE, NOT_UTF8,
};
use crate::source::Kind;

pub const NOT_TEXT: Fault = "is not text";
const NO_NUMBER: Fault = "is not a number";
const NO_BOOLEAN: Fault = "is not a boolean";
const NO_INSTANT: Fault = "is not an instant";
const NO_ID: Fault = "is neither an integer nor text";

/// Days from 0001-01-01, which Python counts as 1, to 1970-01-01.
const EPOCH_ORDINAL: i64 = 719_163;

/// One value of a declared field.
#[derive(Clone)]
pub enum Cell<'py> {
    Null,
    Text(Bound<'py, PyString>),
    Number(f64),
    Boolean(bool),
    Instant(i64),
}

impl<'py> Cell<'py> {
    /// The value as the field's kind, or why it is none.
    pub fn read(value: &Bound<'py, PyAny>, kind: Kind) -> Result<Self, Fault> {
        if value.is_none() {
            return Ok(Self::Null);
        }
        match kind {
            Kind::Text => {
                let text = value.cast::<PyString>().map_err(|_| NOT_TEXT)?;
                text.to_str().map_err(|_| NOT_UTF8)?;
                Ok(Self::Text(text.clone()))
            }
            Kind::Number => {
                let number = number(value)?;
                Ok(if number.is_nan() {
                    Self::Null
                } else {
                    Self::Number(number)
                })
            }
            Kind::Boolean => boolean(value).map(Self::Boolean),
            Kind::Instant => Ok(instant(value)?.map_or(Self::Null, Self::Instant)),
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text.to_str().unwrap_or(""),
            _ => "",
        }
    }
}

/// A numpy scalar as the Python value it stands for.
fn item<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = value.py();
    value.getattr_opt(intern!(py, "dtype")).ok().flatten()?;
    value.call_method0(intern!(py, "item")).ok()
}

/// Integers convert exactly or are refused; of decimals the nearest float64.
fn number(value: &Bound<'_, PyAny>) -> Result<f64, Fault> {
    let finite = |x: f64| {
        if x.is_infinite() {
            Err(INFINITE)
        } else {
            Ok(x + 0.0)
        }
    };
    if let Ok(float) = value.cast::<PyFloat>() {
        return finite(float.value());
    }
    if value.is_instance_of::<PyBool>() {
        return Err(NO_NUMBER);
    }
    if value.is_instance_of::<PyInt>() {
        if let Ok(integer) = value.extract::<i64>() {
            return if exact(integer.into()) {
                Ok(integer as f64)
            } else {
                Err(NOT_EXACT)
            };
        }
        let float = value.extract::<f64>().map_err(|_| NOT_EXACT)?;
        return if value.eq(float).unwrap_or(false) {
            finite(float)
        } else {
            Err(NOT_EXACT)
        };
    }
    if let Some(plain) = item(value) {
        return if plain.is_instance_of::<PyFloat>() || plain.is_instance_of::<PyInt>() {
            number(&plain)
        } else {
            Err(NO_NUMBER)
        };
    }
    let py = value.py();
    static DECIMAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let decimal = DECIMAL
        .get_or_try_init(py, || {
            py.import("decimal")?.getattr("Decimal").map(Bound::unbind)
        })
        .map_err(|_| NO_NUMBER)?;
    if value.is_instance(decimal.bind(py)).unwrap_or(false) {
        return finite(value.extract::<f64>().map_err(|_| NO_NUMBER)?);
    }
    Err(NO_NUMBER)
}

fn boolean(value: &Bound<'_, PyAny>) -> Result<bool, Fault> {
    if let Ok(boolean) = value.cast::<PyBool>() {
        return Ok(boolean.is_true());
    }
    match item(value) {
        Some(plain) => plain
            .cast::<PyBool>()
            .map(|b| b.is_true())
            .map_err(|_| NO_BOOLEAN),
        None => Err(NO_BOOLEAN),
    }
}

/// Microseconds since 1970, None for NaT.
pub fn instant(value: &Bound<'_, PyAny>) -> Result<Option<i64>, Fault> {
    let checked = |micros: i64| instants::in_range(micros).map(Some).ok_or(NOT_IN_RANGE);
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str().map_err(|_| NOT_UTF8)?;
        return instants::parse(text.as_bytes())
            .map(Some)
            .ok_or(NOT_INSTANT);
    }
    if value.is_instance_of::<PyDateTime>() {
        return match since_epoch(value) {
            Ok(micros) => checked(micros),
            // pandas.NaT is a datetime that equals nothing, not even itself.
            Err(_) if value.ne(value).unwrap_or(false) => Ok(None),
            Err(_) => Err(NOT_IN_RANGE),
        };
    }
    let py = value.py();
    if value.is_instance_of::<PyDate>() {
        let ordinal = value
            .call_method0(intern!(py, "toordinal"))
            .and_then(|o| o.extract::<i64>());
        return checked((ordinal.map_err(|_| NO_INSTANT)? - EPOCH_ORDINAL) * instants::DAY);
    }
    let count = |unit: &str| -> PyResult<i64> {
        let cast = value.call_method1(intern!(py, "astype"), (unit,))?;
        cast.call_method1(intern!(py, "astype"), ("int64",))?
            .extract()
    };
    if value
        .get_type()
        .name()
        .is_ok_and(|name| name == "datetime64")
    {
        // Seconds first: numpy does not notice microseconds that overflow.
        return match (count("datetime64[s]"), count("datetime64[us]")) {
            (Ok(i64::MIN), _) => Ok(None),
            (Ok(seconds), Ok(micros)) if seconds.checked_mul(1_000_000).is_some() => {
                checked(micros)
            }
            _ => Err(NOT_IN_RANGE),
        };
    }
    Err(NO_INSTANT)
}

/// By subtraction, which Python does exactly and in one call.
fn since_epoch(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    static NAIVE: PyOnceLock<Py<PyDateTime>> = PyOnceLock::new();
    static AWARE: PyOnceLock<Py<PyDateTime>> = PyOnceLock::new();
    let py = value.py();
    let naive = NAIVE.get_or_try_init(py, || {
        PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, None).map(Bound::unbind)
    })?;
    let aware = AWARE.get_or_try_init(py, || {
        let utc = PyTzInfo::utc(py)?;
        PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc)).map(Bound::unbind)
    })?;
    let delta = if value.getattr(intern!(py, "tzinfo"))?.is_none() {
        value.sub(naive)?
    } else {
        // A zone that knows no offset leaves the datetime naive; then it is UTC.
        value.sub(aware).or_else(|_| {
            let plain = PyDict::new(py);
            plain.set_item("tzinfo", py.None())?;
            value.call_method("replace", (), Some(&plain))?.sub(naive)
        })?
    };
    let part = |name: &Bound<'_, PyString>| delta.getattr(name)?.extract::<i64>();
    let days = part(intern!(py, "days"))?;
    let seconds = part(intern!(py, "seconds"))?;
    Ok((days * 86_400 + seconds) * 1_000_000 + part(intern!(py, "microseconds"))?)
}

/// An event id as it came.
pub enum Id<'py> {
    Integer(i64),
    Text(Bound<'py, PyString>),
}

impl Id<'_> {
    pub fn as_event_id(&self) -> EventId<'_> {
        match self {
            Self::Integer(id) => EventId::Integer(*id),
            Self::Text(id) => EventId::Text(id.to_str().unwrap_or("").as_bytes()),
        }
    }
}

pub fn id<'py>(value: &Bound<'py, PyAny>) -> Result<Option<Id<'py>>, Fault> {
    if value.is_none() {
        return Ok(None);
    }
    if let Ok(text) = value.cast::<PyString>() {
        text.to_str().map_err(|_| NOT_UTF8)?;
        return Ok(Some(Id::Text(text.clone())));
    }
    // Asking a plain integer for its numpy type is slow.
    let plain = match value.is_instance_of::<PyInt>() {
        true => None,
        false => item(value),
    };
    let value = plain.as_ref().unwrap_or(value);
    if value.is_instance_of::<PyBool>() || !value.is_instance_of::<PyInt>() {
        return Err(NO_ID);
    }
    value
        .extract::<i64>()
        .map(|id| Some(Id::Integer(id)))
        .map_err(|_| NOT_INTEGER)
}
