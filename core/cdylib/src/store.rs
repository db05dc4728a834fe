//! The store: tables to an index database, and answers from it.
//!
//! The database is one SQLite file. What is written belongs to a new generation, which replaces the previous one when
//! it is committed: until then, and if it never is, readers see the previous one whole. The file must not be opened by
//! another copy of SQLite in the same process while a store has it open.

use std::path::PathBuf;
use std::sync::Arc;

use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, BowTable, Failure, OwnedTable, Status, export_batch, import_table};
use bowstring_runtime::{Context, Monitor, Outlet, Worker};
use bowstring_store::{Canceller, Mode, Query, Store, StoreError};
use serde::Deserialize;

use crate::arguments::{options, require, take_tables, write_job, write_out};

/// How many writes of a store, each of which holds a batch, may wait for their turn.
const WRITES_WAITING: usize = 16;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OpenOptions {
    path: PathBuf,
    mode: OpenMode,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum OpenMode {
    Create,
    Read,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BeginOptions {
    root: String,
}

/// Opens an index database and writes the store's handle to out_store. options is JSON in UTF-8:
///
/// ```text
/// path   string, required: the file
/// mode   string, required: "create" to read and write (the file is made when there is none) or "read"
/// ```
///
/// The store has a thread of its own. The calls below start jobs that run there one after another, in the order of
/// the calls. A store is used by one writer at a time: begin, any number of writes, then commit or abandon; queries
/// may come at any time and see what was committed last. A job that fails says why when it is asked for its result.
///
/// BOW_INVALID_ARGUMENT: options is not such JSON. BOW_IO: the file cannot be opened. BOW_STORE: it is not a database
/// of Bowstring's, or of a newer version. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `options_length` bytes are readable at `options`, `out_store` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_store_open(
    context: u32,
    options: *const u8,
    options_length: u32,
    out_store: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out_store, "out_store")?;
        // SAFETY: passed on to the caller.
        let options: OpenOptions = unsafe { self::options(options, options_length) }?;
        let context = bowstring_runtime::context(context)?;
        let mode = match options.mode {
            OpenMode::Create => Mode::Create,
            OpenMode::Read => Mode::Read,
        };
        let store = Store::open(&options.path, mode).map_err(failure)?;
        let monitor = Arc::new(CancellerMonitor(store.canceller()));
        let store = context.add_store(Worker::spawn("bow-store", store, monitor)?)?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_store, "out_store", store) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Closes a store: its jobs that have not ended are cancelled, a generation that was begun and not committed is
/// abandoned, and the file is closed, which this waits for. The jobs' handles are still to be closed.
///
/// BOW_STALE_HANDLE: there is no such store.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_store_close(context: u32, store: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::context(context)?.close_store(store)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Starts a job that begins a new generation of the index of a directory, and that has no result. options is JSON in
/// UTF-8:
///
/// ```text
/// root   string, required: the directory's absolute path
/// ```
///
/// The job fails with BOW_BUSY when another writer has begun. BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT as ever.
///
/// # Safety
/// `options_length` bytes are readable at `options`, `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_store_begin(
    context: u32,
    store: u32,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let options: BeginOptions = unsafe { self::options(options, options_length) }?;
        // SAFETY: passed on to the caller.
        unsafe {
            start(context, store, out_job, move |store, _| {
                store.begin(&options.root).map_err(failure)
            })
        }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Starts a job that writes one group of tables to the generation that was begun, and that has no result. count is 5:
/// symbols, identifiers, relationships, files, errors, with the columns that extraction gives them. The tables are
/// moved: the release of every struct in tables is null afterwards, also when the call fails; they are released when
/// the job has ended. At most 16 writes of a store wait for their turn, so that batches do not pile up in memory: wait
/// for the job of one before starting more.
///
/// The tables are checked in full; the job fails with BOW_INVALID_ARROW or BOW_UNSUPPORTED when one breaks the
/// specification, and with BOW_STORE when its columns are not the expected ones or the generation cannot be written.
/// BOW_BUSY: 16 writes wait already. BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
///
/// # Safety
/// `tables` points to `count` tables that the caller owns or that are released; `out_job` is writable; `error` is
/// null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_store_write(
    context: u32,
    store: u32,
    tables: *mut BowTable,
    count: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // First of all, so that the caller's structs are moved from whatever happens. SAFETY: passed on to the caller.
        let tables = unsafe { take_tables(tables, count) }?;
        let tables: [OwnedTable; 5] = tables.try_into().map_err(|tables: Vec<OwnedTable>| {
            Failure::invalid_argument(format!("expected 5 tables but found {}", tables.len()))
        })?;
        let counting = bowstring_runtime::context(context)?;
        // SAFETY: passed on to the caller.
        unsafe {
            start_within(
                context,
                store,
                Some(WRITES_WAITING),
                out_job,
                move |store, _| write(store, tables, &counting),
            )
        }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Starts a job that makes the generation that was begun the current one. Its result is a group of one table with one
/// row of Int64 columns: generation, files, symbols, identifiers, relationships, errors.
///
/// BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
///
/// # Safety
/// `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_store_commit(
    context: u32,
    store: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let work = |store: &mut Store, outlet: &Outlet| {
        let summary = store.commit().map_err(failure)?;
        // Nobody may want the result any more; the commit stands.
        let _ = outlet.send(vec![export_batch(&summary.to_record_batch())?]);
        Ok(())
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, || start(context, store, out_job, work)) }
}

/// Starts a job that drops the generation that was begun, and that has no result. What was committed before stays.
///
/// BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
///
/// # Safety
/// `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_store_abandon(
    context: u32,
    store: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let work = |store: &mut Store, _: &Outlet| store.abandon().map_err(failure);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, || start(context, store, out_job, work)) }
}

/// Starts a job that asks the committed index a question. Its result is a group of one table. options is JSON in
/// UTF-8, one of
///
/// ```text
/// {"query": "defs", "name": string, "kind": string, "locals": boolean, "limit": number}
///     the definitions of a name, or of a qualified name: rows of symbols
/// {"query": "refs", "name": string, "limit": number}
///     the places where a name is used: rows of identifiers and where each leads
/// {"query": "outline", "file": string, "limit": number}
///     the symbols of a file in source order, with their depth
/// {"query": "files", "limit": number}, {"query": "errors", "limit": number}
///     the rows of files without their content; the rows of errors
/// {"query": "info"}
///     one row about the index
/// ```
///
/// of which kind, locals and limit (0 for all) may be left out. The table's metadata has "bowstring:total", the number
/// of rows that there would be without the limit.
///
/// BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
///
/// # Safety
/// `options_length` bytes are readable at `options`, `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_store_query(
    context: u32,
    store: u32,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let query: Query = unsafe { self::options(options, options_length) }?;
        let work = move |store: &mut Store, outlet: &Outlet| {
            let rows = store.query(&query).map_err(failure)?;
            let _ = outlet.send(vec![export_batch(&rows)?]);
            Ok(())
        };
        // SAFETY: passed on to the caller.
        unsafe { start(context, store, out_job, work) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Starts `work` on the store's thread.
///
/// # Safety
/// `out_job` is null or writable.
unsafe fn start(
    context: u32,
    store: u32,
    out_job: *mut u32,
    work: impl FnOnce(&mut Store, &Outlet) -> Result<(), Failure> + Send + 'static,
) -> Result<Status, Failure> {
    // SAFETY: passed on to the caller.
    unsafe { start_within(context, store, None, out_job, work) }
}

/// As [`start`], if not more than `limit` jobs that have one wait.
///
/// # Safety
/// `out_job` is null or writable.
unsafe fn start_within(
    context: u32,
    store: u32,
    limit: Option<usize>,
    out_job: *mut u32,
    work: impl FnOnce(&mut Store, &Outlet) -> Result<(), Failure> + Send + 'static,
) -> Result<Status, Failure> {
    let start = || bowstring_runtime::context(context)?.start_on_store_within(store, limit, work);
    // SAFETY: passed on to the caller.
    unsafe { write_job(out_job, start) }
}

fn write(store: &mut Store, tables: [OwnedTable; 5], counting: &Context) -> Result<(), Failure> {
    const NAMES: [&str; 5] = ["symbols", "identifiers", "relationships", "files", "errors"];
    let mut batches = Vec::with_capacity(tables.len());
    for (table, name) in tables.into_iter().zip(NAMES) {
        let imported = import_table(table).map_err(|invalid| {
            let failure = Failure::from(invalid);
            Failure::new(failure.status, format!("table {name}: {}", failure.message))
        })?;
        counting.report(0, 0, imported.bytes_copied as u64);
        batches.push(imported.batch);
    }
    let batches = batches.try_into().expect("one batch per table");
    store.write(&batches).map_err(failure)
}

fn failure(error: StoreError) -> Failure {
    let status = match error {
        StoreError::Busy { .. } => Status::Busy,
        StoreError::Io { .. } => Status::Io,
        StoreError::InvalidCall(_) => Status::InvalidArgument,
        StoreError::Cancelled => Status::Cancelled,
        StoreError::Unusable { .. }
        | StoreError::InvalidBatch { .. }
        | StoreError::TooLarge(_)
        | StoreError::Sqlite { .. } => Status::Store,
    };
    Failure::new(status, error.to_string())
}

/// A store's canceller, as the runtime sees it.
struct CancellerMonitor(Canceller);

impl Monitor for CancellerMonitor {
    fn begin(&self) {
        // One that came when the job before this one had ended its call, but not yet itself.
        self.0.reset();
    }

    fn cancel(&self) {
        self.0.cancel();
    }
}
