//! A table in one or many files: one after another, as one stream of one schema.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{new_null_array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};

use crate::blocks::Source;
use crate::common_types::{common_type, exactly, named};
use crate::path_columns::{repeated, PathColumn};
use crate::refused::Refused;
use crate::table_file::{Format, TableFile};

/// A file that cannot be read, and why.
pub type Fault = (String, Refused);

fn fault(path: &str) -> impl Fn(Refused) -> Fault + '_ {
    |refused| (path.to_owned(), refused)
}

/// What is asked of each file.
pub struct Asked {
    pub format: Format,
    /// Names and kinds of the columns wanted.
    pub fields: Vec<(String, String)>,
    /// Those of them that some files may lack: they are null there.
    pub optional: HashSet<String>,
}

/// What the files say of themselves before their rows are read.
struct Heads {
    fields: Vec<Field>,
    metadata: HashMap<String, String>,
    names: Vec<String>,
    rows: Option<u64>,
    bytes: Option<u64>,
    /// The first file and its columns.
    first: Option<(String, Vec<String>)>,
    /// The types are settled. Only rows tell those of JSON lines, and the first file may have none.
    settled: bool,
}

impl Heads {
    /// Ask every file; the first one stays open.
    fn read(paths: &[String], asked: &Asked) -> Result<(Heads, Option<TableFile>), Fault> {
        let mut heads = Heads {
            fields: Vec::new(),
            metadata: HashMap::new(),
            names: Vec::new(),
            rows: (asked.format == Format::Parquet).then_some(0),
            bytes: Some(0),
            first: None,
            settled: false,
        };
        let mut open = None;
        for path in paths {
            if heads.settled && asked.format == Format::Jsonl {
                let source = Source::open(path).map_err(|e| fault(path)(e.into()))?;
                heads.bytes = heads.bytes.zip(source.size()).map(|(a, b)| a + b);
                continue;
            }
            let file = match &heads.first {
                None => TableFile::open(path, asked.format, &asked.fields, None),
                Some(_) => TableFile::peek(path, asked.format, &asked.fields),
            };
            let file = file.map_err(fault(path))?;
            heads.add(path, &file, asked)?;
            open.get_or_insert(file);
        }
        Ok((heads, open))
    }

    fn add(&mut self, path: &str, file: &TableFile, asked: &Asked) -> Result<(), Fault> {
        let fields = file.schema().fields();
        match &self.first {
            Some((first, columns)) if asked.format != Format::Jsonl => {
                same_columns((first, columns), (path, file.names()), asked)?;
                for known in &mut self.fields {
                    let found = fields.iter().find(|f| f.name() == known.name());
                    let Some(found) = found else {
                        known.set_nullable(true);
                        continue;
                    };
                    let (a, b) = (known.data_type(), found.data_type());
                    let Some(kind) = common_type(a, b) else {
                        let (name, a, b) = (known.name(), named(a), named(b));
                        let reason = format!("column '{name}' is {b}, where {first} has {a}");
                        return Err(fault(path)(Refused::Form(reason)));
                    };
                    let nullable = known.is_nullable() || found.is_nullable();
                    *known = known.clone().with_data_type(kind).with_nullable(nullable);
                }
                for field in fields {
                    if self.fields.iter().all(|known| known.name() != field.name()) {
                        self.fields.push(field.as_ref().clone().with_nullable(true));
                    }
                }
            }
            _ => {
                self.fields = fields.iter().map(|f| f.as_ref().clone()).collect();
                self.metadata = file.schema().metadata().clone();
            }
        }
        if self.first.is_none() {
            self.first = Some((path.to_owned(), file.names().to_vec()));
        }
        let new = |name: &&String| !self.names.contains(name);
        let new: Vec<String> = file.names().iter().filter(new).cloned().collect();
        self.names.extend(new);
        self.rows = self.rows.zip(file.rows()).map(|(a, b)| a + b);
        self.bytes = self.bytes.zip(file.bytes).map(|(a, b)| a + b);
        self.settled = !file.is_void();
        Ok(())
    }
}

/// Refuse a column that one of two files lacks, unless it may be lacking.
fn same_columns(
    (first, columns): (&str, &[String]),
    (path, names): (&str, &[String]),
    asked: &Asked,
) -> Result<(), Fault> {
    for (name, _) in &asked.fields {
        let (lacking, having) = match (columns.contains(name), names.contains(name)) {
            _ if asked.optional.contains(name) => continue,
            (true, false) => (path, first),
            (false, true) => (first, path),
            _ => continue,
        };
        let reason = format!("has no column '{name}', which {having} has");
        return Err(fault(lacking)(Refused::Form(reason)));
    }
    Ok(())
}

/// The files, of which one is open.
pub struct Files {
    paths: Vec<String>,
    asked: Asked,
    path_columns: Vec<PathColumn>,
    pub schema: SchemaRef,
    /// Columns of the files and of their paths, read or not.
    pub names: Vec<String>,
    /// Rows of all files, where their format says so.
    pub rows: Option<u64>,
    /// How far the files are read at their end, where it is known.
    pub total: Option<u64>,
    /// Rows of the table before the first row of each file opened so far.
    pub starts: Arc<Mutex<Vec<u64>>>,
    /// The open file, and the value of each column that its path says.
    file: Option<(TableFile, Vec<ArrayRef>)>,
    /// The file to open next.
    next: usize,
    /// Rows read so far, and bytes of the files left behind.
    row: u64,
    behind: u64,
}

impl Files {
    /// Learn the columns of all files, and open the first.
    pub fn open(paths: Vec<String>, mut asked: Asked) -> Result<Files, Fault> {
        let (mut heads, open) = Heads::read(&paths, &asked)?;
        let lexical = asked.format == Format::Csv;
        let path_columns = PathColumn::all(&paths, &asked.fields, &heads.names, lexical);
        for field in path_columns.iter().map(PathColumn::field) {
            asked.fields.retain(|(name, _)| name != field.name());
            // Among keys of JSON lines it was asked for before any was seen.
            heads.fields.retain(|known| known.name() != field.name());
            heads.names.push(field.name().clone());
            heads.fields.push(field);
        }
        // Said before hours of reading.
        for path in &paths {
            values(&path_columns, path).map_err(fault(path))?;
        }
        let schema = Arc::new(Schema::new_with_metadata(heads.fields, heads.metadata));
        let mut files = Files {
            paths,
            asked,
            path_columns,
            schema,
            names: heads.names,
            rows: heads.rows,
            total: heads.rows.or(heads.bytes),
            starts: Arc::default(),
            file: None,
            next: 0,
            row: 0,
            behind: 0,
        };
        // It is open already, unless it is to be read without a column or as other types.
        let open = open.filter(|file| {
            let fields = file.schema().fields();
            files.path_columns.is_empty() && *fields == *files.schema.fields()
        });
        files.turn(open)?;
        Ok(files)
    }

    /// Turn to the next file, which may be open already; after the last there is none.
    fn turn(&mut self, open: Option<TableFile>) -> Result<(), Fault> {
        self.file = None;
        let Some(path) = self.paths.get(self.next) else {
            return Ok(());
        };
        let Asked { format, fields, .. } = &self.asked;
        let file = match open {
            Some(file) => file,
            None => {
                TableFile::open(path, *format, fields, Some(&self.schema)).map_err(fault(path))?
            }
        };
        // It may have been replaced since its columns were looked at.
        for known in self.schema.fields() {
            let gone = file.schema().field_with_name(known.name()).is_err();
            let excused = self.asked.optional.contains(known.name())
                || self.path_columns.iter().any(|c| c.is(known.name()));
            if gone && !excused {
                let reason = format!("has no column '{}' any more", known.name());
                return Err(fault(path)(Refused::Form(reason)));
            }
        }
        let values = values(&self.path_columns, path).map_err(fault(path))?;
        self.file = Some((file, values));
        self.next += 1;
        let starts = self.starts.lock();
        starts
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.row);
        Ok(())
    }

    /// The next batch, and how far the files are read behind it: bytes, or rows where those are counted.
    pub fn next(&mut self) -> Result<Option<(RecordBatch, u64)>, Fault> {
        while let Some((file, values)) = &mut self.file {
            let path = &self.paths[self.next - 1];
            let batch = file.next().map_err(fault(path))?;
            let taken = file.taken();
            if let Some(batch) = batch {
                let values = self.path_columns.iter().zip(values.iter());
                let batch = fitted(batch, &self.schema, values).map_err(fault(path))?;
                self.row += batch.num_rows() as u64;
                return Ok(Some((
                    batch,
                    taken.map_or(self.row, |bytes| self.behind + bytes),
                )));
            }
            self.behind += taken.unwrap_or(0);
            self.turn(None)?;
        }
        Ok(None)
    }
}

fn values(columns: &[PathColumn], path: &str) -> Result<Vec<ArrayRef>, Refused> {
    let values = columns.iter().map(|column| column.value(path));
    values.collect::<Result<_, _>>().map_err(Refused::Form)
}

/// A batch of one file as the table has it: its columns by name, of the table's types, with what the path says.
fn fitted<'a>(
    batch: RecordBatch,
    schema: &SchemaRef,
    values: impl Iterator<Item = (&'a PathColumn, &'a ArrayRef)> + Clone,
) -> Result<RecordBatch, Refused> {
    if batch.schema().fields() == schema.fields() {
        return Ok(batch);
    }
    let rows = batch.num_rows();
    let column = |field: &Field| {
        let name = field.name();
        if let Some(column) = batch.column_by_name(name) {
            let told = |reason| Refused::Form(format!("column '{name}': {reason}"));
            return exactly(column, field.data_type()).map_err(told);
        }
        match values.clone().find(|(column, _)| column.is(name)) {
            Some((_, value)) => Ok(repeated(value, rows)?),
            None => Ok(new_null_array(field.data_type(), rows)),
        }
    };
    let columns = schema.fields().iter().map(|field| column(field));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new_with_options(
        schema.clone(),
        columns,
        &options,
    )?)
}
