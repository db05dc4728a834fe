//! Stopping a call from another thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{DriverError, Error, NOT_IMPLEMENTED};

/// How long until a driver that has not stopped is asked again: at first, and at the most.
const FIRST_WAIT: Duration = Duration::from_millis(2);
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// What asks a driver to stop.
pub(crate) type Stop = Box<dyn Fn() -> Result<(), DriverError> + Send>;

#[derive(Default)]
struct State {
    cancelled: bool,
    /// Set exactly as long as the object that the driver would be asked about lives.
    stop: Option<Stop>,
}

/// Stops one operation from another thread: what the driver is at when it is cancelled, and what would come after that.
#[derive(Default)]
pub struct Cancellation {
    state: Mutex<State>,
    left: Condvar,
}

impl Cancellation {
    /// Cancels the operation, and returns at once: a driver's `Cancel` may wait for a server, so it is called on a thread
    /// of its own. It is called again, ever less often, until the operation has ended, since a driver ignores one that
    /// comes a moment before there is something to stop. A driver that cannot cancel goes on to the end.
    pub fn cancel(self: &Arc<Self>) {
        let mut state = self.lock();
        state.cancelled = true;
        if state.stop.is_none() {
            return;
        }
        drop(state);
        let this = self.clone();
        // Without a thread the operation goes on to its end, as with a driver that cannot cancel.
        let _ = std::thread::Builder::new()
            .name("bow-adbc-cancel".to_owned())
            .spawn(move || this.insist());
    }

    /// Whether the operation has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Refuses to go on if the operation has been cancelled.
    pub fn check(&self) -> Result<(), Error> {
        match self.is_cancelled() {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    /// From here on `stop` is what stops the operation, until the guard is dropped; dropping it waits for a `stop` that
    /// runs.
    pub(crate) fn enter(self: &Arc<Self>, stop: Stop) -> Result<Entered, Error> {
        let mut state = self.lock();
        if state.cancelled {
            return Err(Error::Cancelled);
        }
        state.stop = Some(stop);
        Ok(Entered(self.clone()))
    }

    fn insist(&self) {
        let mut wait = FIRST_WAIT;
        let mut state = self.lock();
        while let Some(stop) = &state.stop {
            // Under the lock: whoever releases the object that this is about takes `stop` away first.
            if stop().is_err_and(|error| error.status == NOT_IMPLEMENTED) {
                return;
            }
            let waited = self.left.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            wait = (2 * wait).min(LONGEST_WAIT);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An operation that can be stopped.
pub(crate) struct Entered(Arc<Cancellation>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.lock().stop = None;
        self.0.left.notify_all();
    }
}
