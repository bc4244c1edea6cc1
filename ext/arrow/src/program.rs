//! The compiled conditions of one model, as Python holds them.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::encoder::guard;
use crate::lead_arrays::{Encoded, Memory};
use crate::one_lead::{Names, OneLead};
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
            match self.memory.try_lock() {
                Ok(mut memory) => {
                    memory.tidy(&self.plan);
                    lead.encode(py, &self.plan, &mut memory)
                }
                Err(_) => lead.encode(py, &self.plan, &mut Memory::new(&self.plan)),
            }
        })
    }
}
