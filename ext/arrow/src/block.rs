//! The caller's arrays for one block of events.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The caller's arrays, all of one length, or empty where they are not filled.
pub struct Block<'a> {
    pub lead: &'a mut [u32],
    pub at: &'a mut [i64],
    pub hits: &'a mut [u32],
    pub row: &'a mut [i64],
    pub order: &'a mut [u32],
    pub content: &'a mut [u32],
    pub codes: Vec<&'a mut [u32]>,
    pub numbers: Vec<&'a mut [f64]>,
}

/// The rows of a two-dimensional array of this shape, of which there must be `count`.
pub fn lanes<'a, T>(all: &'a mut [T], shape: &[usize], count: usize) -> PyResult<Vec<&'a mut [T]>> {
    if shape.first() != Some(&count) {
        return Err(PyValueError::new_err(format!(
            "codes and numbers need {count} rows, not {shape:?}"
        )));
    }
    if all.is_empty() {
        return Ok((0..count).map(|_| &mut [] as &mut [T]).collect());
    }
    Ok(all.chunks_exact_mut(all.len() / count).collect())
}

impl Block<'_> {
    /// Every array that will be written is as long as `lead`.
    pub fn check(&self, identities: bool, contents: bool) -> PyResult<()> {
        let rows = self.lead.len();
        let fits = self.at.len() == rows
            && self.hits.len() == rows
            && self.row.len() == rows
            && (!identities || self.order.len() == rows)
            && (!contents || self.content.len() == rows)
            && self.codes.iter().all(|lane| lane.len() == rows)
            && self.numbers.iter().all(|lane| lane.len() == rows);
        if fits {
            Ok(())
        } else {
            Err(PyValueError::new_err(
                "all arrays of a block have the length of lead",
            ))
        }
    }
}
