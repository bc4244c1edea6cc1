//! One event straight from Python values as bytes that outlive a run: the latency path of a ledger.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::lead_arrays::{set_of, Memory};
use crate::mappings::{check, Row};
use crate::one_lead::Names;
use crate::order_keys::{
    instant_order, number_order, write_id, Digest, RowBytes, ValueDigests, DIGEST, NO_DIGEST,
};
use crate::plan::Plan;
use crate::rows::IS_NULL;
use crate::scalars::{Cell, Id, NOT_TEXT};
use crate::source::Kind;

/// Cells of an event that take no memory of their own.
const FEW: usize = 16;

/// What `Program.encode_event` returns, see `_edge.pyi`.
pub type Encoded<'py> = (
    i64,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// An event read.
pub struct OneEvent<'py> {
    pub kind: usize,
    pub at: i64,
    id: Option<Id<'py>>,
    few: [Cell<'py>; FEW],
    many: Vec<Cell<'py>>,
}

/// Buffers that calls use again and again.
#[derive(Default)]
pub struct Buffers {
    pub classes: Vec<u32>,
    row: RowBytes,
    id: Vec<u8>,
    values: ValueDigests,
}

impl<'py> OneEvent<'py> {
    /// Read all values, None if the type is not declared. A property that is not there is null.
    pub fn read(
        plan: &Plan,
        names: &Names,
        kind: &Bound<'py, PyAny>,
        at: &Bound<'py, PyAny>,
        properties: Option<&Bound<'py, PyAny>>,
        id: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Self>> {
        let mut problems = Vec::new();
        let mut row = Row {
            table: "events",
            number: 0,
            problems: &mut problems,
        };
        let at = row.at(Some(at));
        let name = kind.cast::<PyString>().ok();
        let Some(name) = name.and_then(|name| name.to_str().ok()) else {
            let value = Some(kind).filter(|kind| !kind.is_none());
            row.fault("type", value, value.map_or(IS_NULL, |_| NOT_TEXT));
            return check(&problems).map(|()| None);
        };
        let Some(kind) = names.kind(name) else {
            return check(&problems).map(|()| None);
        };
        let mut event = Self {
            kind,
            at,
            id: row.event_id(id),
            few: [const { Cell::Null }; FEW],
            many: Vec::new(),
        };
        let fields = &plan.events.kinds[kind].fields;
        if fields.len() > FEW {
            event.many.resize(fields.len(), Cell::Null);
        }
        if let Some(properties) = properties {
            let cells = match event.many.as_mut_slice() {
                [] => &mut event.few,
                many => many,
            };
            for (cell, field) in cells.iter_mut().zip(fields) {
                let name = names.events[*field].bind(properties.py());
                *cell = row.cell(properties, name, plan.events.fields[*field].kind)?;
            }
        }
        check(&problems).map(|()| Some(event))
    }

    /// One for each field of the type, and more.
    pub fn cells(&self) -> &[Cell<'py>] {
        match self.many.as_slice() {
            [] => &self.few,
            many => many,
        }
    }

    pub fn encode(
        &self,
        py: Python<'py>,
        plan: &Plan,
        memory: &mut Memory,
    ) -> PyResult<Encoded<'py>> {
        let side = &plan.events;
        let kind = &side.kinds[self.kind];
        let cells = self.cells();
        let cell = |field: usize| {
            let place = kind.place(field);
            place
                .and_then(|place| cells.get(place))
                .unwrap_or(&Cell::Null)
        };
        let Memory {
            events, buffers, ..
        } = memory;
        let set = set_of(side, self.kind, events, &mut buffers.classes, cell);
        let hits = events.sets.get(set);
        let hits = words(py, hits.len(), hits.iter().map(|hit| hit.to_le_bytes()))?;

        let row = &mut buffers.row;
        row.begin(instant_order(self.at), kind.rank);
        for cell in &cells[..kind.fields.len()] {
            match cell {
                Cell::Null => row.null(),
                Cell::Text(text) => row.text(text.to_str().unwrap_or("").as_bytes()),
                Cell::Number(number) => row.ordered(number_order(*number)),
                Cell::Boolean(boolean) => row.boolean(*boolean),
                Cell::Instant(instant) => row.ordered(instant_order(*instant)),
            }
        }
        let (order, content) = match &self.id {
            None => (PyBytes::new(py, row.order()), NO_DIGEST),
            Some(id) => {
                buffers.id.clear();
                write_id(id.as_event_id(), &mut buffers.id);
                (PyBytes::new(py, &buffers.id), row.digest())
            }
        };

        let values = &mut buffers.values;
        let code = |field: &usize| code_digest(cell(*field), values);
        let codes = words::<DIGEST>(py, plan.codes.len(), plan.codes.iter().map(code))?;
        let number = |field: &usize| match cell(*field) {
            Cell::Number(number) => number.to_le_bytes(),
            _ => f64::NAN.to_le_bytes(),
        };
        let numbers = words(py, plan.numbers.len(), plan.numbers.iter().map(number))?;
        let content = PyBytes::new(py, &content);
        Ok((self.at, hits, order, content, codes, numbers))
    }
}

fn code_digest(cell: &Cell<'_>, values: &mut ValueDigests) -> Digest {
    match cell {
        Cell::Null => NO_DIGEST,
        Cell::Text(text) => values.text(text.to_str().unwrap_or("").as_bytes()),
        Cell::Number(number) => values.ordered(Kind::Number, number_order(*number)),
        Cell::Boolean(boolean) => values.boolean(*boolean),
        Cell::Instant(instant) => values.ordered(Kind::Instant, instant_order(*instant)),
    }
}

/// This many words of equal length, one behind the other.
pub fn words<const N: usize>(
    py: Python<'_>,
    count: usize,
    words: impl Iterator<Item = [u8; N]>,
) -> PyResult<Bound<'_, PyBytes>> {
    PyBytes::new_with(py, count * N, |bytes| {
        let (slots, _) = bytes.as_chunks_mut::<N>();
        slots
            .iter_mut()
            .zip(words)
            .for_each(|(slot, word)| *slot = word);
        Ok(())
    })
}
