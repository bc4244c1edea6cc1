//! The compiled conditions of one model, as Python holds them.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::plan::Plan;
use crate::source;

/// See `_edge.pyi`.
#[pyclass(frozen, module = "leadcore_arrow")]
pub struct Program {
    pub plan: Arc<Plan>,
    source: Py<PyBytes>,
}

#[pymethods]
impl Program {
    #[new]
    fn new(py: Python<'_>, source: Bound<'_, PyBytes>) -> PyResult<Self> {
        let text = source.as_bytes();
        let plan = py
            .detach(|| source::parse(text).and_then(Plan::new))
            .map_err(PyValueError::new_err)?;
        Ok(Self {
            plan: Arc::new(plan),
            source: source.unbind(),
        })
    }

    #[getter]
    fn source(&self, py: Python<'_>) -> Py<PyBytes> {
        self.source.clone_ref(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (Py<PyBytes>,)) {
        (slf.get_type(), (slf.get().source.clone_ref(slf.py()),))
    }
}
