//! ggml's blocks of 32 values with a float16 scale of their own: Q8_0, Q4_0 and Q4_1, to the byte what ggml's reference
//! quantizers (`quantize_row_*_ref` of ggml-quants.c) write.
//!
//! | block | bytes | layout | value |
//! |---|---|---|---|
//! | Q8_0 | 34 | d: f16, 32 x i8 | d * q |
//! | Q4_0 | 18 | d: f16, 16 bytes | d * (q - 8) |
//! | Q4_1 | 20 | d: f16, m: f16, 16 bytes | d * q + m |
//!
//! Of the 16 bytes of four-bit codes, byte j holds code j in its low half and code j + 16 in its high half.

use half::f16;

use super::affine::AHEAD;
use super::lanes::{LANES, Lanes};
use super::sums::Sums;

/// Values of a block.
pub(crate) const BLOCK: usize = 32;

/// One of the block formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Q8_0,
    Q4_0,
    Q4_1,
}

impl Format {
    /// Bytes of a block.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Q8_0 => 34,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
        }
    }
}

/// Encodes `count` blocks and fills one scale, and for Q4_1 one bias, for each. `false`: a value is NaN or infinite, or
/// a scale is beyond float16.
#[inline(always)]
pub(crate) unsafe fn encode<L: Lanes>(
    format: Format,
    x: *const f32,
    count: usize,
    to: *mut u8,
    scales: *mut f32,
    biases: *mut f32,
    sums: &mut Sums,
) -> bool {
    let mut is_valid = true;
    // SAFETY: the caller vouches for `count` blocks of values and bytes and as many scales and, for Q4_1, biases.
    unsafe {
        for block in 0..count {
            let x = x.add(block * BLOCK);
            let to = to.add(block * format.bytes());
            let values = [L::load(x), L::load(x.add(LANES))];
            L::prefetch(x.wrapping_add(AHEAD));
            L::prefetch(x.wrapping_add(AHEAD + LANES));
            let (scale, bias, back) = match format {
                Format::Q8_0 => encode_q8_0(values, to),
                Format::Q4_0 => encode_q4_0(values, x, to),
                Format::Q4_1 => encode_q4_1(values, x, to),
            };
            scales.add(block).write_unaligned(scale);
            if format == Format::Q4_1 {
                biases.add(block).write_unaligned(bias);
            }
            let errors = [values[0].sub(back[0]), values[1].sub(back[1])];
            // A value that is NaN or infinite leaves such an error, whatever the scale.
            let largest = L::largest(L::most(L::most(L::least(), errors[0]), errors[1]));
            is_valid &=
                largest < f32::INFINITY.to_bits() as i32 && scale.is_finite() && bias.is_finite();
            sums.add_block(values, errors, largest, scale);
        }
    }
    is_valid
}

/// 1 / d as ggml takes it: 0 for 0.
#[inline(always)]
fn reciprocal(d: f32) -> f32 {
    if d == 0.0 { 0.0 } else { 1.0 / d }
}

/// The first value of the block that `is_it`.
unsafe fn first(from: *const f32, is_it: impl Fn(f32) -> bool) -> Option<f32> {
    // SAFETY: the caller vouches for 32 values.
    let mut values = (0..BLOCK).map(|at| unsafe { from.add(at).read_unaligned() });
    values.find(|value| is_it(*value))
}

#[inline(always)]
unsafe fn write_half(value: f32, to: *mut u8) -> f32 {
    let half = f16::from_f32(value);
    // SAFETY: the caller vouches for two bytes.
    unsafe { to.cast::<[u8; 2]>().write(half.to_le_bytes()) };
    half.to_f32()
}

/// Saturated to four bits, the fraction cut off.
// A closure would not be compiled for the instruction set of its function.
#[inline(always)]
unsafe fn nibble<L: Lanes>(steps: L) -> L::Int {
    // SAFETY: arithmetic only.
    unsafe { steps.max(L::splat(0.0)).min(L::splat(15.0)).truncate() }
}

/// Two codes a byte, `j` and `j + 16`.
#[inline(always)]
unsafe fn write_nibbles<L: Lanes>(codes: [L::Int; 2], to: *mut u8) {
    let mut bytes = [0u8; BLOCK];
    // SAFETY: the array has 32 bytes, and the caller vouches for 16 more.
    unsafe {
        L::store_codes::<false>(codes[0], codes[1], 0, bytes.as_mut_ptr());
        // Sixteen bytes as one number: no code has bits that the shift would carry into its neighbour.
        let low = bytes.as_ptr().cast::<u128>().read_unaligned();
        let high = bytes
            .as_ptr()
            .add(BLOCK / 2)
            .cast::<u128>()
            .read_unaligned();
        to.cast::<u128>().write_unaligned(low | high << 4);
    }
}

/// Scale, bias, and the values that come back.
type Encoded<L> = (f32, f32, [L; 2]);

#[inline(always)]
unsafe fn encode_q8_0<L: Lanes>(x: [L; 2], to: *mut u8) -> Encoded<L> {
    // SAFETY: the caller vouches for 34 bytes.
    unsafe {
        let most = L::largest(L::most(L::most(L::least(), x[0]), x[1]));
        let d = f32::from_bits(most as u32) / 127.0;
        let id = L::splat(reciprocal(d));
        let codes = [x[0].mul(id).round_away(), x[1].mul(id).round_away()];
        L::store_codes::<true>(codes[0], codes[1], 0, to.add(2));
        let d = write_half(d, to);
        let scale = L::splat(d);
        let back = [
            L::to_float(codes[0]).mul(scale),
            L::to_float(codes[1]).mul(scale),
        ];
        (d, 0.0, back)
    }
}

#[inline(always)]
unsafe fn encode_q4_0<L: Lanes>(x: [L; 2], from: *const f32, to: *mut u8) -> Encoded<L> {
    // SAFETY: the caller vouches for 32 values and 18 bytes.
    unsafe {
        let (low, high) = (x[0].min(x[1]).lowest(), x[0].max(x[1]).highest());
        let most = if high > -low {
            high
        } else if -low > high {
            low
        } else {
            // Of values of the same magnitude the first decides the sign.
            first(from, |value| value.abs() == high).unwrap_or(high)
        };
        let d = most / -8.0;
        let id = L::splat(reciprocal(d));
        let codes = [
            nibble(x[0].mul(id).add(L::splat(8.5))),
            nibble(x[1].mul(id).add(L::splat(8.5))),
        ];
        write_nibbles::<L>(codes, to.add(2));
        let d = write_half(d, to);
        let (eight, scale) = (L::splat(8.0), L::splat(d));
        let back = [
            L::to_float(codes[0]).sub(eight).mul(scale),
            L::to_float(codes[1]).sub(eight).mul(scale),
        ];
        (d, 0.0, back)
    }
}

#[inline(always)]
unsafe fn encode_q4_1<L: Lanes>(x: [L; 2], from: *const f32, to: *mut u8) -> Encoded<L> {
    // SAFETY: the caller vouches for 32 values and 20 bytes.
    unsafe {
        let (low, high) = (x[0].min(x[1]).lowest(), x[0].max(x[1]).highest());
        let low = if low == 0.0 {
            // Of zeros of both signs the first is the minimum.
            first(from, |value| value == 0.0).unwrap_or(low)
        } else {
            low
        };
        let d = (high - low) / 15.0;
        let (id, minimum) = (L::splat(reciprocal(d)), L::splat(low));
        let half = L::splat(0.5);
        let codes = [
            nibble(x[0].sub(minimum).mul(id).add(half)),
            nibble(x[1].sub(minimum).mul(id).add(half)),
        ];
        write_nibbles::<L>(codes, to.add(4));
        let (d, m) = (write_half(d, to), write_half(low, to.add(2)));
        let (scale, bias) = (L::splat(d), L::splat(m));
        let back = [
            L::to_float(codes[0]).mul(scale).add(bias),
            L::to_float(codes[1]).mul(scale).add(bias),
        ];
        (d, m, back)
    }
}

/// Decodes `count` blocks.
#[inline(always)]
pub(crate) unsafe fn decode(format: Format, from: *const u8, count: usize, to: *mut f32) {
    for block in 0..count {
        // SAFETY: the caller vouches for `count` blocks of bytes and values.
        unsafe {
            let from = from.add(block * format.bytes());
            let half =
                |at: usize| f16::from_le_bytes(from.add(at).cast::<[u8; 2]>().read()).to_f32();
            let d = half(0);
            let nibbles = |at: usize| {
                let bytes = from.add(at).cast::<[u8; BLOCK / 2]>().read();
                std::array::from_fn::<i32, BLOCK, _>(|at| {
                    i32::from(bytes[at % 16] >> (at / 16 * 4) & 15)
                })
            };
            let values: [f32; BLOCK] = match format {
                Format::Q8_0 => from
                    .add(2)
                    .cast::<[i8; BLOCK]>()
                    .read()
                    .map(|q| f32::from(q) * d),
                Format::Q4_0 => nibbles(2).map(|q| (q - 8) as f32 * d),
                Format::Q4_1 => {
                    let m = half(2);
                    nibbles(4).map(|q| q as f32 * d + m)
                }
            };
            to.add(block * BLOCK)
                .cast::<[f32; BLOCK]>()
                .write_unaligned(values);
        }
    }
}
