//! What codes lose: the sums over values and their errors, and the measures that are made of them.

use crate::kernel::sums::Sums;
use crate::worker::BLOCK;

/// Values whose sums may be kept in float32.
const SUMMED: usize = 8 * BLOCK;

/// What a stretch adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Sums of e^2, x^2 and x e.
    pub(crate) sums: [f64; 3],
    pub(crate) largest: f32,
    pub(crate) is_invalid: bool,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.sums = std::array::from_fn(|at| self.sums[at] + other.sums[at]);
        self.largest = self.largest.max(other.largest);
        self.is_invalid |= other.is_invalid;
    }

    /// With what the largest error, which is known to the last bit, says of the sums over `values` values: no more than all
    /// errors may be as large, and no fewer than one is. Float32 leaves them a little above or below where they are
    /// next to nothing beside the values.
    pub(crate) fn bounded(mut self, values: usize) -> Self {
        let square = f64::from(self.largest) * f64::from(self.largest);
        self.sums[0] = self.sums[0].min(values as f64 * square).max(square);
        if self.largest == 0.0 {
            self.sums[2] = 0.0;
        }
        self
    }

    /// The root of the mean squared error; 0 for no values.
    pub(crate) fn rmse(&self, values: usize) -> f32 {
        if values == 0 {
            0.0
        } else {
            (self.sums[0] / values as f64).sqrt() as f32
        }
    }

    /// The ratio of the values' power to the errors', in decibels; infinite where there is no error.
    pub(crate) fn sqnr_db(&self) -> f32 {
        let [error, signal, _] = self.sums;
        if error == 0.0 {
            f32::INFINITY
        } else {
            (10.0 * (signal / error).log10()) as f32
        }
    }

    /// The cosine of the angle between the values and what they come back as. Both zero: 1.
    pub(crate) fn cosine(&self) -> f32 {
        let [error, signal, cross] = self.sums;
        // With y = x - e: x y = x^2 - x e, and y^2 = x^2 - 2 x e + e^2.
        let product = signal - cross;
        let square = (signal - 2.0 * cross + error).max(0.0);
        if signal == 0.0 && square == 0.0 {
            return 1.0;
        }
        let norms = (signal * square).sqrt();
        if norms == 0.0 {
            0.0
        } else {
            (product / norms).clamp(-1.0, 1.0) as f32
        }
    }
}

/// The totals of a stretch that is being worked on: kernels add to its sums, which are taken before float32 is too small
/// for them.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) totals: Totals,
    pub(crate) sums: Sums,
    /// Values in the sums.
    summed: usize,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            totals: Totals::default(),
            sums: Sums::ZERO,
            summed: 0,
        }
    }
}

impl Tally {
    /// Counts values that are in the sums now.
    pub(crate) fn advance(&mut self, values: usize) {
        self.summed += values;
        if self.summed >= SUMMED {
            self.take();
        }
    }

    pub(crate) fn finish(mut self) -> Totals {
        self.take();
        self.totals
    }

    fn take(&mut self) {
        let (sums, largest) = self.sums.take();
        self.totals.add(&Totals {
            sums,
            largest,
            is_invalid: false,
        });
        self.summed = 0;
    }
}
