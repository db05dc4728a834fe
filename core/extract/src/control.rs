//! Cancellation and progress, shared between an extraction and whoever watches it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counters of a running extraction and the flag that stops it. Share it by reference or in an `Arc`.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    files_total: AtomicU64,
    bytes_total: AtomicU64,
    files_done: AtomicU64,
    bytes_done: AtomicU64,
}

/// A reading of a [`Control`]'s counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files to process; 0 until the scan has ended.
    pub files_total: u64,
    /// Their sizes on disk, in bytes.
    pub bytes_total: u64,
    /// Files finished, whatever the outcome.
    pub files_done: u64,
    /// The sizes on disk of the finished files, in bytes.
    pub bytes_done: u64,
}

impl Control {
    /// Asks the extraction to stop; it does so within milliseconds, also in the middle of a file.
    pub fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }

    /// The counters now. Each is exact; together they may be a moment apart.
    pub fn progress(&self) -> Progress {
        Progress {
            files_total: self.files_total.load(Relaxed),
            bytes_total: self.bytes_total.load(Relaxed),
            files_done: self.files_done.load(Relaxed),
            bytes_done: self.bytes_done.load(Relaxed),
        }
    }

    pub(crate) fn set_total(&self, files: u64, bytes: u64) {
        self.files_total.store(files, Relaxed);
        self.bytes_total.store(bytes, Relaxed);
    }

    pub(crate) fn add_done(&self, bytes: u64) {
        self.files_done.fetch_add(1, Relaxed);
        self.bytes_done.fetch_add(bytes, Relaxed);
    }
}
