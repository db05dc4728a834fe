//! Sixteen lanes as an array: the reference, and what runs where no other set does.

use super::lanes::{ALMOST_HALF, LANES, Lanes};

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

impl Lanes for Portable {
    type Int = [i32; LANES];

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
    unsafe fn magnitude(self) -> Self::Int {
        self.0.map(|value| (value.to_bits() & 0x7fff_ffff) as i32)
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
    unsafe fn max_int(a: Self::Int, b: Self::Int) -> Self::Int {
        std::array::from_fn(|lane| a[lane].max(b[lane]))
    }
    #[inline(always)]
    unsafe fn largest(int: Self::Int) -> i32 {
        int.into_iter().fold(i32::MIN, i32::max)
    }
    #[inline(always)]
    unsafe fn any_above(int: Self::Int, bound: i32) -> bool {
        int.into_iter()
            .fold(false, |any, value| any | (value > bound))
    }
    #[inline(always)]
    unsafe fn store_codes<const SIGNED: bool>(
        a: Self::Int,
        b: Self::Int,
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
    unsafe fn load_codes<const SIGNED: bool>(from: *const u8) -> Self::Int {
        // SAFETY: the caller vouches for 16 readable bytes.
        let codes = unsafe { from.cast::<[u8; LANES]>().read_unaligned() };
        codes.map(|code| {
            if SIGNED {
                i32::from(code as i8)
            } else {
                i32::from(code)
            }
        })
    }
    #[inline(always)]
    unsafe fn sub_int(a: Self::Int, b: Self::Int) -> Self::Int {
        std::array::from_fn(|lane| a[lane].wrapping_sub(b[lane]))
    }
}
