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

/// Sums of squares of errors, squares of values, and products of both; and the largest error.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BlockSums {
    pub(crate) sums: [f64; 3],
    pub(crate) largest: f32,
}

/// Encodes `count` blocks and fills one scale, and for Q4_1 one bias, for each. `false`: a value is NaN or infinite, or
/// a scale is beyond float16.
#[inline(always)]
pub(crate) unsafe fn encode(
    format: Format,
    x: *const f32,
    count: usize,
    to: *mut u8,
    scales: *mut f32,
    biases: *mut f32,
    sums: &mut BlockSums,
) -> bool {
    let mut is_valid = true;
    for block in 0..count {
        // SAFETY: the caller vouches for `count` blocks of values and bytes and as many scales and, for Q4_1, biases.
        unsafe {
            let x: [f32; BLOCK] = x.add(block * BLOCK).cast::<[f32; BLOCK]>().read_unaligned();
            let to = to.add(block * format.bytes());
            let (d, m) = match format {
                Format::Q8_0 => (encode_q8_0(&x, to, sums), 0.0),
                Format::Q4_0 => (encode_q4_0(&x, to, sums), 0.0),
                Format::Q4_1 => encode_q4_1(&x, to, sums),
            };
            is_valid &= d.is_finite() & m.is_finite() & x.iter().fold(true, |valid, x| valid & x.is_finite());
            scales.add(block).write_unaligned(d);
            if format == Format::Q4_1 {
                biases.add(block).write_unaligned(m);
            }
        }
    }
    is_valid
}

/// 1 / d as ggml takes it: 0 for 0.
#[inline(always)]
fn reciprocal(d: f32) -> f32 {
    if d == 0.0 { 0.0 } else { 1.0 / d }
}

/// Adds the errors of a block whose values come back as `y`.
#[inline(always)]
fn account(x: &[f32; BLOCK], y: &[f32; BLOCK], sums: &mut BlockSums) {
    let (mut error, mut signal, mut cross, mut largest) = ([0.0f64; 8], [0.0f64; 8], [0.0f64; 8], [0.0f32; 8]);
    for at in (0..BLOCK).step_by(8) {
        for lane in 0..8 {
            let x = x[at + lane];
            let e = x - y[at + lane];
            let (x64, e64) = (f64::from(x), f64::from(e));
            error[lane] += e64 * e64;
            signal[lane] += x64 * x64;
            cross[lane] += x64 * e64;
            let e = e.abs();
            largest[lane] = if e > largest[lane] { e } else { largest[lane] };
        }
    }
    let sum = |lanes: [f64; 8]| {
        ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
    };
    sums.sums = [sums.sums[0] + sum(error), sums.sums[1] + sum(signal), sums.sums[2] + sum(cross)];
    sums.largest = largest.iter().fold(sums.largest, |most, e| if *e > most { *e } else { most });
}

#[inline(always)]
unsafe fn write_half(value: f32, to: *mut u8) -> f32 {
    let half = f16::from_f32(value);
    // SAFETY: the caller vouches for two bytes.
    unsafe { to.cast::<[u8; 2]>().write(half.to_le_bytes()) };
    half.to_f32()
}

/// Truncation toward zero, which is what C's conversion does, for values that fit.
#[inline(always)]
fn truncate(value: f32) -> i32 {
    // `as` saturates and maps NaN to 0, so that no input is undefined.
    value as i32
}

/// Two codes a byte, `j` and `j + 16`.
#[inline(always)]
unsafe fn write_nibbles(codes: &[i32; BLOCK], to: *mut u8) {
    let bytes: [u8; BLOCK / 2] = std::array::from_fn(|at| (codes[at] | codes[at + BLOCK / 2] << 4) as u8);
    // SAFETY: the caller vouches for 16 bytes.
    unsafe { to.cast::<[u8; BLOCK / 2]>().write(bytes) };
}

#[inline(always)]
unsafe fn encode_q8_0(x: &[f32; BLOCK], to: *mut u8, sums: &mut BlockSums) -> f32 {
    let mut most = [0.0f32; 8];
    for at in 0..BLOCK {
        let (lane, value) = (at % 8, x[at].abs());
        most[lane] = if value > most[lane] { value } else { most[lane] };
    }
    let d = most.iter().fold(0.0, |a: f32, b| if *b > a { *b } else { a }) / 127.0;
    let id = reciprocal(d);
    // roundf: halves go away from zero.
    let codes: [i32; BLOCK] = std::array::from_fn(|at| {
        let steps = x[at] * id;
        let whole = truncate(steps);
        let rest = steps - whole as f32;
        whole + i32::from(rest >= 0.5) - i32::from(rest <= -0.5)
    });
    // SAFETY: the caller vouches for 34 bytes.
    let d = unsafe {
        to.add(2).cast::<[u8; BLOCK]>().write(codes.map(|code| code as u8));
        write_half(d, to)
    };
    account(x, &codes.map(|code| code as f32 * d), sums);
    d
}

#[inline(always)]
unsafe fn encode_q4_0(x: &[f32; BLOCK], to: *mut u8, sums: &mut BlockSums) -> f32 {
    // Of values of the same magnitude the first decides the sign.
    let mut most = 0.0f32;
    for value in x {
        most = if value.abs() > most { value.abs() } else { most };
    }
    let mut first = BLOCK;
    for at in (0..BLOCK).rev() {
        first = if x[at].abs() == most { at } else { first };
    }
    let d = x.get(first).copied().unwrap_or(f32::NAN) / -8.0;
    let id = reciprocal(d);
    let codes: [i32; BLOCK] = std::array::from_fn(|at| truncate(x[at] * id + 8.5).clamp(0, 15));
    // SAFETY: the caller vouches for 18 bytes.
    let d = unsafe {
        write_nibbles(&codes, to.add(2));
        write_half(d, to)
    };
    account(x, &codes.map(|code| (code - 8) as f32 * d), sums);
    d
}

#[inline(always)]
unsafe fn encode_q4_1(x: &[f32; BLOCK], to: *mut u8, sums: &mut BlockSums) -> (f32, f32) {
    let (mut low, mut high) = ([f32::MAX; 8], [-f32::MAX; 8]);
    for at in 0..BLOCK {
        let (lane, value) = (at % 8, x[at]);
        low[lane] = if value < low[lane] { value } else { low[lane] };
        high[lane] = if value > high[lane] { value } else { high[lane] };
    }
    let low = low.iter().fold(f32::MAX, |a, b| if *b < a { *b } else { a });
    let high = high.iter().fold(-f32::MAX, |a, b| if *b > a { *b } else { a });
    let d = (high - low) / 15.0;
    let id = reciprocal(d);
    let codes: [i32; BLOCK] = std::array::from_fn(|at| truncate((x[at] - low) * id + 0.5).clamp(0, 15));
    // SAFETY: the caller vouches for 20 bytes.
    let (d, m) = unsafe {
        write_nibbles(&codes, to.add(4));
        (write_half(d, to), write_half(low, to.add(2)))
    };
    account(x, &codes.map(|code| code as f32 * d + m), sums);
    (d, m)
}

/// Decodes `count` blocks.
#[inline(always)]
pub(crate) unsafe fn decode(format: Format, from: *const u8, count: usize, to: *mut f32) {
    for block in 0..count {
        // SAFETY: the caller vouches for `count` blocks of bytes and values.
        unsafe {
            let from = from.add(block * format.bytes());
            let half = |at: usize| f16::from_le_bytes(from.add(at).cast::<[u8; 2]>().read()).to_f32();
            let d = half(0);
            let nibbles = |at: usize| {
                let bytes = from.add(at).cast::<[u8; BLOCK / 2]>().read();
                std::array::from_fn::<i32, BLOCK, _>(|at| i32::from(bytes[at % 16] >> (at / 16 * 4) & 15))
            };
            let values: [f32; BLOCK] = match format {
                Format::Q8_0 => from.add(2).cast::<[i8; BLOCK]>().read().map(|q| f32::from(q) * d),
                Format::Q4_0 => nibbles(2).map(|q| (q - 8) as f32 * d),
                Format::Q4_1 => {
                    let m = half(2);
                    nibbles(4).map(|q| q as f32 * d + m)
                }
            };
            to.add(block * BLOCK).cast::<[f32; BLOCK]>().write_unaligned(values);
        }
    }
}
