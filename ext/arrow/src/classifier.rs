//! Classes of the values of single events: what a caller remembers so as not to ask again.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::condition::Value;
use crate::encoder::guard;
use crate::evaluate::{number_value, Classes, NO_CLASS};
use crate::one_event::{words, OneEvent};
use crate::one_lead::Names;
use crate::plan::Plan;
use crate::program::Program;
use crate::scalars::Cell;
use crate::source::Kind;
use crate::text::Answer;

/// One declared field of a type: see `Classifier.kinds` in `_edge.pyi`.
type FieldOf = (String, &'static str, bool, i64, Vec<f64>, Vec<i64>);

/// What `Classifier.read` returns, see `_edge.pyi`.
type Read<'py> = (
    i64,
    Option<Bound<'py, PyBytes>>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// See `_edge.pyi`.
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct Classifier {
    plan: Arc<Plan>,
    names: Names,
    /// By event field: the answers its texts got so far.
    answers: Mutex<Vec<Classes>>,
}

#[pymethods]
impl Classifier {
    #[new]
    fn new(py: Python<'_>, program: &Program) -> Self {
        let plan = Arc::clone(&program.plan);
        let classes = plan.events.fields.iter().map(|_| Classes::default());
        Self {
            names: Names::new(py, &plan),
            answers: Mutex::new(classes.collect()),
            plan,
        }
    }

    fn kinds(&self) -> Vec<(String, Vec<FieldOf>)> {
        let side = &self.plan.events;
        let number_of = |field: usize| self.plan.numbers.iter().position(|one| *one == field);
        let kinds = side.kinds.iter().map(|kind| {
            let fields = kind.fields.iter().map(|number| {
                let field = &side.fields[*number];
                (
                    field.name.clone(),
                    name_of(field.kind),
                    kind.reads.contains(number),
                    number_of(*number).map_or(-1, |place| place as i64),
                    field.numbers.clone(),
                    field.instants.clone(),
                )
            });
            (kind.name.clone(), fields.collect())
        });
        kinds.collect()
    }

    fn read<'py>(
        &self,
        py: Python<'py>,
        r#type: &Bound<'py, PyAny>,
        at: &Bound<'py, PyAny>,
        properties: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Read<'py>>> {
        guard(|| {
            let none = py.None().into_bound(py);
            let event = OneEvent::read(&self.plan, &self.names, r#type, at, properties, &none)?;
            event.map(|event| self.classes_of(py, &event)).transpose()
        })
    }
}

impl Classifier {
    fn classes_of<'py>(&self, py: Python<'py>, event: &OneEvent<'py>) -> PyResult<Read<'py>> {
        let side = &self.plan.events;
        let kind = &side.kinds[event.kind];
        let cell = |field: usize| {
            let place = kind.place(field);
            place
                .and_then(|place| event.cells().get(place))
                .unwrap_or(&Cell::Null)
        };
        let answer = |field: &usize| match cell(*field) {
            Cell::Text(_) => side.fields[*field].tests.answer(cell(*field).text()),
            _ => Answer::default(),
        };
        let reads = kind
            .fields
            .iter()
            .filter(|field| kind.reads.contains(field));
        let answers: Vec<(usize, Answer)> = reads.map(|field| (*field, answer(field))).collect();
        let mut row = vec![Value::Null; side.fields.len()];
        let mut classes = Vec::with_capacity(answers.len());
        // Nothing below runs Python code while the classes are locked.
        let mut known = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        for (field, answer) in &answers {
            let (value, class) = match cell(*field) {
                Cell::Null => (Value::Null, 0),
                Cell::Text(_) => (
                    Value::Text(answer.words()),
                    known[*field].class(answer.clone()),
                ),
                Cell::Number(number) => (
                    number_value(*number),
                    side.fields[*field].number_class(*number),
                ),
                Cell::Boolean(boolean) => (Value::Boolean(*boolean), 1 + u32::from(*boolean)),
                Cell::Instant(instant) => (
                    Value::Instant(*instant),
                    side.fields[*field].instant_class(*instant),
                ),
            };
            row[*field] = value;
            classes.push(class);
        }
        drop(known);
        let mut hits = Vec::new();
        side.hits(event.kind, &row, &mut hits);

        let number = |field: &usize| match cell(*field) {
            Cell::Number(number) => number.to_le_bytes(),
            _ => f64::NAN.to_le_bytes(),
        };
        let numbers = words(
            py,
            self.plan.numbers.len(),
            self.plan.numbers.iter().map(number),
        )?;
        let hits = words(py, hits.len(), hits.iter().map(|hit| hit.to_le_bytes()))?;
        let known = !classes.contains(&NO_CLASS);
        let classes = known
            .then(|| {
                words(
                    py,
                    classes.len(),
                    classes.iter().map(|class| class.to_le_bytes()),
                )
            })
            .transpose()?;
        Ok((event.at, classes, hits, numbers))
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Instant => "instant",
    }
}
