//! The Arrow edge of leadcore: ids to codes, conditions to hit sets, tables in and out.

mod errors;
mod table;

use pyo3::prelude::*;

/// The compiled module; `_edge.pyi` says what each name does.
#[pymodule(gil_used = false)]
fn _edge(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("EdgeError", m.py().get_type::<errors::EdgeError>())?;
    m.add_class::<table::Table>()?;
    Ok(())
}
