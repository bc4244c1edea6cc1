//! The compiled conditions of one model, as Python holds them.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::encoder::guard;
use crate::lead_arrays::{Encoded, Memory};
use crate::mappings::check;
use crate::one_event::{self, words, OneEvent};
use crate::one_lead::{read_attributes, Names, OneLead};
use crate::plan::Plan;
use crate::source;

/// See `_edge.pyi`.
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct Program {
    pub plan: Arc<Plan>,
    source: Py<PyBytes>,
    names: Names,
    memory: Mutex<Memory>,
}

#[pymethods]
impl Program {
    #[new]
    fn new(py: Python<'_>, source: Bound<'_, PyBytes>) -> PyResult<Self> {
        let text = source.as_bytes();
        let plan = py
            .detach(|| source::parse(text).and_then(Plan::new))
            .map_err(PyValueError::new_err)?;
        let (names, memory) = (Names::new(py, &plan), Mutex::new(Memory::new(&plan)));
        Ok(Self {
            plan: Arc::new(plan),
            source: source.unbind(),
            names,
            memory,
        })
    }

    #[getter]
    fn source(&self, py: Python<'_>) -> Py<PyBytes> {
        self.source.clone_ref(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (Py<PyBytes>,)) {
        (slf.get_type(), (slf.get().source.clone_ref(slf.py()),))
    }

    fn encode_lead<'py>(
        &self,
        py: Python<'py>,
        attributes: &Bound<'py, PyAny>,
        events: &Bound<'py, PyAny>,
    ) -> PyResult<Encoded<'py>> {
        guard(|| {
            // Values are read before the memory is locked: reading may run Python code, and that other threads.
            let lead = OneLead::read(&self.plan, &self.names, attributes, events)?;
            self.with_memory(|memory| lead.encode(py, &self.plan, memory))
        })
    }

    fn encode_event<'py>(
        &self,
        py: Python<'py>,
        r#type: &Bound<'py, PyAny>,
        at: &Bound<'py, PyAny>,
        properties: Option<&Bound<'py, PyAny>>,
        event_id: &Bound<'py, PyAny>,
    ) -> PyResult<Option<one_event::Encoded<'py>>> {
        guard(|| {
            let (plan, names) = (&self.plan, &self.names);
            let event = OneEvent::read(plan, names, r#type, at, properties, event_id)?;
            event
                .map(|event| self.with_memory(|memory| event.encode(py, plan, memory)))
                .transpose()
        })
    }

    fn encode_attributes<'py>(
        &self,
        py: Python<'py>,
        attributes: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        guard(|| {
            let mut problems = Vec::new();
            let cells = read_attributes(&self.plan, &self.names, attributes, &mut problems)?;
            check(&problems)?;
            self.with_memory(|memory| {
                let side = &self.plan.leads;
                let hits = memory.lead_hits(side, &cells);
                words(py, hits.len(), hits.iter().map(|hit| hit.to_le_bytes()))
            })
        })
    }
}

impl Program {
    /// Work with what calls remember; a call that finds it in use starts from nothing.
    fn with_memory<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        match self.memory.try_lock() {
            Ok(mut memory) => {
                memory.tidy(&self.plan);
                work(&mut memory)
            }
            Err(_) => work(&mut Memory::new(&self.plan)),
        }
    }
}
