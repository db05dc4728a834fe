//! Sums over the values and their errors, from which the statistics are made.

use super::lanes::{LANES, Lanes};
use super::rule::SAFE_SCALES;

/// Running sums over the values `x` and their errors `e`, lane by lane.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Sums {
    error: [f32; LANES],
    signal: [f32; LANES],
    cross: [f32; LANES],
    /// Of groups whose sums float32 does not hold.
    pub(super) wide: [f64; 3],
    /// The bits of the largest magnitude of an error.
    pub(super) largest: i32,
}

impl Sums {
    pub(crate) const ZERO: Self = Self {
        error: [0.0; LANES],
        signal: [0.0; LANES],
        cross: [0.0; LANES],
        wide: [0.0; 3],
        largest: 0,
    };

    /// The sums of e^2, x^2 and x e, and the largest |e|. Starts again from zero.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> ([f64; 3], f32) {
        let sum = |lanes: &[f32; LANES]| lanes.iter().fold(0.0, |sum, lane| sum + f64::from(*lane));
        let lanes = [sum(&self.error), sum(&self.signal), sum(&self.cross)];
        let totals = std::array::from_fn(|at| lanes[at] + self.wide[at]);
        let largest = f32::from_bits(self.largest as u32);
        *self = Self::ZERO;
        (totals, largest)
    }

    /// Adds the 32 values of one of ggml's blocks and their errors. `largest` is that of the errors' magnitudes.
    #[inline(always)]
    pub(crate) unsafe fn add_block<L: Lanes>(
        &mut self,
        x: [L; 2],
        e: [L; 2],
        largest: i32,
        scale: f32,
    ) {
        // SAFETY: the arrays hold whole vectors.
        unsafe {
            if SAFE_SCALES.contains(&scale.abs()) {
                let mut vectors = Vectors::<L>::load(self);
                vectors.add(x[0], e[0]);
                vectors.add(x[1], e[1]);
                vectors.store(self);
            } else {
                // Such as values too small for a float16 scale, whose squares vanish.
                for (x, e) in x.into_iter().zip(e) {
                    let (mut values, mut errors) = ([0.0f32; LANES], [0.0f32; LANES]);
                    x.store(values.as_mut_ptr());
                    e.store(errors.as_mut_ptr());
                    for (x, e) in values.into_iter().zip(errors) {
                        let (x, e) = (f64::from(x), f64::from(e));
                        self.wide = [
                            self.wide[0] + e * e,
                            self.wide[1] + x * x,
                            self.wide[2] + x * e,
                        ];
                    }
                }
            }
        }
        self.largest = self.largest.max(largest);
    }
}

/// [`Sums`] in registers.
#[derive(Clone, Copy)]
pub(super) struct Vectors<L> {
    error: L,
    signal: L,
    cross: L,
}

impl<L: Lanes> Vectors<L> {
    #[inline(always)]
    pub(super) unsafe fn load(sums: &Sums) -> Self {
        // SAFETY: each array holds a whole vector.
        unsafe {
            Self {
                error: L::load(sums.error.as_ptr()),
                signal: L::load(sums.signal.as_ptr()),
                cross: L::load(sums.cross.as_ptr()),
            }
        }
    }

    #[inline(always)]
    pub(super) unsafe fn store(self, sums: &mut Sums) {
        // SAFETY: each array holds a whole vector.
        unsafe {
            self.error.store(sums.error.as_mut_ptr());
            self.signal.store(sums.signal.as_mut_ptr());
            self.cross.store(sums.cross.as_mut_ptr());
        }
    }

    #[inline(always)]
    pub(super) unsafe fn add(&mut self, x: L, e: L) {
        // SAFETY: arithmetic only.
        unsafe {
            self.signal = x.mul_add(x, self.signal);
            self.error = e.mul_add(e, self.error);
            self.cross = x.mul_add(e, self.cross);
        }
    }
}
