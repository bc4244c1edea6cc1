//! Which lines of a text file its rows are: told by reading it again with the splitter of its reader.

use std::io;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::blocks::{Blocks, Source, BLOCK};
use crate::read_csv::CsvLines;
use crate::read_jsonl::JsonLines;
use crate::refused::Refused;
use crate::table_file::Format;

/// See `_edge.pyi`.
#[pyfunction]
pub fn lines_of_rows(
    py: Python<'_>,
    path: String,
    format: String,
    rows: Vec<u64>,
) -> PyResult<Vec<u64>> {
    if rows.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(PyValueError::new_err("rows are to ascend"));
    }
    py.detach(|| find(&path, &format, &rows))
        .map_err(|refused| refused.raised(&path))
}

fn find(path: &str, format: &str, rows: &[u64]) -> Result<Vec<u64>, Refused> {
    let open = || Blocks::open(Source::open(path)?, BLOCK);
    match Format::of(format) {
        Some(Format::Csv) => pick(CsvLines::open(open()?)?.map_err(Refused::Form)?, rows),
        Some(Format::Jsonl) => pick(JsonLines::new(open()?), rows),
        _ => Err(Refused::Form(format!("no format of lines: {format}"))),
    }
}

fn pick(
    mut lines: impl Iterator<Item = io::Result<u64>>,
    rows: &[u64],
) -> Result<Vec<u64>, Refused> {
    let mut found = Vec::with_capacity(rows.len());
    let (mut read, mut line) = (0, 0);
    for row in rows {
        while read <= *row {
            let Some(next) = lines.next() else {
                let reason = format!("there is no row {row}: the file has {read}");
                return Err(Refused::Form(reason));
            };
            line = next?;
            read += 1;
        }
        found.push(line);
    }
    Ok(found)
}
