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
    /// A magnitude that some error has had, also before the sums were taken.
    known: f32,
}

impl Sums {
    pub(crate) const ZERO: Self = Self {
        error: [0.0; LANES],
        signal: [0.0; LANES],
        cross: [0.0; LANES],
        wide: [0.0; 3],
        largest: [0; LANES],
        known: 0.0,
    };

    /// The sums of e^2, x^2 and x e, and the largest |e| of those that could be the largest of all. Starts again from
    /// zero.
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
        let known = self.known;
        *self = Self {
            known,
            ..Self::ZERO
        };
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

    /// As [`note`](Self::note), so that smaller ones need not be noted from now on.
    #[inline(always)]
    pub(super) unsafe fn know<L: Lanes>(&mut self, most: L::Most) {
        // SAFETY: as for `note`.
        unsafe { self.note::<L>(most) };
        let largest = self
            .largest
            .iter()
            .fold(0, |largest, lane| largest.max(*lane));
        self.known = self.known.max(f32::from_bits(largest as u32));
    }

    /// The bits of an error, in steps of a scale of `1 / inverse` and computed by that, that stands for no larger one than
    /// is known; negative if there is none. At most 2^8 steps from zero the product with the inverse is off by 2^-15 steps.
    #[inline(always)]
    pub(super) fn known_steps(&self, inverse: f32) -> i32 {
        const OFF: f32 = 1.0 / 16_384.0;
        (self.known * inverse - OFF).to_bits() as i32
    }

    /// Whether no error was NaN or infinite.
    #[inline(always)]
    pub(super) unsafe fn are_finite<L: Lanes>(&self) -> bool {
        // SAFETY: as for `note`.
        unsafe { !L::any_above(L::load_most(self.largest.as_ptr()), INFINITY - 1) }
    }

    /// Adds a value and its error in float64.
    #[inline(always)]
    pub(super) fn add_one(&mut self, x: f64, e: f64) {
        let more = [e * e, x * x, x * e];
        self.wide = std::array::from_fn(|at| self.wide[at] + more[at]);
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
                self.add_one(f64::from(x), f64::from(e));
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
    pub(super) unsafe fn zero() -> Self {
        // SAFETY: arithmetic only.
        unsafe {
            let zero = L::splat(0.0);
            Self {
                error: zero,
                signal: zero,
                cross: zero,
            }
        }
    }

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

    /// Adds what was summed in steps of `scale`, whose square float32 holds.
    #[inline(always)]
    pub(super) unsafe fn add_scaled(self, sums: &mut Sums, scale: f32) {
        // SAFETY: as for `load`.
        unsafe {
            let square = L::splat(scale * scale);
            let before = Self::load(sums);
            let after = Self {
                error: self.error.mul_add(square, before.error),
                signal: self.signal.mul_add(square, before.signal),
                cross: self.cross.mul_add(square, before.cross),
            };
            after.store(sums);
        }
    }
}
