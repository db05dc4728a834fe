//! What fixes the affine map of a group: from the rule and a range to a scale and a zero point, in float64.

use super::lanes::{LANES, Lanes};

/// Squares of values up to 255 steps of such a scale, and sums of thousands of them, neither overflow nor vanish in
/// float32.
pub(crate) const SAFE_SCALES: std::ops::RangeInclusive<f32> = 1e-12..=1e12;

/// A scale this many times as large as was wanted, for lack of smaller ones, says nothing about the size of the values.
const FORCED: f64 = 1e6;

/// Significant bits of a float16.
pub(crate) const HALF_BITS: u32 = 11;
/// The smallest normal float16.
const HALF_NORMAL: f64 = 1.0 / 16_384.0;

/// How the codes of one group are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Path {
    /// By the reciprocal, checked: no value of the group saturates, by how the scale was chosen.
    Reciprocal = 0,
    /// By division and saturation.
    Division,
    /// By division, with sums in float64: the scale is far from 1.
    Wide,
    /// Not at all: the range needs a scale beyond the largest float16.
    Beyond,
}

/// The affine map of one group: four words, which are written as such.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
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

    /// Distance from a tie, in steps, within which a product with the reciprocal is not trusted: three times
    /// 2^(bits - 24) steps, a unit in the last place of a float32 of nearly 2^bits steps. The reciprocal is off by at
    /// most one of these, the product and the quotient by half of one each, and what saturates because the scale was
    /// rounded lies at most one beyond a tie.
    #[inline(always)]
    pub(crate) fn doubt(&self) -> f32 {
        3.0 * f32::from_bits((127 - 24 + u32::from(self.bits)) << 23)
    }

    /// A scale as it is stored: rounded up, so that the range stays covered, to the significant bits there are.
    #[inline(always)]
    pub(crate) fn storable(&self, scale: f64) -> f32 {
        let nearest = scale as f32;
        let stored = if self.scale_bits == HALF_BITS && scale < HALF_NORMAL {
            // Subnormal float16 are multiples of 2^-24.
            ((scale * 16_777_216.0).ceil() / 16_777_216.0) as f32
        } else if self.scale_bits < 24 {
            self.rounded_up(scale)
        } else {
            nearest
        };
        stored.clamp(self.smallest_scale, self.largest_scale)
    }

    /// To fewer significant bits than a float32 has.
    #[inline(always)]
    fn rounded_up(&self, scale: f64) -> f32 {
        let nearest = scale as f32;
        let dropped = (1u32 << (24 - self.scale_bits)) - 1;
        // Up, also from the float64: a carry into the exponent is what rounding up means there.
        let above = u32::from(f64::from(nearest) < scale);
        f32::from_bits((nearest.to_bits() + above + dropped) & !dropped)
    }

    /// The smallest and the largest scale that is neither clamped nor far from 1 nor a subnormal float16.
    #[inline(always)]
    fn plain_scales(&self) -> (f32, f32) {
        let (smallest, largest) = (*SAFE_SCALES.start(), *SAFE_SCALES.end());
        match self.scale_bits {
            HALF_BITS => (HALF_NORMAL as f32, self.largest_scale),
            _ => (smallest, largest),
        }
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
        let wanted = self.wanted(low, high);
        let mut scale = self.storable(wanted);
        let mut zero_point = self.zero_point(low, scale);
        let steps = f64::from((top - zero_point).max(zero_point - bottom));
        if steps * f64::from(scale) > f64::from(f32::MAX) {
            // The outermost code must not stand for infinity.
            // By a unit in the last place less, as it may be rounded up.
            let unit = 1.0 / f64::from(1u32 << (self.scale_bits - 1));
            scale = self.storable(f64::from(f32::MAX) / steps * (1.0 - unit));
            zero_point = self.zero_point(low, scale);
        }
        let inverse = 1.0 / scale;
        let path = if self.scale_bits == HALF_BITS && wanted > f64::from(self.largest_scale) {
            Path::Beyond
        } else if (SAFE_SCALES.contains(&scale) && f64::from(scale) <= FORCED * wanted)
            || low == high
        {
            // Zeros need no sums, and are many where weights were pruned.
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

    /// The scale by which the range has just the codes there are.
    #[inline(always)]
    fn wanted(&self, low: f64, high: f64) -> f64 {
        span(self.symmetric, low, high) / self.steps()
    }

    /// How many steps the range is divided into, or half of it if symmetric.
    #[inline(always)]
    fn steps(&self) -> f64 {
        let (bottom, top) = self.codes();
        let first = if self.symmetric {
            self.middle()
        } else {
            bottom
        };
        f64::from(top - first)
    }

    /// The code of zero that puts `low` at the smallest code.
    #[inline(always)]
    fn zero_point(&self, low: f64, scale: f32) -> i32 {
        if self.symmetric {
            return self.middle();
        }
        let (bottom, top) = self.codes();
        zero_point(low, scale, bottom, top)
    }
}

/// The length of a range, or its larger half.
#[inline(always)]
fn span(symmetric: bool, low: f64, high: f64) -> f64 {
    if !symmetric {
        high - low
    } else if -low > high {
        -low
    } else {
        high
    }
}

/// The code of zero, of `bottom..=top`, that puts `low` at the smallest.
#[inline(always)]
fn zero_point(low: f64, scale: f32, bottom: i32, top: i32) -> i32 {
    // At most 255 and a fraction, but for a scale that was clamped.
    let steps = -low / f64::from(scale);
    let steps = if steps < 1024.0 { steps } else { 1024.0 };
    // Adding 2^52 rounds to even and leaves the integer in the low bits.
    const SHIFT: f64 = 4_503_599_627_370_496.0;
    let zero_point = bottom + (steps + SHIFT).to_bits() as i32;
    if zero_point < top { zero_point } else { top }
}

/// The maps of groups by their ranges: [`Rule::fit`] for each.
#[inline(always)]
pub(crate) unsafe fn fit<L: Lanes>(rule: &Rule, lows: &[f32], highs: &[f32], groups: &mut [Group]) {
    let (lows, more_lows) = lows.as_chunks();
    let (highs, more_highs) = highs.as_chunks();
    let (groups, more_groups) = groups.as_chunks_mut();
    for ((lows, highs), groups) in lows.iter().zip(highs).zip(groups) {
        // SAFETY: as promised to this function.
        let is_done = unsafe {
            match rule.scale_bits {
                24 => fit_plain::<L, false>(rule, lows, highs, groups),
                _ => fit_plain::<L, true>(rule, lows, highs, groups),
            }
        };
        if !is_done {
            fit_each(rule, lows, highs, groups);
        }
    }
    fit_each(rule, more_lows, more_highs, more_groups);
}

/// As [`fit`], one after the other; apart, so that the loop over others does not prepare for it.
#[inline(never)]
fn fit_each(rule: &Rule, lows: &[f32], highs: &[f32], groups: &mut [Group]) {
    for (group, (low, high)) in groups.iter_mut().zip(lows.iter().zip(highs)) {
        *group = rule.fit(*low, *high);
    }
}

/// As if all were plain, without branches, so that the compiler makes vectors of it. `false`: some are not.
/// `ROUNDED`: scales have fewer bits than a float32.
#[inline(always)]
unsafe fn fit_plain<L: Lanes, const ROUNDED: bool>(
    rule: &Rule,
    lows: &[f32; LANES],
    highs: &[f32; LANES],
    groups: &mut [Group; LANES],
) -> bool {
    const { assert!(size_of::<Group>() == size_of::<[u32; 4]>()) };
    let ((bottom, top), steps) = (rule.codes(), rule.steps());
    let (low, high) = (lows.map(f64::from), highs.map(f64::from));
    let scale = |symmetric, at: usize| {
        let wanted = span(symmetric, low[at], high[at]) / steps;
        if ROUNDED {
            rule.rounded_up(wanted)
        } else {
            wanted as f32
        }
    };
    let scales: [f32; LANES] = match rule.symmetric {
        true => std::array::from_fn(|at| scale(true, at)),
        false => std::array::from_fn(|at| scale(false, at)),
    };
    let zeros: [i32; LANES] = match rule.symmetric {
        true => [rule.middle(); LANES],
        false => std::array::from_fn(|at| zero_point(low[at], scales[at], bottom, top)),
    };
    let (smallest, largest) = match ROUNDED {
        true => rule.plain_scales(),
        false => (*SAFE_SCALES.start(), *SAFE_SCALES.end()),
    };
    let is_plain = |scale: f32| (scale >= smallest) & (scale <= largest);
    if !scales
        .into_iter()
        .fold(true, |all, scale| all & is_plain(scale))
    {
        return false;
    }
    // SAFETY: the caller vouches for the set, and the array holds a whole vector. A group is the words of its scale, its
    // inverse, its zero point and its path, and 0 is a path, `Reciprocal`.
    unsafe {
        let scales = L::load(scales.as_ptr());
        let inverses = L::splat(1.0).div(scales);
        L::store_fours(scales, inverses, &zeros, groups.as_mut_ptr().cast());
    }
    true
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

#[cfg(test)]
mod tests {
    use super::super::portable::Portable;
    use super::{Group, HALF_BITS, LANES, Rule, fit};

    /// Ranges of all magnitudes, most of them of a few.
    fn ranges(count: usize) -> (Vec<f32>, Vec<f32>) {
        let mut state = 71u64;
        let mut end = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let bits = (state >> 33) as u32;
            match bits % 256 {
                0 => f32::from_bits(bits & 0x7f7f_ffff),
                1 => 0.0,
                _ => bits as f32 * 1e-10,
            }
        };
        (0..count).map(|_| (-end(), end())).unzip()
    }

    #[test]
    fn many_are_fitted_as_each_is() {
        let (lows, highs) = ranges(16 * 4096);
        for (bits, signed, symmetric, scale_bits) in [
            (8, false, false, 24),
            (8, true, true, 24),
            (4, false, false, 24),
            (4, false, false, HALF_BITS),
            (4, true, true, HALF_BITS),
            (4, false, false, 20),
            (2, false, true, 22),
        ] {
            let largest_scale = if scale_bits == HALF_BITS {
                65_504.0
            } else {
                f32::MAX
            };
            let rule = Rule {
                bits,
                signed,
                symmetric,
                scale_bits,
                smallest_scale: f32::MIN_POSITIVE,
                largest_scale,
            };
            let mut groups = vec![Group::given(1.0, 0); lows.len()];
            // SAFETY: the portable set is always there.
            unsafe { fit::<Portable>(&rule, &lows, &highs, &mut groups) };
            let mut plain = 0;
            for (at, group) in groups.iter().enumerate() {
                assert_eq!(*group, rule.fit(lows[at], highs[at]), "{rule:?} {at}");
                let chunk = at / LANES * LANES..at / LANES * LANES + LANES;
                let is_plain = |at: usize| {
                    let (smallest, largest) = rule.plain_scales();
                    (smallest..=largest).contains(&groups[at].scale)
                };
                plain += usize::from(chunk.into_iter().all(is_plain));
            }
            // Neither way is left out.
            assert!(plain > lows.len() / 2 && plain < lows.len(), "{plain}");
        }
    }
}
