//! Tasks spread over threads.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::{Control, QuantizeError};

/// Worker threads for `asked` of them.
pub(crate) fn threads(asked: usize) -> usize {
    if asked > 0 {
        asked
    } else {
        thread::available_parallelism().map_or(1, usize::from)
    }
}

/// What tasks share. One that panics ends the call, so that nobody sees what it left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` for each of `0..tasks` on up to `threads` threads, of which the calling one is one. Each thread has a
/// state of its own from `start`. Which thread takes which task changes nothing: tasks write to places of their own.
pub(crate) fn run<S>(
    threads: usize,
    tasks: usize,
    control: &Control,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) + Sync,
) -> Result<(), QuantizeError> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut state = start();
        while !control.is_cancelled() {
            let task = next.fetch_add(1, Relaxed);
            if task >= tasks {
                break;
            }
            work(&mut state, task);
        }
    };
    if tasks > 0 {
        thread::scope(|scope| {
            for at in 1..threads.min(tasks) {
                // A thread that cannot be had is one fewer.
                let name = format!("bowstring-quantize-{at}");
                let _ = thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, worker);
            }
            worker();
        });
    }
    if control.is_cancelled() {
        Err(QuantizeError::Cancelled)
    } else {
        Ok(())
    }
}
