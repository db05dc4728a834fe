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

use super::affine::AHEAD;
use super::lanes::{LANES, Lanes};
use super::rule::SAFE_SCALES;
use super::sums::{Sums, Vectors};

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
    // SAFETY: as promised to this function.
    unsafe {
        match format {
            Format::Q8_0 => encode_as::<L, Q8_0>(x, count, to, scales, biases, sums),
            Format::Q4_0 => encode_as::<L, Q4_0>(x, count, to, scales, biases, sums),
            Format::Q4_1 => encode_as::<L, Q4_1>(x, count, to, scales, biases, sums),
        }
    }
}

/// As [`encode`], in one format.
#[inline(always)]
unsafe fn encode_as<L: Lanes, F: Codes>(
    x: *const f32,
    count: usize,
    to: *mut u8,
    scales: *mut f32,
    biases: *mut f32,
    sums: &mut Sums,
) -> bool {
    let mut maps = Maps::default();
    // SAFETY: the caller vouches for `count` blocks of values and bytes and as many scales and, for Q4_1, biases.
    unsafe {
        for first in (0..count).step_by(AT_ONCE) {
            // The scales of several blocks first: each waits long for its own reductions and divisions.
            let some = AT_ONCE.min(count - first);
            let (x, to) = (x.add(first * BLOCK), to.add(first * F::FORMAT.bytes()));
            maps.fit::<L>(F::FORMAT, x, some);
            if maps.are_plain(some) {
                encode_some::<L, F, true>(x, some, &maps, to, sums);
            } else {
                encode_some::<L, F, false>(x, some, &maps, to, sums);
            }
            put(&maps.scale, some, scales.add(first));
            if F::FORMAT == Format::Q4_1 {
                put(&maps.bias, some, biases.add(first));
            }
        }
        sums.are_finite::<L>()
    }
}

/// Writes the first `count` numbers; all at once if that is what they are.
#[inline(always)]
unsafe fn put(numbers: &[f32; AT_ONCE], count: usize, to: *mut f32) {
    // SAFETY: the caller vouches for the room.
    unsafe {
        match count {
            AT_ONCE => to.cast::<[f32; AT_ONCE]>().write_unaligned(*numbers),
            _ => to.copy_from_nonoverlapping(numbers.as_ptr(), count),
        }
    }
}

/// Encodes the `count` blocks that `maps` are of. `PLAIN`: float32 holds the squares of all values.
#[inline(always)]
unsafe fn encode_some<L: Lanes, F: Codes, const PLAIN: bool>(
    x: *const f32,
    count: usize,
    maps: &Maps,
    to: *mut u8,
    sums: &mut Sums,
) {
    // SAFETY: as promised to this function.
    unsafe {
        let mut vectors = Vectors::<L>::load(sums);
        let mut worst = L::least();
        for block in 0..count {
            let (x, to) = (x.add(block * BLOCK), to.add(block * F::FORMAT.bytes()));
            let values = [L::load(x), L::load(x.add(LANES))];
            L::prefetch(x.wrapping_add(AHEAD));
            L::prefetch(x.wrapping_add(AHEAD + LANES));
            let map = maps.of(block);
            to.cast::<[u8; 2]>().write(map.scale_bits.to_le_bytes());
            let errors = F::encode(values, map, to.add(2));
            // A value that is NaN or infinite leaves such an error, whatever the scale, and so does a scale or bias.
            worst = L::most(L::most(worst, errors[0]), errors[1]);
            if PLAIN || SAFE_SCALES.contains(&map.scale.abs()) {
                vectors.add(values[0], errors[0]);
                vectors.add(values[1], errors[1]);
            } else {
                // Such as values too small for a float16 scale, whose squares vanish.
                sums.add_wide(values, errors);
            }
        }
        vectors.store(sums);
        sums.note::<L>(worst);
    }
}

/// Blocks whose scales are found together.
const AT_ONCE: usize = LANES;

/// What fixes the codes of several blocks: their ranges, their scales before they are rounded to float16, and their
/// scales and biases after that.
#[derive(Default)]
struct Maps {
    low: [f32; AT_ONCE],
    high: [f32; AT_ONCE],
    d: [f32; AT_ONCE],
    /// 1 / d as ggml takes it, 0 for 0; and 0 where it is infinite.
    inverse: [f32; AT_ONCE],
    scale: [f32; AT_ONCE],
    scale_bits: [u16; AT_ONCE],
    bias: [f32; AT_ONCE],
    bias_bits: [u16; AT_ONCE],
}

/// That of one block.
#[derive(Clone, Copy)]
struct Map {
    low: f32,
    inverse: f32,
    scale: f32,
    scale_bits: u16,
    bias: f32,
    bias_bits: u16,
}

impl Maps {
    #[inline(always)]
    fn of(&self, nth: usize) -> Map {
        Map {
            low: self.low[nth],
            inverse: self.inverse[nth],
            scale: self.scale[nth],
            scale_bits: self.scale_bits[nth],
            bias: self.bias[nth],
            bias_bits: self.bias_bits[nth],
        }
    }

    /// Whether float32 holds the squares of the values of the first `count`.
    // Loops, as closures would not be compiled for the instruction set of their function.
    #[inline(always)]
    fn are_plain(&self, count: usize) -> bool {
        let mut all = true;
        for (at, scale) in self.scale.iter().enumerate() {
            all &= (at >= count) | SAFE_SCALES.contains(&scale.abs());
        }
        all
    }

    /// For the `count` blocks at `from`. What follows their ranges is done for all there may be, so that the compiler makes
    /// vectors of it.
    #[inline(always)]
    unsafe fn fit<L: Lanes>(&mut self, format: Format, from: *const f32, count: usize) {
        for at in 0..count {
            // SAFETY: the caller vouches for 32 values of each block.
            unsafe {
                let x = from.add(at * BLOCK);
                let (a, b) = (L::load(x), L::load(x.add(LANES)));
                (self.low[at], self.high[at]) = L::bounds(a.min(b), a.max(b));
            }
        }
        let most: [f32; AT_ONCE] = std::array::from_fn(|at| {
            let (low, high) = (self.low[at], self.high[at]);
            if high > -low { high } else { low }
        });
        self.d = match format {
            Format::Q8_0 => most.map(|most| most.abs() / 127.0),
            Format::Q4_0 => most.map(|most| most / -8.0),
            Format::Q4_1 => std::array::from_fn(|at| (self.high[at] - self.low[at]) / 15.0),
        };
        if self.first_matters(format) {
            for at in 0..count {
                // SAFETY: as above.
                unsafe { self.respect_the_first(format, from.add(at * BLOCK), at) };
            }
        }
        // In C, a value times infinity is no integer that it has a meaning for. Here it is 0, as the scale is in float16.
        self.inverse = self.d.map(|d| {
            let inverse = 1.0 / d;
            if inverse.is_finite() { inverse } else { 0.0 }
        });
        // SAFETY: the arrays hold whole vectors.
        unsafe {
            let scale;
            (self.scale_bits, scale) = L::load(self.d.as_ptr()).halves();
            scale.store(self.scale.as_mut_ptr());
            if format == Format::Q4_1 {
                let bias;
                (self.bias_bits, bias) = L::load(self.low.as_ptr()).halves();
                bias.store(self.bias.as_mut_ptr());
            }
        }
    }

    /// Whether there is a block for [`respect_the_first`](Self::respect_the_first), which is rare.
    #[inline(always)]
    fn first_matters(&self, format: Format) -> bool {
        let mut any = false;
        for (low, high) in self.low.iter().zip(&self.high) {
            any |= match format {
                Format::Q8_0 => false,
                Format::Q4_0 => *high == -*low,
                Format::Q4_1 => *low == 0.0,
            };
        }
        any
    }

    /// Of equal values the first decides, where that makes a difference.
    #[inline(always)]
    unsafe fn respect_the_first(&mut self, format: Format, from: *const f32, at: usize) {
        let (low, high) = (self.low[at], self.high[at]);
        match format {
            // Of values of the same magnitude the sign.
            Format::Q4_0 if high == -low => {
                // SAFETY: the caller vouches for 32 values.
                let most = unsafe { first(from, |value| value.abs() == high).unwrap_or(high) };
                self.d[at] = most / -8.0;
            }
            // Of zeros of both signs the minimum.
            Format::Q4_1 if low == 0.0 => {
                // SAFETY: as above.
                self.low[at] = unsafe { first(from, |value| value == 0.0).unwrap_or(low) };
            }
            _ => {}
        }
    }
}

/// The first value of the block that `is_it`.
unsafe fn first(from: *const f32, is_it: impl Fn(f32) -> bool) -> Option<f32> {
    // SAFETY: the caller vouches for 32 values.
    let mut values = (0..BLOCK).map(|at| unsafe { from.add(at).read_unaligned() });
    values.find(|value| is_it(*value))
}

/// Saturated to four bits, the fraction cut off.
// A closure would not be compiled for the instruction set of its function.
#[inline(always)]
unsafe fn nibble<L: Lanes>(steps: L) -> L::Int {
    // SAFETY: arithmetic only.
    unsafe { steps.max(L::splat(0.0)).min(L::splat(15.0)).truncate() }
}

/// How a block's codes are found and written.
trait Codes {
    const FORMAT: Format;

    /// Writes what follows the block's scale. Gives the errors, of the exact products of code and scale.
    unsafe fn encode<L: Lanes>(x: [L; 2], map: Map, to: *mut u8) -> [L; 2];
}

struct Q8_0;
struct Q4_0;
struct Q4_1;

impl Codes for Q8_0 {
    const FORMAT: Format = Format::Q8_0;

    #[inline(always)]
    unsafe fn encode<L: Lanes>(x: [L; 2], map: Map, to: *mut u8) -> [L; 2] {
        // SAFETY: the caller vouches for 32 bytes.
        unsafe {
            let (id, negated) = (L::splat(map.inverse), L::splat(-map.scale));
            let codes = [x[0].mul(id).round_away(), x[1].mul(id).round_away()];
            L::store_codes::<true>(L::narrow(codes[0]), L::narrow(codes[1]), 0, to);
            [
                L::to_float(codes[0]).mul_add(negated, x[0]),
                L::to_float(codes[1]).mul_add(negated, x[1]),
            ]
        }
    }
}

impl Codes for Q4_0 {
    const FORMAT: Format = Format::Q4_0;

    #[inline(always)]
    unsafe fn encode<L: Lanes>(x: [L; 2], map: Map, to: *mut u8) -> [L; 2] {
        // SAFETY: the caller vouches for 16 bytes.
        unsafe {
            let (id, shift) = (L::splat(map.inverse), L::splat(8.5));
            let codes = [
                nibble(x[0].mul(id).add(shift)),
                nibble(x[1].mul(id).add(shift)),
            ];
            L::store_nibbles(codes[0], codes[1], to);
            let (eight, negated) = (L::splat(8.0), L::splat(-map.scale));
            [
                L::to_float(codes[0]).sub(eight).mul_add(negated, x[0]),
                L::to_float(codes[1]).sub(eight).mul_add(negated, x[1]),
            ]
        }
    }
}

impl Codes for Q4_1 {
    const FORMAT: Format = Format::Q4_1;

    #[inline(always)]
    unsafe fn encode<L: Lanes>(x: [L; 2], map: Map, to: *mut u8) -> [L; 2] {
        // SAFETY: the caller vouches for 18 bytes.
        unsafe {
            to.cast::<[u8; 2]>().write(map.bias_bits.to_le_bytes());
            let (id, minimum, half) = (L::splat(map.inverse), L::splat(map.low), L::splat(0.5));
            let codes = [
                nibble(x[0].sub(minimum).mul(id).add(half)),
                nibble(x[1].sub(minimum).mul(id).add(half)),
            ];
            L::store_nibbles(codes[0], codes[1], to.add(2));
            let (negated, bias) = (L::splat(-map.scale), L::splat(map.bias));
            [
                L::to_float(codes[0]).mul_add(negated, x[0].sub(bias)),
                L::to_float(codes[1]).mul_add(negated, x[1].sub(bias)),
            ]
        }
    }
}

/// Decodes `count` blocks. `stream`: past the caches, and `to` then is 64-byte-aligned.
#[inline(always)]
pub(crate) unsafe fn decode<L: Lanes>(
    format: Format,
    from: *const u8,
    count: usize,
    to: *mut f32,
    stream: bool,
) {
    for block in 0..count {
        // SAFETY: the caller vouches for `count` blocks of bytes and values.
        unsafe {
            let (from, to) = (from.add(block * format.bytes()), to.add(block * BLOCK));
            let [d, m] = match format {
                Format::Q8_0 | Format::Q4_0 => [from.cast::<[u8; 2]>().read(), [0; 2]],
                Format::Q4_1 => from.cast::<[[u8; 2]; 2]>().read(),
            };
            let d = L::splat_half(u16::from_le_bytes(d));
            let [a, b] = match format {
                Format::Q8_0 => L::load_codes::<true, 8>(from.add(2)),
                Format::Q4_0 => L::load_nibbles::<8>(from.add(2)),
                Format::Q4_1 => L::load_nibbles::<0>(from.add(4)),
            };
            let (mut a, mut b) = (L::to_float(a).mul(d), L::to_float(b).mul(d));
            if format == Format::Q4_1 {
                let m = L::splat_half(u16::from_le_bytes(m));
                (a, b) = (a.add(m), b.add(m));
            }
            if stream {
                a.stream(to);
                b.stream(to.add(LANES));
            } else {
                a.store(to);
                b.store(to.add(LANES));
            }
        }
    }
}
