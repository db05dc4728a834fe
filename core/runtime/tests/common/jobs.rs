//! Jobs that are started, read and waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use bowstring_abi::Failure;
use bowstring_runtime::{Context, Job, Next, Outlet};

use super::{Alive, Scope, number};

pub const FOREVER: u32 = u32::MAX;

/// A job that does this, unwatched.
pub fn start(
    scope: &Scope,
    work: impl FnOnce(&Outlet) -> Result<(), Failure> + Send + 'static,
) -> Arc<Job> {
    let handle = scope.context.start_job("test", Arc::new(()), work).unwrap();
    scope.context.job(handle).unwrap()
}

/// The next result, waited for.
pub fn next(job: &Job) -> Result<Next, Failure> {
    assert!(job.wait(FOREVER));
    job.next(5)
}

pub fn numbers(next: Result<Next, Failure>) -> Vec<u32> {
    match next {
        Ok(Next::Group(group)) => group.into_tables().iter().map(number).collect(),
        other => panic!("expected a group but found {other:?}"),
    }
}

/// Waits until the producer has as many results queued as fit.
pub fn wait_until_full(job: &Job) {
    while job.state().results_queued < 2.0 {
        std::thread::yield_now();
    }
}

/// Waits until the work has ended, whatever is left to read.
pub fn wait_until_ended(job: &Job) {
    while job.state().state == 0 {
        std::thread::yield_now();
    }
}

/// A job that hands out groups of one table for ever, and a flag that is set when its work has ended, or has been
/// dropped before it began.
pub fn endless(context: &Context, alive: &Alive) -> (u32, Arc<AtomicBool>) {
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

pub fn wait_for(flag: &AtomicBool) {
    while !flag.load(SeqCst) {
        std::thread::yield_now();
    }
}
