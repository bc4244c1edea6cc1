//! One lead as the arrays of `Program.encode_lead`.

use std::cmp::Ordering;

use hashbrown::HashMap;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::condition::Value;
use crate::evaluate::{number_value, Evaluator, TextMemory};
use crate::one_event::Buffers;
use crate::one_lead::{Event, OneLead};
use crate::plan::{Plan, Side};
use crate::scalars::{Cell, Id};

/// Ids rank from here on, events without one below.
const FIRST_ID: u32 = 1 << 31;
/// Hit sets, texts of a field and their bytes kept between calls: beyond it the memory of all calls starts afresh. Few
/// enough that no call waits for a large table to grow.
const MOST_SETS: usize = 65_536;
const MOST_TEXTS: usize = 32_768;
const MOST_BYTES: usize = 16 << 20;

/// What calls remember for each other: answers of tests, never results.
pub struct Memory {
    pub leads: Evaluator,
    pub events: Evaluator,
    pub buffers: Buffers,
}

impl Memory {
    pub fn new(plan: &Plan) -> Self {
        Self {
            leads: Evaluator::new(&plan.leads, &[], |_| false),
            events: Evaluator::new(&plan.events, &[], |_| false),
            buffers: Buffers::default(),
        }
    }

    /// The hits of a lead's attributes, one cell for each field.
    pub fn lead_hits(&mut self, side: &Side, cells: &[Cell<'_>]) -> &[u32] {
        let cell = |field: usize| cells.get(field).unwrap_or(&Cell::Null);
        let set = set_of(side, 0, &mut self.leads, &mut self.buffers.classes, cell);
        self.leads.sets.get(set)
    }

    /// Forget if there is too much to remember.
    pub fn tidy(&mut self, plan: &Plan) {
        let long = |memory: &TextMemory| {
            memory.strings.len() > MOST_TEXTS || memory.strings.size() > MOST_BYTES
        };
        let large =
            |side: &Evaluator| side.sets.len() > MOST_SETS || side.texts.iter().flatten().any(long);
        if large(&self.leads) || large(&self.events) {
            *self = Self::new(plan);
        }
    }
}

/// The hit set number of a row of cells.
pub fn set_of<'a, 'py: 'a>(
    side: &Side,
    kind: usize,
    evaluator: &mut Evaluator,
    classes: &mut Vec<u32>,
    cell: impl Fn(usize) -> &'a Cell<'py> + Copy,
) -> u32 {
    classes.clear();
    classes.resize(side.fields.len(), 0);
    for field in &side.kinds[kind].reads {
        classes[*field] = match cell(*field) {
            Cell::Null => 0,
            Cell::Text(text) => evaluator.text_class(side, *field, text.to_str().unwrap_or("")),
            Cell::Number(number) => side.fields[*field].number_class(*number),
            Cell::Boolean(boolean) => 1 + u32::from(*boolean),
            Cell::Instant(instant) => side.fields[*field].instant_class(*instant),
        };
    }
    let value = |field: usize| match cell(field) {
        Cell::Null | Cell::Text(_) => Value::Null,
        Cell::Number(number) => number_value(*number),
        Cell::Boolean(boolean) => Value::Boolean(*boolean),
        Cell::Instant(instant) => Value::Instant(*instant),
    };
    evaluator.set(
        side,
        kind,
        |field| classes[field],
        value,
        |field| cell(field).text(),
    )
}

fn compare(a: &[Cell<'_>], b: &[Cell<'_>]) -> Ordering {
    let one = |pair: (&Cell<'_>, &Cell<'_>)| match pair {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Less,
        (_, Cell::Null) => Ordering::Greater,
        (Cell::Boolean(a), Cell::Boolean(b)) => a.cmp(b),
        (Cell::Instant(a), Cell::Instant(b)) => a.cmp(b),
        (Cell::Number(a), Cell::Number(b)) => a.total_cmp(b),
        (a, b) => a.text().cmp(b.text()),
    };
    a.iter()
        .zip(b)
        .map(one)
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Sort places and number the groups of equal ones.
fn number(
    mut places: Vec<usize>,
    first: u32,
    out: &mut [u32],
    order: impl Fn(usize, usize) -> Ordering,
) {
    places.sort_by(|a, b| order(*a, *b));
    let mut rank = first;
    for (i, place) in places.iter().enumerate() {
        if i > 0 && order(places[i - 1], *place).is_ne() {
            rank += 1;
        }
        out[*place] = rank;
    }
}

type Column<'py, T> = Bound<'py, PyArray1<T>>;

/// What `Program.encode_lead` returns, see `_edge.pyi`.
pub type Encoded<'py> = (
    Column<'py, u32>,
    Column<'py, i64>,
    Column<'py, u32>,
    Column<'py, i64>,
    Column<'py, u32>,
    Option<Column<'py, u32>>,
    Option<Column<'py, u32>>,
    Bound<'py, PyArray2<u32>>,
    Bound<'py, PyArray2<f64>>,
    usize,
);

impl<'py> OneLead<'py> {
    /// Everything as arrays.
    pub fn encode(
        &self,
        py: Python<'py>,
        plan: &Plan,
        memory: &mut Memory,
    ) -> PyResult<Encoded<'py>> {
        let lead_hits = memory.lead_hits(&plan.leads, &self.attributes);
        let lead_hits = PyArray1::from_slice(py, lead_hits);

        let at: Vec<i64> = self.events.iter().map(|event| event.at).collect();
        let mut sets: Vec<u32> = vec![0];
        let mut locals: HashMap<u32, u32> = HashMap::from([(0, 0)]);
        let mut hits = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let cell = |field: usize| self.at_field(plan, event, field);
            let set = set_of(
                &plan.events,
                event.kind,
                &mut memory.events,
                &mut memory.buffers.classes,
                cell,
            );
            hits.push(*locals.entry(set).or_insert_with(|| {
                sets.push(set);
                sets.len() as u32 - 1
            }));
        }
        let (mut offsets, mut hit_ids) = (vec![0i64], Vec::new());
        for set in &sets {
            hit_ids.extend_from_slice(memory.events.sets.get(*set));
            offsets.push(hit_ids.len() as i64);
        }

        let with_ids = self.events.iter().any(|event| event.id.is_some());
        let order = (plan.ordered || with_ids)
            .then(|| self.order(plan))
            .transpose()?;
        let content = with_ids.then(|| self.content(plan));
        let count = self.events.len();
        let mut codes = Vec::with_capacity(plan.codes.len() * count);
        plan.codes
            .iter()
            .for_each(|field| self.codes(plan, *field, &mut codes));
        let number = |cell: &Cell<'py>| match cell {
            Cell::Number(number) => *number,
            _ => f64::NAN,
        };
        let numbers: Vec<f64> = plan
            .numbers
            .iter()
            .flat_map(|field| {
                self.events
                    .iter()
                    .map(|event| number(self.at_field(plan, event, *field)))
            })
            .collect();
        Ok((
            lead_hits,
            at.into_pyarray(py),
            hits.into_pyarray(py),
            offsets.into_pyarray(py),
            hit_ids.into_pyarray(py),
            order.map(|order| order.into_pyarray(py)),
            content.map(|content| content.into_pyarray(py)),
            codes.into_pyarray(py).reshape([plan.codes.len(), count])?,
            numbers
                .into_pyarray(py)
                .reshape([plan.numbers.len(), count])?,
            self.ignored,
        ))
    }

    /// Ranks in canonical order (spec 2.4).
    fn order(&self, plan: &Plan) -> PyResult<Vec<u32>> {
        let mut ranks = vec![0; self.events.len()];
        let (with, without): (Vec<usize>, Vec<usize>) =
            (0..self.events.len()).partition(|place| self.events[*place].id.is_some());
        number(without, 0, &mut ranks, |a, b| {
            let (a, b) = (&self.events[a], &self.events[b]);
            let name = |event: &Event<'py>| &plan.events.kinds[event.kind].name;
            name(a)
                .cmp(name(b))
                .then_with(|| compare(self.row(plan, a), self.row(plan, b)))
        });
        let texts = with
            .iter()
            .filter(|place| matches!(self.events[**place].id, Some(Id::Text(_))))
            .count();
        if texts != 0 && texts != with.len() {
            return Err(PyTypeError::new_err("event_id holds integers and text"));
        }
        number(with, FIRST_ID, &mut ranks, |a, b| {
            match (&self.events[a].id, &self.events[b].id) {
                (Some(Id::Integer(a)), Some(Id::Integer(b))) => a.cmp(b),
                (Some(Id::Text(a)), Some(Id::Text(b))) => {
                    a.to_str().unwrap_or("").cmp(b.to_str().unwrap_or(""))
                }
                _ => Ordering::Equal,
            }
        });
        Ok(ranks)
    }

    /// Equal numbers for equal instant, type and properties (spec 2.5).
    fn content(&self, plan: &Plan) -> Vec<u32> {
        let mut numbers = vec![0; self.events.len()];
        number((0..self.events.len()).collect(), 0, &mut numbers, |a, b| {
            let (a, b) = (&self.events[a], &self.events[b]);
            let head = (a.at, a.kind).cmp(&(b.at, b.kind));
            head.then_with(|| compare(self.row(plan, a), self.row(plan, b)))
        });
        numbers
    }

    /// Dense codes of a field by exact value, 0 for null.
    fn codes(&self, plan: &Plan, field: usize, out: &mut Vec<u32>) {
        let mut texts: HashMap<&str, u32> = HashMap::new();
        let mut others: HashMap<i64, u32> = HashMap::new();
        for event in &self.events {
            let (next_text, next) = (texts.len() as u32 + 1, others.len() as u32 + 1);
            out.push(match self.at_field(plan, event, field) {
                Cell::Null => 0,
                Cell::Text(text) => *texts
                    .entry(text.to_str().unwrap_or(""))
                    .or_insert(next_text),
                Cell::Number(number) => *others.entry(number.to_bits() as i64).or_insert(next),
                Cell::Boolean(boolean) => *others.entry(i64::from(*boolean)).or_insert(next),
                Cell::Instant(instant) => *others.entry(*instant).or_insert(next),
            });
        }
    }
}
