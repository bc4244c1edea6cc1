//! One lead with its events straight from Python values: the latency path.

use hashbrown::HashMap;
use pyo3::exceptions::PyKeyError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors::{edge_error, show, Problem};
use crate::lexical::Fault;
use crate::plan::{Plan, Side};
use crate::rows::IS_NULL;
use crate::scalars::{id, instant, Cell, Id, NOT_TEXT};
use crate::source::Kind;

/// Names of fields as Python objects, made once.
pub struct Names {
    leads: Vec<Py<PyString>>,
    events: Vec<Py<PyString>>,
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
    problems: Vec<Problem>,
}

fn look_up<'py>(
    mapping: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(dict) = mapping.cast::<PyDict>() {
        return dict.get_item(name);
    }
    match mapping.get_item(name) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyKeyError>(mapping.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

impl<'py> OneLead<'py> {
    /// Read all values. A field that is not there is null.
    pub fn read(
        plan: &Plan,
        names: &Names,
        attributes: &Bound<'py, PyAny>,
        events: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let mut lead = Self {
            attributes: Vec::with_capacity(plan.leads.fields.len()),
            events: Vec::with_capacity(events.len().unwrap_or(0)),
            cells: Vec::new(),
            ignored: 0,
            problems: Vec::new(),
        };
        for (field, name) in plan.leads.fields.iter().zip(&names.leads) {
            let cell = lead.cell(
                "leads",
                0,
                attributes,
                name.bind(attributes.py()),
                field.kind,
            )?;
            lead.attributes.push(cell);
        }
        for (row, event) in events.try_iter()?.enumerate() {
            lead.event(plan, names, row as u64, &event?)?;
        }
        if lead.problems.is_empty() {
            Ok(lead)
        } else {
            Err(edge_error(&lead.problems, lead.problems.len() as u64))
        }
    }

    fn fault(
        &mut self,
        table: &str,
        row: u64,
        name: &str,
        value: Option<&Bound<'py, PyAny>>,
        why: Fault,
    ) {
        let value = value.and_then(|value| value.str().ok());
        let value = value.map(|text| show(&text.to_string_lossy()));
        let reason = why.to_string();
        let (table, column) = (table.to_string(), Some(name.to_string()));
        self.problems.push(Problem {
            table,
            row: Some(row),
            column,
            value,
            reason,
        });
    }

    fn cell(
        &mut self,
        table: &str,
        row: u64,
        mapping: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
        kind: Kind,
    ) -> PyResult<Cell<'py>> {
        let Some(value) = look_up(mapping, name)? else {
            return Ok(Cell::Null);
        };
        Ok(Cell::read(&value, kind).unwrap_or_else(|why| {
            self.fault(table, row, &name.to_string_lossy(), Some(&value), why);
            Cell::Null
        }))
    }

    fn event(
        &mut self,
        plan: &Plan,
        names: &Names,
        row: u64,
        event: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = event.py();
        let table = "events";
        let at = look_up(event, intern!(py, "at"))?;
        let when = match &at {
            Some(value) if !value.is_none() => instant(value).and_then(|at| at.ok_or(IS_NULL)),
            _ => Err(IS_NULL),
        };
        let when = when.unwrap_or_else(|why| {
            self.fault(
                table,
                row,
                "at",
                at.as_ref().filter(|value| !value.is_none()),
                why,
            );
            0
        });
        let kind = look_up(event, intern!(py, "type"))?.filter(|kind| !kind.is_none());
        let name = kind.as_ref().and_then(|kind| kind.cast::<PyString>().ok());
        let Some(name) = name.and_then(|name| name.to_str().ok()) else {
            let why = if kind.is_some() { NOT_TEXT } else { IS_NULL };
            self.fault(table, row, "type", kind.as_ref(), why);
            return Ok(());
        };
        let Some(&number) = names.kinds.get(name) else {
            self.ignored += 1;
            return Ok(());
        };
        let found = match look_up(event, intern!(py, "event_id"))? {
            Some(value) => id(&value).unwrap_or_else(|why| {
                self.fault(table, row, "event_id", Some(&value), why);
                None
            }),
            None => None,
        };
        let cells = self.cells.len();
        for field in &plan.events.kinds[number].fields {
            let kind = plan.events.fields[*field].kind;
            let cell = self.cell(table, row, event, names.events[*field].bind(py), kind)?;
            self.cells.push(cell);
        }
        self.events.push(Event {
            kind: number,
            at: when,
            id: found,
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
