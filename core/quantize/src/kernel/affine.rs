//! The affine kernels: the range of each group, its scale and zero point, its codes, and the way back.
//!
//! A code is `saturate(round_half_even(x / scale) + zero_point)`, ONNX's QuantizeLinear, with the division in float32.
//! Dividing is what limits the speed, so the fast path multiplies by the reciprocal and then proves from the error
//! `e = x - code * scale`, which the statistics need anyway, that no value of the group lies so close to a tie between
//! two codes that the division could have decided otherwise. A group with such a value is done again by division.
//!
//! All loops take whole multiples of [`STEP`] values; callers pad with zeros, which change no range, sum or maximum.

use super::lanes::{LANES, Lanes};

/// Values that a loop handles at a time.
pub(crate) const STEP: usize = 32;
/// Values between the one that is worked on and the one that is fetched.
pub(crate) const AHEAD: usize = 2048;
/// The bits of infinity: a magnitude from here on is not a number to quantize.
const INFINITY: i32 = 0x7f80_0000;
/// Squares of values up to 255 steps of such a scale, and sums of thousands of them, neither overflow nor vanish in
/// float32.
const SAFE_SCALES: std::ops::RangeInclusive<f32> = 1e-12..=1e12;

/// Significant bits of a float16.
pub(crate) const HALF_BITS: u32 = 11;
/// The smallest normal float16.
const HALF_NORMAL: f64 = 1.0 / 16_384.0;

/// How the codes of one group are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// By the reciprocal, checked: no value of the group saturates, by how the scale was chosen.
    Reciprocal,
    /// By division and saturation.
    Division,
    /// By division, with sums in float64: the scale is far from 1.
    Wide,
    /// Not at all: the range needs a scale beyond the largest float16.
    Beyond,
}

/// The affine map of one group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) scale: f32,
    pub(crate) inverse: f32,
    pub(crate) zero_point: i32,
    pub(crate) path: Path,
}

impl Group {
    /// A group of given parameters, whose values may saturate.
    #[inline(always)]
    pub(crate) fn given(scale: f32, zero_point: i32) -> Self {
        let path = if SAFE_SCALES.contains(&scale) {
            Path::Division
        } else {
            Path::Wide
        };
        Self {
            scale,
            inverse: 1.0 / scale,
            zero_point,
            path,
        }
    }
}

/// What fixes the affine map of a group once its range is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) bits: u8,
    /// Codes are `i8` in two's complement, else `u8`.
    pub(crate) signed: bool,
    /// The scale is that of the largest magnitude and the zero point is fixed.
    pub(crate) symmetric: bool,
    /// Significant bits of a scale: 24 for float32, 11 for float16, fewer where products must be exact.
    pub(crate) scale_bits: u32,
    pub(crate) smallest_scale: f32,
    pub(crate) largest_scale: f32,
}

impl Rule {
    /// The smallest and largest code.
    #[inline(always)]
    pub(crate) fn codes(&self) -> (i32, i32) {
        let top = (1 << self.bits) - 1;
        match (self.signed, self.symmetric) {
            (true, true) => (-(top >> 1), top >> 1),
            (true, false) => (-(top >> 1) - 1, top >> 1),
            // One code below the middle is left out, as in the signed form.
            (false, true) => (1, top),
            (false, false) => (0, top),
        }
    }

    /// The zero point of a symmetric group.
    #[inline(always)]
    pub(crate) fn middle(&self) -> i32 {
        if self.signed { 0 } else { 1 << (self.bits - 1) }
    }

    /// Distance from a tie, in steps, within which the reciprocal is not trusted: at most 2^bits steps from zero an
    /// error of one unit in the last place is 2^(bits - 24) steps; the rest covers the rounding of the scale itself,
    /// which may let a value saturate only next to a tie.
    #[inline(always)]
    pub(crate) fn doubt(&self) -> f32 {
        f32::from_bits((127 - 22 + u32::from(self.bits)) << 23)
    }

    /// A scale as it is stored: rounded up, so that the range stays covered, to the significant bits there are.
    #[inline(always)]
    pub(crate) fn storable(&self, scale: f64) -> f32 {
        let nearest = scale as f32;
        let stored = if self.scale_bits == HALF_BITS && scale < HALF_NORMAL {
            // Subnormal float16 are multiples of 2^-24.
            ((scale * 16_777_216.0).ceil() / 16_777_216.0) as f32
        } else if self.scale_bits < 24 {
            let dropped = (1u32 << (24 - self.scale_bits)) - 1;
            // Up, also from the float64: a carry into the exponent is what rounding up means there.
            let above = if f64::from(nearest) < scale { 1 } else { 0 };
            f32::from_bits((nearest.to_bits() + above + dropped) & !dropped)
        } else {
            nearest
        };
        stored.clamp(self.smallest_scale, self.largest_scale)
    }

    /// As [`storable`](Self::storable), to the nearest: for scales that need not cover the range.
    pub(crate) fn nearest(&self, scale: f64) -> f32 {
        if self.scale_bits == 24 {
            return self.storable(scale);
        }
        let above = self.storable(scale);
        let unit = f64::from(above) * 2.0f64.powi(1 - self.scale_bits as i32);
        // A whole unit lower and up again is the neighbour below, or `above` itself.
        let below = self.storable(scale - unit);
        if scale - f64::from(below) < f64::from(above) - scale {
            below
        } else {
            above
        }
    }

    /// The map of a group whose values, and 0, lie in `low..=high`.
    #[inline(always)]
    pub(crate) fn fit(&self, low: f32, high: f32) -> Group {
        let (low, high) = (f64::from(low), f64::from(high));
        let (bottom, top) = self.codes();
        let wanted = if self.symmetric {
            (if -low > high { -low } else { high }) / f64::from(top - self.middle())
        } else {
            (high - low) / f64::from(top - bottom)
        };
        let mut scale = self.storable(wanted);
        let mut zero_point = self.zero_point(low, scale);
        let steps = f64::from((top - zero_point).max(zero_point - bottom));
        if steps * f64::from(scale) > f64::from(f32::MAX) {
            // The outermost code must not stand for infinity.
            let unit = 2.0f64.powi(1 - self.scale_bits as i32);
            scale = self.storable(f64::from(f32::MAX) / steps * (1.0 - unit));
            zero_point = self.zero_point(low, scale);
        }
        let inverse = 1.0 / scale;
        let path = if self.scale_bits == HALF_BITS && wanted > f64::from(self.largest_scale) {
            Path::Beyond
        } else if SAFE_SCALES.contains(&scale) {
            Path::Reciprocal
        } else {
            Path::Wide
        };
        Group {
            scale,
            inverse,
            zero_point,
            path,
        }
    }

    /// The code of zero that puts `low` at the smallest code.
    #[inline(always)]
    fn zero_point(&self, low: f64, scale: f32) -> i32 {
        if self.symmetric {
            return self.middle();
        }
        let (bottom, top) = self.codes();
        // At most 255 and a fraction: adding 2^52 rounds to even.
        const SHIFT: f64 = 4_503_599_627_370_496.0;
        let steps = ((-low / f64::from(scale)).min(1024.0) + SHIFT) - SHIFT;
        (bottom + steps as i32).clamp(bottom, top)
    }
}

/// Running sums over the values `x` and their errors `e`, lane by lane.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Sums {
    error: [f32; LANES],
    signal: [f32; LANES],
    cross: [f32; LANES],
    wide: [f64; 3],
    largest: i32,
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
}

impl Sums {
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

/// Finds `lows[g]` and `highs[g]`, the range with 0 of the `g`th `len` values at `x`. NaN is passed over.
#[inline(always)]
pub(crate) unsafe fn ranges<L: Lanes>(
    x: *const f32,
    len: usize,
    lows: &mut [f32],
    highs: &mut [f32],
) {
    // SAFETY: the caller vouches for `lows.len() * len` readable values.
    unsafe {
        for (group, (low, high)) in lows.iter_mut().zip(highs).enumerate() {
            let x = x.add(group * len);
            let mut l = [L::splat(0.0); 2];
            let mut h = l;
            let mut at = 0;
            while at < len {
                let (a, b) = (L::load(x.add(at)), L::load(x.add(at + LANES)));
                l = [a.min(l[0]), b.min(l[1])];
                h = [a.max(h[0]), b.max(h[1])];
                at += STEP;
            }
            *low = l[0].min(l[1]).lowest();
            *high = h[0].max(h[1]).highest();
        }
    }
}

/// The maps of groups by their ranges.
#[inline(always)]
pub(crate) fn fit(rule: &Rule, lows: &[f32], highs: &[f32], groups: &mut [Group]) {
    for ((low, high), group) in lows.iter().zip(highs).zip(groups) {
        *group = rule.fit(*low, *high);
    }
}

/// Writes the codes of consecutive groups of `len` values each. `false`: a value is NaN or infinite or a group is
/// beyond its scale's type, and the codes and sums are of no use.
#[inline(always)]
pub(crate) unsafe fn code<L: Lanes, const SIGNED: bool, const STATISTICS: bool>(
    x: *const f32,
    len: usize,
    groups: &[Group],
    rule: &Rule,
    codes: *mut u8,
    sums: &mut Sums,
) -> bool {
    let mut largest = sums.largest;
    // SAFETY: the caller vouches for `groups.len() * len` readable values and writable codes.
    unsafe {
        for (at, group) in groups.iter().enumerate() {
            let (x, codes) = (x.add(at * len), codes.add(at * len));
            let worst = match group.path {
                Path::Reciprocal => {
                    let before = Vectors::load(sums);
                    let (after, worst) = code_group::<L, SIGNED, STATISTICS, false>(
                        x, len, group, rule, codes, before,
                    );
                    let bound = group.scale * (0.5 - rule.doubt());
                    if L::any_above(worst, bound.to_bits() as i32) {
                        let (after, worst) = code_group::<L, SIGNED, STATISTICS, true>(
                            x, len, group, rule, codes, before,
                        );
                        after.store(sums);
                        L::largest(worst)
                    } else {
                        after.store(sums);
                        if STATISTICS { L::largest(worst) } else { 0 }
                    }
                }
                Path::Division => {
                    let before = Vectors::load(sums);
                    let (after, worst) = code_group::<L, SIGNED, STATISTICS, true>(
                        x, len, group, rule, codes, before,
                    );
                    after.store(sums);
                    L::largest(worst)
                }
                Path::Wide => code_wide::<SIGNED>(x, len, group, rule, codes, &mut sums.wide),
                Path::Beyond => INFINITY,
            };
            largest = largest.max(worst);
        }
    }
    sums.largest = largest;
    largest < INFINITY
}

/// [`Sums`] in registers.
#[derive(Clone, Copy)]
struct Vectors<L> {
    error: L,
    signal: L,
    cross: L,
}

impl<L: Lanes> Vectors<L> {
    #[inline(always)]
    unsafe fn load(sums: &Sums) -> Self {
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
    unsafe fn store(self, sums: &mut Sums) {
        // SAFETY: each array holds a whole vector.
        unsafe {
            self.error.store(sums.error.as_mut_ptr());
            self.signal.store(sums.signal.as_mut_ptr());
            self.cross.store(sums.cross.as_mut_ptr());
        }
    }

    #[inline(always)]
    unsafe fn add(&mut self, x: L, e: L) {
        // SAFETY: arithmetic only.
        unsafe {
            self.error = self.error.add(e.mul(e));
            self.signal = self.signal.add(x.mul(x));
            self.cross = self.cross.add(x.mul(e));
        }
    }
}

#[inline(always)]
unsafe fn code_group<L: Lanes, const SIGNED: bool, const STATISTICS: bool, const DIVIDE: bool>(
    x: *const f32,
    len: usize,
    group: &Group,
    rule: &Rule,
    codes: *mut u8,
    mut sums: Vectors<L>,
) -> (Vectors<L>, L::Int) {
    // SAFETY: the caller vouches for `len` values and codes; `len` is a multiple of `STEP`.
    unsafe {
        let (bottom, top) = rule.codes();
        let (scale, inverse) = (L::splat(group.scale), L::splat(group.inverse));
        let low = L::splat((bottom - group.zero_point) as f32);
        let high = L::splat((top - group.zero_point) as f32);
        let mut worst = L::splat_int(0);
        let mut at = 0;
        while at < len {
            let (a, b) = (L::load(x.add(at)), L::load(x.add(at + LANES)));
            L::prefetch(x.wrapping_add(at + AHEAD));
            L::prefetch(x.wrapping_add(at + AHEAD + LANES));
            let (i, j) = if DIVIDE {
                // Saturating before rounding is the same as after it, since the bounds are integers.
                (
                    a.div(scale).min(high).max(low).round(),
                    b.div(scale).min(high).max(low).round(),
                )
            } else {
                (a.mul(inverse).round(), b.mul(inverse).round())
            };
            let e = a.sub(L::to_float(i).mul(scale));
            let f = b.sub(L::to_float(j).mul(scale));
            worst = L::max_int(worst, L::max_int(e.magnitude(), f.magnitude()));
            if STATISTICS {
                sums.add(a, e);
                sums.add(b, f);
            }
            L::store_codes::<SIGNED>(i, j, group.zero_point, codes.add(at));
            at += STEP;
        }
        (sums, worst)
    }
}

/// The code of one value, as the rule says it: NaN gives the largest.
#[inline(always)]
pub(crate) fn code_one(x: f32, scale: f32, bottom: i32, top: i32, zero_point: i32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    let (low, high) = ((bottom - zero_point) as f32, (top - zero_point) as f32);
    let steps = x / scale;
    let steps = if steps < high { steps } else { high };
    let steps = if steps > low { steps } else { low };
    ((steps + SHIFT) - SHIFT) as i32
}

#[inline(always)]
unsafe fn code_wide<const SIGNED: bool>(
    x: *const f32,
    len: usize,
    group: &Group,
    rule: &Rule,
    codes: *mut u8,
    sums: &mut [f64; 3],
) -> i32 {
    let (bottom, top) = rule.codes();
    let mut worst = 0;
    for at in 0..len {
        // SAFETY: the caller vouches for `len` values and codes.
        let x = unsafe { x.add(at).read_unaligned() };
        let steps = code_one(x, group.scale, bottom, top, group.zero_point);
        let e = f64::from(x) - f64::from(steps as f32 * group.scale);
        *sums = [
            sums[0] + e * e,
            sums[1] + f64::from(x) * f64::from(x),
            sums[2] + f64::from(x) * e,
        ];
        worst = worst.max(
            (if x.is_finite() {
                (e as f32).abs().to_bits()
            } else {
                0x7f80_0000
            }) as i32,
        );
        // SAFETY: as above.
        unsafe { codes.add(at).write((steps + group.zero_point) as u8) };
    }
    worst
}

/// As [`code`] for one run of values that each have their own scale and zero point (a whole float).
#[inline(always)]
pub(crate) unsafe fn code_each<L: Lanes, const SIGNED: bool>(
    x: *const f32,
    len: usize,
    scales: *const f32,
    zero_points: *const f32,
    rule: &Rule,
    codes: *mut u8,
    sums: &mut Sums,
) -> bool {
    // SAFETY: the caller vouches for `len` values, scales, zero points and codes; `len` is a multiple of `STEP`.
    unsafe {
        let (bottom, top) = rule.codes();
        let (bottom, top) = (L::splat(bottom as f32), L::splat(top as f32));
        let mut vectors = Vectors::<L>::load(sums);
        let mut worst = L::splat_int(sums.largest);
        let mut at = 0;
        while at < len {
            let mut rounded = [L::splat_int(0); 2];
            for (half, rounded) in rounded.iter_mut().enumerate() {
                let at = at + half * LANES;
                let x = L::load(x.add(at));
                let (scale, zero) = (L::load(scales.add(at)), L::load(zero_points.add(at)));
                let steps = x.div(scale).min(top.sub(zero)).max(bottom.sub(zero));
                let steps = L::to_float(steps.round());
                let e = x.sub(steps.mul(scale));
                worst = L::max_int(worst, e.magnitude());
                vectors.add(x, e);
                *rounded = steps.add(zero).round();
            }
            L::store_codes::<SIGNED>(rounded[0], rounded[1], 0, codes.add(at));
            at += STEP;
        }
        vectors.store(sums);
        sums.largest = L::largest(worst);
    }
    sums.largest < INFINITY
}

/// For a scale of `1 / inverse` and codes in `low..=high` of 0: the sums of w q r and w r^2, where q is a value in
/// steps, r its rounded and saturated code, and w its weight. `weights` may be null, for 1.
#[inline(always)]
pub(crate) unsafe fn score<L: Lanes>(
    x: *const f32,
    weights: *const f32,
    len: usize,
    inverse: f32,
    low: f32,
    high: f32,
) -> [f64; 2] {
    // SAFETY: the caller vouches for `len` values and weights; `len` is a multiple of `STEP`.
    unsafe {
        let (inverse, low, high) = (L::splat(inverse), L::splat(low), L::splat(high));
        let mut product = [L::splat(0.0); 2];
        let mut square = product;
        let mut at = 0;
        while at < len {
            for half in 0..2 {
                let at = at + half * LANES;
                let q = L::load(x.add(at)).mul(inverse);
                let r = L::to_float(q.min(high).max(low).round());
                let weighted = if weights.is_null() {
                    r
                } else {
                    r.mul(L::load(weights.add(at)))
                };
                product[half] = product[half].add(q.mul(weighted));
                square[half] = square[half].add(r.mul(weighted));
            }
            at += STEP;
        }
        [
            total(product[0].add(product[1])),
            total(square[0].add(square[1])),
        ]
    }
}

#[inline(always)]
unsafe fn total<L: Lanes>(lanes: L) -> f64 {
    let mut values = [0.0f32; LANES];
    // SAFETY: the array holds a whole vector.
    unsafe { lanes.store(values.as_mut_ptr()) };
    // By halves: as deterministic as in order, and a shorter chain.
    let mut sums = values.map(f64::from);
    let mut half = LANES / 2;
    while half > 0 {
        for at in 0..half {
            sums[at] += sums[at + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The values of consecutive groups of `len` codes each, a multiple of [`STEP`]: `(code - zero_point) * scale`.
/// `stream`: past the caches, and `to` then is 64-byte-aligned.
#[inline(always)]
pub(crate) unsafe fn decode<L: Lanes, const SIGNED: bool>(
    codes: *const u8,
    len: usize,
    scales: &[f32],
    zero_points: &[i16],
    to: *mut f32,
    stream: bool,
) {
    // SAFETY: the caller vouches for `len` codes and values for each scale.
    unsafe {
        for (group, (scale, zero_point)) in scales.iter().zip(zero_points).enumerate() {
            let (codes, to) = (codes.add(group * len), to.add(group * len));
            let (scale, zero) = (L::splat(*scale), L::splat_int(i32::from(*zero_point)));
            let value = |at: usize| {
                L::to_float(L::sub_int(L::load_codes::<SIGNED>(codes.add(at)), zero)).mul(scale)
            };
            let mut at = 0;
            while at < len {
                let (a, b) = (value(at), value(at + LANES));
                if stream {
                    a.stream(to.add(at));
                    b.stream(to.add(at + LANES));
                } else {
                    a.store(to.add(at));
                    b.store(to.add(at + LANES));
                }
                at += STEP;
            }
        }
    }
}
