//! Sixteen values at a time: the one vocabulary in which the kernels are written.
//!
//! Each instruction set implements these few operations; the algorithms above them are written once. As every
//! operation is an IEEE 754 operation on sixteen lanes, fused only where it says so and with no approximate reciprocal,
//! the same lanes come out of each, bit for bit.

use super::pack::pack_portable;

/// Lanes of a vector.
pub(crate) const LANES: usize = 16;

/// The largest float32 below one half. Added away from zero before truncation it rounds as C's `roundf`: one half itself
/// would carry the value just below a tie over it.
pub(crate) const ALMOST_HALF: f32 = 0.499_999_97;

/// Sixteen 32-bit floats.
///
/// # Safety
/// Methods of an implementation may be called only where its instruction set is available; pointers must be valid for
/// what the method reads or writes, with any alignment unless it says otherwise.
pub(crate) trait Lanes: Copy {
    /// Sixteen 32-bit integers.
    type Int: Copy;
    /// Sixteen integers that fit an `i16`.
    type Words: Copy;
    /// The largest magnitudes so far, in as many lanes as suit the machine.
    type Most: Copy;
    /// The least and the greatest so far of 0 and the values of each lane.
    type Range: Copy;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// Past the caches; `to` is 64-byte-aligned.
    unsafe fn stream(self, to: *mut f32);

    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `if self < other { self } else { other }`, so `other` where a lane is NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// `if self > other { self } else { other }`, so `other` where a lane is NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// The smallest lane; none is NaN.
    unsafe fn lowest(self) -> f32;
    /// The largest lane; none is NaN.
    unsafe fn highest(self) -> f32;
    /// The smallest lane of `low` and the largest of `high`; none is NaN.
    #[inline(always)]
    unsafe fn bounds(low: Self, high: Self) -> (f32, f32) {
        // SAFETY: as promised to this method.
        unsafe { (low.lowest(), high.highest()) }
    }
    /// The range of nothing but 0.
    unsafe fn no_range() -> Self::Range;
    /// With the values of `value`, in the order of their bits, so that a NaN becomes an end.
    unsafe fn widen(range: Self::Range, value: Self) -> Self::Range;
    /// The ends of all lanes together.
    unsafe fn ends(range: Self::Range) -> (f32, f32);
    /// The sum of the lanes: each of the first half plus its fellow of the second, and so on with what is left.
    unsafe fn total(self) -> f32;
    /// Asks for the cache line at `from`, which need not be readable.
    unsafe fn prefetch(from: *const f32);
    /// The float16 of these bits in each lane.
    unsafe fn splat_half(bits: u16) -> Self;
    /// The nearest float16 of each lane: their bits, and their values.
    unsafe fn halves(self) -> ([u16; LANES], Self);
    /// To the nearest integer, ties to even. Lanes whose result does not fit are unspecified.
    unsafe fn round(self) -> Self::Int;
    /// To the nearest integer, ties away from zero, as C's `roundf`. As for `round` with what does not fit.
    unsafe fn round_away(self) -> Self::Int;
    /// Toward zero. As for `round` with what does not fit.
    unsafe fn truncate(self) -> Self::Int;

    /// No magnitude above 0.
    unsafe fn least() -> Self::Most;
    /// With the magnitudes of the lanes of `value`, whose bits are in the order of the magnitudes, with NaN above all
    /// numbers.
    unsafe fn most(most: Self::Most, value: Self) -> Self::Most;
    /// With those of `other`.
    unsafe fn join(most: Self::Most, other: Self::Most) -> Self::Most;
    /// From where [`store_most`](Self::store_most) wrote them.
    unsafe fn load_most(from: *const i32) -> Self::Most;
    /// Writes up to sixteen.
    unsafe fn store_most(most: Self::Most, to: *mut i32);
    /// Whether the bits of one are greater than `bound`.
    unsafe fn any_above(most: Self::Most, bound: i32) -> bool;

    /// Writes four words for each lane: the bits of `a`, those of `b`, `c`, and 0.
    #[inline(always)]
    unsafe fn store_fours(a: Self, b: Self, c: &[i32; LANES], to: *mut [u32; 4]) {
        let (mut first, mut second) = ([0.0f32; LANES], [0.0f32; LANES]);
        // SAFETY: the arrays hold whole vectors, and the caller vouches for sixteen fours.
        unsafe {
            a.store(first.as_mut_ptr());
            b.store(second.as_mut_ptr());
            for (at, c) in c.iter().enumerate() {
                let four = [first[at].to_bits(), second[at].to_bits(), *c as u32, 0];
                to.add(at).write_unaligned(four);
            }
        }
    }

    unsafe fn splat_int(value: i32) -> Self::Int;
    unsafe fn to_float(int: Self::Int) -> Self;

    /// The lanes, which fit an `i16`.
    unsafe fn narrow(int: Self::Int) -> Self::Words;
    /// Writes 32 codes: the words of `a`, then those of `b`, plus `zero_point`, saturated to `i8` if `SIGNED`, else to
    /// `u8`. The sums fit an `i16`.
    unsafe fn store_codes<const SIGNED: bool>(
        a: Self::Words,
        b: Self::Words,
        zero_point: i32,
        to: *mut u8,
    );
    /// As [`store_codes`](Self::store_codes), packed to `BITS` bits, 8 or 4, and past the caches; `to` is aligned to the
    /// bytes that 32 codes then fill. Codes of 4 bits are -8 to 7 if `SIGNED`, else 0 to 15, and so is their zero point.
    #[inline(always)]
    unsafe fn stream_codes<const SIGNED: bool, const BITS: u8>(
        a: Self::Words,
        b: Self::Words,
        zero_point: i32,
        to: *mut u8,
    ) {
        let mut codes = [0u8; 2 * LANES];
        // SAFETY: the array has 32 bytes, and the caller vouches for as many as they are packed to.
        unsafe {
            Self::store_codes::<SIGNED>(a, b, zero_point, codes.as_mut_ptr());
            pack_portable(BITS, codes.as_ptr(), codes.len(), to);
        }
    }
    /// As [`stream_codes`](Self::stream_codes) for 64 codes of 4 bits: `to` is 32-byte-aligned.
    #[inline(always)]
    unsafe fn stream_nibbles<const SIGNED: bool>(
        words: [Self::Words; 4],
        zero_point: i32,
        to: *mut u8,
    ) {
        let [a, b, c, d] = words;
        // SAFETY: as promised to this method; 32 codes of 4 bits fill 16 bytes.
        unsafe {
            Self::stream_codes::<SIGNED, 4>(a, b, zero_point, to);
            Self::stream_codes::<SIGNED, 4>(c, d, zero_point, to.add(16));
        }
    }
    /// Writes 16 bytes, of which each has a lane of `a` in its low half and the same lane of `b` in its high half. The
    /// lanes are 0 to 15.
    unsafe fn store_nibbles(a: Self::Int, b: Self::Int, to: *mut u8) {
        let mut bytes = [0u8; 2 * LANES];
        // SAFETY: the array has 32 bytes, and the caller vouches for 16 more.
        unsafe {
            let (a, b) = (Self::narrow(a), Self::narrow(b));
            Self::store_codes::<false>(a, b, 0, bytes.as_mut_ptr());
            // Sixteen bytes as one number: no code has bits that the shift would carry into its neighbour.
            let low = bytes.as_ptr().cast::<u128>().read_unaligned();
            let high = bytes.as_ptr().add(LANES).cast::<u128>().read_unaligned();
            to.cast::<u128>().write_unaligned(low | high << 4);
        }
    }
    /// Thirty-two codes that are packed to `BITS` bits, 8, 4 or 2, sign-extended if `SIGNED`, else zero-extended.
    unsafe fn load_codes<const SIGNED: bool, const BITS: u8>(from: *const u8) -> [Self::Int; 2];
    /// What [`store_nibbles`](Self::store_nibbles) wrote: the low halves of 16 bytes, then the high ones, each less
    /// `BIAS`.
    unsafe fn load_nibbles<const BIAS: i8>(from: *const u8) -> [Self::Int; 2];
    unsafe fn sub_int(a: Self::Int, b: Self::Int) -> Self::Int;
}
