//! Sums over the values and their errors, from which the statistics are made.

use super::affine::INFINITY;
use super::lanes::{LANES, Lanes};

/// Running sums over the values `x` and their errors `e`, lane by lane.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Sums {
    error: [f32; LANES],
    signal: [f32; LANES],
    cross: [f32; LANES],
    /// Of groups whose sums float32 does not hold.
    pub(super) wide: [f64; 3],
    /// The bits of the largest magnitudes of an error, in as many lanes as the machine takes.
    largest: [i32; LANES],
}

impl Sums {
    pub(crate) const ZERO: Self = Self {
        error: [0.0; LANES],
        signal: [0.0; LANES],
        cross: [0.0; LANES],
        wide: [0.0; 3],
        largest: [0; LANES],
    };

    /// The sums of e^2, x^2 and x e, and the largest |e|. Starts again from zero.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> ([f64; 3], f32) {
        let sum = |lanes: &[f32; LANES]| lanes.iter().fold(0.0, |sum, lane| sum + f64::from(*lane));
        let lanes = [sum(&self.error), sum(&self.signal), sum(&self.cross)];
        let totals = std::array::from_fn(|at| lanes[at] + self.wide[at]);
        let largest = self
            .largest
            .iter()
            .fold(0, |largest, lane| largest.max(*lane));
        let largest = f32::from_bits(largest as u32);
        *self = Self::ZERO;
        (totals, largest)
    }

    /// Takes note of magnitudes of errors.
    #[inline(always)]
    pub(super) unsafe fn note<L: Lanes>(&mut self, most: L::Most) {
        // SAFETY: the array has room for all lanes there may be.
        unsafe {
            let so_far = L::load_most(self.largest.as_ptr());
            L::store_most(L::join(so_far, most), self.largest.as_mut_ptr());
        }
    }

    /// As [`note`](Self::note) for the bits of one.
    #[inline(always)]
    pub(super) fn note_one(&mut self, largest: i32) {
        self.largest[0] = self.largest[0].max(largest);
    }

    /// Whether no error was NaN or infinite.
    #[inline(always)]
    pub(super) unsafe fn are_finite<L: Lanes>(&self) -> bool {
        // SAFETY: as for `note`.
        unsafe { !L::any_above(L::load_most(self.largest.as_ptr()), INFINITY - 1) }
    }

    /// Adds values and their errors whose squares float32 does not hold.
    #[inline(never)]
    pub(super) unsafe fn add_wide<L: Lanes>(&mut self, x: [L; 2], e: [L; 2]) {
        for (x, e) in x.into_iter().zip(e) {
            let (mut values, mut errors) = ([0.0f32; LANES], [0.0f32; LANES]);
            // SAFETY: the arrays hold whole vectors.
            unsafe {
                x.store(values.as_mut_ptr());
                e.store(errors.as_mut_ptr());
            }
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
