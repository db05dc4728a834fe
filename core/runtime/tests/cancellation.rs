//! Cancelling jobs, and closing them, their contexts and the threads that opened those: prompt, once, and nothing is lost.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use bowstring_abi::{Failure, Status};
use bowstring_runtime::{Monitor, Next, close_context};

use common::jobs::{
    FOREVER, endless, next, numbers, start, wait_for, wait_until_ended, wait_until_full,
};
use common::{Alive, Gate, Scope};

#[test]
fn cancelling_frees_the_queue_and_wakes_a_producer_that_waits() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (handle, ended) = endless(&scope.context, &alive);
    let job = scope.context.job(handle).unwrap();
    wait_until_full(&job);
    job.cancel();
    wait_for(&ended);
    assert_eq!(alive.count(), 0);
    for _ in 0..2 {
        assert_eq!(
            next(&job).unwrap_err(),
            Failure::new(Status::Cancelled, "the job was cancelled")
        );
    }
    assert_eq!((job.state().state, job.state().results_queued), (3, 0.0));
}

#[test]
fn cancelling_reaches_the_work_through_its_monitor_once() {
    struct Counts(Mutex<Sender<()>>, AtomicUsize);
    impl Monitor for Counts {
        fn cancel(&self) {
            self.1.fetch_add(1, SeqCst);
            self.0.lock().unwrap().send(()).unwrap();
        }
    }
    let scope = Scope::open();
    let (cancelled, wait) = channel();
    let (report, reported) = channel();
    let monitor = Arc::new(Counts(Mutex::new(cancelled), AtomicUsize::new(0)));
    let handle = scope.context.start_job("test", monitor.clone(), move |_| {
        report.send("begun").unwrap();
        wait.recv().unwrap();
        report.send("cancelled").unwrap();
        Err(Failure::new(
            Status::Io,
            "what the work says of it does not count",
        ))
    });
    let handle = handle.unwrap();
    let job = scope.context.job(handle).unwrap();
    assert_eq!(reported.recv(), Ok("begun"));
    job.cancel();
    job.cancel();
    assert_eq!(reported.recv(), Ok("cancelled"));
    assert_eq!(
        next(&job).unwrap_err(),
        Failure::new(Status::Cancelled, "the job was cancelled")
    );
    scope.context.close_job(handle).unwrap();
    assert_eq!((job.state().state, monitor.1.load(SeqCst)), (3, 1));
}

#[test]
fn cancelling_a_job_that_has_ended_frees_its_results() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let tables = alive.clone();
    let job = start(&scope, move |outlet| {
        let _ = outlet.send(vec![tables.table(1)]);
        Ok(())
    });
    wait_until_ended(&job);
    assert_eq!(alive.count(), 1);
    job.cancel();
    assert_eq!((alive.count(), job.state().state), (0, 3));

    let job = start(&scope, |_| Ok(()));
    assert!(matches!(next(&job), Ok(Next::Done)));
    job.cancel();
    assert!(
        matches!(job.next(5), Ok(Next::Done)),
        "nothing was left to cancel"
    );
}

#[test]
fn closing_a_job_cancels_it_and_makes_its_handle_stale() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (handle, ended) = endless(&scope.context, &alive);
    scope.context.close_job(handle).unwrap();
    wait_for(&ended);
    assert_eq!((alive.count(), scope.live()), (0, [0.0; 3]));
    let expected = format!("there is no job {handle:#x}, or it has been closed");
    assert_eq!(
        scope
            .context
            .job(handle)
            .map(|_| ())
            .unwrap_err()
            .to_string(),
        expected
    );
    assert_eq!(
        scope.context.close_job(handle).unwrap_err().to_string(),
        expected
    );
}

#[test]
fn closing_the_context_cancels_its_jobs() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (_, ended) = endless(&scope.context, &alive);
    close_context(scope.handle).unwrap();
    wait_for(&ended);
    assert_eq!((alive.count(), scope.live()), (0, [0.0; 3]));
    let refused = scope
        .context
        .start_job("test", Arc::new(()), |_| Ok(()))
        .unwrap_err();
    assert_eq!(refused.status, Status::StaleHandle);
}

#[test]
fn a_thread_that_exits_closes_the_contexts_that_it_opened() {
    let alive = Alive::default();
    let tables = alive.clone();
    let (context, ended) = std::thread::spawn(move || {
        let handle = bowstring_runtime::open_context().unwrap();
        let context = bowstring_runtime::context(handle).unwrap();
        context
            .import(vec![tables.table(0)], bowstring_abi::Level::Full)
            .unwrap();
        let (job, ended) = endless(&context, &tables);
        wait_until_full(&context.job(job).unwrap());
        (context, ended)
    })
    .join()
    .unwrap();
    wait_for(&ended);
    assert_eq!(alive.count(), 0);
    assert_eq!(context.stats().live_leases + context.stats().live_jobs, 0.0);
    assert!(bowstring_runtime::context(context.handle()).is_err());
    assert!(context.wait(FOREVER).is_err(), "waits end");
}

/// Records when it is called.
#[derive(Default)]
struct Recorder(Mutex<Vec<&'static str>>);

impl Monitor for Recorder {
    fn begin(&self) {
        self.0.lock().unwrap().push("begin");
    }

    fn cancel(&self) {
        self.0.lock().unwrap().push("cancel");
    }
}

#[test]
fn a_cancellation_never_comes_before_the_beginning_that_it_is_meant_for() {
    let (scope, gate) = (Scope::open(), Gate::new());
    let recorder = Arc::new(Recorder::default());
    let (started, running) = channel();
    let hold = gate.waiter();
    let handle = scope
        .context
        .start_job("test", recorder.clone(), move |_| {
            started.send(()).unwrap();
            hold();
            Ok(())
        })
        .unwrap();
    running.recv().unwrap();
    scope.context.job(handle).unwrap().cancel();
    gate.open();
    // Cancelled as soon as it is there: either it has begun, or it never will and nobody is told.
    for _ in 0..200 {
        let handle = scope
            .context
            .start_job("test", recorder.clone(), |_| Ok(()))
            .unwrap();
        scope.context.job(handle).unwrap().cancel();
    }
    let calls = recorder.0.lock().unwrap();
    assert_eq!(calls[..2], ["begin", "cancel"]);
    let mut running = 0;
    for call in calls.iter() {
        running += if *call == "begin" { 1 } else { -1 };
        assert!(running >= 0, "cancelled before it began: {calls:?}");
    }
}

/// Work that is awaited: told to stop, it says how it ended.
struct Awaited(Mutex<Sender<()>>);

impl Monitor for Awaited {
    fn cancel(&self) {
        self.0.lock().unwrap().send(()).unwrap();
    }

    fn is_awaited(&self) -> bool {
        true
    }
}

#[test]
fn a_job_that_is_awaited_ends_as_its_work_does() {
    for is_too_late in [false, true] {
        let (scope, alive) = (Scope::open(), Alive::default());
        let ((begun, has_begun), (stop, stopped)) = (channel(), channel());
        let gate = Gate::new();
        let (waiter, table) = (gate.waiter(), alive.table(5));
        let monitor = Arc::new(Awaited(Mutex::new(stop)));
        let work = move |outlet: &bowstring_runtime::Outlet| {
            begun.send(()).unwrap();
            stopped.recv().unwrap();
            waiter();
            if is_too_late {
                // More than are queued without waiting, as nobody may take them.
                for _ in 0..9 {
                    assert!(outlet.send(vec![]).is_continue());
                }
                assert!(outlet.send(vec![table]).is_continue());
                return Ok(());
            }
            drop(table);
            Err(Failure::new(Status::Cancelled, "stopped"))
        };
        let handle = scope.context.start_job("test", monitor, work).unwrap();
        let job = scope.context.job(handle).unwrap();
        has_begun.recv().unwrap();
        job.cancel();
        job.cancel();
        assert_eq!(job.state().state, 0, "running");
        assert!(matches!(job.next(5), Ok(Next::Pending)));
        gate.open();
        if is_too_late {
            for _ in 0..9 {
                assert!(numbers(next(&job)).is_empty());
            }
            // Also when it has ended.
            wait_until_ended(&job);
            job.cancel();
            assert_eq!(numbers(next(&job)), [5]);
            assert!(matches!(next(&job), Ok(Next::Done)));
        } else {
            assert_eq!(next(&job).unwrap_err().status, Status::Cancelled);
            assert_eq!(job.state().state, 3);
        }
        drop((job, scope));
        assert_eq!(alive.count(), 0);
    }
}

#[test]
fn a_job_that_is_awaited_and_has_not_begun_says_so_when_its_work_is_dropped() {
    let (scope, alive) = (Scope::open(), Alive::default());
    for _ in 0..300 {
        let (stop, _stopped) = channel();
        let monitor = Arc::new(Awaited(Mutex::new(stop)));
        let table = alive.table(1);
        let work = move |_: &bowstring_runtime::Outlet| {
            drop(table);
            Err(Failure::new(Status::Cancelled, "stopped"))
        };
        let handle = scope.context.start_job("test", monitor, work).unwrap();
        let job = scope.context.job(handle).unwrap();
        // As soon as it is there: most have not begun.
        job.cancel();
        assert_eq!(next(&job).unwrap_err().status, Status::Cancelled);
        assert_eq!(alive.count(), 0);
    }
}
