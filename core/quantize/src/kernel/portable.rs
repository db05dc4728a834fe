//! Sixteen lanes as an array: the reference, and what runs where no other set does.

use half::f16;

use super::lanes::{ALMOST_HALF, LANES, Lanes};
use super::pack::unpack_portable;

#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

/// To the nearest integer, ties to even, for magnitudes below 2^22; others are saturated there first. Adding
/// 1.5 * 2^23 leaves no bits for a fraction, so the addition itself rounds, by the default rounding mode.
#[inline(always)]
fn round(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    const BOUND: f32 = 4_194_304.0;
    let value = if value < BOUND { value } else { BOUND };
    let value = if value > -BOUND { value } else { -BOUND };
    (value + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()) as i32
}

/// `a * b + c`, rounded once. Where the machine cannot, in float64: the product is exact there, and a sum that is rounded
/// to odd (its last bit set where something was cut off) rounds to float32 as the exact sum does, since it has more than
/// two bits beyond a float32's (Boldo and Melquiond, Emulation of a FMA and correctly rounded sums, 2008).
#[inline(always)]
fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        return a.mul_add(b, c);
    }
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    // What the addition cut off (Knuth's two-sum).
    let part = sum - product;
    let rest = (product - (sum - part)) + (c - part);
    let bits = sum.to_bits();
    let is_even = bits & 1 == 0;
    // Toward the rest: its magnitude grows if their signs agree.
    let toward = if (rest > 0.0) == (sum > 0.0) {
        1u64
    } else {
        u64::MAX
    };
    let step = if is_even && rest != 0.0 && sum.is_finite() {
        toward
    } else {
        0
    };
    f64::from_bits(bits.wrapping_add(step)) as f32
}

impl Lanes for Portable {
    type Int = [i32; LANES];
    type Words = [i32; LANES];
    type Most = [i32; LANES];
    /// The bits of the lows, of which those of a lower number are larger if unsigned, and those of the highs.
    type Range = ([u32; LANES], [i32; LANES]);

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for 16 readable values.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for 16 writable values.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: as for `store`.
        unsafe { self.store(to) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            mul_add(self.0[lane], factor.0[lane], term.0[lane])
        }))
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn lowest(self) -> f32 {
        self.0.into_iter().fold(
            f32::INFINITY,
            |low, value| if value < low { value } else { low },
        )
    }
    #[inline(always)]
    unsafe fn highest(self) -> f32 {
        self.0.into_iter().fold(
            f32::NEG_INFINITY,
            |high, value| if value > high { value } else { high },
        )
    }
    #[inline(always)]
    unsafe fn no_range() -> Self::Range {
        ([1 << 31; LANES], [0; LANES])
    }
    #[inline(always)]
    unsafe fn widen((lows, highs): Self::Range, value: Self) -> Self::Range {
        let bits = value.0.map(f32::to_bits);
        (
            std::array::from_fn(|lane| lows[lane].max(bits[lane])),
            std::array::from_fn(|lane| highs[lane].max(bits[lane] as i32)),
        )
    }
    #[inline(always)]
    unsafe fn ends((lows, highs): Self::Range) -> (f32, f32) {
        let low = lows.into_iter().fold(1 << 31, u32::max);
        let high = highs.into_iter().fold(0, i32::max);
        (f32::from_bits(low), f32::from_bits(high as u32))
    }
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        let mut sums = self.0;
        let mut half = LANES / 2;
        while half > 0 {
            for at in 0..half {
                sums[at] += sums[at + half];
            }
            half /= 2;
        }
        sums[0]
    }
    #[inline(always)]
    unsafe fn splat_half(bits: u16) -> Self {
        Self([f16::from_bits(bits).to_f32(); LANES])
    }
    #[inline(always)]
    unsafe fn halves(self) -> ([u16; LANES], Self) {
        let halves = self.0.map(f16::from_f32);
        (halves.map(f16::to_bits), Self(halves.map(f16::to_f32)))
    }
    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}
    #[inline(always)]
    unsafe fn round(self) -> Self::Int {
        self.0.map(round)
    }
    #[inline(always)]
    unsafe fn round_away(self) -> Self::Int {
        self.0
            .map(|value| (value + ALMOST_HALF.copysign(value)) as i32)
    }
    #[inline(always)]
    unsafe fn truncate(self) -> Self::Int {
        self.0.map(|value| value as i32)
    }
    #[inline(always)]
    unsafe fn least() -> Self::Most {
        [0; LANES]
    }
    #[inline(always)]
    unsafe fn most(most: Self::Most, value: Self) -> Self::Most {
        let magnitude = |lane: usize| (value.0[lane].to_bits() & 0x7fff_ffff) as i32;
        std::array::from_fn(|lane| most[lane].max(magnitude(lane)))
    }
    #[inline(always)]
    unsafe fn join(most: Self::Most, other: Self::Most) -> Self::Most {
        std::array::from_fn(|lane| most[lane].max(other[lane]))
    }
    #[inline(always)]
    unsafe fn load_most(from: *const i32) -> Self::Most {
        // SAFETY: the caller vouches for 16 readable ones.
        unsafe { from.cast::<[i32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_most(most: Self::Most, to: *mut i32) {
        // SAFETY: the caller vouches for room for 16.
        unsafe { to.cast::<[i32; LANES]>().write_unaligned(most) }
    }
    #[inline(always)]
    unsafe fn any_above(most: Self::Most, bound: i32) -> bool {
        most.into_iter()
            .fold(false, |any, value| any | (value > bound))
    }
    #[inline(always)]
    unsafe fn splat_int(value: i32) -> Self::Int {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn to_float(int: Self::Int) -> Self {
        Self(int.map(|value| value as f32))
    }
    #[inline(always)]
    unsafe fn narrow(int: Self::Int) -> Self::Words {
        int
    }
    #[inline(always)]
    unsafe fn store_codes<const SIGNED: bool>(
        a: Self::Words,
        b: Self::Words,
        zero_point: i32,
        to: *mut u8,
    ) {
        let code = |value: i32| {
            let value = value.wrapping_add(zero_point);
            if SIGNED {
                value.clamp(-128, 127) as u8
            } else {
                value.clamp(0, 255) as u8
            }
        };
        // SAFETY: the caller vouches for 32 writable bytes.
        unsafe {
            to.cast::<[u8; LANES]>().write_unaligned(a.map(code));
            to.add(LANES)
                .cast::<[u8; LANES]>()
                .write_unaligned(b.map(code));
        }
    }
    #[inline(always)]
    unsafe fn load_codes<const SIGNED: bool, const BITS: u8>(from: *const u8) -> [Self::Int; 2] {
        let mut codes = [[0u8; LANES]; 2];
        // SAFETY: the caller vouches for the bytes of 32 codes, for which there is room.
        unsafe { unpack_portable(BITS, SIGNED, from, 2 * LANES, codes.as_mut_ptr().cast()) };
        codes.map(|codes| {
            codes.map(|code| {
                if SIGNED {
                    i32::from(code as i8)
                } else {
                    i32::from(code)
                }
            })
        })
    }
    #[inline(always)]
    unsafe fn load_nibbles<const BIAS: i8>(from: *const u8) -> [Self::Int; 2] {
        // SAFETY: the caller vouches for 16 readable bytes.
        let bytes = unsafe { from.cast::<[u8; LANES]>().read() };
        [
            bytes.map(|byte| i32::from(byte & 15) - i32::from(BIAS)),
            bytes.map(|byte| i32::from(byte >> 4) - i32::from(BIAS)),
        ]
    }
    #[inline(always)]
    unsafe fn sub_int(a: Self::Int, b: Self::Int) -> Self::Int {
        std::array::from_fn(|lane| a[lane].wrapping_sub(b[lane]))
    }
}

#[cfg(test)]
mod tests {
    use super::mul_add;

    #[test]
    fn the_emulated_product_and_sum_round_once() {
        let mut state = 7u64;
        let mut next = |range: i32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let mantissa = 1.0 + (state >> 41) as f32 / (1u64 << 23) as f32;
            let power = (state >> 11) as i32 % range;
            let sign = if state >> 40 & 1 == 0 { 1.0 } else { -1.0 };
            sign * mantissa * 2f32.powi(power)
        };
        for _ in 0..200_000 {
            let (a, b, c) = (next(20), next(20), next(60));
            assert_eq!(
                mul_add(a, b, c).to_bits(),
                a.mul_add(b, c).to_bits(),
                "{a} {b} {c}"
            );
            // Near cancellation, and next to ties of float32.
            let c = -(a * b);
            assert_eq!(
                mul_add(a, b, c).to_bits(),
                a.mul_add(b, c).to_bits(),
                "{a} {b} {c}"
            );
            let tie = a * (1.0 + f32::EPSILON * 4096.0);
            assert_eq!(
                mul_add(a, 4096.0, tie).to_bits(),
                a.mul_add(4096.0, tie).to_bits(),
                "{a} {tie}"
            );
        }
        for (a, b, c) in [
            (0.0, 1.0, -0.0),
            (-0.0, 1.0, -0.0),
            (f32::MAX, 2.0, 0.0),
            (f32::INFINITY, 1.0, 1.0),
            (1e-30, 1e-30, 1e-45),
            (1e-30, -1e-30, 1e-45),
            (1e-23, 1e-22, 1e-45),
        ] {
            assert_eq!(
                mul_add(a, b, c).to_bits(),
                f32::mul_add(a, b, c).to_bits(),
                "{a} {b} {c}"
            );
        }
    }
}
