//! One run: leads, aliases and events in, blocks of codes out.

use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_array::{new_null_array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray1,
    PyReadwriteArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyIndexError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyMapping};
use pyo3_arrow::input::AnyRecordBatch;

use crate::block::{lanes, Block};
use crate::condition::Value;
use crate::errors::{show, Problem};
use crate::evaluate::Evaluator;
use crate::events::Events;
use crate::faults::Faults;
use crate::hits::HitSets;
use crate::ids::Ids;
use crate::kept::code_digests;
use crate::leads;
use crate::order_keys::DIGEST;
use crate::pairs::read_pairs;
use crate::plan::Plan;
use crate::program::Program;
use crate::rows::Run;
use crate::table::Table;

/// No panic crosses the border: a fault of ours is an ordinary exception, and the process goes on.
pub fn guard<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("unknown");
        Err(PyRuntimeError::new_err(format!("internal error: {text}")))
    })
}

fn names_of(columns: &Bound<'_, PyMapping>) -> PyResult<HashMap<String, String>> {
    columns
        .items()?
        .iter()
        .map(|item| item.extract::<(String, String)>())
        .collect()
}

fn table_of(columns: Vec<(&str, ArrayRef, bool)>) -> PyResult<Table> {
    let field = |(name, array, nullable): &(&str, ArrayRef, bool)| {
        Field::new(*name, array.data_type().clone(), *nullable)
    };
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays)
        .map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
    Ok(Table {
        schema,
        batches: vec![batch],
    })
}

type Keys<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray2<u8>>,
);
type Sets<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>);

fn sets_of<'py>(py: Python<'py>, sets: &HitSets) -> Sets<'py> {
    (
        PyArray1::from_slice(py, sets.offsets()),
        PyArray1::from_slice(py, sets.ids()),
    )
}

/// See `_edge.pyi`.
#[pyclass(module = "leadcore_arrow")]
pub struct Encoder {
    plan: Arc<Plan>,
    leads: Ids,
    accounts: Ids,
    faults: Faults,
    lead_rules: Evaluator,
    event_rules: Evaluator,
    events: Option<Events>,
    keep: bool,
    threads: usize,
}

#[pymethods]
impl Encoder {
    #[new]
    #[pyo3(signature = (program, reject = false, keep = false, threads = 1))]
    fn new(program: &Program, reject: bool, keep: bool, threads: usize) -> Self {
        let plan = program.plan.clone();
        let mut of_nulls = Vec::new();
        plan.leads.hits(
            0,
            &vec![Value::Null; plan.leads.fields.len()],
            &mut of_nulls,
        );
        Self {
            lead_rules: Evaluator::new(&plan.leads, &of_nulls, |_| false),
            event_rules: Evaluator::new(&plan.events, &[], |field| plan.codes.contains(&field)),
            plan,
            leads: Ids::default(),
            accounts: Ids::default(),
            faults: Faults::new(reject),
            events: None,
            keep,
            threads,
        }
    }

    #[pyo3(signature = (table, columns, as_of = None))]
    fn read_leads<'py>(
        &mut self,
        py: Python<'py>,
        table: AnyRecordBatch,
        columns: &Bound<'py, PyMapping>,
        as_of: Option<String>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (stream, names) = (table.into_reader()?, names_of(columns)?);
        let read = py.detach(|| {
            guard(|| {
                let mut run = Run {
                    plan: &self.plan,
                    leads: &mut self.leads,
                    evaluator: &mut self.lead_rules,
                    faults: &mut self.faults,
                };
                leads::read_leads(
                    &mut run,
                    &mut self.accounts,
                    stream,
                    &names,
                    as_of.as_deref(),
                )
            })
        })?;
        let out = PyDict::new(py);
        out.set_item("code", read.code.into_pyarray(py))?;
        out.set_item("hits", read.hits.into_pyarray(py))?;
        for (name, column) in [
            ("valid_from", read.valid_from),
            ("created_at", read.created_at),
            ("as_of", read.as_of),
        ] {
            if let Some(column) = column {
                out.set_item(name, column.into_pyarray(py))?;
            }
        }
        if let Some(account) = read.account {
            out.set_item("account", account.into_pyarray(py))?;
        }
        Ok(out)
    }

    fn read_pairs<'py>(
        &mut self,
        py: Python<'py>,
        table: AnyRecordBatch,
        name: &str,
        columns: &Bound<'py, PyMapping>,
        ids: Vec<String>,
        instants: Vec<String>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (stream, names) = (table.into_reader()?, names_of(columns)?);
        let (codes, times) = py.detach(|| {
            guard(|| {
                let mut run = Run {
                    plan: &self.plan,
                    leads: &mut self.leads,
                    evaluator: &mut self.lead_rules,
                    faults: &mut self.faults,
                };
                read_pairs(&mut run, stream, name, &names, &ids, &instants)
            })
        })?;
        let out = PyDict::new(py);
        for (name, column) in ids.iter().zip(codes) {
            out.set_item(name, column.into_pyarray(py))?;
        }
        for (name, column) in instants.iter().zip(times) {
            out.set_item(name, column.into_pyarray(py))?;
        }
        Ok(out)
    }

    fn open_events(
        &mut self,
        py: Python<'_>,
        table: AnyRecordBatch,
        columns: &Bound<'_, PyMapping>,
    ) -> PyResult<(bool, bool)> {
        if self.events.is_some() {
            return Err(PyValueError::new_err("an encoder reads one events table"));
        }
        let (stream, names) = (table.into_reader()?, names_of(columns)?);
        py.detach(|| {
            guard(|| {
                self.faults.open();
                let events = Events::open(
                    &self.plan,
                    &mut self.leads,
                    stream,
                    &names,
                    self.keep,
                    self.threads,
                )?;
                let (identities, contents) = (events.identities.is_some(), events.contents);
                let plan = &self.plan;
                self.event_rules = Evaluator::new(&plan.events, &[], |field| {
                    identities || plan.codes.contains(&field)
                });
                self.events = Some(events);
                Ok((identities, contents))
            })
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn next_block(
        &mut self,
        py: Python<'_>,
        mut lead: PyReadwriteArray1<'_, u32>,
        mut at: PyReadwriteArray1<'_, i64>,
        mut hits: PyReadwriteArray1<'_, u32>,
        mut row: PyReadwriteArray1<'_, i64>,
        mut order: PyReadwriteArray1<'_, u32>,
        mut content: PyReadwriteArray1<'_, u32>,
        mut codes: PyReadwriteArray2<'_, u32>,
        mut numbers: PyReadwriteArray2<'_, f64>,
    ) -> PyResult<usize> {
        let Some(events) = self.events.as_mut() else {
            return Err(PyValueError::new_err("open_events comes first"));
        };
        if !codes.is_c_contiguous() || !numbers.is_c_contiguous() {
            return Err(PyValueError::new_err(
                "codes and numbers must be C-contiguous",
            ));
        }
        let (of_codes, of_numbers) = (codes.shape().to_vec(), numbers.shape().to_vec());
        let mut block = Block {
            lead: lead.as_slice_mut()?,
            at: at.as_slice_mut()?,
            hits: hits.as_slice_mut()?,
            row: row.as_slice_mut()?,
            order: order.as_slice_mut()?,
            content: content.as_slice_mut()?,
            codes: lanes(codes.as_slice_mut()?, &of_codes, self.plan.codes.len())?,
            numbers: lanes(
                numbers.as_slice_mut()?,
                &of_numbers,
                self.plan.numbers.len(),
            )?,
        };
        block.check(events.identities.is_some(), events.contents)?;
        let mut run = Run {
            plan: &self.plan,
            leads: &mut self.leads,
            evaluator: &mut self.event_rules,
            faults: &mut self.faults,
        };
        py.detach(|| guard(|| events.next_block(&mut run, &mut block)))
    }

    fn hit_sets<'py>(&self, py: Python<'py>) -> Sets<'py> {
        sets_of(py, &self.event_rules.sets)
    }

    fn lead_hit_sets<'py>(&self, py: Python<'py>) -> Sets<'py> {
        sets_of(py, &self.lead_rules.sets)
    }

    fn identity_ranks<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyArray1<u32>>, usize)> {
        let Some(identities) = self
            .events
            .as_ref()
            .and_then(|events| events.identities.as_ref())
        else {
            return Ok((PyArray1::from_slice(py, &[]), 0));
        };
        let (ranks, without) =
            py.detach(|| guard(|| Ok(identities.ranks(&self.plan.events, &self.event_rules))))?;
        Ok((ranks.into_pyarray(py), without))
    }

    fn event_ids(&self, py: Python<'_>, identities: PyReadonlyArray1<'_, u32>) -> PyResult<Table> {
        let numbers = identities.as_slice()?;
        let known = self
            .events
            .as_ref()
            .and_then(|events| events.identities.as_ref());
        py.detach(|| {
            guard(|| {
                let column = known.map_or_else(
                    || new_null_array(&DataType::Utf8, numbers.len()),
                    |known| known.column(numbers),
                );
                table_of(vec![("event_id", column, true)])
            })
        })
    }

    fn event_keys<'py>(
        &mut self,
        py: Python<'py>,
        identities: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<Keys<'py>> {
        let numbers = identities.as_slice()?;
        let known = self
            .events
            .as_mut()
            .and_then(|events| events.identities.as_mut());
        let Some(known) = known.filter(|_| self.keep) else {
            return Err(PyValueError::new_err("there are keys only of events kept"));
        };
        let (side, texts) = (&self.plan.events, &self.event_rules.texts);
        let keys = py.detach(|| {
            guard(|| {
                let unknown =
                    |number| PyValueError::new_err(format!("there is no identity {number}"));
                known.keys(side, texts, numbers).map_err(unknown)
            })
        })?;
        Ok((
            keys.offsets.into_pyarray(py),
            keys.data.into_pyarray(py),
            keys.digests
                .into_pyarray(py)
                .reshape([numbers.len(), DIGEST])?,
        ))
    }

    fn code_digests<'py>(
        &self,
        py: Python<'py>,
        place: usize,
    ) -> PyResult<Bound<'py, PyArray2<u8>>> {
        let Some(field) = self.plan.codes.get(place) else {
            let reason = format!("there is no code column {place}");
            return Err(PyIndexError::new_err(reason));
        };
        let kind = self.plan.events.fields[*field].kind;
        let texts = self.event_rules.texts[*field].as_ref();
        let values = self.events.as_ref().and_then(|events| events.values(place));
        let digests = py.detach(|| guard(|| Ok(code_digests(kind, texts, values))))?;
        let codes = digests.len() / DIGEST;
        digests.into_pyarray(py).reshape([codes, DIGEST])
    }

    fn ids(&mut self, py: Python<'_>, codes: PyReadonlyArray1<'_, u32>) -> PyResult<Table> {
        let codes = codes.as_slice()?;
        py.detach(|| {
            let column = self
                .leads
                .column(codes.iter().map(|code| code.wrapping_add(1)));
            table_of(vec![("lead_id", column, false)])
        })
    }

    fn id_ranks<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        py.detach(|| self.leads.ranks()).into_pyarray(py)
    }

    fn find(&self, lead_id: &Bound<'_, PyAny>) -> Option<u32> {
        let code = if let Ok(text) = lead_id.extract::<String>() {
            self.leads.find_text(&text)
        } else if lead_id.is_instance_of::<PyBool>() {
            None
        } else {
            lead_id
                .extract::<i64>()
                .ok()
                .and_then(|id| self.leads.find_integer(id))
        };
        code.map(|code| code - 1)
    }

    fn accounts(&mut self) -> PyResult<Table> {
        let known = self.accounts.len() as u32;
        table_of(vec![("account_id", self.accounts.column(1..=known), false)])
    }

    #[getter]
    fn lead_count(&self) -> usize {
        self.leads.len()
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        out.set_item("rows", &self.faults.rows)?;
        out.set_item("ignored", &self.faults.ignored)?;
        out.set_item("rejected", &self.faults.rejected)?;
        Ok(out)
    }

    fn reject_row(
        &mut self,
        row: u64,
        column: String,
        value: Option<String>,
        reason: String,
        lead: u32,
    ) {
        let (table, value) = (String::from("events"), value.map(|value| show(&value)));
        self.faults.problem(Problem {
            table,
            row: Some(row),
            column: Some(column),
            value,
            reason,
        });
        self.faults.reject_row("events", Some(lead));
    }

    fn rejects(&self) -> PyResult<Table> {
        let problems = &self.faults.problems;
        let text = |of: &dyn Fn(&Problem) -> Option<String>| -> ArrayRef {
            let mut column = StringBuilder::new();
            problems
                .iter()
                .for_each(|problem| column.append_option(of(problem)));
            Arc::new(column.finish())
        };
        let mut rows = Int64Builder::new();
        problems
            .iter()
            .for_each(|problem| rows.append_option(problem.row.map(|row| row as i64)));
        table_of(vec![
            ("table", text(&|problem| Some(problem.table.clone())), false),
            ("row", Arc::new(rows.finish()), true),
            ("column", text(&|problem| problem.column.clone()), true),
            ("value", text(&|problem| problem.value.clone()), true),
            (
                "reason",
                text(&|problem| Some(problem.reason.clone())),
                false,
            ),
        ])
    }

    fn rejected_leads<'py>(
        &self,
        py: Python<'py>,
    ) -> (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>) {
        let mut all: Vec<(u32, i64)> = self
            .faults
            .leads
            .iter()
            .map(|(lead, rows)| (*lead, *rows as i64))
            .collect();
        all.sort_unstable();
        let (leads, rows): (Vec<u32>, Vec<i64>) = all.into_iter().unzip();
        (leads.into_pyarray(py), rows.into_pyarray(py))
    }
}
