//! Cancellation and progress, shared between a call and whoever watches it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counters of a running call and the flag that stops it. Share it by reference or in an `Arc`.
///
/// A control may serve several calls, one after another, such as the batches of a stream: the counters go on.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    layers_total: AtomicU64,
    values_total: AtomicU64,
    layers_done: AtomicU64,
    values_done: AtomicU64,
}

/// A reading of a [`Control`]'s counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Layers to process.
    pub layers_total: u64,
    /// Their values. A layer that has to be done again, for `minCosine` or `onInvalid`, adds its values again.
    pub values_total: u64,
    /// Layers finished, whatever the outcome.
    pub layers_done: u64,
    /// Values finished.
    pub values_done: u64,
}

impl Control {
    /// Asks the call to stop; it does so within milliseconds, also in the middle of a layer.
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
            layers_total: self.layers_total.load(Relaxed),
            values_total: self.values_total.load(Relaxed),
            layers_done: self.layers_done.load(Relaxed),
            values_done: self.values_done.load(Relaxed),
        }
    }

    pub(crate) fn expect(&self, layers: usize, values: usize) {
        self.layers_total.fetch_add(layers as u64, Relaxed);
        self.values_total.fetch_add(values as u64, Relaxed);
    }

    pub(crate) fn add_values(&self, values: usize) {
        self.values_done.fetch_add(values as u64, Relaxed);
    }

    pub(crate) fn add_layers(&self, layers: usize) {
        self.layers_done.fetch_add(layers as u64, Relaxed);
    }
}
