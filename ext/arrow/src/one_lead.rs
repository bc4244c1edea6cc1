//! One lead with its events straight from Python values: the latency path.

use hashbrown::HashMap;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::Problem;
use crate::mappings::{check, look_up, Row};
use crate::plan::{Plan, Side};
use crate::rows::IS_NULL;
use crate::scalars::{Cell, Id, NOT_TEXT};

/// Names of fields as Python objects, made once.
pub struct Names {
    pub leads: Vec<Py<PyString>>,
    pub events: Vec<Py<PyString>>,
    kinds: HashMap<String, usize>,
}

impl Names {
    pub fn new(py: Python<'_>, plan: &Plan) -> Self {
        let names = |side: &Side| {
            side.fields
                .iter()
                .map(|field| PyString::intern(py, &field.name).unbind())
                .collect()
        };
        let kinds = plan
            .events
            .kinds
            .iter()
            .enumerate()
            .map(|(number, kind)| (kind.name.clone(), number));
        Self {
            leads: names(&plan.leads),
            events: names(&plan.events),
            kinds: kinds.collect(),
        }
    }

    /// The number of a declared event type.
    pub fn kind(&self, name: &str) -> Option<usize> {
        self.kinds.get(name).copied()
    }
}

/// One event read.
pub struct Event<'py> {
    pub kind: usize,
    pub at: i64,
    pub id: Option<Id<'py>>,
    /// Where its cells begin: one for each field of its type, in document order.
    pub cells: usize,
}

/// A lead read: attributes by field, events of declared types.
pub struct OneLead<'py> {
    pub attributes: Vec<Cell<'py>>,
    pub events: Vec<Event<'py>>,
    cells: Vec<Cell<'py>>,
    pub ignored: usize,
}

/// The attributes of a lead by field.
pub fn read_attributes<'py>(
    plan: &Plan,
    names: &Names,
    attributes: &Bound<'py, PyAny>,
    problems: &mut Vec<Problem>,
) -> PyResult<Vec<Cell<'py>>> {
    let mut row = Row {
        table: "leads",
        number: 0,
        problems,
    };
    let named = plan.leads.fields.iter().zip(&names.leads);
    named
        .map(|(field, name)| row.cell(attributes, name.bind(attributes.py()), field.kind))
        .collect()
}

impl<'py> OneLead<'py> {
    /// Read all values. A field that is not there is null.
    pub fn read(
        plan: &Plan,
        names: &Names,
        attributes: &Bound<'py, PyAny>,
        events: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let mut problems = Vec::new();
        let mut lead = Self {
            attributes: read_attributes(plan, names, attributes, &mut problems)?,
            events: Vec::with_capacity(events.len().unwrap_or(0)),
            cells: Vec::new(),
            ignored: 0,
        };
        for (row, event) in events.try_iter()?.enumerate() {
            let row = Row {
                table: "events",
                number: row as u64,
                problems: &mut problems,
            };
            lead.event(plan, names, row, &event?)?;
        }
        check(&problems)?;
        Ok(lead)
    }

    fn event(
        &mut self,
        plan: &Plan,
        names: &Names,
        mut row: Row<'_>,
        event: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = event.py();
        let at = row.at(look_up(event, intern!(py, "at"))?.as_ref());
        let kind = look_up(event, intern!(py, "type"))?.filter(|kind| !kind.is_none());
        let name = kind.as_ref().and_then(|kind| kind.cast::<PyString>().ok());
        let Some(name) = name.and_then(|name| name.to_str().ok()) else {
            let why = if kind.is_some() { NOT_TEXT } else { IS_NULL };
            row.fault("type", kind.as_ref(), why);
            return Ok(());
        };
        let Some(number) = names.kind(name) else {
            self.ignored += 1;
            return Ok(());
        };
        let id = look_up(event, intern!(py, "event_id"))?;
        let id = id.and_then(|value| row.event_id(&value));
        let cells = self.cells.len();
        for field in &plan.events.kinds[number].fields {
            let kind = plan.events.fields[*field].kind;
            let cell = row.cell(event, names.events[*field].bind(py), kind)?;
            self.cells.push(cell);
        }
        self.events.push(Event {
            kind: number,
            at,
            id,
            cells,
        });
        Ok(())
    }

    pub fn row(&self, plan: &Plan, event: &Event<'py>) -> &[Cell<'py>] {
        let count = plan.events.kinds[event.kind].fields.len();
        self.cells
            .get(event.cells..event.cells + count)
            .unwrap_or(&[])
    }

    /// What an event says in a field; null where its type does not declare it.
    pub fn at_field(&self, plan: &Plan, event: &Event<'py>, field: usize) -> &Cell<'py> {
        let place = plan.events.kinds[event.kind].place(field);
        place
            .and_then(|place| self.row(plan, event).get(place))
            .unwrap_or(&Cell::Null)
    }
}
