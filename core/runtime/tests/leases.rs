//! A lease's memory lives as long as its references, and no longer.

mod common;

use std::sync::{Arc, Barrier};

use bowstring_abi::{Level, OwnedTable, Status};
use bowstring_runtime::{close_context, drop_token};

use common::{Alive, Scope, number};

fn import(scope: &Scope, alive: &Alive, count: u32) -> u32 {
    let tables = (0..count).map(|index| alive.table(index)).collect();
    scope.context.import(tables, Level::Full).unwrap()
}

fn token(context: u32, lease: u32) -> u64 {
    u64::from(context) << 32 | u64::from(lease)
}

#[test]
fn the_last_release_frees_all_tables_at_once() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let lease = import(&scope, &alive, 5);
    assert_eq!((alive.count(), scope.live()), (5, [1.0, 0.0, 0.0]));
    assert_eq!(scope.context.stats().bytes_viewed, 20.0);
    scope.context.release(lease).unwrap();
    assert_eq!((alive.count(), scope.live()), (0, [0.0, 0.0, 0.0]));
    assert_eq!(scope.context.stats().bytes_viewed, 0.0);
}

#[test]
fn handles_that_name_nothing_are_errors() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let released = import(&scope, &alive, 1);
    scope.context.release(released).unwrap();
    let cases = [
        (released, "lease 0x100000 has been released"),
        (0, "there is no lease 0x0, or it has been closed"),
        (
            0xfff0_0000,
            "there is no lease 0xfff00000, or it has been closed",
        ),
        (
            u32::MAX,
            "there is no lease 0xffffffff, or it has been closed",
        ),
    ];
    for (handle, expected) in cases {
        let context = &scope.context;
        let errors = [
            context.lease(handle).map(|_| ()).unwrap_err(),
            context.retain(handle).unwrap_err(),
            context.release(handle).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.to_string(), expected);
        }
        drop_token(token(scope.handle, handle));
    }
    assert_eq!(
        scope
            .context
            .job(released)
            .map(|_| ())
            .unwrap_err()
            .to_string(),
        "there is no job 0x100000, or it has been closed"
    );
}

#[test]
fn retained_references_keep_the_memory() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let lease = import(&scope, &alive, 2);
    scope.context.retain(lease).unwrap();
    scope.context.retain(lease).unwrap();
    scope.context.release(lease).unwrap();
    drop_token(token(scope.handle, lease));
    assert_eq!(alive.count(), 2);
    scope.context.release(lease).unwrap();
    assert_eq!((alive.count(), scope.live()[0]), (0, 0.0));
}

#[test]
fn an_exported_table_outlives_the_lease() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let lease = import(&scope, &alive, 2);
    let exported = scope.context.lease(lease).unwrap().export(1).unwrap();
    scope.context.release(lease).unwrap();
    assert_eq!(alive.count(), 2);
    assert_eq!(scope.live()[0], 1.0, "its memory is still there");
    assert_eq!(number(&exported), 1);
    assert_eq!(
        scope
            .context
            .lease(lease)
            .map(|_| ())
            .unwrap_err()
            .to_string(),
        "lease 0x100000 has been released"
    );
    std::thread::spawn(move || drop(exported)).join().unwrap();
    assert_eq!((alive.count(), scope.live()[0]), (0, 0.0));
}

#[test]
fn an_export_is_the_original_array_and_describes_as_it_does() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let first = import(&scope, &alive, 1);
    let exported = scope.context.lease(first).unwrap().export(0).unwrap();
    let second = scope.context.import(vec![exported], Level::Full).unwrap();
    let words = |lease| {
        scope
            .context
            .lease(lease)
            .unwrap()
            .description()
            .words
            .clone()
    };
    assert_eq!(words(first), words(second));
    let missing = scope
        .context
        .lease(first)
        .unwrap()
        .export(1)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(missing.to_string(), "expected a table below 1 but found 1");
    scope.context.release(first).unwrap();
    assert_eq!(alive.count(), 1);
    scope.context.release(second).unwrap();
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_table_that_is_refused_is_released() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let mut raw = alive.table(0).into_raw();
    raw.array.offset = 1;
    // SAFETY: the table was made here and is given up.
    let broken = unsafe { OwnedTable::take(&mut raw) };
    let refused = scope
        .context
        .import(vec![alive.table(1), broken], Level::Minimal)
        .unwrap_err();
    assert_eq!(refused.status, Status::InvalidArrow);
    assert_eq!(
        refused.to_string(),
        "table[1]: record batch: expected offset 0 but found 1"
    );
    assert_eq!((alive.count(), scope.live()[0]), (0, 0.0));
}

#[test]
fn closing_the_context_frees_what_nobody_else_holds() {
    let (scope, alive) = (Scope::open(), Alive::default());
    import(&scope, &alive, 3);
    close_context(scope.handle).unwrap();
    assert_eq!((alive.count(), scope.live()[0]), (0, 0.0));
    assert_eq!(
        bowstring_runtime::context(scope.handle)
            .map(|_| ())
            .unwrap_err()
            .to_string(),
        format!(
            "there is no context {:#x}, or it has been closed",
            scope.handle
        )
    );
    assert_eq!(
        close_context(scope.handle)
            .unwrap_err()
            .to_string()
            .split(',')
            .count(),
        2
    );
    let refused = scope
        .context
        .import(vec![alive.table(0)], Level::None)
        .unwrap_err();
    assert_eq!(refused.status, Status::StaleHandle);
    assert_eq!(alive.count(), 0);
}

#[test]
fn tokens_and_exports_outlive_the_context() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let held = import(&scope, &alive, 1);
    scope.context.retain(held).unwrap();
    let exported_from = import(&scope, &alive, 1);
    let exported = scope
        .context
        .lease(exported_from)
        .unwrap()
        .export(0)
        .unwrap();
    import(&scope, &alive, 1);
    close_context(scope.handle).unwrap();
    assert_eq!(alive.count(), 2);
    drop_token(token(scope.handle, held));
    assert_eq!(alive.count(), 1);
    drop(exported);
    assert_eq!(alive.count(), 0);
    // Stale by now, and harmless.
    drop_token(token(scope.handle, held));
}

#[test]
fn a_reference_released_before_the_close_is_not_taken_twice() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let lease = import(&scope, &alive, 1);
    scope.context.retain(lease).unwrap();
    scope.context.release(lease).unwrap();
    close_context(scope.handle).unwrap();
    assert_eq!(alive.count(), 1, "the retained reference still counts");
    drop_token(token(scope.handle, lease));
    assert_eq!(alive.count(), 0);
}

#[test]
fn tokens_that_name_nothing_are_ignored() {
    for token in [0, 1, u64::MAX, 1 << 52, 1 << 20, (1 << 52) | (1 << 20)] {
        drop_token(token);
    }
}

#[test]
fn eight_threads_may_release() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let leases: Vec<u32> = (0..64)
        .map(|_| {
            let lease = import(&scope, &alive, 2);
            (1..8).for_each(|_| scope.context.retain(lease).unwrap());
            lease
        })
        .collect();
    assert_eq!(alive.count(), 128);
    let barrier = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|index| {
            let (context, leases, barrier) =
                (scope.context.clone(), leases.clone(), barrier.clone());
            let handle = scope.handle;
            std::thread::spawn(move || {
                barrier.wait();
                for lease in leases {
                    match index % 2 {
                        0 => context.release(lease).unwrap(),
                        _ => drop_token(token(handle, lease)),
                    }
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!((alive.count(), scope.live()[0]), (0, 0.0));
}

#[test]
fn a_lease_that_is_held_by_a_call_survives_its_release() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let handle = import(&scope, &alive, 1);
    let lease = scope.context.lease(handle).unwrap();
    scope.context.release(handle).unwrap();
    assert_eq!((alive.count(), number(&lease.tables()[0])), (1, 0));
    drop(lease);
    assert_eq!(alive.count(), 0);
}

#[test]
fn what_a_binding_reports_is_counted() {
    let scope = Scope::open();
    scope.context.report(2, 3, 100);
    scope.context.report(1, 0, 11);
    let stats = scope.context.stats();
    assert_eq!(
        (stats.leaks, stats.violations, stats.bytes_copied),
        (3.0, 3.0, 111.0)
    );
}

/// A release that asks the context for something would wait for itself if it were called under the context's lock.
#[test]
fn a_release_may_call_back() {
    type Release = unsafe extern "C" fn(*mut bowstring_abi::ArrowArray);
    static CONTEXT: std::sync::OnceLock<std::sync::Arc<bowstring_runtime::Context>> =
        std::sync::OnceLock::new();
    static ORIGINAL: std::sync::OnceLock<Release> = std::sync::OnceLock::new();
    unsafe extern "C" fn release(array: *mut bowstring_abi::ArrowArray) {
        CONTEXT.get().unwrap().stats();
        // SAFETY: called with the array that had that release.
        unsafe {
            (*array).release = ORIGINAL.get().copied();
            ORIGINAL.get().unwrap()(array);
        }
    }
    let scope = Scope::open();
    assert!(CONTEXT.set(scope.context.clone()).is_ok());
    let alive = Alive::default();
    let calling = || {
        let mut raw = alive.table(1).into_raw();
        ORIGINAL.get_or_init(|| raw.array.release.unwrap());
        raw.array.release = Some(release);
        // SAFETY: the structs are given up.
        unsafe { OwnedTable::from_raw(raw.schema, raw.array) }
    };
    let import = |level| scope.context.import(vec![calling()], level);
    let lease = import(Level::Default).unwrap();
    scope.context.release(lease).unwrap();
    assert_eq!(alive.count(), 0);
    import(Level::Default).unwrap();
    bowstring_runtime::close_context(scope.handle).unwrap();
    assert_eq!(alive.count(), 0);
    import(Level::Default).unwrap_err();
    assert_eq!(alive.count(), 0);
}
