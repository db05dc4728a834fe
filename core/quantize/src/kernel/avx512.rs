//! Sixteen lanes as one 512-bit register.

#![allow(clippy::undocumented_unsafe_blocks)] // Every block is one intrinsic under the contract of `Lanes`.

use std::arch::x86_64::*;

use super::lanes::{ALMOST_HALF, LANES, Lanes};

#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

macro_rules! one {
    ($name:ident, $intrinsic:ident) => {
        #[inline(always)]
        unsafe fn $name(self, other: Self) -> Self {
            unsafe { Self($intrinsic(self.0, other.0)) }
        }
    };
}

#[inline(always)]
unsafe fn bytes<const SIGNED: bool>(int: __m512i, zero_point: i32) -> __m128i {
    unsafe {
        let sum = _mm512_add_epi32(int, _mm512_set1_epi32(zero_point));
        if SIGNED {
            _mm512_cvtsepi32_epi8(sum)
        } else {
            // The narrowing takes its operand as unsigned, so negative sums become 0 before it.
            _mm512_cvtusepi32_epi8(_mm512_max_epi32(sum, _mm512_setzero_si512()))
        }
    }
}

impl Lanes for Avx512 {
    type Int = __m512i;
    type Words = __m512i;
    type Most = __m512i;
    /// The bits of the lows, of which those of a lower number are larger if unsigned, and those of the highs.
    type Range = (__m512i, __m512i);

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm512_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm512_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        unsafe { _mm512_stream_ps(to, self.0) }
    }
    one!(add, _mm512_add_ps);
    one!(sub, _mm512_sub_ps);
    one!(mul, _mm512_mul_ps);
    one!(div, _mm512_div_ps);
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm512_fmadd_ps(self.0, factor.0, term.0)) }
    }
    // VMINPS and VMAXPS return the second operand when either is NaN.
    one!(min, _mm512_min_ps);
    one!(max, _mm512_max_ps);
    #[inline(always)]
    unsafe fn lowest(self) -> f32 {
        unsafe { _mm512_reduce_min_ps(self.0) }
    }
    #[inline(always)]
    unsafe fn highest(self) -> f32 {
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
    #[inline(always)]
    unsafe fn no_range() -> Self::Range {
        unsafe { (_mm512_set1_epi32(i32::MIN), _mm512_setzero_si512()) }
    }
    #[inline(always)]
    unsafe fn widen((lows, highs): Self::Range, value: Self) -> Self::Range {
        unsafe {
            let bits = _mm512_castps_si512(value.0);
            (_mm512_max_epu32(lows, bits), _mm512_max_epi32(highs, bits))
        }
    }
    #[inline(always)]
    unsafe fn ends((lows, highs): Self::Range) -> (f32, f32) {
        unsafe {
            let low = _mm512_reduce_max_epu32(lows);
            let high = _mm512_reduce_max_epi32(highs);
            (f32::from_bits(low), f32::from_bits(high as u32))
        }
    }
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        unsafe {
            let (low, high) = (
                _mm512_castps512_ps256(self.0),
                _mm512_extractf32x8_ps::<1>(self.0),
            );
            super::avx2::total(_mm256_add_ps(low, high))
        }
    }
    #[inline(always)]
    unsafe fn splat_half(bits: u16) -> Self {
        unsafe {
            let half = _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits)));
            Self(_mm512_broadcastss_ps(half))
        }
    }
    #[inline(always)]
    unsafe fn halves(self) -> ([u16; LANES], Self) {
        unsafe {
            let halves = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.0);
            let values = Self(_mm512_cvtph_ps(halves));
            (std::mem::transmute::<__m256i, [u16; LANES]>(halves), values)
        }
    }
    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self::Int {
        unsafe { _mm512_cvtps_epi32(self.0) }
    }
    #[inline(always)]
    unsafe fn round_away(self) -> Self::Int {
        unsafe {
            let (sign, half) = (_mm512_set1_ps(-0.0), _mm512_set1_ps(ALMOST_HALF));
            let shift = _mm512_or_ps(_mm512_and_ps(self.0, sign), half);
            _mm512_cvttps_epi32(_mm512_add_ps(self.0, shift))
        }
    }
    #[inline(always)]
    unsafe fn truncate(self) -> Self::Int {
        unsafe { _mm512_cvttps_epi32(self.0) }
    }
    #[inline(always)]
    unsafe fn least() -> Self::Most {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    unsafe fn most(most: Self::Most, value: Self) -> Self::Most {
        unsafe {
            let mask = _mm512_set1_epi32(0x7fff_ffff);
            _mm512_max_epi32(most, _mm512_and_si512(_mm512_castps_si512(value.0), mask))
        }
    }
    #[inline(always)]
    unsafe fn join(most: Self::Most, other: Self::Most) -> Self::Most {
        unsafe { _mm512_max_epi32(most, other) }
    }
    #[inline(always)]
    unsafe fn load_most(from: *const i32) -> Self::Most {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_most(most: Self::Most, to: *mut i32) {
        unsafe { _mm512_storeu_si512(to.cast(), most) }
    }
    #[inline(always)]
    unsafe fn any_above(most: Self::Most, bound: i32) -> bool {
        unsafe { _mm512_cmpgt_epi32_mask(most, _mm512_set1_epi32(bound)) != 0 }
    }
    #[inline(always)]
    unsafe fn splat_int(value: i32) -> Self::Int {
        unsafe { _mm512_set1_epi32(value) }
    }
    #[inline(always)]
    unsafe fn to_float(int: Self::Int) -> Self {
        unsafe { Self(_mm512_cvtepi32_ps(int)) }
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
        unsafe {
            _mm_storeu_si128(to.cast(), bytes::<SIGNED>(a, zero_point));
            _mm_storeu_si128(to.add(16).cast(), bytes::<SIGNED>(b, zero_point));
        }
    }
    #[inline(always)]
    unsafe fn stream_codes<const SIGNED: bool, const BITS: u8>(
        a: Self::Words,
        b: Self::Words,
        zero_point: i32,
        to: *mut u8,
    ) {
        unsafe {
            let (a, b) = (
                bytes::<SIGNED>(a, zero_point),
                bytes::<SIGNED>(b, zero_point),
            );
            super::avx2::stream::<BITS>(_mm256_set_m128i(b, a), to);
        }
    }
    #[inline(always)]
    unsafe fn store_nibbles(a: Self::Int, b: Self::Int, to: *mut u8) {
        unsafe {
            let pairs = _mm512_or_si512(a, _mm512_slli_epi32::<4>(b));
            _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(pairs));
        }
    }
    #[inline(always)]
    unsafe fn load_codes<const SIGNED: bool, const BITS: u8>(from: *const u8) -> [Self::Int; 2] {
        unsafe {
            super::avx2::unpacked::<SIGNED, BITS>(from).map(|codes| {
                if SIGNED {
                    _mm512_cvtepi8_epi32(codes)
                } else {
                    _mm512_cvtepu8_epi32(codes)
                }
            })
        }
    }
    #[inline(always)]
    unsafe fn load_nibbles<const BIAS: i8>(from: *const u8) -> [Self::Int; 2] {
        unsafe {
            super::avx2::halves(from)
                .map(|codes| _mm512_cvtepi8_epi32(_mm_sub_epi8(codes, _mm_set1_epi8(BIAS))))
        }
    }
    #[inline(always)]
    unsafe fn sub_int(a: Self::Int, b: Self::Int) -> Self::Int {
        unsafe { _mm512_sub_epi32(a, b) }
    }
}
