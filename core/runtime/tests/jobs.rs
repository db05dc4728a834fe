//! Jobs: results in order through a bounded queue, failures told once they are due, events and waits.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

use bowstring_abi::{Failure, Status};
use bowstring_runtime::{Monitor, Next, Progress, close_context};

use common::jobs::{FOREVER, endless, next, numbers, start, wait_until_full};
use common::{Alive, Gate, Scope};

#[test]
fn results_come_in_order_and_then_done() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let tables = alive.clone();
    let job = scope
        .context
        .start_job("test", Arc::new(()), move |outlet| {
            for index in 0..10 {
                assert!(
                    outlet
                        .send(vec![tables.table(2 * index), tables.table(2 * index + 1)])
                        .is_continue()
                );
            }
            Ok(())
        });
    let handle = job.unwrap();
    let job = scope.context.job(handle).unwrap();
    for index in 0..10 {
        assert_eq!(numbers(next(&job)), [2 * index, 2 * index + 1]);
    }
    for _ in 0..2 {
        assert!(matches!(next(&job), Ok(Next::Done)));
    }
    assert_eq!((alive.count(), job.state().state), (0, 1));
    scope.context.close_job(handle).unwrap();
    assert_eq!(scope.live(), [0.0; 3]);
}

#[test]
fn the_producer_waits_when_two_results_are_queued() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (handle, _) = endless(&scope.context, &alive);
    let job = scope.context.job(handle).unwrap();
    for index in 0..20 {
        wait_until_full(&job);
        // Two in the queue, and at most one that waits for room.
        assert!((2..=3).contains(&alive.count()), "{}", alive.count());
        assert_eq!(numbers(job.next(1)), [index]);
    }
    scope.context.close_job(handle).unwrap();
}

#[test]
fn a_group_that_does_not_fit_stays_queued() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let tables = alive.clone();
    let job = start(&scope, move |outlet| {
        let _ = outlet.send((0..5).map(|index| tables.table(index)).collect());
        Ok(())
    });
    assert!(job.wait(FOREVER));
    assert!(matches!(job.next(4), Ok(Next::NeedsRoom(5))));
    assert_eq!(numbers(job.next(5)), [0, 1, 2, 3, 4]);
}

#[test]
fn nothing_yet_is_pending() {
    let (scope, gate) = (Scope::open(), Gate::new());
    let hold = gate.waiter();
    let job = start(&scope, move |_| {
        hold();
        Ok(())
    });
    assert!(matches!(job.next(5), Ok(Next::Pending)));
    assert!(!job.wait(0) && !job.wait(1));
    assert_eq!(job.state().state, 0);
    gate.open();
    assert!(matches!(next(&job), Ok(Next::Done)));
}

#[test]
fn a_failure_comes_after_the_results_before_it_and_stays() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let tables = alive.clone();
    let job = start(&scope, move |outlet| {
        let _ = outlet.send(vec![tables.table(7)]);
        Err(Failure::new(Status::Io, "disk on fire"))
    });
    assert_eq!(numbers(next(&job)), [7]);
    for _ in 0..2 {
        assert_eq!(
            next(&job).unwrap_err(),
            Failure::new(Status::Io, "disk on fire")
        );
    }
    assert_eq!(job.state().state, 2);
}

#[test]
fn a_panic_of_the_work_is_its_failure() {
    let scope = Scope::open();
    let job = start(&scope, |_| panic!("index out of bounds"));
    let failure = next(&job).unwrap_err();
    assert_eq!(failure.status, Status::Panic);
    assert_eq!(
        failure.to_string(),
        "internal error, please report it: index out of bounds"
    );
}

#[test]
fn progress_is_the_monitors() {
    struct Counting;
    impl Monitor for Counting {
        fn progress(&self) -> Progress {
            Progress {
                files_total: 4,
                bytes_total: 400,
                files_done: 3,
                bytes_done: 250,
            }
        }
    }
    let scope = Scope::open();
    let handle = scope
        .context
        .start_job("test", Arc::new(Counting), |_| Ok(()))
        .unwrap();
    let job = scope.context.job(handle).unwrap();
    assert!(job.wait(FOREVER));
    let state = job.state();
    let progress = [
        state.files_total,
        state.bytes_total,
        state.files_done,
        state.bytes_done,
    ];
    assert_eq!(
        (state.size, state.state, progress),
        (48, 1, [4.0, 400.0, 3.0, 250.0])
    );
}

static WAKES: AtomicUsize = AtomicUsize::new(0);
static WOKEN: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn wake(context: u32) {
    WOKEN.store(context, SeqCst);
    WAKES.fetch_add(1, SeqCst);
}

#[test]
fn a_burst_of_events_wakes_once_until_it_is_consumed() {
    let scope = Scope::open();
    let run = || {
        let job = start(&scope, |_| Ok(()));
        assert!(matches!(next(&job), Ok(Next::Done)));
        // Its thread lets go of the job when it has told of the end: then the handle and this are left.
        while Arc::strong_count(&job) > 2 {
            std::thread::yield_now();
        }
    };
    // Events from before the registration wake nobody.
    run();
    assert!(scope.context.wait(0).unwrap());
    // SAFETY: the function stays callable.
    unsafe { scope.context.set_waker(Some(wake)) };
    assert_eq!(WAKES.load(SeqCst), 0);
    for _ in 0..5 {
        run();
    }
    assert_eq!((WAKES.load(SeqCst), WOKEN.load(SeqCst)), (1, scope.handle));
    assert!(scope.context.wait(0).unwrap());
    run();
    assert_eq!(WAKES.load(SeqCst), 2);
    // SAFETY: nothing is registered.
    unsafe { scope.context.set_waker(None) };
    assert!(scope.context.wait(FOREVER).unwrap());
    run();
    assert!(
        scope.context.wait(FOREVER).unwrap(),
        "waiting needs no waker"
    );
    assert_eq!(WAKES.load(SeqCst), 2);
}

#[test]
fn a_wait_ends_with_the_event_the_timeout_or_the_context() {
    let (scope, gate) = (Scope::open(), Gate::new());
    assert!(!scope.context.wait(0).unwrap());
    assert!(!scope.context.wait(1).unwrap());
    let hold = gate.waiter();
    scope
        .context
        .start_job("test", Arc::new(()), move |_| {
            hold();
            Ok(())
        })
        .unwrap();
    let waiting = {
        let context = scope.context.clone();
        std::thread::spawn(move || context.wait(FOREVER))
    };
    gate.open();
    assert_eq!(waiting.join().unwrap(), Ok(true));
    let waiting = {
        let context = scope.context.clone();
        std::thread::spawn(move || context.wait(FOREVER))
    };
    close_context(scope.handle).unwrap();
    assert_eq!(
        waiting.join().unwrap().unwrap_err().to_string(),
        format!(
            "there is no context {:#x}, or it has been closed",
            scope.handle
        )
    );
}
