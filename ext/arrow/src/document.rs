//! Documents as flat events: what the model loader builds its tree from (spec 11).

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use pyo3::{intern, IntoPyObjectExt};

use crate::{document_json, document_yaml};

/// The largest document, in bytes (spec 11).
const BYTES: usize = 5_000_000;
/// The deepest nesting: conditions may be 64 deep (spec 3.1), each an object and a list, and the loader may recurse,
/// so it stays well below Python's own limit.
pub const DEPTH: usize = 200;
/// The most events, so that small bytes cannot become much memory.
const EVENTS: usize = 1_000_000;

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// Why a document is refused, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: String,
    pub place: Place,
}

impl Refusal {
    pub fn new(reason: impl Into<String>, place: Place) -> Self {
        Refusal {
            reason: reason.into(),
            place,
        }
    }
}

/// One event of a document. Scalars are text: what they mean is the loader's affair, and numbers keep their decimals.
pub enum Event {
    MapStart(Place),
    MapEnd,
    ListStart(Place),
    ListEnd,
    Scalar {
        text: String,
        plain: bool,
        place: Place,
    },
    Alias(usize, Place),
    Anchor(usize),
}

/// Events within the limits.
#[derive(Default)]
pub struct Events {
    events: Vec<Event>,
    depth: usize,
}

impl Events {
    /// Add an event found at `place`.
    pub fn add(&mut self, event: Event, place: Place) -> Result<(), Refusal> {
        match event {
            Event::MapStart(_) | Event::ListStart(_) => self.depth += 1,
            Event::MapEnd | Event::ListEnd => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > DEPTH {
            return Err(Refusal::new(format!("nested deeper than {DEPTH}"), place));
        }
        if self.events.len() == EVENTS {
            return Err(Refusal::new(
                "more than a million keys, values and brackets",
                place,
            ));
        }
        self.events.push(event);
        Ok(())
    }
}

/// See `_edge.pyi`.
#[pyfunction]
pub fn document_events<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
    format: &str,
) -> PyResult<Bound<'py, PyList>> {
    let bytes = data.as_bytes();
    let parse = match format {
        "yaml" => document_yaml::events,
        "json" => document_json::events,
        other => return Err(PyValueError::new_err(format!("no such format: {other}"))),
    };
    let parsed = py.detach(|| {
        let text = text_of(bytes)?;
        let mut events = Events::default();
        parse(text, &mut events)?;
        Ok(events.events)
    });
    let events = parsed
        .map_err(|r: Refusal| PyValueError::new_err((r.reason, r.place.line, r.place.column)))?;
    let list = PyList::empty(py);
    for event in events {
        list.append(tuple(py, event)?)?;
    }
    Ok(list)
}

/// The text of a document: UTF-8, not too long, without its byte order mark.
fn text_of(bytes: &[u8]) -> Result<&str, Refusal> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() > BYTES {
        return Err(Refusal::new(
            format!("{} bytes are more than 5 MB", bytes.len()),
            start,
        ));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text)),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            Err(Refusal::new("not UTF-8", end_of(valid)))
        }
    }
}

/// The place just behind a text.
fn end_of(text: &str) -> Place {
    let line = text.bytes().filter(|&b| b == b'\n').count() + 1;
    let last = text.rsplit('\n').next().unwrap_or_default();
    Place {
        line,
        column: last.chars().count() + 1,
    }
}

fn tuple(py: Python<'_>, event: Event) -> PyResult<Bound<'_, PyAny>> {
    match event {
        Event::MapStart(at) => (intern!(py, "{"), at.line, at.column).into_bound_py_any(py),
        Event::MapEnd => (intern!(py, "}"),).into_bound_py_any(py),
        Event::ListStart(at) => (intern!(py, "["), at.line, at.column).into_bound_py_any(py),
        Event::ListEnd => (intern!(py, "]"),).into_bound_py_any(py),
        Event::Scalar { text, plain, place } => {
            (intern!(py, "scalar"), text, plain, place.line, place.column).into_bound_py_any(py)
        }
        Event::Alias(id, at) => {
            (intern!(py, "alias"), id, at.line, at.column).into_bound_py_any(py)
        }
        Event::Anchor(id) => (intern!(py, "anchor"), id).into_bound_py_any(py),
    }
}
