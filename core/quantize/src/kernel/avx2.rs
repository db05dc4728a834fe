//! Sixteen lanes as two 256-bit registers.

#![allow(clippy::undocumented_unsafe_blocks)] // Every block is one intrinsic under the contract of `Lanes`.

use std::arch::x86_64::*;

use super::lanes::{ALMOST_HALF, LANES, Lanes};

#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256, __m256);

/// The sum of eight lanes, by halves.
#[inline(always)]
pub(super) unsafe fn total(v: __m256) -> f32 {
    unsafe {
        let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps::<1>(v, v)))
    }
}

/// Thirty-two codes in order: the words of `a`, then those of `b`, plus `zero_point`.
#[inline(always)]
unsafe fn codes<const SIGNED: bool>(a: __m256i, b: __m256i, zero_point: i32) -> __m256i {
    unsafe {
        let zero_point = _mm256_set1_epi16(zero_point as i16);
        let (a, b) = (
            _mm256_add_epi16(a, zero_point),
            _mm256_add_epi16(b, zero_point),
        );
        let bytes = if SIGNED {
            _mm256_packs_epi16(a, b)
        } else {
            _mm256_packus_epi16(a, b)
        };
        // Where the fours of the packs lie.
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        _mm256_permutevar8x32_epi32(bytes, order)
    }
}

/// Writes 32 codes past the caches, packed to `BITS` bits.
#[inline(always)]
pub(super) unsafe fn stream<const BITS: u8>(codes: __m256i, to: *mut u8) {
    unsafe {
        if BITS == 8 {
            return _mm256_stream_si256(to.cast(), codes);
        }
        let pairs = pairs(_mm256_and_si256(codes, _mm256_set1_epi8(15)));
        _mm_stream_si128(to.cast(), bytes(pairs));
    }
}

/// Each two of 32 codes, which are 0 to 15, in the low half of a word.
#[inline(always)]
unsafe fn pairs(codes: __m256i) -> __m256i {
    // 1 * first + 16 * second.
    unsafe { _mm256_maddubs_epi16(codes, _mm256_set1_epi16(0x1001)) }
}

/// The low halves of words.
#[inline(always)]
unsafe fn bytes(words: __m256i) -> __m128i {
    unsafe {
        _mm_packus_epi16(
            _mm256_castsi256_si128(words),
            _mm256_extracti128_si256::<1>(words),
        )
    }
}

/// As [`pairs`], of codes of 4 bits: the words of `a`, then those of `b`, plus `zero_point`. They lie as those do.
#[inline(always)]
unsafe fn nibbles<const SIGNED: bool>(a: __m256i, b: __m256i, zero_point: i32) -> __m256i {
    unsafe {
        // A byte holds these codes also without the zero point.
        let codes = _mm256_packs_epi16(a, b);
        let codes = _mm256_add_epi8(codes, _mm256_set1_epi8(zero_point as i8));
        pairs(if SIGNED {
            _mm256_and_si256(codes, _mm256_set1_epi8(15))
        } else {
            codes
        })
    }
}

/// Where the twos lie that [`nibbles`] makes, in their half.
#[inline(always)]
unsafe fn order() -> __m128i {
    unsafe { _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15) }
}

/// The low halves of 16 bytes, and the high ones.
#[inline(always)]
pub(super) unsafe fn halves(from: *const u8) -> [__m128i; 2] {
    unsafe {
        let mask = _mm_set1_epi8(15);
        let bytes = _mm_loadu_si128(from.cast());
        let high = _mm_srli_epi16::<4>(bytes);
        [_mm_and_si128(bytes, mask), _mm_and_si128(high, mask)]
    }
}

/// Thirty-two codes of a byte each, of codes that are packed to `BITS` bits.
#[inline(always)]
pub(super) unsafe fn unpacked<const SIGNED: bool, const BITS: u8>(from: *const u8) -> [__m128i; 2] {
    unsafe {
        let codes = match BITS {
            8 => return [0, 16].map(|at| _mm_loadu_si128(from.add(at).cast())),
            4 => {
                let [low, high] = halves(from);
                [_mm_unpacklo_epi8(low, high), _mm_unpackhi_epi8(low, high)]
            }
            _ => {
                let mask = _mm_set1_epi8(3);
                let bytes = _mm_loadl_epi64(from.cast());
                let second = _mm_and_si128(_mm_srli_epi16::<2>(bytes), mask);
                let third = _mm_and_si128(_mm_srli_epi16::<4>(bytes), mask);
                let fourth = _mm_and_si128(_mm_srli_epi16::<6>(bytes), mask);
                let low = _mm_unpacklo_epi8(_mm_and_si128(bytes, mask), second);
                let high = _mm_unpacklo_epi8(third, fourth);
                [_mm_unpacklo_epi16(low, high), _mm_unpackhi_epi16(low, high)]
            }
        };
        if !SIGNED {
            return codes;
        }
        // Flipping and subtracting the sign bit extends it.
        let sign = _mm_set1_epi8(1 << (BITS - 1));
        codes.map(|codes| _mm_sub_epi8(_mm_xor_si128(codes, sign), sign))
    }
}

macro_rules! both {
    ($name:ident, $intrinsic:ident) => {
        #[inline(always)]
        unsafe fn $name(self, other: Self) -> Self {
            unsafe { Self($intrinsic(self.0, other.0), $intrinsic(self.1, other.1)) }
        }
    };
}

impl Lanes for Avx2 {
    type Int = (__m256i, __m256i);
    /// The packs work within 128-bit halves: four lanes of the first register, four of the second, and so again.
    type Words = __m256i;
    /// Twice the bits, without the sign, which needs no mask; in one register. The loops need all others.
    type Most = __m256i;
    /// The bits of the lows, of which those of a lower number are larger if unsigned, and those of the highs. Integers are
    /// compared on more ports than floats.
    type Range = ([__m256i; 2], [__m256i; 2]);

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        unsafe {
            _mm256_stream_ps(to, self.0);
            _mm256_stream_ps(to.add(8), self.1);
        }
    }
    both!(add, _mm256_add_ps);
    both!(sub, _mm256_sub_ps);
    both!(mul, _mm256_mul_ps);
    both!(div, _mm256_div_ps);
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        unsafe {
            Self(
                _mm256_fmadd_ps(self.0, factor.0, term.0),
                _mm256_fmadd_ps(self.1, factor.1, term.1),
            )
        }
    }
    // MINPS and MAXPS return the second operand when either is NaN.
    both!(min, _mm256_min_ps);
    both!(max, _mm256_max_ps);
    #[inline(always)]
    unsafe fn lowest(self) -> f32 {
        unsafe {
            let v = _mm256_min_ps(self.0, self.1);
            let v = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let v = _mm_min_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_min_ss(v, _mm_shuffle_ps::<1>(v, v)))
        }
    }
    #[inline(always)]
    unsafe fn highest(self) -> f32 {
        unsafe {
            let v = _mm256_max_ps(self.0, self.1);
            let v = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let v = _mm_max_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_max_ss(v, _mm_shuffle_ps::<1>(v, v)))
        }
    }
    #[inline(always)]
    unsafe fn bounds(low: Self, high: Self) -> (f32, f32) {
        unsafe {
            // Both at once: the negated lows in one half, the highs in the other. Without zeros' signs, which a range
            // does not depend on.
            let low = _mm256_xor_ps(_mm256_min_ps(low.0, low.1), _mm256_set1_ps(-0.0));
            let high = _mm256_max_ps(high.0, high.1);
            let m = _mm256_max_ps(
                _mm256_permute2f128_ps::<0x20>(low, high),
                _mm256_permute2f128_ps::<0x31>(low, high),
            );
            let m = _mm256_max_ps(m, _mm256_shuffle_ps::<0b01_00_11_10>(m, m));
            let m = _mm256_max_ps(m, _mm256_shuffle_ps::<0b10_11_00_01>(m, m));
            let low = _mm256_cvtss_f32(m);
            (-low, _mm_cvtss_f32(_mm256_extractf128_ps::<1>(m)))
        }
    }
    #[inline(always)]
    unsafe fn no_range() -> Self::Range {
        unsafe {
            let (low, high) = (_mm256_set1_epi32(i32::MIN), _mm256_setzero_si256());
            ([low; 2], [high; 2])
        }
    }
    #[inline(always)]
    unsafe fn widen((lows, highs): Self::Range, value: Self) -> Self::Range {
        unsafe {
            let [a, b] = [_mm256_castps_si256(value.0), _mm256_castps_si256(value.1)];
            (
                [_mm256_max_epu32(lows[0], a), _mm256_max_epu32(lows[1], b)],
                [_mm256_max_epi32(highs[0], a), _mm256_max_epi32(highs[1], b)],
            )
        }
    }
    #[inline(always)]
    unsafe fn ends((lows, highs): Self::Range) -> (f32, f32) {
        unsafe {
            // Both at once: the magnitudes of the lows in one half, the highs in the other.
            let low = _mm256_max_epu32(lows[0], lows[1]);
            let low = _mm256_xor_si256(low, _mm256_set1_epi32(i32::MIN));
            let high = _mm256_max_epi32(highs[0], highs[1]);
            let m = _mm256_max_epi32(
                _mm256_permute2x128_si256::<0x20>(low, high),
                _mm256_permute2x128_si256::<0x31>(low, high),
            );
            let m = _mm256_max_epi32(m, _mm256_shuffle_epi32::<0b01_00_11_10>(m));
            let m = _mm256_max_epi32(m, _mm256_shuffle_epi32::<0b10_11_00_01>(m));
            let m = _mm256_castsi256_ps(m);
            let low = _mm256_cvtss_f32(m);
            (-low, _mm_cvtss_f32(_mm256_extractf128_ps::<1>(m)))
        }
    }
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        unsafe { total(_mm256_add_ps(self.0, self.1)) }
    }
    #[inline(always)]
    unsafe fn splat_half(bits: u16) -> Self {
        unsafe {
            let half = _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits)));
            let all = _mm256_broadcastss_ps(half);
            Self(all, all)
        }
    }
    #[inline(always)]
    unsafe fn halves(self) -> ([u16; LANES], Self) {
        unsafe {
            let halves = [
                _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.0),
                _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.1),
            ];
            let [low, high] = halves.map(|half| _mm256_cvtph_ps(half));
            (
                std::mem::transmute::<[__m128i; 2], [u16; LANES]>(halves),
                Self(low, high),
            )
        }
    }
    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self::Int {
        unsafe { (_mm256_cvtps_epi32(self.0), _mm256_cvtps_epi32(self.1)) }
    }
    #[inline(always)]
    unsafe fn round_away(self) -> Self::Int {
        unsafe {
            let (sign, half) = (_mm256_set1_ps(-0.0), _mm256_set1_ps(ALMOST_HALF));
            let low = _mm256_add_ps(self.0, _mm256_or_ps(_mm256_and_ps(self.0, sign), half));
            let high = _mm256_add_ps(self.1, _mm256_or_ps(_mm256_and_ps(self.1, sign), half));
            (_mm256_cvttps_epi32(low), _mm256_cvttps_epi32(high))
        }
    }
    #[inline(always)]
    unsafe fn truncate(self) -> Self::Int {
        unsafe { (_mm256_cvttps_epi32(self.0), _mm256_cvttps_epi32(self.1)) }
    }
    #[inline(always)]
    unsafe fn least() -> Self::Most {
        unsafe { _mm256_setzero_si256() }
    }
    #[inline(always)]
    unsafe fn most(most: Self::Most, value: Self) -> Self::Most {
        unsafe {
            let [low, high] = [_mm256_castps_si256(value.0), _mm256_castps_si256(value.1)];
            let (low, high) = (_mm256_add_epi32(low, low), _mm256_add_epi32(high, high));
            _mm256_max_epu32(most, _mm256_max_epu32(low, high))
        }
    }
    #[inline(always)]
    unsafe fn join(most: Self::Most, other: Self::Most) -> Self::Most {
        unsafe { _mm256_max_epu32(most, other) }
    }
    #[inline(always)]
    unsafe fn load_most(from: *const i32) -> Self::Most {
        unsafe { _mm256_slli_epi32::<1>(_mm256_loadu_si256(from.cast())) }
    }
    #[inline(always)]
    unsafe fn store_most(most: Self::Most, to: *mut i32) {
        unsafe { _mm256_storeu_si256(to.cast(), _mm256_srli_epi32::<1>(most)) }
    }
    #[inline(always)]
    unsafe fn any_above(most: Self::Most, bound: i32) -> bool {
        unsafe {
            let bits = _mm256_srli_epi32::<1>(most);
            _mm256_movemask_epi8(_mm256_cmpgt_epi32(bits, _mm256_set1_epi32(bound))) != 0
        }
    }
    #[inline(always)]
    unsafe fn splat_int(value: i32) -> Self::Int {
        unsafe { (_mm256_set1_epi32(value), _mm256_set1_epi32(value)) }
    }
    #[inline(always)]
    unsafe fn to_float(int: Self::Int) -> Self {
        unsafe { Self(_mm256_cvtepi32_ps(int.0), _mm256_cvtepi32_ps(int.1)) }
    }
    #[inline(always)]
    unsafe fn narrow(int: Self::Int) -> Self::Words {
        unsafe { _mm256_packs_epi32(int.0, int.1) }
    }
    #[inline(always)]
    unsafe fn store_codes<const SIGNED: bool>(
        a: Self::Words,
        b: Self::Words,
        zero_point: i32,
        to: *mut u8,
    ) {
        unsafe { _mm256_storeu_si256(to.cast(), codes::<SIGNED>(a, b, zero_point)) }
    }
    #[inline(always)]
    unsafe fn stream_codes<const SIGNED: bool, const BITS: u8>(
        a: Self::Words,
        b: Self::Words,
        zero_point: i32,
        to: *mut u8,
    ) {
        unsafe {
            if BITS == 8 {
                return stream::<BITS>(codes::<SIGNED>(a, b, zero_point), to);
            }
            let bytes = bytes(nibbles::<SIGNED>(a, b, zero_point));
            _mm_stream_si128(to.cast(), _mm_shuffle_epi8(bytes, order()));
        }
    }
    #[inline(always)]
    unsafe fn stream_nibbles<const SIGNED: bool>(
        words: [Self::Words; 4],
        zero_point: i32,
        to: *mut u8,
    ) {
        unsafe {
            let [a, b, c, d] = words;
            let first = nibbles::<SIGNED>(a, b, zero_point);
            let second = nibbles::<SIGNED>(c, d, zero_point);
            // The pack takes half of the first, half of the second, and so again.
            let bytes = _mm256_packus_epi16(first, second);
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes);
            let order = _mm256_broadcastsi128_si256(order());
            _mm256_stream_si256(to.cast(), _mm256_shuffle_epi8(bytes, order));
        }
    }
    #[inline(always)]
    unsafe fn store_nibbles(a: Self::Int, b: Self::Int, to: *mut u8) {
        unsafe {
            // A lane of both in each word; the packs work within 128-bit halves, so the quarters are put in order.
            let low = _mm256_or_si256(a.0, _mm256_slli_epi32::<4>(b.0));
            let high = _mm256_or_si256(a.1, _mm256_slli_epi32::<4>(b.1));
            let words = _mm256_packs_epi32(low, high);
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let bytes = _mm_packus_epi16(
                _mm256_castsi256_si128(words),
                _mm256_extracti128_si256::<1>(words),
            );
            _mm_storeu_si128(to.cast(), bytes);
        }
    }
    #[inline(always)]
    unsafe fn store_fours(a: Self, b: Self, c: &[i32; LANES], to: *mut [u32; 4]) {
        unsafe {
            let [low, high] = [0, 8].map(|at| _mm256_loadu_si256(c.as_ptr().add(at).cast()));
            for (a, b, c, to) in [(a.0, b.0, low, to), (a.1, b.1, high, to.add(8))] {
                // Within 128-bit halves: lanes 0 and 1 of a half, then 2 and 3.
                let zero = _mm256_setzero_si256();
                let [a, b] = [_mm256_castps_si256(a), _mm256_castps_si256(b)];
                let halves = [
                    (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, zero)),
                    (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, zero)),
                ];
                for (two, (first, second)) in halves.into_iter().enumerate() {
                    let even = _mm256_unpacklo_epi64(first, second);
                    let odd = _mm256_unpackhi_epi64(first, second);
                    for (four, lane) in [(even, 2 * two), (odd, 2 * two + 1)] {
                        let low = _mm256_castsi256_si128(four);
                        _mm_storeu_si128(to.add(lane).cast(), low);
                        let high = _mm256_extracti128_si256::<1>(four);
                        _mm_storeu_si128(to.add(lane + 4).cast(), high);
                    }
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn load_codes<const SIGNED: bool, const BITS: u8>(from: *const u8) -> [Self::Int; 2] {
        unsafe {
            let eight = |codes| {
                if SIGNED {
                    _mm256_cvtepi8_epi32(codes)
                } else {
                    _mm256_cvtepu8_epi32(codes)
                }
            };
            unpacked::<SIGNED, BITS>(from)
                .map(|codes| (eight(codes), eight(_mm_srli_si128::<8>(codes))))
        }
    }
    #[inline(always)]
    unsafe fn load_nibbles<const BIAS: i8>(from: *const u8) -> [Self::Int; 2] {
        unsafe {
            halves(from).map(|codes| {
                let codes = _mm_sub_epi8(codes, _mm_set1_epi8(BIAS));
                let high = _mm_srli_si128::<8>(codes);
                (_mm256_cvtepi8_epi32(codes), _mm256_cvtepi8_epi32(high))
            })
        }
    }
    #[inline(always)]
    unsafe fn sub_int(a: Self::Int, b: Self::Int) -> Self::Int {
        unsafe { (_mm256_sub_epi32(a.0, b.0), _mm256_sub_epi32(a.1, b.1)) }
    }
}
