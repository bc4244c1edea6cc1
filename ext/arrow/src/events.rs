//! The events table in blocks of codes (spec 2.2, 2.6).

use std::collections::HashMap;
use std::sync::Mutex;

use arrow_array::RecordBatchReader;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::block::Block;
use crate::columns::Wanted;
use crate::event_rows::{Batch, EventRows, Places, TypeNames, TABLE};
use crate::field_plan::FieldPlan;
use crate::field_plan::NO_INSTANT;
use crate::fields::{Fields, NO_KIND, STRETCH};
use crate::identity::{EventId, Identities};
use crate::ids::{IdKind, Ids};
use crate::integers::IntTable;
use crate::plan::Plan;
use crate::rows::{next_batch, table_error, Run, Stream};
use crate::schema::Columns;
use crate::source::Kind;
use crate::texts::DictionaryCodes;

/// An events table being read.
pub struct Events {
    stream: Option<Stream>,
    places: Places,
    batch: Option<Batch>,
    /// Number of the next row.
    row: u64,
    names: TypeNames,
    leads_known: DictionaryCodes,
    id_kind: Option<IdKind>,
    pub identities: Option<Identities>,
    pub contents: bool,
    /// For coded fields that are no text: their distinct values.
    values: Vec<IntTable>,
    fields: Fields,
    rows: EventRows,
    /// Places of the good rows of declared types in the stretch at hand.
    kept: Vec<usize>,
}

impl Events {
    /// Begin to read a table, whose schema must offer every declared column (spec 2.3).
    pub fn open(
        plan: &Plan,
        leads: &mut Ids,
        stream: Box<dyn RecordBatchReader + Send>,
        names: &HashMap<String, String>,
        keep: bool,
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
            leads_known: DictionaryCodes::default(),
            id_kind,
            identities: identities.then(|| Identities::new(side, id_kind, keep)),
            contents,
            values: plan.codes.iter().map(|_| IntTable::default()).collect(),
            fields: Fields::new(side),
            rows: EventRows::default(),
            kept: Vec::new(),
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
            let count = (batch.rows - batch.next).min(STRETCH).min(most - filled);
            self.rows.read(
                run,
                &mut self.names,
                &mut self.leads_known,
                &mut self.fields,
                &batch,
                self.id_kind,
                self.row,
                count,
            );
            self.rows.tell(run.faults);
            if run.faults.failed() {
                // Nothing of a faulty table is used; reading on only finds the other faults.
                filled = 0;
            } else {
                filled = self.write(run, &batch, block, filled)?;
            }
            batch.next += count;
            self.row += count as u64;
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
        block: &mut Block<'_>,
        filled: usize,
    ) -> PyResult<usize> {
        let rows = &self.rows;
        self.kept.clear();
        if rows.whole {
            self.kept.extend(0..rows.kinds.len());
        } else {
            for (i, faulty) in rows
                .faulty
                .iter()
                .enumerate()
                .filter(|(_, faulty)| !**faulty)
            {
                debug_assert!(!faulty);
                if rows.kinds[i] == NO_KIND {
                    self.names.ignore(rows.codes[i]);
                } else {
                    self.kept.push(i);
                }
            }
        }
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
        self.fields.sets(
            side,
            &batch.fields,
            batch.next,
            &rows.kinds,
            kept,
            run.evaluator,
            hits,
        );
        for (field, out) in run.plan.numbers.iter().zip(&mut block.numbers) {
            let values = &self.fields.stretches[*field].numbers;
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
            let stretch = &self.fields.stretches[*field];
            let out = out[filled..to].iter_mut().zip(kept);
            match side.fields[*field].kind {
                Kind::Text => out.for_each(|(slot, i)| *slot = stretch.codes[*i]),
                Kind::Boolean => out.for_each(|(slot, i)| *slot = stretch.classes[*i]),
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
                identities.load(side, kind, &self.fields.stretches, *i, rows.at[*i]);
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
