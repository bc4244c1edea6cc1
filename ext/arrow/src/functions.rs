//! Text functions the model checker and the reference engine share with the edge.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::encoder::guard;
use crate::fold::fold;
use crate::patterns::{refusal, LARGEST_TOGETHER};
use crate::text::{has, TextOp, TextTest, TextTests};

/// See `_edge.pyi`.
#[pyfunction]
pub fn fold_text(text: &str) -> String {
    fold(text).into_owned()
}

/// See `_edge.pyi`.
#[pyfunction]
pub fn check_pattern(
    py: Python<'_>,
    pattern: &str,
    case_sensitive: bool,
) -> PyResult<Option<String>> {
    py.detach(|| guard(|| Ok(refusal(pattern, !case_sensitive))))
}

/// See `_edge.pyi`.
#[pyfunction]
pub fn match_text(
    py: Python<'_>,
    op: &str,
    values: Vec<String>,
    case_sensitive: bool,
    texts: Vec<String>,
) -> PyResult<Vec<bool>> {
    let op =
        TextOp::parse(op).ok_or_else(|| PyValueError::new_err(format!("{op} is no op of text")))?;
    py.detach(|| {
        guard(|| {
            let mut tests = TextTests::default();
            let test = tests.add(TextTest {
                op,
                values,
                fold: !case_sensitive,
            });
            let mut left = LARGEST_TOGETHER;
            tests.compile(&mut left).map_err(PyValueError::new_err)?;
            Ok(texts
                .iter()
                .map(|text| has(tests.answer(text).words(), test))
                .collect())
        })
    })
}
