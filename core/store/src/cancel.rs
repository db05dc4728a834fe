//! Stopping a call from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Stops a running call of a [`Store`](crate::Store) from another thread.
#[derive(Debug, Clone, Default)]
pub struct Canceller {
    flag: Arc<AtomicBool>,
}

impl Canceller {
    /// Makes the call that runs on the store now, if any, return [`StoreError::Cancelled`](crate::StoreError) within
    /// milliseconds; a commit whose rows are already the current index still succeeds. The next call starts afresh.
    pub fn cancel(&self) {
        self.flag.store(true, Relaxed);
    }

    pub(crate) fn reset(&self) {
        self.flag.store(false, Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.flag.load(Relaxed)
    }
}
