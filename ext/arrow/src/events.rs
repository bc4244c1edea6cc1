//! The events table in blocks of codes (spec 2.2, 2.6).

use std::collections::HashMap;
use std::sync::Mutex;

use arrow_array::RecordBatchReader;
use pyo3::exceptions::{PyOverflowError, PyRuntimeError};
use pyo3::prelude::*;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::block::Block;
use crate::columns::Wanted;
use crate::event_rows::{Batch, EventRows, Known, Places, TypeNames, TABLE};
use crate::field_plan::FieldPlan;
use crate::field_plan::NO_INSTANT;
use crate::fields::STRETCH;
use crate::identity::{EventId, Identities};
use crate::ids::{IdKind, Ids};
use crate::integers::IntTable;
use crate::plan::Plan;
use crate::rows::{next_batch, table_error, Run, Stream};
use crate::schema::Columns;
use crate::source::Kind;

/// Stretches looked at side by side, by thread: so many that a wait for the slowest costs little.
const STRETCHES: usize = 12;
/// Rows from which on more than one thread is used.
const WORTH_THREADS: u64 = 100_000;

/// An events table being read.
pub struct Events {
    stream: Option<Stream>,
    places: Places,
    batch: Option<Batch>,
    /// Number of the next row.
    row: u64,
    names: TypeNames,
    id_kind: Option<IdKind>,
    pub identities: Option<Identities>,
    pub contents: bool,
    /// For coded fields that are no text: their distinct values.
    values: Vec<IntTable>,
    /// Stretches at hand.
    rows: Vec<EventRows>,
    threads: usize,
    pool: Option<ThreadPool>,
    /// Places of the good rows of declared types in a stretch, and their hit sets.
    kept: Vec<usize>,
    sets: Vec<u32>,
}

impl Events {
    /// Begin to read a table, whose schema must offer every declared column (spec 2.3).
    pub fn open(
        plan: &Plan,
        leads: &mut Ids,
        stream: Box<dyn RecordBatchReader + Send>,
        names: &HashMap<String, String>,
        keep: bool,
        threads: usize,
    ) -> PyResult<Self> {
        let mut columns = Columns::new(TABLE, stream.as_ref(), names);
        let lead = columns.find_ids("lead_id", true, leads);
        let at = columns.find("at", Wanted::Instant, true);
        let kind = columns.find("type", Wanted::Text, true);
        let event_id = columns.find("event_id", Wanted::Id, false);
        let problem = columns.find_problems();
        let side = &plan.events;
        let mut field =
            |field: &FieldPlan| columns.find(&field.name, field.kind.into(), !field.optional);
        let fields = side.fields.iter().map(&mut field).collect();
        let id_kind = event_id.as_ref().and_then(|place| columns.id_kind(place));
        columns.check()?;
        let (Some(lead), Some(at), Some(kind)) = (lead, at, kind) else {
            return Err(table_error(
                TABLE,
                String::from("lead_id, at and type are required"),
            ));
        };
        let identities = keep || plan.ordered || event_id.is_some();
        // What is kept has the content of a row with an id as a digest.
        let contents = event_id.is_some() && !keep;
        Ok(Self {
            stream: Some(Mutex::new(stream)),
            places: Places {
                lead,
                at,
                kind,
                event_id,
                problem,
                fields,
            },
            batch: None,
            row: 0,
            names: TypeNames::new(side),
            id_kind,
            identities: identities.then(|| Identities::new(side, id_kind, keep)),
            contents,
            values: plan.codes.iter().map(|_| IntTable::default()).collect(),
            rows: vec![EventRows::new(side)],
            threads,
            pool: None,
            kept: Vec::new(),
            sets: Vec::new(),
        })
    }

    /// The distinct values of a code column that is no text.
    pub fn values(&self, number: usize) -> Option<&IntTable> {
        self.values.get(number)
    }

    /// Fill a block; the number of rows filled, 0 at the end of the table.
    pub fn next_block(&mut self, run: &mut Run<'_>, block: &mut Block<'_>) -> PyResult<usize> {
        let most = block.lead.len();
        let mut filled = 0;
        while filled < most {
            if self.batch.is_none() && !self.pull()? {
                break;
            }
            let Some(mut batch) = self.batch.take() else {
                break;
            };
            let most = (batch.rows - batch.next).min(most - filled);
            let used = self.look(run, &batch, most)?;
            let mut rows = std::mem::take(&mut self.rows);
            for stretch in &mut rows[..used] {
                stretch.learn(run, &mut self.names, &batch, self.id_kind);
                stretch.tell(run.faults);
                if run.faults.failed() {
                    // Nothing of a faulty table is used; reading on only finds the other faults.
                    filled = 0;
                } else {
                    filled = self.write(run, &batch, stretch, block, filled)?;
                }
                batch.next += stretch.kinds.len();
                self.row += stretch.kinds.len() as u64;
            }
            self.rows = rows;
            if batch.next < batch.rows {
                self.batch = Some(batch);
            }
        }
        run.faults.rows.insert(TABLE.to_string(), self.row);
        self.names.tell(run.faults);
        if filled == 0 && self.stream.is_none() {
            run.faults.close()?;
        }
        Ok(filled)
    }

    /// Look at the next stretches of a batch, at most so many rows; how many there are. Where it pays they are looked at
    /// side by side.
    fn look(&mut self, run: &Run<'_>, batch: &Batch, most: usize) -> PyResult<usize> {
        let mut wide = 1;
        if self.threads > 1 && self.row >= WORTH_THREADS {
            wide = self.threads * STRETCHES;
            if self.pool.is_none() {
                let pool = ThreadPoolBuilder::new().num_threads(self.threads).build();
                let failed =
                    |error: ThreadPoolBuildError| PyRuntimeError::new_err(error.to_string());
                self.pool = Some(pool.map_err(failed)?);
                let new = || EventRows::new(&run.plan.events);
                self.rows.resize_with(wide, new);
            }
        }
        let known = Known {
            plan: run.plan,
            leads: run.leads,
            names: &self.names,
            evaluator: run.evaluator,
            batch,
        };
        let used = most.div_ceil(STRETCH).min(wide);
        let (start, row) = (batch.next, self.row);
        let look = |(i, stretch): (usize, &mut EventRows)| {
            let before = i * STRETCH;
            let count = (most - before).min(STRETCH);
            stretch.look(known, start + before, row + before as u64, count);
        };
        let rows = &mut self.rows[..used];
        match &self.pool {
            Some(pool) if used > 1 => {
                pool.install(|| rows.par_iter_mut().enumerate().for_each(look));
            }
            _ => rows.iter_mut().enumerate().for_each(look),
        }
        Ok(used)
    }

    /// Fetch the next batch; false at the end of the stream.
    fn pull(&mut self) -> PyResult<bool> {
        let Some(stream) = &mut self.stream else {
            return Ok(false);
        };
        let batch = next_batch(TABLE, stream).and_then(|batch| {
            let new = |batch| Batch::new(&self.places, &batch);
            batch
                .map(new)
                .transpose()
                .map_err(|reason| table_error(TABLE, reason))
        });
        if !matches!(batch, Ok(Some(_))) {
            self.stream = None;
        }
        self.batch = batch?;
        Ok(self.batch.is_some())
    }

    /// Write the good rows of a stretch into the block, from `filled` on; how far it is filled then.
    fn write(
        &mut self,
        run: &mut Run<'_>,
        batch: &Batch,
        rows: &EventRows,
        block: &mut Block<'_>,
        filled: usize,
    ) -> PyResult<usize> {
        rows.kept(&mut self.names, &mut self.kept, &mut self.sets);
        let kept = self.kept.as_slice();
        let to = filled + kept.len();
        let (lead, at) = (&mut block.lead[filled..to], &mut block.at[filled..to]);
        let row = block.row[filled..to].iter_mut();
        if rows.whole {
            lead.iter_mut()
                .zip(&rows.leads)
                .for_each(|(slot, code)| *slot = code - 1);
            at.copy_from_slice(&rows.at);
            row.zip(self.row as i64..)
                .for_each(|(slot, row)| *slot = row);
        } else {
            lead.iter_mut()
                .zip(kept)
                .for_each(|(slot, i)| *slot = rows.leads[*i] - 1);
            at.iter_mut()
                .zip(kept)
                .for_each(|(slot, i)| *slot = rows.at[*i]);
            row.zip(kept)
                .for_each(|(slot, i)| *slot = self.row as i64 + *i as i64);
        }
        let (side, hits) = (&run.plan.events, &mut block.hits[filled..to]);
        let (fields, columns) = (&rows.fields, &batch.fields);
        hits.copy_from_slice(&self.sets);
        fields.sets(
            side,
            columns,
            batch.next,
            &rows.kinds,
            kept,
            run.evaluator,
            hits,
        );
        for (field, out) in run.plan.numbers.iter().zip(&mut block.numbers) {
            let values = &rows.fields.stretches[*field].numbers;
            out[filled..to]
                .iter_mut()
                .zip(kept)
                .for_each(|(slot, i)| *slot = values[*i]);
        }
        let coded = run
            .plan
            .codes
            .iter()
            .zip(&mut block.codes)
            .zip(&mut self.values);
        for ((field, out), table) in coded {
            let stretch = &rows.fields.stretches[*field];
            let out = out[filled..to].iter_mut().zip(kept);
            match side.fields[*field].kind {
                Kind::Text => out.for_each(|(slot, i)| *slot = stretch.codes[*i]),
                Kind::Boolean => out.for_each(|(slot, i)| *slot = rows.fields.class(*field, *i)),
                Kind::Number => out.for_each(|(slot, i)| {
                    let value = stretch.numbers[*i];
                    *slot = if value.is_nan() {
                        0
                    } else {
                        table.code(value.to_bits() as i64)
                    };
                }),
                Kind::Instant => out.for_each(|(slot, i)| {
                    let value = stretch.instants[*i];
                    *slot = if value == NO_INSTANT {
                        0
                    } else {
                        table.code(value)
                    };
                }),
            }
        }
        if let Some(identities) = &mut self.identities {
            for (place, i) in (filled..to).zip(kept) {
                if identities.full() {
                    let reason = "more than four thousand million identities in one run";
                    return Err(PyOverflowError::new_err(reason));
                }
                let kind = rows.kinds[*i] as usize;
                let id = match &batch.event_id {
                    Some(_) if self.id_kind == Some(IdKind::Integer) => {
                        rows.integers[*i].map(EventId::Integer)
                    }
                    Some(ids) => {
                        let texts = ids.texts.as_ref();
                        texts
                            .and_then(|texts| texts.get(batch.next + i))
                            .map(EventId::Text)
                    }
                    None => None,
                };
                identities.load(side, kind, fields, *i, rows.at[*i]);
                let number = identities.order(kind, id);
                identities.keep(side, kind, number, id, &run.evaluator.texts);
                block.order[place] = number;
                if self.contents {
                    block.content[place] = identities.content(kind);
                }
            }
        }
        Ok(to)
    }
}
