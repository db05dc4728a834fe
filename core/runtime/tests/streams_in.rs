//! Streams in: read on a job's thread, released once, whatever happens.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;

use bowstring_abi::{ArrowArrayStream, Failure, Level, OwnedStream, Status};
use bowstring_runtime::{Job, Next, NextLease, close_context};

use common::producer::{Step, stream};
use common::{Alive, Gate, Scope, number};

fn import(scope: &Scope, stream: OwnedStream) -> (u32, Arc<Job>) {
    let job = scope
        .context
        .import_stream(stream, Level::Default.into())
        .unwrap();
    (job, scope.context.job(job).unwrap())
}

/// The length of a result, and its number if it has one.
type Found = (i64, Option<u32>);

/// The results up to the end.
fn results(job: &Job) -> Result<Vec<Found>, (Vec<Found>, Failure)> {
    let mut found = Vec::new();
    loop {
        assert!(job.wait(u32::MAX));
        match job.next(1) {
            Ok(Next::Group(group)) => {
                let tables = group.into_tables();
                let length = tables[0].array().length;
                found.push((length, (length > 0).then(|| number(&tables[0]))));
            }
            Ok(Next::Done) => return Ok(found),
            Ok(other) => panic!("expected a group but found {other:?}"),
            Err(failure) => return Err((found, failure)),
        }
    }
}

fn wait_for(count: &AtomicUsize, expected: usize) {
    while count.load(SeqCst) != expected {
        std::thread::yield_now();
    }
}

#[test]
fn the_schema_comes_first_and_then_every_batch() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let steps = (0..200).map(|index| Step::Batch(alive.table(index)));
    let (stream, releases) = stream(Some(alive.table(0)), steps.collect());
    let (_, job) = import(&scope, stream);
    let mut expected = vec![(0, None)];
    expected.extend((0..200).map(|index| (1, Some(index))));
    assert_eq!(results(&job).unwrap(), expected);
    wait_for(&releases, 1);
    assert_eq!(alive.count(), 0);
}

#[test]
fn no_more_waits_than_the_bound_and_the_producer_goes_on_at_half() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let pulled = Arc::new(AtomicUsize::new(0));
    let steps = (0..300).flat_map(|index| {
        let pulled = pulled.clone();
        let count = move || {
            pulled.fetch_add(1, SeqCst);
        };
        [Step::Run(Box::new(count)), Step::Batch(alive.table(index))]
    });
    let (stream, _) = stream(Some(alive.table(0)), steps.collect());
    let (_, job) = import(&scope, stream);
    // 64 results, of which the first is the schema, and one batch that has no place yet.
    wait_for(&pulled, 64);
    while job.state().results_queued < 64.0 {
        std::thread::yield_now();
    }
    for _ in 0..31 {
        assert!(matches!(job.next(1), Ok(Next::Group(_))));
    }
    assert_eq!(
        (pulled.load(SeqCst), job.state().results_queued),
        (64, 33.0)
    );
    assert!(matches!(job.next(1), Ok(Next::Group(_))));
    wait_for(&pulled, 96);
    assert_eq!(results(&job).unwrap().len(), 301 - 32);
}

#[test]
fn an_error_has_the_producers_words_and_errno_and_comes_after_the_batches() {
    let cases = [
        (
            Some("disk on fire"),
            "the stream failed: disk on fire (errno 5)",
        ),
        (None, "the stream failed without a message (errno 5)"),
    ];
    for (message, expected) in cases {
        let (scope, alive) = (Scope::open(), Alive::default());
        let steps = vec![Step::Batch(alive.table(7)), Step::Fail(5, message)];
        let (stream, releases) = stream(Some(alive.table(0)), steps);
        let (_, job) = import(&scope, stream);
        let (found, failure) = results(&job).unwrap_err();
        assert_eq!(found, [(0, None), (1, Some(7))]);
        assert_eq!(failure, Failure::new(Status::Io, expected));
        wait_for(&releases, 1);
        assert_eq!(alive.count(), 0);
    }
    let scope = Scope::open();
    let (broken, releases) = stream(None, Vec::new());
    let (_, job) = import(&scope, broken);
    let (found, failure) = results(&job).unwrap_err();
    assert_eq!(found, []);
    assert_eq!(failure.message, "the stream failed: no schema (errno 5)");
    wait_for(&releases, 1);
}

#[test]
fn a_cancel_while_get_next_blocks_resolves_at_once_and_releases_later() {
    let (scope, alive, gate) = (Scope::open(), Alive::default(), Gate::new());
    let (blocked, blocks) = channel();
    let hold = gate.waiter();
    let block = move || {
        blocked.send(()).unwrap();
        hold();
    };
    let steps = vec![Step::Run(Box::new(block)), Step::Batch(alive.table(1))];
    let (stream, releases) = stream(Some(alive.table(0)), steps);
    let (_, job) = import(&scope, stream);
    blocks.recv().unwrap();
    job.cancel();
    assert_eq!(job.next(1).unwrap_err().status, Status::Cancelled);
    assert_eq!((releases.load(SeqCst), alive.count()), (0, 1));
    gate.open();
    wait_for(&releases, 1);
    assert_eq!(alive.count(), 0, "the batch that came too late");
}

#[test]
fn the_end_of_the_context_releases_stream_and_queue() {
    let (scope, alive, gate) = (Scope::open(), Alive::default(), Gate::new());
    let steps = vec![
        Step::Batch(alive.table(1)),
        Step::Run(Box::new(gate.waiter())),
    ];
    let (stream, releases) = stream(Some(alive.table(0)), steps);
    let (_, job) = import(&scope, stream);
    while job.state().results_queued < 2.0 {
        std::thread::yield_now();
    }
    close_context(scope.handle).unwrap();
    assert_eq!(alive.count(), 0);
    gate.open();
    wait_for(&releases, 1);
}

#[test]
fn results_are_leased_without_a_second_look() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let steps = vec![Step::Batch(alive.table(5))];
    let (stream, _) = stream(Some(alive.table(0)), steps);
    let (handle, job) = import(&scope, stream);
    let mut leases = Vec::new();
    loop {
        assert!(job.wait(u32::MAX));
        match scope.context.lease_next(handle).unwrap() {
            NextLease::Lease(lease) => leases.push(lease),
            NextLease::Pending => panic!("waited for"),
            NextLease::Done => break,
        }
    }
    let rows = leases.iter().map(|&lease| {
        let lease = scope.context.lease(lease).unwrap();
        lease.tables()[0].array().length
    });
    assert_eq!(rows.collect::<Vec<_>>(), [0, 1]);
    assert_eq!(scope.context.stats().live_leases, 2.0);
    for lease in leases {
        scope.context.release(lease).unwrap();
    }
    assert_eq!(alive.count(), 0);
}

#[test]
fn batches_are_checked_and_a_bad_one_ends_the_job() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let mut bad = alive.table(2).into_raw();
    bad.array.length = -1;
    // SAFETY: moved out one line above.
    let bad = unsafe { bowstring_abi::OwnedTable::take(&mut bad) };
    let steps = vec![
        Step::Batch(alive.table(1)),
        Step::Batch(bad),
        Step::Batch(alive.table(3)),
    ];
    let (stream, releases) = stream(Some(alive.table(0)), steps);
    let (_, job) = import(&scope, stream);
    let (found, failure) = results(&job).unwrap_err();
    assert_eq!(found.len(), 2);
    assert_eq!(
        failure,
        Failure::new(
            Status::InvalidArrow,
            "record batch: expected length >= 0 but found -1"
        )
    );
    wait_for(&releases, 1);
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_stream_that_has_been_released_is_refused() {
    let scope = Scope::open();
    // SAFETY: it holds nothing.
    let released = unsafe { OwnedStream::from_raw(ArrowArrayStream::released()) };
    let refused = scope
        .context
        .import_stream(released, Level::Default.into())
        .unwrap_err();
    assert_eq!(
        refused,
        Failure::invalid_argument("the stream has been released")
    );
    assert_eq!(scope.live(), [0.0; 3]);
}
