//! The store: one connection, and at most one generation being written.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use rusqlite::{Connection, params};

use crate::cancel::Canceller;
use crate::connection::{self, translate};
use crate::encode::Encoder;
use crate::image::{AttachedImage, Image};
use crate::lock::WriterLock;
use crate::schema;
use crate::{Query, StoreError, Summary, query};

/// SQLite looks this often, in steps of its interpreter, whether the call was cancelled: about every millisecond.
const STEPS_BETWEEN_CHECKS: i32 = 20_000;

/// Memory for pages while a generation is written, in KiB.
const WRITER_CACHE: i32 = 32 * 1024;

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Read and write; the file is made when there is none (its directory must exist).
    Create,
    /// Read only; the file must exist.
    Read,
}

/// An index database. Owned by one thread at a time (`Send`, not `Sync`).
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    mode: Mode,
    // Before the writer, so that it is closed before the image's memory is freed.
    connection: Connection,
    writer: Option<Writer>,
    canceller: Canceller,
}

/// A generation being written.
#[derive(Debug)]
struct Writer {
    generation: u64,
    root: String,
    encoder: Encoder,
    image: Image,
    _lock: WriterLock,
}

impl Store {
    /// Opens the database at `path`.
    pub fn open(path: impl AsRef<Path>, mode: Mode) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let mut connection = connection::open(path, mode)?;
        let canceller = Canceller::default();
        let flag = canceller.clone();
        connection
            .progress_handler(STEPS_BETWEEN_CHECKS, Some(move || flag.is_cancelled()))
            .map_err(|error| translate(path, error))?;
        Ok(Self {
            path: path.into(),
            mode,
            connection,
            writer: None,
            canceller,
        })
    }

    /// Starts a new generation of the index of the directory `root` and takes the database's write lock, which is
    /// held until [`commit`](Self::commit) or [`abandon`](Self::abandon): a second writer gets
    /// [`StoreError::Busy`]. Removes what earlier writers left unfinished. Needs [`Mode::Create`].
    pub fn begin(&mut self, root: &str) -> Result<(), StoreError> {
        let _call = self.canceller.call()?;
        if self.mode == Mode::Read {
            return Err(StoreError::InvalidCall(
                "begin: the store was opened for reading".into(),
            ));
        }
        if self.writer.is_some() {
            return Err(StoreError::InvalidCall(
                "begin: a generation is being written; commit or abandon it".into(),
            ));
        }
        let lock = WriterLock::acquire(&self.path)?;
        let generation = self.try_begin().map_err(|error| self.translate(error))?;
        self.writer = Some(Writer {
            generation,
            root: root.to_owned(),
            encoder: Encoder::default(),
            image: Image::default(),
            _lock: lock,
        });
        Ok(())
    }

    fn try_begin(&self) -> rusqlite::Result<u64> {
        let committed = committed_generation(&self.connection)?;
        drop_other_generations(&self.connection, committed)?;
        let generation = committed + 1;
        transaction(&self.connection, |connection| {
            connection.execute_batch(&schema::begin_generation(generation))
        })?;
        self.connection
            .pragma_update(None, "cache_size", -WRITER_CACHE)?;
        Ok(generation)
    }

    /// Writes one batch: `symbols`, `identifiers`, `relationships`, `files`, `errors`, in this order, with the
    /// contract's columns by name and type (further columns are ignored).
    ///
    /// A batch is about whole files: its `files` has a row for every `file_path` in the others, and a path comes in
    /// one batch only. After [`StoreError::InvalidBatch`] nothing of the batch is in the generation, which goes on;
    /// after any other error the generation is abandoned.
    pub fn write(&mut self, tables: &[RecordBatch; 5]) -> Result<(), StoreError> {
        let call = self.canceller.call();
        let writer = self.writer.as_mut().ok_or_else(|| not_begun("write"))?;
        let result = call.and_then(|_call| {
            write_batch(
                &self.connection,
                writer,
                tables,
                &self.path,
                &self.canceller,
            )
        });
        if !matches!(result, Ok(()) | Err(StoreError::InvalidBatch { .. })) {
            self.discard();
        }
        result
    }

    /// Makes the rows written since [`begin`](Self::begin) the index that readers see. After an error the generation
    /// is abandoned.
    pub fn commit(&mut self) -> Result<Summary, StoreError> {
        let call = self.canceller.call();
        let writer = self.writer.as_ref().ok_or_else(|| not_begun("commit"))?;
        if let Err(cancelled) = call {
            self.discard();
            return Err(cancelled);
        }
        let summary = Summary::new(writer.generation, writer.encoder.counts());
        match commit_generation(&self.connection, writer) {
            Ok(()) => {
                self.canceller.reset();
                // The new generation is the index now. What follows is housekeeping that the next writer repeats if
                // it fails here.
                let _ = drop_other_generations(&self.connection, summary.generation);
                let _ = self
                    .connection
                    .execute_batch("PRAGMA wal_checkpoint(PASSIVE)");
                self.writer = None;
                Ok(summary)
            }
            Err(error) => {
                self.discard();
                Err(self.translate(error))
            }
        }
    }

    /// Drops the rows written since [`begin`](Self::begin); the previous index stays. Dropping the store does the
    /// same.
    pub fn abandon(&mut self) -> Result<(), StoreError> {
        if self.writer.is_none() {
            return Err(not_begun("abandon"));
        }
        self.discard();
        Ok(())
    }

    /// Removes the generation being written. What cannot be removed now, readers do not see and the next writer
    /// removes.
    fn discard(&mut self) {
        // What follows is done although the call was cancelled.
        self.canceller.reset();
        if let Some(writer) = self.writer.take() {
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            let _ = drop_other_generations(&self.connection, writer.generation - 1);
        }
    }

    /// Answers from the committed generation, also while this or another process writes a new one.
    pub fn query(&mut self, query: &Query) -> Result<RecordBatch, StoreError> {
        let _call = self.canceller.call()?;
        query::run(&self.connection, query).map_err(|error| match error {
            query::Failure::Sqlite(error) => self.translate(error),
            query::Failure::Store(error) => error,
        })
    }

    /// A handle with which another thread stops the call that runs on this store.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    fn translate(&self, error: rusqlite::Error) -> StoreError {
        translate(&self.path, error)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.discard();
    }
}

fn not_begun(call: &str) -> StoreError {
    StoreError::InvalidCall(format!(
        "{call}: no generation is being written; call begin first"
    ))
}

/// Encodes a batch and copies it into the generation in one transaction.
fn write_batch(
    connection: &Connection,
    writer: &mut Writer,
    tables: &[RecordBatch; 5],
    path: &Path,
    canceller: &Canceller,
) -> Result<(), StoreError> {
    let progress = writer.encoder.encode(tables, &mut writer.image)?;
    if canceller.is_cancelled() {
        return Err(StoreError::Cancelled);
    }
    copy_image(connection, &mut writer.image, writer.generation).map_err(
        |error| match constraint(&error) {
            true => StoreError::InvalidBatch {
                table: "files",
                message: "column \"path\": a path was already written in an earlier batch".into(),
            },
            false => translate(path, error),
        },
    )?;
    writer.encoder.advance(progress);
    Ok(())
}

/// The only constraint that a batch can break on its way is the unique path.
fn constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

fn copy_image(connection: &Connection, image: &mut Image, generation: u64) -> rusqlite::Result<()> {
    let attached = AttachedImage::new(connection, image)?;
    let sql: String = attached
        .table_names()
        .map(|table| {
            format!("INSERT INTO main.{table}_{generation} SELECT * FROM batch.{table};\n")
        })
        .collect();
    // Not BEGIN IMMEDIATE, which would take the write lock of the read-only image too. The first statement takes that
    // of the database, before anything is read.
    run_transaction(connection, "BEGIN", |connection| {
        connection.execute_batch(&sql)
    })?;
    attached.detach()
}

/// Builds the indexes, then flips the views and `meta` to the new generation in one small transaction.
fn commit_generation(connection: &Connection, writer: &Writer) -> rusqlite::Result<()> {
    for index in schema::create_indexes(writer.generation) {
        transaction(connection, |connection| connection.execute_batch(&index))?;
    }
    transaction(connection, |connection| {
        connection.execute_batch(&schema::replace_views(writer.generation))?;
        let mut set = connection.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?;
        set.execute(params!["generation", writer.generation as i64])?;
        set.execute(params!["root", writer.root])?;
        for (table, rows) in writer.encoder.counts().by_name() {
            set.execute(params![table, rows as i64])?;
        }
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('created_at', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
            [],
        )?;
        Ok(())
    })
}

pub(crate) fn committed_generation(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT value FROM meta WHERE key = 'generation'";
    connection
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .map(|generation| generation as u64)
}

/// Drops the tables of every generation but one.
fn drop_other_generations(connection: &Connection, kept: u64) -> rusqlite::Result<()> {
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names = tables
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    drop(tables);
    let sql: String = names
        .iter()
        .filter(|name| schema::generation_of(name).is_some_and(|generation| generation != kept))
        .map(|name| format!("DROP TABLE {name};\n"))
        .collect();
    if sql.is_empty() {
        return Ok(());
    }
    transaction(connection, |connection| connection.execute_batch(&sql))
}

/// Runs `body` in a write transaction, which is rolled back when it fails.
fn transaction<T>(
    connection: &Connection,
    body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    run_transaction(connection, "BEGIN IMMEDIATE", body)
}

fn run_transaction<T>(
    connection: &Connection,
    begin: &str,
    body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch(begin)?;
    let result =
        body(connection).and_then(|value| connection.execute_batch("COMMIT").map(|()| value));
    if result.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow_array::new_empty_array;

    use crate::contract::{TABLES, schema as arrow_schema};

    fn empty_batch() -> [RecordBatch; 5] {
        TABLES.map(|table| {
            let schema = arrow_schema(table.columns);
            let columns = schema
                .fields()
                .iter()
                .map(|field| new_empty_array(field.data_type()))
                .collect();
            RecordBatch::try_new(Arc::new(schema), columns).unwrap()
        })
    }

    fn info(store: &mut Store) -> RecordBatch {
        store.query(&Query::Info).unwrap()
    }

    /// Without this path of SQLite's, a load is right and takes twice as long.
    #[test]
    fn rows_are_copied_without_being_decoded() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path().join("index.db"), Mode::Create).unwrap();
        store.begin("/root").unwrap();
        let writer = store.writer.as_mut().unwrap();
        writer
            .encoder
            .encode(&empty_batch(), &mut writer.image)
            .unwrap();
        let attached = AttachedImage::new(&store.connection, &mut writer.image).unwrap();
        let tables: Vec<_> = attached.table_names().collect();
        assert_eq!(tables.len(), schema::TABLES.len());
        // Not so the few rows of `file`, as the index over paths looks for duplicates from the start.
        for table in tables.into_iter().filter(|table| *table != "file") {
            let sql = format!("EXPLAIN INSERT INTO main.{table}_1 SELECT * FROM batch.{table}");
            let mut statement = store.connection.prepare(&sql).unwrap();
            let steps: Vec<String> = statement
                .query_map([], |row| row.get(1))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(
                steps.iter().any(|step| step == "RowCell"),
                "{table}: {steps:?}"
            );
        }
    }

    #[test]
    fn a_full_disk_is_an_error_and_leaves_the_previous_index() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        let mut store = Store::open(&path, Mode::Create).unwrap();
        store.begin("/root").unwrap();
        store.commit().unwrap();
        let before = info(&mut store);
        let full = format!(
            "{}: the disk is full; free some space, then try again",
            path.display()
        );

        // As many pages as there are, none of them free: the first page beyond them is one too many.
        store.connection.execute_batch("VACUUM").unwrap();
        let pages: i64 = store
            .connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let limit = |store: &Store, pages: i64| {
            store
                .connection
                .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
                .unwrap();
        };
        limit(&store, pages);
        assert_eq!(store.begin("/root").unwrap_err().to_string(), full);
        assert_eq!(info(&mut store), before);

        // Room for the new tables, not for the rows.
        limit(&store, pages + 20);
        store.begin("/root").unwrap();
        let mut batch = empty_batch();
        let errors = one_error(&batch[4], &"x".repeat(1 << 20));
        batch[4] = errors;
        assert_eq!(store.write(&batch).unwrap_err().to_string(), full);
        assert!(store.writer.is_none());
        assert_eq!(info(&mut store), before);

        limit(&store, pages + 1_000);
        store.begin("/root").unwrap();
        store.write(&batch).unwrap();
        assert_eq!(store.commit().unwrap().errors, 1);
    }

    fn one_error(table: &RecordBatch, message: &str) -> RecordBatch {
        use arrow_array::{ArrayRef, StringArray, UInt32Array};
        let schema = table.schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "byte_offset" => Arc::new(UInt32Array::from(vec![None])),
                _ => Arc::new(StringArray::from(vec![message])),
            }
        });
        RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
    }
}
