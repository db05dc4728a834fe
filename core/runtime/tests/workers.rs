//! Workers: jobs of one value, in order, on its own thread.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bowstring_abi::{Failure, Level, Status};
use bowstring_runtime::{Job, Next, Outlet, Worker, close_context};

use common::producer::{Step, stream};
use common::{Alive, Gate, Opens, Scope, number};

/// What the worker owns: a record of what was done, and of its own end.
struct Ledger {
    entries: Arc<Mutex<Vec<u32>>>,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, SeqCst);
    }
}

fn ledger(scope: &Scope) -> (u32, Arc<Mutex<Vec<u32>>>, Arc<AtomicUsize>) {
    let (entries, dropped) = (Arc::default(), Arc::default());
    let value = Ledger {
        entries: Arc::clone(&entries),
        dropped: Arc::clone(&dropped),
    };
    let store = scope
        .context
        .add_store(Worker::spawn("test", value, Arc::new(())).unwrap())
        .unwrap();
    (store, entries, dropped)
}

fn note(scope: &Scope, store: u32, entry: u32) -> Arc<Job> {
    let work = move |ledger: &mut Ledger, _: &_| {
        ledger.entries.lock().unwrap().push(entry);
        Ok(())
    };
    scope
        .context
        .job(scope.context.start_on_store(store, work).unwrap())
        .unwrap()
}

fn end(job: &Job) -> Result<Next, Failure> {
    assert!(job.wait(u32::MAX));
    job.next(1)
}

#[test]
fn jobs_run_in_order_and_may_have_results() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (store, entries, _) = ledger(&scope);
    let jobs: Vec<_> = (0..100).map(|entry| note(&scope, store, entry)).collect();
    let tables = alive.clone();
    let last = scope
        .context
        .start_on_store(store, move |ledger: &mut Ledger, outlet| {
            let count = ledger.entries.lock().unwrap().len() as u32;
            let _ = outlet.send(vec![tables.table(count)]);
            Ok(())
        });
    let last = scope.context.job(last.unwrap()).unwrap();
    match end(&last) {
        Ok(Next::Group(group)) => assert_eq!(number(&group.into_tables()[0]), 100),
        other => panic!("expected a group but found {other:?}"),
    }
    assert_eq!(*entries.lock().unwrap(), (0..100).collect::<Vec<_>>());
    assert!(jobs.iter().all(|job| matches!(end(job), Ok(Next::Done))));
    assert_eq!(scope.live(), [0.0, 101.0, 1.0]);
}

/// Whoever has seen a job's end, and consumed the events there were, is not told of it again.
#[test]
fn no_event_comes_after_what_it_tells_of_was_seen() {
    let scope = Scope::open();
    for round in 0..200 {
        let (store, _, _) = ledger(&scope);
        let job = note(&scope, store, round);
        while matches!(job.next(1).unwrap(), Next::Pending) {
            std::thread::yield_now();
        }
        while scope.context.wait(0).unwrap() {}
        // The thread has ended, so it tells nothing more.
        scope.context.close_store(store).unwrap();
        assert!(!scope.context.wait(0).unwrap(), "in round {round}");
    }
}

#[test]
fn a_job_that_fails_or_panics_leaves_the_worker_working() {
    let scope = Scope::open();
    let (store, entries, _) = ledger(&scope);
    let failing = scope.context.start_on_store(store, |_: &mut Ledger, _| {
        Err(Failure::new(Status::Store, "no"))
    });
    let panicking = scope
        .context
        .start_on_store(store, |_: &mut Ledger, _| panic!("oh"));
    let jobs = [failing, panicking].map(|job| scope.context.job(job.unwrap()).unwrap());
    assert_eq!(end(&jobs[0]).unwrap_err().status, Status::Store);
    assert_eq!(end(&jobs[1]).unwrap_err().status, Status::Panic);
    assert!(matches!(end(&note(&scope, store, 7)), Ok(Next::Done)));
    assert_eq!(*entries.lock().unwrap(), [7]);
}

#[test]
fn a_job_that_is_cancelled_before_its_turn_is_not_done() {
    let (scope, gate) = (Scope::open(), Gate::new());
    let (store, entries, _) = ledger(&scope);
    let hold = gate.waiter();
    scope
        .context
        .start_on_store(store, move |_: &mut Ledger, _| {
            hold();
            Ok(())
        })
        .unwrap();
    let cancelled = note(&scope, store, 1);
    let kept = note(&scope, store, 2);
    cancelled.cancel();
    assert_eq!(cancelled.next(1).unwrap_err().status, Status::Cancelled);
    gate.open();
    assert!(matches!(end(&kept), Ok(Next::Done)));
    assert_eq!(*entries.lock().unwrap(), [2]);
}

#[test]
fn the_monitor_is_called_for_the_job_that_runs_only() {
    let scope = Scope::open();
    let (cancelled, wait) = channel();
    let (started, running) = channel();
    let worker = Worker::spawn("test", (), Arc::new(Opens(Mutex::new(cancelled)))).unwrap();
    let store = scope.context.add_store(worker).unwrap();
    let run = scope.context.start_on_store(store, move |_: &mut (), _| {
        started.send(()).unwrap();
        wait.recv().unwrap();
        assert!(wait.try_recv().is_err(), "called once");
        Ok(())
    });
    let queued = scope.context.start_on_store(store, |_: &mut (), _| Ok(()));
    let [run, queued] = [run, queued].map(|job| scope.context.job(job.unwrap()).unwrap());
    running.recv().unwrap();
    queued.cancel();
    run.cancel();
    run.cancel();
    assert_eq!(end(&run).unwrap_err().status, Status::Cancelled);
    let after = scope.context.start_on_store(store, |_: &mut (), _| Ok(()));
    assert!(matches!(
        end(&scope.context.job(after.unwrap()).unwrap()),
        Ok(Next::Done)
    ));
}

#[test]
fn closing_waits_for_the_value_to_be_dropped_and_keeps_finished_results() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (store, _, dropped) = ledger(&scope);
    let tables = alive.clone();
    let job = scope
        .context
        .start_on_store(store, move |_: &mut Ledger, outlet| {
            let _ = outlet.send(vec![tables.table(1)]);
            Ok(())
        });
    let job = scope.context.job(job.unwrap()).unwrap();
    while job.state().state == 0 {
        std::thread::yield_now();
    }
    scope.context.close_store(store).unwrap();
    assert_eq!((dropped.load(SeqCst), scope.live()[2]), (1, 0.0));
    assert!(matches!(end(&job), Ok(Next::Group(_))));
    let expected = format!("there is no store {store:#x}, or it has been closed");
    assert_eq!(
        scope.context.close_store(store).unwrap_err().to_string(),
        expected
    );
    let refused = scope
        .context
        .start_on_store(store, |_: &mut Ledger, _| Ok(()))
        .unwrap_err();
    assert_eq!(refused.to_string(), expected);
}

/// Work that runs ends as soon as it is cancelled; what waits behind it must not have its turn then.
#[test]
fn closing_cancels_what_has_not_been_done() {
    enum Closing {
        Store,
        Connection,
        ContextOfStore,
        ContextOfConnection,
    }
    use Closing::*;
    for closing in [Store, Connection, ContextOfStore, ContextOfConnection] {
        let (scope, alive) = (Scope::open(), Alive::default());
        let context = &scope.context;
        let (cancelled, wait) = channel();
        let worker = Worker::spawn("test", (), Arc::new(Opens(Mutex::new(cancelled)))).unwrap();
        let (started, running) = channel();
        let (begun, next) = channel();
        // Cancelling releases what nobody has read: time for the thread to go on.
        let result = alive.table_and_then(1, move || {
            let _ = next.recv_timeout(Duration::from_millis(100));
        });
        let run = move |_: &mut (), outlet: &Outlet| {
            let _ = outlet.send(vec![result]);
            started.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        };
        let queued = move |_: &mut (), _: &Outlet| {
            let _ = begun.send(());
            Ok(())
        };
        let (worker, jobs) = match closing {
            Store | ContextOfStore => {
                let store = context.add_store(worker).unwrap();
                let run = context.start_on_store(store, run);
                (store, [run, context.start_on_store(store, queued)])
            }
            Connection | ContextOfConnection => {
                let connection = context.add_connection(worker).unwrap();
                let run = context.start_on_connection(connection, run);
                let queued = context.start_on_connection(connection, queued);
                (connection, [run, queued])
            }
        };
        let jobs = jobs.map(|job| context.job(job.unwrap()).unwrap());
        running.recv().unwrap();
        match closing {
            Store => context.close_store(worker).unwrap(),
            Connection => {
                let last = |_: &mut (), _: &Outlet| Ok(());
                context.close_connection(worker, last).unwrap();
            }
            ContextOfStore | ContextOfConnection => close_context(scope.handle).unwrap(),
        }
        for job in jobs {
            assert_eq!(end(&job).unwrap_err().status, Status::Cancelled);
        }
        assert_eq!(alive.count(), 0);
    }
}

#[test]
fn the_end_of_the_context_is_the_end_of_its_stores() {
    let scope = Scope::open();
    let (_, _, dropped) = ledger(&scope);
    close_context(scope.handle).unwrap();
    assert_eq!((dropped.load(SeqCst), scope.live()), (1, [0.0; 3]));

    let (scope, dropped) = std::thread::spawn(|| {
        let scope = Scope::open();
        let (_, _, dropped) = ledger(&scope);
        (scope, dropped)
    })
    .join()
    .unwrap();
    // Nobody waits for the store when a thread exits; it ends on its own.
    while dropped.load(SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(scope.context.stats().live_stores, 0.0);
}

#[test]
fn a_store_is_asked_for_by_its_type() {
    let scope = Scope::open();
    let (store, _, _) = ledger(&scope);
    let refused = scope
        .context
        .start_on_store(store, |_: &mut String, _| Ok(()))
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("there is no store {store:#x}, or it has been closed")
    );
}

#[test]
fn work_that_holds_memory_waits_in_a_bounded_number() {
    let (scope, gate) = (Scope::open(), Gate::new());
    let (store, entries, _) = ledger(&scope);
    let start = |limit, work: Box<dyn FnOnce(&mut Ledger) + Send>| {
        scope
            .context
            .start_on_store_within(store, limit, move |ledger: &mut Ledger, _: &_| {
                work(ledger);
                Ok(())
            })
    };
    let hold = gate.waiter();
    let mut jobs = vec![start(Some(2), Box::new(move |_| hold())).unwrap()];
    let note = |entry| -> Box<dyn FnOnce(&mut Ledger) + Send> {
        Box::new(move |ledger| ledger.entries.lock().unwrap().push(entry))
    };
    jobs.push(start(Some(2), note(1)).unwrap());
    let refused = start(Some(2), note(2)).unwrap_err();
    let expected =
        format!("2 writes of store {store:#x} wait already: wait for one of them to end");
    assert_eq!(Failure::from(refused), Failure::new(Status::Busy, expected));
    // Work that holds nothing is not counted.
    jobs.push(start(None, note(3)).unwrap());
    gate.open();
    for job in jobs {
        assert!(matches!(
            end(&scope.context.job(job).unwrap()),
            Ok(Next::Done)
        ));
    }
    let last = start(Some(1), note(4)).unwrap();
    assert!(matches!(
        end(&scope.context.job(last).unwrap()),
        Ok(Next::Done)
    ));
    assert_eq!(*entries.lock().unwrap(), [1, 3, 4]);
}

/// A reader that waits for later work before it reads on is not waited for, but only as far as memory is to spare.
#[test]
fn results_that_nobody_reads_wait_up_to_the_bound_while_other_work_does() {
    // Batches of one number, 4 bytes: how many there are, and how many of them are read.
    for (bytes, batches, read) in [(12, 2, 2), (12, 3, 2), (4, 1, 0), (1 << 30, 200, 200)] {
        let (scope, alive, gate) = (Scope::open(), Alive::default(), Gate::new());
        let worker = Worker::spawn("test", (), Arc::new(()))
            .unwrap()
            .with_read_ahead(bytes);
        let connection = scope.context.add_connection(worker).unwrap();
        let mut steps = vec![Step::Run(Box::new(gate.waiter()))];
        steps.extend((0..batches).map(|index| Step::Batch(alive.table(index))));
        let (mut input, _) = stream(Some(alive.table(0)), steps);
        let query = scope
            .context
            .start_on_connection(connection, move |_: &mut (), outlet| {
                outlet.pull(&mut input, Level::Default.into(), |_, error| {
                    Failure::new(Status::Io, error.to_string())
                })
            });
        let query = scope.context.job(query.unwrap()).unwrap();
        let later = scope
            .context
            .start_on_connection(connection, |_: &mut (), _| Ok(()));
        let later = scope.context.job(later.unwrap()).unwrap();
        gate.open();
        assert!(
            matches!(end(&later), Ok(Next::Done)),
            "it is not waited for"
        );

        let mut numbers = Vec::new();
        let ended = loop {
            match end(&query) {
                Ok(Next::Group(group)) => {
                    let table = &group.into_tables()[0];
                    numbers.extend((table.array().length > 0).then(|| number(table)));
                }
                ended => break ended,
            }
        };
        assert_eq!(numbers, (0..read).collect::<Vec<_>>());
        if read == batches {
            assert!(matches!(ended, Ok(Next::Done)));
        } else {
            let expected = format!(
                "other work waits for the end of this, of whose results {bytes} bytes wait for their reader: read them \
                 first"
            );
            assert_eq!(ended.unwrap_err(), Failure::new(Status::Busy, expected));
        }
        assert_eq!(alive.count(), 0);
    }
}
