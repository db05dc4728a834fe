//! What a caller gets for arguments that make no sense, and from calls that need no engine.

mod common;

use std::ptr::{null, null_mut};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use bowstring::{context, extract, job, lease, store, version};
use bowstring_abi::{BowError, BowTable, Status, export_batch};
use bowstring_runtime::BowJobState;

use common::{Context, batch, call};

fn numbers() -> RecordBatch {
    let column: ArrayRef = Arc::new(UInt32Array::from(vec![1, 2, 3]));
    RecordBatch::try_from_iter([("n", column)]).unwrap()
}

fn table() -> BowTable {
    export_batch(&numbers()).unwrap().into_raw()
}

fn invalid(message: &str) -> Result<Status, (Status, String)> {
    Err((Status::InvalidArgument, message.to_owned()))
}

#[test]
fn the_version_of_the_abi_and_of_the_library() {
    assert_eq!(version::bow_abi_version(), 1);
    let (mut text, mut length) = ([0u8; 32], 0);
    let mut read = |capacity| {
        // SAFETY: the arguments are locals.
        call(|error| unsafe {
            version::bow_version(text.as_mut_ptr(), capacity, &mut length, error)
        })
    };
    assert_eq!(
        read(4),
        Err((
            Status::BufferTooSmall,
            "expected room for 5 elements but found room for 4".to_owned()
        ))
    );
    assert_eq!(read(32), Ok(Status::Ok));
    assert_eq!(
        &text[..length as usize],
        env!("CARGO_PKG_VERSION").as_bytes()
    );
}

#[test]
fn null_and_misaligned_addresses_are_errors() {
    let scope = Context::open();
    let c = scope.0;
    let mut number = 0u32;
    let n = &raw mut number;
    let odd = n.wrapping_byte_add(1);
    let json = c"{}".as_ptr().cast::<u8>();
    let mut double = 0f64;
    let mut tables = [BowTable::released()];
    let t = tables.as_mut_ptr();
    type Call<'a> = Box<dyn FnOnce(*mut BowError) -> i32 + 'a>;
    // SAFETY: pointers are null, misaligned, or locals, in every case below.
    #[rustfmt::skip]
    let cases: Vec<(&str, Call<'_>)> = vec![
        ("out_context is null", Box::new(|e| unsafe { context::bow_context_open(null_mut(), e) })),
        ("out_context is not aligned to 4 bytes", Box::new(|e| unsafe { context::bow_context_open(odd, e) })),
        ("out is null", Box::new(|e| unsafe { context::bow_context_stats(c, null_mut(), e) })),
        ("out_length is null", Box::new(|e| unsafe { version::bow_version(null_mut(), 0, null_mut(), e) })),
        ("out is null", Box::new(|e| unsafe { version::bow_version(null_mut(), 32, n, e) })),
        ("tables is null", Box::new(|e| unsafe { lease::bow_lease_import(c, null_mut(), 1, 0, n, e) })),
        ("tables is not aligned to 8 bytes", Box::new(|e| unsafe { lease::bow_lease_import(c, t.wrapping_byte_add(4), 1, 0, n, e) })),
        ("out_lease is null", Box::new(|e| unsafe { lease::bow_lease_import(c, t, 1, 0, null_mut(), e) })),
        ("expected at least 1 table but found 0", Box::new(|e| unsafe { lease::bow_lease_import(c, t, 0, 0, n, e) })),
        ("expected flags within 0x1f but found 0x20", Box::new(|e| unsafe { lease::bow_lease_import(c, t, 1, 32, n, e) })),
        ("expected one of BOW_IMPORT_CONVERT and BOW_IMPORT_STRICT but found both", Box::new(|e| unsafe { lease::bow_lease_import(c, t, 1, 20, n, e) })),
        ("out is null", Box::new(|e| unsafe { lease::bow_lease_export(c, 1 << 20, 0, null_mut(), e) })),
        ("tables is null", Box::new(|e| unsafe { job::bow_job_next(c, 1 << 20, null_mut(), 5, n, e) })),
        ("out_count is null", Box::new(|e| unsafe { job::bow_job_next(c, 1 << 20, t, 1, null_mut(), e) })),
        ("out_job is null", Box::new(|e| unsafe { extract::bow_extract_start(c, json, 2, null_mut(), e) })),
        ("options is null", Box::new(|e| unsafe { extract::bow_extract_start(c, null(), 0, n, e) })),
        ("options: missing field `root` at line 1 column 2", Box::new(|e| unsafe { extract::bow_extract_start(c, json, 2, n, e) })),
        ("options: EOF while parsing a value at line 1 column 0", Box::new(|e| unsafe { extract::bow_extract_start(c, json, 0, n, e) })),
        ("out_store is null", Box::new(|e| unsafe { store::bow_store_open(c, json, 2, null_mut(), e) })),
        ("options: missing field `path` at line 1 column 2", Box::new(|e| unsafe { store::bow_store_open(c, json, 2, n, e) })),
        ("options: missing field `root` at line 1 column 2", Box::new(|e| unsafe { store::bow_store_begin(c, 1, json, 2, n, e) })),
        ("tables is null", Box::new(|e| unsafe { store::bow_store_write(c, 1, null_mut(), 5, n, e) })),
        ("expected 5 tables but found 1", Box::new(|e| unsafe { store::bow_store_write(c, 1, t, 1, n, e) })),
        ("out_job is null", Box::new(|e| unsafe { store::bow_store_commit(c, 1, null_mut(), e) })),
        ("out_job is null", Box::new(|e| unsafe { store::bow_store_abandon(c, 1, null_mut(), e) })),
    ];
    for (expected, function) in cases {
        assert_eq!(call(function), invalid(expected));
    }
    // SAFETY: the out parameter is a local; a null error struct is allowed, the status says it all.
    let status = unsafe { lease::bow_lease_describe(c, 1, &mut double, 1, n, null_mut()) };
    assert_eq!(status, Status::StaleHandle as i32);
}

#[test]
fn a_struct_without_its_size_is_refused_and_a_short_one_filled_as_far_as_it_goes() {
    let scope = Context::open();
    let job = scope.extract(r#"{"root": "/nowhere/at/all"}"#).unwrap();
    let read = |state: &mut BowJobState| {
        // SAFETY: the struct is a local.
        call(|error| unsafe { job::bow_job_state(scope.0, job.1, state, error) })
    };
    let untouched = BowJobState {
        size: 0,
        state: 9,
        files_total: -1.0,
        bytes_total: -1.0,
        files_done: -1.0,
        bytes_done: -1.0,
        results_queued: -1.0,
    };
    let mut state = untouched;
    assert_eq!(
        read(&mut state),
        invalid("expected the size of the struct in its first field but found 0")
    );
    assert_eq!(state, untouched);
    state.size = 16;
    read(&mut state).unwrap();
    assert_eq!(
        (state.size, state.files_total, state.bytes_total),
        (16, 0.0, -1.0)
    );
    state.size = 4096;
    read(&mut state).unwrap();
    assert_eq!((state.size, state.results_queued), (4096, 0.0));
}

#[test]
fn stale_handles_are_errors_everywhere() {
    let gone = {
        let scope = Context::open();
        scope.0
    };
    let scope = Context::open();
    let (c, mut number, mut double) = (scope.0, 0u32, 0f64);
    let n = &raw mut number;
    let mut out = BowTable::released();
    let t = &raw mut out;
    let mut state = BowJobState {
        size: 48,
        state: 0,
        files_total: 0.0,
        bytes_total: 0.0,
        files_done: 0.0,
        bytes_done: 0.0,
        results_queued: 0.0,
    };
    let options = r#"{"root": "/", "query": "info"}"#;
    let begin = r#"{"root": "/"}"#;
    let query = r#"{"query": "info"}"#;
    assert_ne!(options.len(), begin.len());
    type Call<'a> = Box<dyn FnOnce(*mut BowError) -> i32 + 'a>;
    let (b, q) = (
        (begin.as_ptr(), begin.len() as u32),
        (query.as_ptr(), query.len() as u32),
    );
    // SAFETY: pointers are to locals, in every case below.
    #[rustfmt::skip]
    let cases: Vec<(&str, u32, Call<'_>)> = vec![
        ("context", gone, Box::new(|e| unsafe { context::bow_context_close(gone, e) })),
        ("context", gone, Box::new(|e| unsafe { context::bow_context_wait(gone, u32::MAX, e) })),
        ("context", gone, Box::new(|e| unsafe { context::bow_context_set_waker(gone, 0, e) })),
        ("context", gone, Box::new(|e| unsafe { lease::bow_lease_release(gone, 1, e) })),
        ("context", gone, Box::new(|e| unsafe { lease::bow_lease_report(gone, 1, 1, 1.0, e) })),
        ("context", gone, Box::new(|e| unsafe { extract::bow_extract_start(gone, b.0, b.1, n, e) })),
        ("lease", 5, Box::new(|e| unsafe { lease::bow_lease_describe(c, 5, &mut double, 1, n, e) })),
        ("lease", 5, Box::new(|e| unsafe { lease::bow_lease_schemas(c, 5, null_mut(), 0, n, e) })),
        ("lease", 5, Box::new(|e| unsafe { lease::bow_lease_copy(c, 5, 0, null_mut(), 0, e) })),
        ("lease", 5, Box::new(|e| unsafe { lease::bow_lease_retain(c, 5, e) })),
        ("lease", 5, Box::new(|e| unsafe { lease::bow_lease_release(c, 5, e) })),
        ("lease", 5, Box::new(|e| unsafe { lease::bow_lease_export(c, 5, 0, t, e) })),
        ("job", 5, Box::new(|e| unsafe { job::bow_job_next(c, 5, t, 1, n, e) })),
        ("job", 5, Box::new(|e| unsafe { job::bow_job_state(c, 5, &mut state, e) })),
        ("job", 5, Box::new(|e| unsafe { job::bow_job_wait(c, 5, 0, e) })),
        ("job", 5, Box::new(|e| unsafe { job::bow_job_cancel(c, 5, e) })),
        ("job", 5, Box::new(|e| unsafe { job::bow_job_close(c, 5, e) })),
        ("store", 5, Box::new(|e| unsafe { store::bow_store_close(c, 5, e) })),
        ("store", 5, Box::new(|e| unsafe { store::bow_store_begin(c, 5, b.0, b.1, n, e) })),
        ("store", 5, Box::new(|e| unsafe { store::bow_store_commit(c, 5, n, e) })),
        ("store", 5, Box::new(|e| unsafe { store::bow_store_abandon(c, 5, n, e) })),
        ("store", 5, Box::new(|e| unsafe { store::bow_store_query(c, 5, q.0, q.1, n, e) })),
    ];
    for (kind, handle, function) in cases {
        let message = format!("there is no {kind} {handle:#x}, or it has been closed");
        assert_eq!(call(function), Err((Status::StaleHandle, message)));
    }
}

#[test]
fn tables_are_moved_from_whether_the_call_succeeds_or_not() {
    let scope = Context::open();
    let moved = |table: &BowTable| table.schema.release.is_none() && table.array.release.is_none();
    let mut good = [table(), table()];
    let lease = scope.import(&mut good, 3).unwrap();
    assert!(good.iter().all(moved));
    // SAFETY: no pointers but the error's.
    call(|error| unsafe { lease::bow_lease_release(scope.0, lease, error) }).unwrap();

    let mut again = good;
    let refused = scope.import(&mut again, 1).unwrap_err();
    assert_eq!(
        refused,
        (
            Status::InvalidArrow,
            "table[0]: record batch: the schema has been released".to_owned()
        )
    );

    let mut broken = [table(), table()];
    broken[1].array.length = -3;
    let refused = scope.import(&mut broken, 1).unwrap_err();
    assert_eq!(
        refused,
        (
            Status::InvalidArrow,
            "table[1]: record batch: expected length >= 0 but found -3".to_owned()
        )
    );
    assert!(broken.iter().all(moved));

    let gone = Context::open();
    let closed = Context(gone.0);
    drop(gone);
    let mut tables = [table()];
    assert_eq!(
        closed.import(&mut tables, 0).unwrap_err().0,
        Status::StaleHandle
    );
    assert!(tables.iter().all(moved));

    let mut tables: Vec<BowTable> = (0..5).map(|_| table()).collect();
    let refused = common::Store(&scope, 5)
        .write(&mut tables)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused.0, Status::StaleHandle);
    assert!(tables.iter().all(moved));
    assert_eq!(scope.stats().live_leases, 0.0);
}

#[test]
fn a_lease_is_described_copied_exported_and_released() {
    let scope = Context::open();
    let c = scope.0;
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("é"), None]));
    let source = RecordBatch::try_from_iter_with_nullable([("t", text, true)]).unwrap();
    let lease = scope
        .import(&mut [table(), export_batch(&source).unwrap().into_raw()], 3)
        .unwrap();

    let (mut words, mut length) = ([0f64; 64], 0);
    let mut describe = |capacity| {
        // SAFETY: the arguments are locals.
        call(|error| unsafe {
            lease::bow_lease_describe(c, lease, words.as_mut_ptr(), capacity, &mut length, error)
        })
    };
    assert_eq!(
        describe(5),
        Err((
            Status::BufferTooSmall,
            "expected room for 58 elements but found room for 5".to_owned()
        ))
    );
    assert_eq!(describe(64), Ok(Status::Ok));
    assert_eq!(
        (length, &words[..3]),
        (58, [2.0, 4.0, 12.0 + 1.0 + 12.0 + 2.0].as_slice())
    );

    let mut json = [0u8; 1024];
    // SAFETY: the arguments are locals.
    call(|error| unsafe {
        lease::bow_lease_schemas(c, lease, json.as_mut_ptr(), 1024, &mut length, error)
    })
    .unwrap();
    let schemas: serde_json::Value = serde_json::from_slice(&json[..length as usize]).unwrap();
    let column = |format, name, flags| serde_json::json!({"format": format, "name": name, "metadata": null, "flags": flags, "children": [], "dictionary": null});
    let table = |column| serde_json::json!({"format": "+s", "name": "", "metadata": null, "flags": 0, "children": [column], "dictionary": null});
    assert_eq!(
        schemas,
        serde_json::json!([table(column("I", "n", 0)), table(column("u", "t", 2))])
    );

    let mut bytes = [0u8; 12];
    let mut copy = |block, capacity| {
        // SAFETY: the arguments are locals.
        call(|error| unsafe {
            lease::bow_lease_copy(c, lease, block, bytes.as_mut_ptr(), capacity, error)
        })
    };
    assert_eq!(
        copy(0, 11),
        Err((
            Status::BufferTooSmall,
            "expected room for 12 elements but found room for 11".to_owned()
        ))
    );
    assert_eq!(copy(4, 12), invalid("expected a block below 4 but found 4"));
    assert_eq!(copy(0, 12), Ok(Status::Ok));
    assert_eq!(bytes, [1u32, 2, 3].map(u32::to_ne_bytes).concat()[..]);
    assert_eq!(
        (scope.stats().bytes_viewed, scope.stats().bytes_copied),
        (27.0, 12.0)
    );

    let mut exported = BowTable::released();
    // SAFETY: the arguments are locals.
    call(|error| unsafe { lease::bow_lease_export(c, lease, 1, &mut exported, error) }).unwrap();
    // SAFETY: no pointers but the error's.
    let release = || call(|error| unsafe { lease::bow_lease_release(c, lease, error) });
    assert_eq!(release(), Ok(Status::Ok));
    assert_eq!(
        release(),
        Err((
            Status::LeaseReleased,
            format!("lease {lease:#x} has been released")
        ))
    );
    assert_eq!(scope.stats().live_leases, 1.0);
    assert_eq!(batch(exported), source);
    assert_eq!(
        (scope.stats().live_leases, scope.stats().bytes_viewed),
        (0.0, 0.0)
    );
}

#[test]
fn a_deallocator_drops_one_reference_and_ignores_what_is_stale() {
    let scope = Context::open();
    let lease = scope.import(&mut [table()], 0).unwrap();
    // SAFETY: no pointers but the error's.
    call(|error| unsafe { lease::bow_lease_retain(scope.0, lease, error) }).unwrap();
    let token = ((scope.0 as usize) << 32 | lease as usize) as *mut std::ffi::c_void;
    for live in [1.0, 0.0, 0.0] {
        // SAFETY: nobody reads the memory, and what names nothing is ignored.
        unsafe { lease::bow_lease_drop(null_mut(), token) };
        assert_eq!(scope.stats().live_leases, live);
    }
    // SAFETY: as above.
    unsafe { lease::bow_lease_drop(null_mut(), usize::MAX as *mut std::ffi::c_void) };
}

#[test]
fn reports_are_counted_whatever_the_number() {
    let scope = Context::open();
    for bytes in [f64::NAN, -1.0, 2.5] {
        // SAFETY: no pointers but the error's.
        call(|error| unsafe { lease::bow_lease_report(scope.0, 1, 2, bytes, error) }).unwrap();
    }
    let stats = scope.stats();
    assert_eq!(
        (stats.leaks, stats.violations, stats.bytes_copied),
        (3.0, 6.0, 2.0)
    );
}
