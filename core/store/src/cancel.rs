//! Stopping a call from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::StoreError;

/// Stops a running call of a [`Store`](crate::Store) from another thread.
#[derive(Debug, Clone, Default)]
pub struct Canceller {
    flag: Arc<AtomicBool>,
}

impl Canceller {
    /// Makes the call that runs on the store now, or else the next one, return
    /// [`StoreError::Cancelled`](crate::StoreError) within milliseconds; a commit whose rows are already the current
    /// index still succeeds, and so does abandoning. The call after that starts afresh.
    ///
    /// That a cancellation waits for the next call is what makes it certain: whoever is about to call cannot miss it. One
    /// that came too late for its call is taken back by [`reset`](Self::reset).
    pub fn cancel(&self) {
        self.flag.store(true, Relaxed);
    }

    /// Takes a cancellation back that no call has heeded.
    pub fn reset(&self) {
        self.flag.store(false, Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.flag.load(Relaxed)
    }

    /// Begins a call: refuses it if it has been cancelled already. When the guard is dropped, cancellations up to then
    /// have been for this call.
    pub(crate) fn call(&self) -> Result<Call, StoreError> {
        let call = Call(self.clone());
        match self.is_cancelled() {
            true => Err(StoreError::Cancelled),
            false => Ok(call),
        }
    }
}

/// A call that runs.
pub(crate) struct Call(Canceller);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.reset();
    }
}
