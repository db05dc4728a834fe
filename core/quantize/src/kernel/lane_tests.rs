//! Every operation of every instruction set against the portable one, on values with all that floats have: zeros of both
//! signs, ties, subnormals, infinities and NaN, where the contract of [`Lanes`] allows them.
//!
//! Left open by the contract, and so not compared: which NaN comes out, the sign of a zero that is the lowest or highest
//! lane, and conversions that do not fit.

#![allow(clippy::undocumented_unsafe_blocks)] // All values lie in arrays of the right size; the sets were asked for.

use std::arch::x86_64::_mm_sfence;

use super::InstructionSet;
use super::avx2::Avx2;
use super::avx512::Avx512;
use super::lanes::{ALMOST_HALF, LANES, Lanes};
use super::portable::Portable;

const ROUNDS: u64 = 3000;

const SPECIAL: [f32; 20] = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.5,
    -2.5,
    ALMOST_HALF,
    -ALMOST_HALF,
    0.500_000_06,
    8_388_607.5,
    1e-45,
    -1e-45,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    65_504.0,
    65_520.0,
];

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A special value, any bits at all, a tie, or something moderate.
    fn value(&mut self) -> f32 {
        let bits = self.next();
        match bits >> 60 {
            0..4 => SPECIAL[(bits >> 8) as usize % SPECIAL.len()],
            4..7 => f32::from_bits(bits as u32),
            7..10 => (bits as i32 >> 20) as f32 / 8.0,
            10..12 => (bits as i32 >> 22) as f32 + 0.5,
            _ => bits as i32 as f32 / 2f32.powi(31) * 300.0,
        }
    }

    fn values(&mut self) -> [f32; LANES] {
        std::array::from_fn(|_| self.value())
    }

    /// Values of a magnitude below `bound`.
    fn below(&mut self, bound: f32) -> [f32; LANES] {
        std::array::from_fn(|_| {
            loop {
                let value = self.value();
                if value.abs() < bound {
                    return value;
                }
            }
        })
    }
}

/// What the operations gave, as bits.
#[derive(Default)]
struct Results(Vec<(&'static str, Vec<u32>)>);

impl Results {
    fn floats(&mut self, name: &'static str, values: &[f32]) {
        let bits = |x: &f32| if x.is_nan() { f32::NAN } else { *x }.to_bits();
        self.0.push((name, values.iter().map(bits).collect()));
    }

    fn bytes(&mut self, name: &'static str, bytes: &[u8]) {
        let bits = bytes.iter().copied().map(u32::from);
        self.0.push((name, bits.collect()));
    }

    #[inline(always)]
    unsafe fn lanes<L: Lanes>(&mut self, name: &'static str, lanes: L) {
        // Not aligned.
        let mut to = [f32::NAN; LANES + 1];
        unsafe { lanes.store(to.as_mut_ptr().add(1)) };
        self.floats(name, &to);
    }

    #[inline(always)]
    unsafe fn int<L: Lanes>(&mut self, name: &'static str, int: L::Int) {
        unsafe { self.lanes::<L>(name, L::to_float(int)) };
    }

    /// Which of `bounds`, and of their neighbours, some magnitude exceeds: in how many lanes they lie is each set's own.
    #[inline(always)]
    unsafe fn most<L: Lanes>(&mut self, name: &'static str, most: L::Most, bounds: &[f32]) {
        let magnitudes = bounds.iter().map(|bound| bound.abs().to_bits() as i32);
        let around = magnitudes.flat_map(|bits| [bits - 1, bits, bits.saturating_add(1)]);
        let above = around.map(|bound| u32::from(unsafe { L::any_above(most, bound) }));
        self.0.push((name, above.collect()));
    }
}

#[repr(align(64))]
struct Aligned<T>(T);

#[inline(always)]
unsafe fn arithmetic<L: Lanes>(random: &mut Random, results: &mut Results) {
    let [x, y, z] = std::array::from_fn(|_| random.values());
    unsafe {
        let [a, b, c] = [&x, &y, &z].map(|values| L::load(values.as_ptr()));
        L::prefetch(x.as_ptr());
        results.lanes("load, store", a);
        results.lanes("splat", L::splat(x[0]));
        results.lanes("add", a.add(b));
        results.lanes("sub", a.sub(b));
        results.lanes("mul", a.mul(b));
        results.lanes("div", a.div(b));
        results.lanes("mul_add", a.mul_add(b, c));
        results.lanes("min", a.min(b));
        results.lanes("max", a.max(b));
        let mut streamed = Aligned([0.0f32; 2 * LANES]);
        a.stream(streamed.0.as_mut_ptr().add(LANES));
        _mm_sfence();
        results.floats("stream", &streamed.0);
    }
}

#[inline(always)]
unsafe fn reductions<L: Lanes>(random: &mut Random, results: &mut Results) {
    let [x, y] = std::array::from_fn(|_| random.values());
    let [m, n] = std::array::from_fn(|_| random.below(f32::INFINITY));
    let few = random.below(16_000.0);
    // The sign of a zero is left open.
    let unsigned = |x: f32| if x == 0.0 { 0.0 } else { x };
    unsafe {
        let [a, b, m, n, few] = [&x, &y, &m, &n, &few].map(|values| L::load(values.as_ptr()));
        results.floats("lowest", &[unsigned(m.lowest())]);
        results.floats("highest", &[unsigned(m.highest())]);
        let (low, high) = L::bounds(m, n);
        results.floats("bounds", &[unsigned(low), unsigned(high)]);
        for (name, range) in [
            ("no_range", L::no_range()),
            ("widen", L::widen(L::widen(L::no_range(), m), n)),
            ("widen, NaN", L::widen(L::widen(L::no_range(), a), b)),
        ] {
            let (low, high) = L::ends(range);
            results.floats(name, &[low, high]);
        }
        results.floats("total", &[m.total(), few.total()]);
        let bounds = [&x[..], &y[..], &[0.0, f32::INFINITY]].concat();
        let (one, other) = (L::most(L::least(), a), L::most(L::least(), b));
        results.most::<L>("least", L::least(), &bounds);
        results.most::<L>("most", one, &bounds);
        results.most::<L>("most of two", L::most(one, b), &bounds);
        results.most::<L>("join", L::join(one, other), &bounds);
        let mut stored = [0i32; LANES + 1];
        L::store_most(one, stored.as_mut_ptr().add(1));
        let again = L::load_most(stored.as_ptr().add(1));
        results.most::<L>("store_most, load_most", again, &bounds);
        assert_eq!(stored[0], 0);
    }
}

#[inline(always)]
unsafe fn conversions<L: Lanes>(random: &mut Random, results: &mut Results) {
    let [s, t] = std::array::from_fn(|_| random.below(4e6));
    let large = random.below(2.1e9);
    let bytes: [u64; 5] = std::array::from_fn(|_| random.next());
    unsafe {
        let values = random.values();
        let (bits, halves) = L::load(values.as_ptr()).halves();
        let bits = std::array::from_fn::<_, LANES, _>(|at| {
            let bits = if values[at].is_nan() { 0 } else { bits[at] };
            f32::from_bits(bits.into())
        });
        results.floats("halves, bits", &bits);
        results.lanes("halves", halves);
        results.lanes("splat_half", L::splat_half(random.next() as u16));
        let [s, t, large] = [&s, &t, &large].map(|values| L::load(values.as_ptr()));
        results.int::<L>("round", s.round());
        results.int::<L>("round_away", s.round_away());
        results.int::<L>("truncate", s.truncate());
        results.int::<L>("truncate, large", large.truncate());
        results.int::<L>("sub_int", L::sub_int(s.round(), t.round()));
        results.int::<L>("splat_int", L::splat_int(bytes[0] as i32 >> 12));
        let words = std::array::from_fn(|_| random.next() as i32);
        let mut fours = [[0xa5a5_a5a5u32; 4]; LANES + 2];
        L::store_fours(s, t, &words, fours.as_mut_ptr().add(1));
        results.0.push(("store_fours", fours.concat()));
        let from = bytes.as_ptr().cast::<u8>();
        for codes in [
            L::load_codes::<true, 8>(from.add(3)),
            L::load_codes::<false, 8>(from.add(5)),
            L::load_codes::<true, 4>(from.add(7)),
            L::load_codes::<false, 4>(from.add(9)),
            L::load_codes::<true, 2>(from.add(11)),
            L::load_codes::<false, 2>(from.add(13)),
        ] {
            results.int::<L>("load_codes", codes[0]);
            results.int::<L>("load_codes", codes[1]);
        }
    }
}

#[inline(always)]
unsafe fn codes<L: Lanes>(random: &mut Random, results: &mut Results) {
    let zero_points = [0, 128, 255, -128, (random.next() % 512) as i32 - 256];
    let nibbles: [u8; 2 * LANES] = std::array::from_fn(|_| random.next() as u8 & 15);
    unsafe {
        // Far beyond all codes, and about them.
        for divisor in [1.0, 40.0] {
            let words = std::array::from_fn(|_| random.below(16_000.0).map(|x| x / divisor));
            let [a, b] = words.map(|values| L::narrow(L::load(values.as_ptr()).round()));
            for zero_point in zero_points {
                let mut written = Aligned([0xa5u8; 192]);
                let to = written.0.as_mut_ptr();
                L::store_codes::<true>(a, b, zero_point, to.add(1));
                L::store_codes::<false>(a, b, zero_point, to.add(35));
                L::stream_codes::<true, 8>(a, b, zero_point, to.add(96));
                L::stream_codes::<false, 8>(a, b, zero_point, to.add(128));
                _mm_sfence();
                results.bytes("store_codes, stream_codes", &written.0);
            }
        }
        for first in [-8, 0] {
            let mut code = || (random.next() % 16) as i32 + first;
            let zero_point = code();
            let words: [[f32; LANES]; 4] =
                std::array::from_fn(|_| std::array::from_fn(|_| (code() - zero_point) as f32));
            let words = words.map(|values| L::narrow(L::load(values.as_ptr()).round()));
            let [a, b, ..] = words;
            let mut written = Aligned([0xa5u8; 192]);
            let to = written.0.as_mut_ptr();
            match first {
                0 => {
                    L::stream_codes::<false, 4>(a, b, zero_point, to.add(16));
                    L::stream_nibbles::<false>(words, zero_point, to.add(96));
                }
                _ => {
                    L::stream_codes::<true, 4>(a, b, zero_point, to.add(16));
                    L::stream_nibbles::<true>(words, zero_point, to.add(96));
                }
            }
            _mm_sfence();
            results.bytes("stream_codes, stream_nibbles", &written.0);
        }
        let [low, high] = L::load_codes::<false, 8>(nibbles.as_ptr());
        let mut pairs = [0xa5u8; LANES + 2];
        L::store_nibbles(low, high, pairs.as_mut_ptr().add(1));
        results.bytes("store_nibbles", &pairs);
        for half in L::load_nibbles::<0>(pairs.as_ptr().add(1)) {
            results.int::<L>("load_nibbles", half);
        }
        for half in L::load_nibbles::<8>(pairs.as_ptr().add(1)) {
            results.int::<L>("load_nibbles, with a bias", half);
        }
    }
}

#[inline(always)]
unsafe fn all<L: Lanes>(seed: u64) -> Results {
    let (random, results) = (&mut Random(seed), &mut Results::default());
    unsafe {
        arithmetic::<L>(random, results);
        reductions::<L>(random, results);
        conversions::<L>(random, results);
        codes::<L>(random, results);
    }
    std::mem::take(results)
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn avx2(seed: u64) -> Results {
    unsafe { all::<Avx2>(seed) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
unsafe fn avx512(seed: u64) -> Results {
    unsafe { all::<Avx512>(seed) }
}

#[test]
fn every_operation_of_every_set_is_the_portable_one() {
    for seed in 0..ROUNDS {
        let expected = unsafe { all::<Portable>(seed) };
        for set in InstructionSet::available() {
            let found = match set {
                InstructionSet::Portable => continue,
                InstructionSet::Avx2 => unsafe { avx2(seed) },
                InstructionSet::Avx512 => unsafe { avx512(seed) },
            };
            for (found, expected) in found.0.iter().zip(&expected.0) {
                assert_eq!(found, expected, "{set:?}, seed {seed}");
            }
            assert_eq!(found.0.len(), expected.0.len());
        }
    }
}
