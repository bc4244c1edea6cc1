//! A table cut into parts by lead: all rows of a lead in one part, whatever the type of its id column.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;
use rayon::prelude::*;
use siphasher::sip::SipHasher13;

use crate::columns::Column;
use crate::field_plan::NO_INSTANT;
use crate::ids::IdKind;
use crate::lexical::canonical;
use crate::refused::os_error;
use crate::schema::LEXICAL;
use crate::table::check;
use crate::write::Fault;

/// The column of a part that says which row of the whole table a row was.
pub const ROW: &str = "leadcore.row";

/// Files of parts and states of ledgers lie where it put them.
const KEY: &[u8; 16] = b"leadcore's parts";
/// Bytes gathered for each part before they are handed to the system.
const BUFFER: usize = 1 << 16;

/// A hash of a lead id that never changes; an integer and the text that spells it have one.
fn hash_integer(id: i64) -> u64 {
    // The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    let mut word = (id as u64).wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

fn hash_text(id: &[u8]) -> u64 {
    match canonical(id) {
        Some(id) => hash_integer(id),
        None => SipHasher13::new_with_key(KEY).hash(id),
    }
}

/// The hash of each row's id; rows without one have 0, and so are in the first part.
fn hashes(ids: &Column, rows: usize) -> Vec<u64> {
    if let Some(texts) = &ids.texts {
        let text = |row| texts.get(row).filter(|_| !ids.is_null(row));
        return (0..rows)
            .map(|row| text(row).map_or(0, hash_text))
            .collect();
    }
    let (mut values, mut bad) = (vec![None; rows], Vec::new());
    ids.integers(0, &mut values, &mut bad);
    values
        .into_iter()
        .map(|id: Option<i64>| id.map_or(0, hash_integer))
        .collect()
}

fn part_of(hash: u64, parts: usize) -> u32 {
    ((u128::from(hash) * parts as u128) >> 64) as u32
}

fn id_column(schema: &Schema, batch: &RecordBatch, name: &str) -> Option<Column> {
    let index = schema.index_of(name).ok()?;
    let column = Column::new(name, batch.column(index)).ok()?;
    // What cannot be an id at all is for the encoder to refuse.
    IdKind::of(schema.field(index).data_type(), false)?;
    let kind = column.array.data_type();
    let number = kind.is_integer() || kind.is_floating() || kind.is_decimal();
    (column.texts.is_some() || number).then_some(column)
}

/// See `_edge.pyi`.
#[pyfunction]
pub fn parts_of<'py>(
    py: Python<'py>,
    ids: AnyRecordBatch,
    parts: usize,
) -> PyResult<Bound<'py, PyArray1<u32>>> {
    let reader = ids.into_reader()?;
    let schema = reader.schema();
    let [field] = schema.fields().as_ref() else {
        return Err(PyValueError::new_err("lead ids are one column"));
    };
    let mut found: Vec<u32> = Vec::new();
    for batch in reader {
        let batch = batch.and_then(|batch| check(&batch).map(|()| batch));
        let batch = batch.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let rows = batch.num_rows();
        match id_column(&schema, &batch, field.name()) {
            Some(ids) => {
                let of_rows = hashes(&ids, rows);
                found.extend(of_rows.iter().map(|&hash| part_of(hash, parts)));
            }
            None => found.resize(found.len() + rows, 0),
        }
    }
    Ok(found.into_pyarray(py))
}

/// A part being written.
struct Part {
    path: String,
    writer: ArrowWriter<BufWriter<File>>,
    rows: u64,
}

/// Which file a fault concerns.
type PartFault = (String, Fault);

impl Part {
    fn create(path: String, schema: SchemaRef) -> Result<Part, PartFault> {
        // Read once and soon: neither small nor searched, but quick.
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_column_dictionary_enabled(ColumnPath::new(vec![ROW.to_owned()]), false)
            .build();
        let opened = File::create(&path).map_err(Fault::from).and_then(|file| {
            let file = BufWriter::with_capacity(BUFFER, file);
            Ok(ArrowWriter::try_new(file, schema, Some(properties))?)
        });
        match opened {
            Ok(writer) => Ok(Part {
                path,
                writer,
                rows: 0,
            }),
            Err(fault) => Err((path, fault)),
        }
    }

    fn write(&mut self, batch: &RecordBatch, rows: &[u32]) -> Result<(), PartFault> {
        let rows = UInt32Array::from(rows.to_vec());
        let written = take_record_batch(batch, &rows)
            .map_err(Fault::from)
            .and_then(|rows| Ok(self.writer.write(&rows)?));
        self.rows += rows.len() as u64;
        written.map_err(|fault| (self.path.clone(), fault))
    }

    fn flush(&mut self) -> Result<(), PartFault> {
        let flushed = self.writer.flush();
        flushed.map_err(|fault| (self.path.clone(), fault.into()))
    }

    /// Close the file, on disk; how many rows it has.
    fn close(self) -> Result<u64, PartFault> {
        let closed = |writer: ArrowWriter<BufWriter<File>>| -> Result<(), Fault> {
            let file = writer.into_inner()?;
            let file = file.into_inner().map_err(|e| Fault::Io(e.into_error()))?;
            Ok(file.sync_all()?)
        };
        match closed(self.writer) {
            Ok(()) => Ok(self.rows),
            Err(fault) => Err((self.path, fault)),
        }
    }
}

/// Ids of a column, and what is known of them (see `ids.rs`: of untyped ones, one that is no integer decides for all).
struct Watched {
    name: String,
    /// Whether ids of faulty rows count too: they tell of a lead.
    of_faulty: bool,
    kind: Option<IdKind>,
}

/// The columns of type and instant, and by type declared its columns and their kinds. Ids of other types do not count
/// (spec 2.6).
#[derive(FromPyObject)]
pub struct Types {
    #[pyo3(item)]
    kind: String,
    #[pyo3(item)]
    at: String,
    #[pyo3(item)]
    declared: HashMap<String, Vec<(String, String)>>,
}

/// What decides whether an event's ids count.
struct Judged<'a> {
    types: &'a Types,
    kind: Column,
    at: Column,
    lead: Option<Column>,
    fields: HashMap<&'a str, Column>,
}

impl Judged<'_> {
    /// Whether the ids of a row count: those of events that take part; of leads also what faulty rows tell.
    fn counts(&self, row: usize, of_faulty: bool) -> bool {
        let (mut instant, mut bad) = ([0], Vec::new());
        self.at.instants(row, &mut instant, &mut bad);
        let timeless = instant[0] == NO_INSTANT;
        let text = self.kind.texts.as_ref().and_then(|texts| texts.get(row));
        let Some(text) = text.filter(|_| !self.kind.is_null(row)) else {
            return of_faulty;
        };
        let Ok(text) = std::str::from_utf8(text) else {
            return of_faulty;
        };
        let Some(fields) = self.types.declared.get(text) else {
            return of_faulty && timeless;
        };
        of_faulty || !(timeless || self.is_faulty(row, fields))
    }

    fn is_faulty(&self, row: usize, fields: &[(String, String)]) -> bool {
        let lead = self.lead.as_ref().is_none_or(|lead| lead.is_null(row));
        lead || fields.iter().any(|(name, kind)| {
            let mut bad = Vec::new();
            if let Some(column) = self.fields.get(name.as_str()) {
                match kind.as_str() {
                    "number" => column.numbers(row, &mut [0.0], &mut bad),
                    "boolean" => column.booleans(row, &mut [0], &mut bad),
                    "instant" => column.instants(row, &mut [0], &mut bad),
                    _ => {}
                }
            }
            !bad.is_empty()
        })
    }
}

/// A table on its way into parts.
struct Split {
    schema: SchemaRef,
    lead_id: String,
    parts: Vec<Part>,
    moved: HashMap<u64, u32>,
    watched: Vec<Watched>,
    /// Of events: what the model declares.
    types: Option<Types>,
    /// Whether ids are untyped (CSV).
    untyped: bool,
    memory: usize,
    rows: u64,
}

impl Split {
    fn homes(&self, batch: &RecordBatch) -> Vec<u32> {
        let rows = batch.num_rows();
        let Some(ids) = id_column(&self.schema, batch, &self.lead_id) else {
            return vec![0; rows];
        };
        let parts = self.parts.len();
        let home = |hash: u64| part_of(hash, parts);
        let of_rows = hashes(&ids, rows);
        if self.moved.is_empty() {
            return of_rows.into_iter().map(home).collect();
        }
        let moved = |hash| self.moved.get(&hash).copied();
        of_rows
            .into_iter()
            .map(|hash| moved(hash).unwrap_or_else(|| home(hash)))
            .collect()
    }

    fn watch(&mut self, batch: &RecordBatch) {
        let column = |name: &str| {
            let index = self.schema.index_of(name).ok()?;
            Column::new(name, batch.column(index)).ok()
        };
        let judged = self.types.as_ref().and_then(|types| {
            let named = types.declared.values().flatten();
            let named = named.filter_map(|(name, _)| Some((name.as_str(), column(name)?)));
            Some(Judged {
                types,
                kind: column(&types.kind)?,
                at: column(&types.at)?,
                lead: column(&self.lead_id),
                fields: named.collect(),
            })
        });
        let counts = |row, of_faulty| judged.as_ref().is_none_or(|all| all.counts(row, of_faulty));
        for watched in &mut self.watched {
            if watched.kind == Some(IdKind::Text) {
                continue;
            }
            let Some(ids) = id_column(&self.schema, batch, &watched.name) else {
                continue;
            };
            let Some(texts) = &ids.texts else { continue };
            for row in 0..batch.num_rows() {
                let Some(text) = texts.get(row).filter(|_| !ids.is_null(row)) else {
                    continue;
                };
                let word = canonical(text).is_none();
                if (word || watched.kind.is_none()) && counts(row, watched.of_faulty) {
                    watched.kind = Some(if word { IdKind::Text } else { IdKind::Integer });
                    if word {
                        break;
                    }
                }
            }
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), PartFault> {
        if self.untyped {
            self.watch(batch);
        }
        let homes = self.homes(batch);
        let mut ends = vec![0_usize; self.parts.len()];
        for &home in &homes {
            ends[home as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end);
        }
        let mut order = vec![0_u32; homes.len()];
        for (row, &home) in homes.iter().enumerate() {
            order[ends[home as usize]] = row as u32;
            ends[home as usize] += 1;
        }

        let rows = batch.num_rows();
        let first = self.rows as i64;
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + rows as i64));
        let mut columns = batch.columns().to_vec();
        columns.push(numbers);
        let numbered = RecordBatch::try_new(self.schema.clone(), columns);
        let numbered = numbered.map_err(|error| (String::new(), Fault::from(error)))?;
        self.rows += rows as u64;

        let starts = std::iter::once(0).chain(ends.iter().copied());
        let slices: Vec<&[u32]> = starts
            .zip(&ends)
            .map(|(from, &to)| &order[from..to])
            .collect();
        self.parts
            .par_iter_mut()
            .zip(slices)
            .filter(|(_, rows)| !rows.is_empty())
            .try_for_each(|(part, rows)| part.write(&numbered, rows))?;
        let held: usize = self
            .parts
            .iter()
            .map(|part| part.writer.memory_size())
            .sum();
        if held > self.memory {
            self.parts.par_iter_mut().try_for_each(Part::flush)?;
        }
        Ok(())
    }
}

/// The rows of a stream, numbered: a column more.
fn numbered(schema: &Schema) -> Result<SchemaRef, ArrowError> {
    if schema.index_of(ROW).is_ok() {
        return Err(ArrowError::SchemaError(format!("a column is called {ROW}")));
    }
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(ROW, DataType::Int64, false)));
    Ok(Arc::new(Schema::new_with_metadata(
        fields,
        schema.metadata().clone(),
    )))
}

fn refusal((path, fault): PartFault) -> PyErr {
    match fault {
        Fault::Io(error) => os_error(&path, &error),
        Fault::Data(reason) => PyValueError::new_err(format!("{path}: {reason}")),
    }
}

/// See `_edge.pyi`.
#[pyfunction]
#[pyo3(signature = (table, paths, lead_id, ids, memory, types = None, moved = None, progress = None))]
#[allow(clippy::too_many_arguments)] // of a function of Python
pub fn split_table(
    py: Python<'_>,
    table: AnyRecordBatch,
    paths: Vec<String>,
    lead_id: String,
    ids: Vec<String>,
    memory: usize,
    types: Option<Types>,
    moved: Option<(AnyRecordBatch, PyReadonlyArray1<'_, u32>)>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Vec<u64>, bool, HashMap<String, &'static str>)> {
    if paths.is_empty() {
        return Err(PyValueError::new_err(
            "a table is split into one part at least",
        ));
    }
    let reader = table.into_reader()?;
    let found = reader.schema();
    let untyped = found.metadata().contains_key(LEXICAL);
    let schema = numbered(&found).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut by_hash = HashMap::new();
    if let Some((ids, homes)) = moved {
        let homes = homes.as_array();
        let mut row = 0;
        let ids = ids.into_reader()?;
        let schema = ids.schema();
        let name = schema.fields().first().map(|field| field.name().clone());
        for batch in ids {
            let batch = batch.map_err(|error| PyValueError::new_err(error.to_string()))?;
            let ids = id_column(&schema, &batch, name.as_deref().unwrap_or_default())
                .ok_or_else(|| PyValueError::new_err("moved leads have ids"))?;
            for hash in hashes(&ids, batch.num_rows()) {
                let home = homes.get(row).copied();
                let home = home.filter(|&home| (home as usize) < paths.len());
                let home = home.ok_or_else(|| PyValueError::new_err("a moved lead has a part"))?;
                by_hash.insert(hash, home);
                row += 1;
            }
        }
    }
    let parts: Result<Vec<Part>, PartFault> = paths
        .into_iter()
        .map(|path| Part::create(path, schema.clone()))
        .collect();
    let watched = |name: String| {
        let told = found.field_with_name(&name).ok();
        Watched {
            of_faulty: name == lead_id,
            kind: told
                .and_then(|field| IdKind::of(field.data_type(), untyped))
                .filter(|kind| *kind != IdKind::Untyped),
            name,
        }
    };
    let watched = ids.into_iter().map(watched).collect();
    let mut split = Split {
        schema,
        lead_id,
        parts: parts.map_err(refusal)?,
        moved: by_hash,
        watched,
        types,
        untyped,
        memory,
        rows: 0,
    };
    py.detach(move || {
        for batch in reader {
            let batch = batch.and_then(|batch| check(&batch).map(|()| batch));
            let batch = batch.map_err(|error| refusal((String::new(), error.into())))?;
            split.add(&batch).map_err(refusal)?;
            if let Some(progress) = &progress {
                Python::attach(|py| progress.call1(py, (split.rows,)).map(drop))?;
            }
        }
        let kinds = split
            .watched
            .into_iter()
            .filter_map(|watched| match watched.kind? {
                IdKind::Integer => Some((watched.name, "integer")),
                IdKind::Text => Some((watched.name, "text")),
                IdKind::Untyped => None,
            });
        let kinds = kinds.collect();
        let rows: Result<Vec<u64>, PartFault> = split.parts.into_iter().map(Part::close).collect();
        Ok((rows.map_err(refusal)?, untyped, kinds))
    })
}
