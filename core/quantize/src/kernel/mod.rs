//! The loops over values, once for each instruction set, chosen at run time.
//!
//! [`ranges`], [`rule`], [`affine`], [`score`] and [`ggml`] hold the algorithms; [`lanes`] the operations they are written in,
//! which [`portable`], [`avx2`] and [`avx512`] implement. [`Kernel`] is the table of entry points of one set.

pub(crate) mod affine;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod ggml;
#[cfg(all(test, target_arch = "x86_64"))]
mod lane_tests;
mod lanes;
mod pack;
mod portable;
mod ranges;
pub(crate) mod rule;
mod score;
pub(crate) mod sums;

use serde::{Deserialize, Serialize};

use ggml::Format;
use rule::{Group, Rule};
use sums::Sums;

pub(crate) use affine::{AHEAD, STEP, UNPACKED};

/// The instruction set of the kernels. All write the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InstructionSet {
    /// What the compiler makes of plain Rust, on every machine.
    Portable,
    /// x86-64 with AVX2, FMA and F16C.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    Avx512,
}

impl InstructionSet {
    /// Those that this machine has, the best last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut sets = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
            {
                sets.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    sets.push(Self::Avx512);
                }
            }
        }
        sets
    }
}

type Code = unsafe fn(*const f32, *const f32, usize, &[Group], &Rule, *mut u8, &mut Sums) -> bool;
type CodeEach =
    unsafe fn(*const f32, usize, *const f32, *const f32, &Rule, *mut u8, &mut Sums) -> bool;
type Decode = unsafe fn(*const u8, usize, &[f32], &[i16], *mut f32, bool);
type Encode = unsafe fn(Format, *const f32, usize, *mut u8, *mut f32, *mut f32, &mut Sums) -> bool;

/// The entry points of one instruction set. Lengths of the affine ones are multiples of [`STEP`].
///
/// They are unsafe to call because they take pointers; that the set is there was checked when the table was taken from
/// [`Kernel::of`] or [`Kernel::best`].
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) ranges: unsafe fn(*const f32, *const f32, usize, &mut [f32], &mut [f32]),
    pub(crate) widen_ranges: unsafe fn(*const f32, usize, *mut f32, *mut f32),
    pub(crate) fit: unsafe fn(&Rule, &[f32], &[f32], &mut [Group]),
    code: [[Code; 4]; 3],
    code_each: [CodeEach; 2],
    pub(crate) score: unsafe fn(*const f32, *const f32, usize, f32, f32, f32) -> [f64; 3],
    decode: [[Decode; 2]; 3],
    pub(crate) pack: unsafe fn(u8, *const u8, usize, *mut u8, bool),
    pub(crate) unpack: unsafe fn(u8, bool, *const u8, usize, *mut u8),
    pub(crate) widen_f16: unsafe fn(*const u16, usize, *mut f32),
    pub(crate) widen_bf16: unsafe fn(*const u16, usize, *mut f32),
    pub(crate) encode_ggml: Encode,
    pub(crate) decode_ggml: unsafe fn(Format, *const u8, usize, *mut f32, bool),
    pub(crate) fence: fn(),
}

impl Kernel {
    /// The table of `set`, if this machine has it.
    pub(crate) fn of(set: InstructionSet) -> Option<&'static Self> {
        if !InstructionSet::available().contains(&set) {
            return None;
        }
        match set {
            InstructionSet::Portable => Some(&portable_entries::KERNEL),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => Some(&avx2_entries::KERNEL),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => Some(&avx512_entries::KERNEL),
            #[cfg(not(target_arch = "x86_64"))]
            _ => None,
        }
    }

    /// The table of the best set there is.
    pub(crate) fn best() -> &'static Self {
        let best = InstructionSet::available().last().copied();
        best.and_then(Self::of).unwrap_or(&portable_entries::KERNEL)
    }

    /// For codes packed to `packed` bits, 8 or 4, and streamed, or [`UNPACKED`].
    pub(crate) fn code(&self, signed: bool, statistics: bool, packed: u8) -> Code {
        self.code[usize::from(packed / 4)][usize::from(signed) * 2 + usize::from(statistics)]
    }

    pub(crate) fn code_each(&self, signed: bool) -> CodeEach {
        self.code_each[usize::from(signed)]
    }

    /// For codes packed to `bits` bits, 8, 4 or 2.
    pub(crate) fn decode(&self, signed: bool, bits: u8) -> Decode {
        self.decode[usize::from(bits / 4)][usize::from(signed)]
    }
}

#[inline(always)]
unsafe fn widen_f16(from: *const u16, count: usize, to: *mut f32) {
    for at in 0..count {
        // SAFETY: the caller vouches for `count` values on either side.
        unsafe {
            to.add(at)
                .write(half::f16::from_bits(from.add(at).read_unaligned()).to_f32())
        };
    }
}

#[inline(always)]
unsafe fn widen_bf16(from: *const u16, count: usize, to: *mut f32) {
    for at in 0..count {
        // SAFETY: the caller vouches for `count` values on either side.
        unsafe {
            to.add(at).write(f32::from_bits(
                u32::from(from.add(at).read_unaligned()) << 16,
            ))
        };
    }
}

/// Compiles the algorithms for one set: `$features` hold inside, and everything below is inlined into the entries.
macro_rules! entries {
    ($module:ident, $lanes:ty, [$($features:literal)?], $pack:path, $unpack:path, $widen_f16:path, $fence:expr) => {
        mod $module {
            #![allow(clippy::undocumented_unsafe_blocks)] // The contracts are those of the functions called.

            use super::affine;
            use super::ggml::{self, Format};
            use super::rule::{self, Group, Rule};
            use super::sums::Sums;
            use super::{Code, Decode, Kernel, ranges as range, score as scores};

            pub(super) static KERNEL: Kernel = Kernel {
                ranges,
                widen_ranges,
                fit,
                code: [codes::<{ affine::UNPACKED }>(), codes::<4>(), codes::<8>()],
                code_each: [code_each::<false>, code_each::<true>],
                score,
                decode: [decodes::<2>(), decodes::<4>(), decodes::<8>()],
                pack: $pack,
                unpack: $unpack,
                widen_f16: $widen_f16,
                widen_bf16,
                encode_ggml,
                decode_ggml,
                fence: $fence,
            };

            $(#[target_feature(enable = $features)])?
            unsafe fn ranges(
                x: *const f32,
                next: *const f32,
                len: usize,
                lows: &mut [f32],
                highs: &mut [f32],
            ) {
                unsafe { range::ranges::<$lanes>(x, next, len, lows, highs) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn widen_ranges(x: *const f32, len: usize, lows: *mut f32, highs: *mut f32) {
                unsafe { range::widen_ranges::<$lanes>(x, len, lows, highs) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn fit(rule: &Rule, lows: &[f32], highs: &[f32], groups: &mut [Group]) {
                super::align_frame();
                unsafe { rule::fit::<$lanes>(rule, lows, highs, groups) }
            }

            const fn codes<const PACKED: u8>() -> [Code; 4] {
                [
                    code::<false, false, PACKED>,
                    code::<false, true, PACKED>,
                    code::<true, false, PACKED>,
                    code::<true, true, PACKED>,
                ]
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn code<const SIGNED: bool, const STATISTICS: bool, const PACKED: u8>(
                x: *const f32,
                next: *const f32,
                len: usize,
                groups: &[Group],
                rule: &Rule,
                codes: *mut u8,
                sums: &mut Sums,
            ) -> bool {
                super::align_frame();
                unsafe { affine::code::<$lanes, SIGNED, STATISTICS, PACKED>(x, next, len, groups, rule, codes, sums) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn code_each<const SIGNED: bool>(
                x: *const f32,
                len: usize,
                scales: *const f32,
                zero_points: *const f32,
                rule: &Rule,
                codes: *mut u8,
                sums: &mut Sums,
            ) -> bool {
                super::align_frame();
                unsafe { affine::code_each::<$lanes, SIGNED>(x, len, scales, zero_points, rule, codes, sums) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn score(
                x: *const f32,
                weights: *const f32,
                len: usize,
                inverse: f32,
                low: f32,
                high: f32,
            ) -> [f64; 3] {
                unsafe { scores::score::<$lanes>(x, weights, len, inverse, low, high) }
            }

            const fn decodes<const BITS: u8>() -> [Decode; 2] {
                [decode::<false, BITS>, decode::<true, BITS>]
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn decode<const SIGNED: bool, const BITS: u8>(
                codes: *const u8,
                len: usize,
                scales: &[f32],
                zero_points: &[i16],
                to: *mut f32,
                stream: bool,
            ) {
                unsafe { affine::decode::<$lanes, SIGNED, BITS>(codes, len, scales, zero_points, to, stream) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn widen_bf16(from: *const u16, count: usize, to: *mut f32) {
                unsafe { super::widen_bf16(from, count, to) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn encode_ggml(
                format: Format,
                x: *const f32,
                count: usize,
                to: *mut u8,
                scales: *mut f32,
                biases: *mut f32,
                sums: &mut Sums,
            ) -> bool {
                super::align_frame();
                unsafe { ggml::encode::<$lanes>(format, x, count, to, scales, biases, sums) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn decode_ggml(
                format: Format,
                from: *const u8,
                count: usize,
                to: *mut f32,
                stream: bool,
            ) {
                unsafe { ggml::decode::<$lanes>(format, from, count, to, stream) }
            }
        }
    };
}

unsafe fn pack_portable(bits: u8, codes: *const u8, count: usize, to: *mut u8, _stream: bool) {
    // SAFETY: as promised to this function.
    unsafe { pack::pack_portable(bits, codes, count, to) }
}

unsafe fn unpack_portable(bits: u8, signed: bool, from: *const u8, count: usize, codes: *mut u8) {
    // SAFETY: as promised to this function.
    unsafe { pack::unpack_portable(bits, signed, from, count, codes) }
}

/// As [`widen_f16`], eight at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
unsafe fn widen_f16c(from: *const u16, count: usize, to: *mut f32) {
    use std::arch::x86_64::*;

    let whole = count / 8 * 8;
    // SAFETY: the caller vouches for `count` values on either side.
    unsafe {
        for at in (0..whole).step_by(8) {
            _mm256_storeu_ps(
                to.add(at),
                _mm256_cvtph_ps(_mm_loadu_si128(from.add(at).cast())),
            );
        }
        widen_f16(from.add(whole), count - whole, to.add(whole));
    }
}

/// Aligns the frame of the function that this is inlined into to cache lines. Of those whose vectors do not fit the registers:
/// what the compiler keeps of them on the stack may straddle a line otherwise, or, with one stack in 64, a page, and a loop
/// that reads it is six times slower there.
#[inline(always)]
fn align_frame() {
    #[repr(align(64))]
    struct Line(#[allow(dead_code)] u8);
    std::hint::black_box(&mut Line(0));
}

/// Streamed stores become visible to other threads before what follows.
#[cfg(target_arch = "x86_64")]
fn store_fence() {
    // SAFETY: SSE is part of x86-64.
    unsafe { std::arch::x86_64::_mm_sfence() }
}

entries!(
    portable_entries,
    crate::kernel::portable::Portable,
    [],
    crate::kernel::pack_portable,
    crate::kernel::unpack_portable,
    crate::kernel::widen_f16,
    || ()
);
#[cfg(target_arch = "x86_64")]
entries!(
    avx2_entries,
    crate::kernel::avx2::Avx2,
    ["avx2,fma,f16c"],
    crate::kernel::pack::pack_avx2,
    crate::kernel::pack::unpack_avx2,
    crate::kernel::widen_f16c,
    crate::kernel::store_fence
);
#[cfg(target_arch = "x86_64")]
entries!(
    avx512_entries,
    crate::kernel::avx512::Avx512,
    ["avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"],
    crate::kernel::pack::pack_avx2,
    crate::kernel::pack::unpack_avx2,
    crate::kernel::widen_f16c,
    crate::kernel::store_fence
);
