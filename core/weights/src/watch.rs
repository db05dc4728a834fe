//! Watching a run, and stopping it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bowstring_quantize::{Control, Progress, QuantizeError};

use crate::WeightsError;

/// Counters of a running [`quantize_file`](crate::quantize_file) and the flag that stops it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Of the layers that are quantized.
    pub(crate) control: Control,
    layers_total: AtomicU64,
    values_total: AtomicU64,
    /// Layers that are not quantized, and their values.
    layers_passed: AtomicU64,
    values_passed: AtomicU64,
}

impl Watch {
    /// Asks the run to stop; it does so within milliseconds, also in the middle of a layer.
    pub fn cancel(&self) {
        self.control.cancel();
    }

    /// Fails once the run was asked to stop.
    pub(crate) fn check(&self) -> Result<(), WeightsError> {
        match self.control.is_cancelled() {
            true => Err(QuantizeError::Cancelled.into()),
            false => Ok(()),
        }
    }

    /// How far the run is. What a file does not say before it is read is not in the totals yet.
    pub fn progress(&self) -> Progress {
        let quantized = self.control.progress();
        let passed = |counter: &AtomicU64| counter.load(Relaxed);
        let layers_done = quantized.layers_done + passed(&self.layers_passed);
        let values_done = quantized.values_done + passed(&self.values_passed);
        Progress {
            layers_total: passed(&self.layers_total).max(layers_done),
            values_total: passed(&self.values_total).max(values_done),
            layers_done,
            values_done,
        }
    }

    pub(crate) fn expect(&self, layers: u64, values: u64) {
        self.layers_total.fetch_add(layers, Relaxed);
        self.values_total.fetch_add(values, Relaxed);
    }

    pub(crate) fn pass(&self, values: u64) {
        self.layers_passed.fetch_add(1, Relaxed);
        self.values_passed.fetch_add(values, Relaxed);
    }
}
