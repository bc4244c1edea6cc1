//! The Arrow edge of leadcore: ids to codes, conditions to hit sets, tables in and out.

mod block;
mod blocks;
mod build;
mod calendar;
mod capsule;
mod cells;
mod chunks;
mod classifier;
mod columns;
mod common_types;
mod condition;
mod csv_records;
mod document;
mod document_json;
mod document_yaml;
mod encoder;
mod errors;
mod evaluate;
mod event_rows;
mod events;
mod faults;
mod field_plan;
mod fields;
mod files;
mod fold;
mod from_python;
mod functions;
mod hits;
mod identity;
mod ids;
mod instants;
mod integers;
mod json_columns;
mod kept;
mod lead_arrays;
mod leads;
mod lexical;
mod lines;
mod literals;
mod mappings;
mod numbers;
mod numpy_column;
mod one_event;
mod one_lead;
mod order_keys;
mod pairs;
mod path_columns;
mod patterns;
mod plan;
mod program;
mod read_csv;
mod read_jsonl;
mod read_parquet;
mod reader;
mod refused;
mod rows;
mod scalars;
mod schema;
mod slots;
mod small_rows;
mod source;
mod strings;
mod table;
mod table_file;
mod text;
mod text_columns;
mod texts;
mod uuids;
mod values;
mod write;
mod write_csv;
mod write_jsonl;
mod write_values;

use pyo3::prelude::*;

/// The compiled module; `_edge.pyi` says what each name does.
#[pymodule(gil_used = false)]
fn _edge(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("EdgeError", m.py().get_type::<errors::EdgeError>())?;
    m.add_class::<classifier::Classifier>()?;
    m.add_class::<encoder::Encoder>()?;
    m.add_class::<program::Program>()?;
    m.add_class::<table::Table>()?;
    m.add_function(wrap_pyfunction!(document::document_events, m)?)?;
    m.add_function(wrap_pyfunction!(from_python::from_python, m)?)?;
    m.add_function(wrap_pyfunction!(functions::check_pattern, m)?)?;
    m.add_function(wrap_pyfunction!(functions::fold_text, m)?)?;
    m.add_function(wrap_pyfunction!(functions::match_text, m)?)?;
    m.add_function(wrap_pyfunction!(lines::lines_of_rows, m)?)?;
    m.add_class::<reader::TableReader>()?;
    m.add_function(wrap_pyfunction!(write::write_table, m)?)?;
    Ok(())
}
