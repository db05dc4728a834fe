//! Jobs: results in order through a bounded queue, prompt cancellation, failures told once they are due.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use bowstring_abi::{Failure, Status};
use bowstring_runtime::{Context, Job, Monitor, Next, Progress, close_context};

use common::{Alive, Gate, Scope, number};

const FOREVER: u32 = u32::MAX;

/// The next result, waited for.
fn next(job: &Job) -> Result<Next, Failure> {
    assert!(job.wait(FOREVER));
    job.next(5)
}

fn numbers(next: Result<Next, Failure>) -> Vec<u32> {
    match next {
        Ok(Next::Group(group)) => group.into_tables().iter().map(number).collect(),
        other => panic!("expected a group but found {other:?}"),
    }
}

/// Waits until the producer has as many results queued as fit.
fn wait_until_full(job: &Job) {
    while job.state().results_queued < 2.0 {
        std::thread::yield_now();
    }
}

/// A job that hands out groups of one table for ever, and a flag that is set when its work has ended, or has been
/// dropped before it began.
fn endless(context: &Context, alive: &Alive) -> (u32, Arc<AtomicBool>) {
    struct Sets(Arc<AtomicBool>);
    impl Drop for Sets {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let ended = Arc::new(AtomicBool::new(false));
    let (alive, flag) = (alive.clone(), Sets(ended.clone()));
    let job = context.start_job("test", Arc::new(()), move |outlet| {
        let _flag = flag;
        for index in 0.. {
            if outlet.send(vec![alive.table(index)]).is_break() {
                break;
            }
        }
        Ok(())
    });
    (job.unwrap(), ended)
}

fn wait_for(flag: &AtomicBool) {
    while !flag.load(SeqCst) {
        std::thread::yield_now();
    }
}

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
    let handle = scope
        .context
        .start_job("test", Arc::new(()), move |outlet| {
            let _ = outlet.send((0..5).map(|index| tables.table(index)).collect());
            Ok(())
        });
    let job = scope.context.job(handle.unwrap()).unwrap();
    assert!(job.wait(FOREVER));
    assert!(matches!(job.next(4), Ok(Next::NeedsRoom(5))));
    assert_eq!(numbers(job.next(5)), [0, 1, 2, 3, 4]);
}

#[test]
fn nothing_yet_is_pending() {
    let (scope, gate) = (Scope::open(), Gate::new());
    let hold = gate.waiter();
    let handle = scope.context.start_job("test", Arc::new(()), move |_| {
        hold();
        Ok(())
    });
    let job = scope.context.job(handle.unwrap()).unwrap();
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
    let handle = scope
        .context
        .start_job("test", Arc::new(()), move |outlet| {
            let _ = outlet.send(vec![tables.table(7)]);
            Err(Failure::new(Status::Io, "disk on fire"))
        });
    let job = scope.context.job(handle.unwrap()).unwrap();
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
    let handle = scope
        .context
        .start_job("test", Arc::new(()), |_| panic!("index out of bounds"));
    let job = scope.context.job(handle.unwrap()).unwrap();
    let failure = next(&job).unwrap_err();
    assert_eq!(failure.status, Status::Panic);
    assert_eq!(
        failure.to_string(),
        "internal error, please report it: index out of bounds"
    );
}

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
    let handle = scope
        .context
        .start_job("test", Arc::new(()), move |outlet| {
            let _ = outlet.send(vec![tables.table(1)]);
            Ok(())
        });
    let job = scope.context.job(handle.unwrap()).unwrap();
    while job.state().state != 1 {
        std::thread::yield_now();
    }
    assert_eq!(alive.count(), 1);
    job.cancel();
    assert_eq!((alive.count(), job.state().state), (0, 3));

    let handle = scope
        .context
        .start_job("test", Arc::new(()), |_| Ok(()))
        .unwrap();
    let job = scope.context.job(handle).unwrap();
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
        let handle = scope
            .context
            .start_job("test", Arc::new(()), |_| Ok(()))
            .unwrap();
        let job = scope.context.job(handle).unwrap();
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
            while job.state().state == 0 {
                std::thread::yield_now();
            }
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
