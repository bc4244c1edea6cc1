//! Small tables of lead ids and instants, read whole: `as_of` and `aliases` (spec 2.8).

use std::collections::HashMap;
use std::sync::Mutex;

use arrow_array::RecordBatchReader;
use pyo3::prelude::*;

use crate::columns::Wanted;
use crate::fields::STRETCH;
use crate::ids::IdLook;
use crate::rows::{next_batch, table_error, Run};
use crate::schema::{Columns, Place};
use crate::small_rows::SmallRows;

/// Columns of codes and columns of instants.
pub type Pairs = (Vec<Vec<u32>>, Vec<Vec<i64>>);

/// Read a table of lead ids (as codes) and instants, all required.
pub fn read_pairs(
    run: &mut Run<'_>,
    stream: Box<dyn RecordBatchReader + Send>,
    table: &str,
    names: &HashMap<String, String>,
    ids: &[String],
    instants: &[String],
) -> PyResult<Pairs> {
    run.faults.open();
    let mut columns = Columns::new(table, stream.as_ref(), names);
    let id_places: Vec<_> = ids
        .iter()
        .map(|name| columns.find_ids(name, true, run.leads))
        .collect();
    let instant_places: Vec<_> = instants
        .iter()
        .map(|name| columns.find(name, Wanted::Instant, true))
        .collect();
    let problem = columns.find_problems();
    columns.check()?;
    let mut stream = Mutex::new(stream);
    let mut codes: Vec<Vec<u32>> = vec![Vec::new(); ids.len()];
    let mut times: Vec<Vec<i64>> = vec![Vec::new(); instants.len()];
    let mut known: Vec<IdLook> = ids.iter().map(|_| IdLook::default()).collect();
    let (mut stretch, mut row) = (SmallRows::default(), 0u64);
    while let Some(batch) = next_batch(table, &mut stream)? {
        let place = |place: &Place| {
            place
                .column(&batch)
                .map_err(|reason| table_error(table, reason))
        };
        let problem = problem.as_ref().map(place).transpose()?;
        let id_columns = id_places
            .iter()
            .flatten()
            .map(place)
            .collect::<PyResult<Vec<_>>>()?;
        let instant_columns = instant_places
            .iter()
            .flatten()
            .map(place)
            .collect::<PyResult<Vec<_>>>()?;
        let mut start = 0;
        while start < batch.num_rows() {
            let count = (batch.num_rows() - start).min(STRETCH);
            stretch.reset(count);
            stretch.heed(table, row, start, problem.as_ref());
            let mut found = Vec::new();
            for (column, known) in id_columns.iter().zip(&mut known) {
                found.push(stretch.ids(table, row, column, start, true, (run.leads, known)));
            }
            let read: Vec<_> = instant_columns
                .iter()
                .map(|column| stretch.instants(table, row, column, start, true))
                .collect();
            stretch.tell(table, run, found.first().map_or(&[], Vec::as_slice));
            for i in (0..count).filter(|i| !stretch.faulty[*i]) {
                codes
                    .iter_mut()
                    .zip(&found)
                    .for_each(|(out, values)| out.push(values[i] - 1));
                times
                    .iter_mut()
                    .zip(&read)
                    .for_each(|(out, values)| out.push(values[i]));
            }
            start += count;
            row += count as u64;
        }
    }
    *run.faults.rows.entry(table.to_string()).or_default() += row;
    run.faults.close()?;
    Ok((codes, times))
}
