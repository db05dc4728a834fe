//! Extraction and store through the exported functions.

mod common;

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type};
use bowstring::store::{bow_store_abandon, bow_store_begin, bow_store_commit, bow_store_query};
use bowstring::{context, job};
use bowstring_abi::Status;
use bowstring_runtime::BowJobState;

use common::{Context, RecordBatch, Store, call};

/// A directory with one source file.
fn workspace() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let source = "fn f(x: u32) -> u32 {\n    x\n}\n\nfn g() -> u32 {\n    f(1)\n}\n";
    std::fs::write(directory.path().join("a.rs"), source).unwrap();
    directory
}

fn json(path: &Path) -> serde_json::Value {
    path.to_str().unwrap().into()
}

fn extract_options(directory: &Path) -> String {
    serde_json::json!({ "root": json(directory), "threads": 1 }).to_string()
}

fn text<'a>(table: &'a RecordBatch, column: &str) -> Vec<&'a str> {
    table
        .column_by_name(column)
        .unwrap()
        .as_string::<i32>()
        .iter()
        .map(|value| value.unwrap_or("(null)"))
        .collect()
}

#[test]
fn a_file_is_extracted_into_five_tables_in_one_block() {
    let (scope, directory) = (Context::open(), workspace());
    let job = scope.extract(&extract_options(directory.path())).unwrap();
    let mut group = job.next_raw().unwrap().unwrap();
    assert_eq!(group.len(), 5);
    let lease = scope.import(&mut group, 3).unwrap();
    let (mut words, mut length) = (vec![0f64; 4096], 0);
    // SAFETY: the arguments are locals.
    call(|error| unsafe {
        bowstring::lease::bow_lease_describe(
            scope.0,
            lease,
            words.as_mut_ptr(),
            4096,
            &mut length,
            error,
        )
    })
    .unwrap();
    assert_eq!(words[..2], [5.0, 1.0], "five tables in one block");
    assert_eq!(words[3] % 64.0, 0.0, "which is aligned to 64 bytes");
    let tables: Vec<RecordBatch> = (0..5)
        .map(|index| {
            let mut table = bowstring_abi::BowTable::released();
            // SAFETY: the arguments are locals.
            call(|error| unsafe {
                bowstring::lease::bow_lease_export(scope.0, lease, index, &mut table, error)
            })
            .unwrap();
            common::batch(table)
        })
        .collect();
    let symbols = &tables[0];
    let functions: Vec<(&str, u32)> = text(symbols, "name")
        .into_iter()
        .zip(
            symbols
                .column_by_name("start_line")
                .unwrap()
                .as_primitive::<UInt32Type>()
                .values()
                .iter()
                .copied(),
        )
        .zip(text(symbols, "kind"))
        .filter_map(|(row, kind)| (kind == "function").then_some(row))
        .collect();
    assert_eq!(functions, [("f", 1), ("g", 5)]);
    assert_eq!(text(&tables[3], "path"), ["a.rs"]);
    assert_eq!(tables[4].num_rows(), 0);
    assert!(job.next().unwrap().is_none());

    let mut state = BowJobState {
        size: 48,
        state: 9,
        files_total: 0.0,
        bytes_total: 0.0,
        files_done: 0.0,
        bytes_done: 0.0,
        results_queued: 9.0,
    };
    // SAFETY: the arguments are locals.
    call(|error| unsafe { job::bow_job_state(scope.0, job.1, &mut state, error) }).unwrap();
    assert_eq!(
        (
            state.state,
            state.files_total,
            state.files_done,
            state.results_queued
        ),
        (1, 1.0, 1.0, 0.0)
    );
    drop((job, tables));
    // SAFETY: no pointers but the error's.
    call(|error| unsafe { bowstring::lease::bow_lease_release(scope.0, lease, error) }).unwrap();
    let stats = scope.stats();
    assert_eq!(
        (stats.live_leases, stats.live_jobs, stats.bytes_viewed),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(stats.bytes_copied, 0.0);
}

#[test]
fn a_root_that_is_not_there_fails_the_job() {
    let scope = Context::open();
    let job = scope.extract(r#"{"root": "/nowhere/at/all"}"#).unwrap();
    let (status, message) = job.next().unwrap_err();
    assert_eq!(status, Status::InvalidArgument);
    assert!(message.contains("/nowhere/at/all"), "{message}");
    assert_eq!(job.next().unwrap_err().0, status, "and says so again");
}

#[test]
fn a_batch_that_is_too_large_fails_a_single_extraction() {
    let (scope, directory) = (Context::open(), workspace());
    // A chunk is at least one file, so it takes two to exceed the bound.
    std::fs::copy(directory.path().join("a.rs"), directory.path().join("b.rs")).unwrap();
    let options =
        serde_json::json!({ "root": json(directory.path()), "single": true, "chunkRows": 1 });
    let job = scope.extract(&options.to_string()).unwrap();
    assert_eq!(job.next().unwrap_err().0, Status::BatchTooLarge);
}

#[test]
fn options_that_do_not_exist_are_refused() {
    let scope = Context::open();
    let (status, message) = scope
        .extract(r#"{"root": "/", "thread": 1}"#)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(status, Status::InvalidArgument);
    assert!(
        message.starts_with("options: unknown field `thread`, expected one of `root`, "),
        "{message}"
    );
}

#[test]
fn a_cancelled_extraction_says_so_and_frees_everything() {
    let (scope, directory) = (Context::open(), workspace());
    let job = scope.extract(&extract_options(directory.path())).unwrap();
    // SAFETY: no pointers but the error's.
    call(|error| unsafe { job::bow_job_wait(scope.0, job.1, u32::MAX, error) }).unwrap();
    // SAFETY: as above.
    call(|error| unsafe { job::bow_job_cancel(scope.0, job.1, error) }).unwrap();
    assert_eq!(
        job.next().unwrap_err(),
        (Status::Cancelled, "the job was cancelled".to_owned())
    );
}

#[test]
fn the_context_tells_of_the_job() {
    let (scope, directory) = (Context::open(), workspace());
    let job = scope.extract(&extract_options(directory.path())).unwrap();
    // SAFETY: no pointers but the error's.
    let wait =
        |timeout| call(|error| unsafe { context::bow_context_wait(scope.0, timeout, error) });
    assert_eq!(wait(u32::MAX), Ok(Status::Ok));
    while job.next().unwrap().is_some() {}
    while wait(0) == Ok(Status::Ok) {}
    assert_eq!(wait(1), Ok(Status::Pending));
}

fn create<'a>(scope: &'a Context, path: &Path) -> Store<'a> {
    scope
        .open_store(&serde_json::json!({ "path": json(path), "mode": "create" }).to_string())
        .unwrap()
}

fn index(scope: &Context, store: &Store<'_>, directory: &Path) -> RecordBatch {
    let root = serde_json::json!({ "root": json(directory) }).to_string();
    store
        .start_with(bow_store_begin, &root)
        .unwrap()
        .end()
        .unwrap();
    let job = scope.extract(&extract_options(directory)).unwrap();
    while let Some(mut tables) = job.next_raw().unwrap() {
        store.write(&mut tables).unwrap().end().unwrap();
        assert!(tables.iter().all(|table| table.array.release.is_none()));
    }
    store.start(bow_store_commit).unwrap().one().unwrap()
}

#[test]
fn an_extraction_is_stored_and_found_again() {
    let (scope, directory) = (Context::open(), workspace());
    let database = directory.path().join("index.db");
    let store = create(&scope, &database);
    let summary = index(&scope, &store, directory.path());
    let count = |name: &str| {
        summary
            .column_by_name(name)
            .unwrap()
            .as_primitive::<Int64Type>()
            .value(0)
    };
    assert_eq!(
        (
            summary.num_rows(),
            count("generation"),
            count("files"),
            count("errors")
        ),
        (1, 1, 1, 0)
    );

    let query = |options: &str| {
        store
            .start_with(bow_store_query, options)
            .unwrap()
            .one()
            .unwrap()
    };
    let defs = query(r#"{"query": "defs", "name": "f"}"#);
    assert_eq!(text(&defs, "name"), ["f"]);
    assert_eq!(
        defs.schema()
            .metadata()
            .get("bowstring:total")
            .map(String::as_str),
        Some("1")
    );
    let refs = query(r#"{"query": "refs", "name": "f"}"#);
    assert_eq!(text(&refs, "file_path"), ["a.rs"]);
    assert!(
        scope.stats().bytes_copied > 0.0,
        "offsets that the store read"
    );
    drop(store);

    let reader = serde_json::json!({ "path": json(&database), "mode": "read" }).to_string();
    let reader = scope.open_store(&reader).unwrap();
    let (status, message) = reader
        .start_with(bow_store_begin, r#"{"root": "/"}"#)
        .unwrap()
        .end()
        .unwrap_err();
    assert_eq!(status, Status::InvalidArgument, "{message}");
    drop(reader);
    let stats = scope.stats();
    assert_eq!(
        (stats.live_jobs, stats.live_stores, stats.live_leases),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn an_abandoned_generation_leaves_the_one_before() {
    let (scope, directory) = (Context::open(), workspace());
    let store = create(&scope, &directory.path().join("index.db"));
    index(&scope, &store, directory.path());
    let root = serde_json::json!({ "root": json(directory.path()) }).to_string();
    store
        .start_with(bow_store_begin, &root)
        .unwrap()
        .end()
        .unwrap();
    store.start(bow_store_abandon).unwrap().end().unwrap();
    let defs = store
        .start_with(bow_store_query, r#"{"query": "defs", "name": "g"}"#)
        .unwrap()
        .one()
        .unwrap();
    assert_eq!(defs.num_rows(), 1);
}

#[test]
fn a_second_writer_is_busy() {
    let (scope, directory) = (Context::open(), workspace());
    let path = directory.path().join("index.db");
    let (first, second) = (create(&scope, &path), create(&scope, &path));
    let root = serde_json::json!({ "root": json(directory.path()) }).to_string();
    first
        .start_with(bow_store_begin, &root)
        .unwrap()
        .end()
        .unwrap();
    let (status, message) = second
        .start_with(bow_store_begin, &root)
        .unwrap()
        .end()
        .unwrap_err();
    assert_eq!(status, Status::Busy, "{message}");
}

#[test]
fn what_is_wrong_with_a_store_is_told() {
    let (scope, directory) = (Context::open(), workspace());
    let missing =
        serde_json::json!({ "path": json(&directory.path().join("no.db")), "mode": "read" })
            .to_string();
    assert_eq!(
        scope.open_store(&missing).map(|_| ()).unwrap_err().0,
        Status::Io
    );
    let foreign =
        serde_json::json!({ "path": json(&directory.path().join("a.rs")), "mode": "read" })
            .to_string();
    assert_eq!(
        scope.open_store(&foreign).map(|_| ()).unwrap_err().0,
        Status::Store
    );
    let (status, message) = scope
        .open_store(r#"{"path": "x", "mode": "write"}"#)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(status, Status::InvalidArgument);
    assert_eq!(
        message,
        "options: unknown variant `write`, expected `create` or `read` at line 1 column 29"
    );

    let store = create(&scope, &directory.path().join("index.db"));
    let (status, message) = store.start(bow_store_commit).unwrap().end().unwrap_err();
    assert_eq!(status, Status::InvalidArgument, "{message}");
    let (status, _) = store
        .start_with(bow_store_query, r#"{"query": "everything"}"#)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(status, Status::InvalidArgument);
}

#[test]
fn broken_tables_fail_the_write_and_are_released() {
    let (scope, directory) = (Context::open(), workspace());
    let store = create(&scope, &directory.path().join("index.db"));
    let root = serde_json::json!({ "root": json(directory.path()) }).to_string();
    store
        .start_with(bow_store_begin, &root)
        .unwrap()
        .end()
        .unwrap();
    let job = scope.extract(&extract_options(directory.path())).unwrap();
    let mut tables = job.next_raw().unwrap().unwrap();
    // SAFETY: the table has columns; a length is read, not freed.
    unsafe { (**tables[1].array.children).length = 0 };
    let (status, message) = store.write(&mut tables).unwrap().end().unwrap_err();
    assert_eq!(status, Status::InvalidArrow);
    let prefix = "table identifiers: column[0] \"id\": expected a length of at least ";
    assert!(message.starts_with(prefix), "{message}");
}
