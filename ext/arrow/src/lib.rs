//! The Arrow edge of leadcore: ids to codes, conditions to hit sets, tables in and out.

mod columns;
mod condition;
mod encoder;
mod errors;
mod evaluate;
mod events;
mod faults;
mod fields;
mod fold;
mod hits;
mod identity;
mod ids;
mod instants;
mod integers;
mod leads;
mod lexical;
mod patterns;
mod plan;
mod program;
mod rows;
mod schema;
mod source;
mod strings;
mod table;
mod text;
mod texts;

use pyo3::prelude::*;

/// The compiled module; `_edge.pyi` says what each name does.
#[pymodule(gil_used = false)]
fn _edge(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("EdgeError", m.py().get_type::<errors::EdgeError>())?;
    m.add_class::<encoder::Encoder>()?;
    m.add_class::<program::Program>()?;
    m.add_class::<table::Table>()?;
    Ok(())
}
