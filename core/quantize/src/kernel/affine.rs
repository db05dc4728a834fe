//! The affine kernels: the codes of groups whose scale and zero point are known, and the way back.
//!
//! A code is `saturate(round_half_even(x / scale) + zero_point)`, ONNX's QuantizeLinear, with the division in float32.
//! Dividing is what limits the speed, so the fast path multiplies by the reciprocal and then proves from the distance
//! between that product and its integer that no value of the group lies so close to a tie between two codes that the
//! division could have decided otherwise. A group with such a value is done again by division.
//!
//! That distance is the error in steps, so the fast path sums in steps and scales the sums once a group. Only the largest
//! error is wanted to the last bit: where it may lie in this group, the errors are computed again as `x - code * scale`.
//!
//! All loops take whole multiples of [`STEP`] values; callers pad with zeros, which change no range, sum or maximum.
//! The memory is kept busy throughout: the loop over [`ranges`](super::ranges) asks for the first quarter of the values that come next, the
//! loop over codes, which takes about three times as long, for the rest.

use super::lanes::{LANES, Lanes};
use super::pack::pack_portable;
use super::rule::{Group, Path, Rule, code_one};
use super::sums::{Sums, Vectors};

/// Values that a loop handles at a time.
pub(crate) const STEP: usize = 32;
/// Values between the one that is worked on and the one that is fetched.
pub(crate) const AHEAD: usize = 2048;
/// The bits of infinity: a magnitude from here on is not a number to quantize.
pub(super) const INFINITY: i32 = 0x7f80_0000;

/// Codes are written one byte each and through the caches, for others to pack.
pub(crate) const UNPACKED: u8 = 0;

/// Writes the codes of a step, the words of which are these, plus `zero_point`: packed to `PACKED` bits and past the caches, unless that is
/// [`UNPACKED`].
#[inline(always)]
unsafe fn put<L: Lanes, const SIGNED: bool, const PACKED: u8>(
    words: [L::Words; 2],
    zero_point: i32,
    to: *mut u8,
) {
    let [a, b] = words;
    // SAFETY: the caller vouches for the room, and its alignment if codes are packed.
    unsafe {
        match PACKED {
            UNPACKED => L::store_codes::<SIGNED>(a, b, zero_point, to),
            _ => L::stream_codes::<SIGNED, PACKED>(a, b, zero_point, to),
        }
    }
}

/// The bytes that so many codes fill.
#[inline(always)]
fn bytes<const PACKED: u8>(count: usize) -> usize {
    match PACKED {
        UNPACKED => count,
        _ => count * usize::from(PACKED) / 8,
    }
}

/// Writes the codes of consecutive groups of `len` values each: packed to `PACKED` bits and past the caches, and `codes`
/// then is 64-byte-aligned, unless that is [`UNPACKED`]. At most 64 groups. Fetches the last three quarters of as many values at
/// `next`, which need not be readable. `false`: a value is NaN or infinite or a group is beyond its scale's type, and
/// the codes and sums are of no use.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // A loop body that has a name.
pub(crate) unsafe fn code<
    L: Lanes,
    const SIGNED: bool,
    const STATISTICS: bool,
    const PACKED: u8,
>(
    x: *const f32,
    next: *const f32,
    len: usize,
    groups: &[Group],
    rule: &Rule,
    codes: *mut u8,
    sums: &mut Sums,
) -> bool {
    debug_assert!(groups.len() <= u64::BITS as usize);
    let next = next.wrapping_add(groups.len() * len / 4);
    let first = Place { x, next, codes };
    let tie = (0.5 - rule.doubt()).to_bits() as i32;
    // SAFETY: the caller vouches for `groups.len() * len` readable values and writable codes.
    unsafe {
        // Those that the reciprocal cannot do, a bit for each, are done afterwards: the loop over all others is short.
        let mut left = 0u64;
        let mut place = first;
        for (at, group) in groups.iter().enumerate() {
            let is_done = group.path == Path::Reciprocal
                && multiply::<L, SIGNED, STATISTICS, PACKED>(place, len, group, tie, sums);
            left |= u64::from(!is_done) << at;
            place.advance::<PACKED>(len);
        }
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            let group = &groups[at];
            let mut place = first;
            place.advance::<PACKED>(at * len);
            match group.path {
                Path::Reciprocal | Path::Division => {
                    divide::<L, SIGNED, STATISTICS, PACKED>(place, len, group, rule, sums)
                }
                Path::Wide => code_wide::<SIGNED, PACKED>(place, len, group, rule, sums),
                Path::Beyond => sums.note_one(INFINITY),
            }
        }
        sums.are_finite::<L>()
    }
}

/// Where the next values are, where their codes go, and the address whose neighbourhood is to be fetched meanwhile.
#[derive(Clone, Copy)]
struct Place {
    x: *const f32,
    next: *const f32,
    codes: *mut u8,
}

impl Place {
    /// Asks for what the next steps are to fetch: 24 values each, and so one line or two, or three for two steps.
    #[inline(always)]
    unsafe fn fetch<L: Lanes, const STEPS: usize>(self) {
        for line in 0..=STEPS {
            // SAFETY: a prefetch takes any address.
            unsafe { L::prefetch(self.next.wrapping_add(line * LANES)) };
        }
    }

    /// Goes on by `count` values, whole steps of them, and by three quarters as many to fetch.
    #[inline(always)]
    unsafe fn advance<const PACKED: u8>(&mut self, count: usize) {
        // SAFETY: the caller vouches for so many values and codes.
        unsafe {
            self.x = self.x.add(count);
            self.next = self.next.wrapping_add(count * 3 / 4);
            self.codes = self.codes.add(bytes::<PACKED>(count));
        }
    }
}

/// The codes of a group by the reciprocal, and what they add to the sums. `false`: some value lies next to a tie, and
/// codes and sums are to be found by division.
#[inline(always)]
unsafe fn multiply<L: Lanes, const SIGNED: bool, const STATISTICS: bool, const PACKED: u8>(
    place: Place,
    len: usize,
    group: &Group,
    tie: i32,
    sums: &mut Sums,
) -> bool {
    // SAFETY: as promised to this function.
    unsafe {
        let steps = code_multiplied::<L, SIGNED, STATISTICS, PACKED>(place, len, group);
        if L::any_above(steps.worst, tie) {
            return false;
        }
        if STATISTICS {
            // Sums that are kept in registers from group to group leave too few for the loop over one.
            let sums = &mut *std::hint::black_box(std::ptr::from_mut(sums));
            steps.sums.add_scaled(sums, group.scale);
            if L::any_above(steps.worst, sums.known_steps(group.inverse)) {
                sums.know::<L>(largest_error::<L>(place.x, len, group));
            }
        }
        true
    }
}

/// The codes of a group by division.
#[inline(always)]
unsafe fn divide<L: Lanes, const SIGNED: bool, const STATISTICS: bool, const PACKED: u8>(
    place: Place,
    len: usize,
    group: &Group,
    rule: &Rule,
    sums: &mut Sums,
) {
    // SAFETY: as promised to this function.
    unsafe {
        let before = Vectors::load(sums);
        let (after, worst) =
            code_divided::<L, SIGNED, STATISTICS, PACKED>(place, len, group, rule, before);
        after.store(sums);
        sums.note::<L>(worst);
    }
}

/// Values in steps of their group, as they pass by.
struct Steps<L: Lanes> {
    inverse: L,
    /// Over them and their errors.
    sums: Vectors<L>,
    /// The largest of the errors: lane by lane, the bits of its magnitude. A value that is NaN or infinite has such an error.
    worst: L::Most,
}

impl<L: Lanes> Steps<L> {
    /// The codes of the next values, without the zero point.
    #[inline(always)]
    unsafe fn words<const STATISTICS: bool>(&mut self, x: *const f32) -> L::Words {
        // SAFETY: the caller vouches for a vector of values.
        unsafe {
            let steps = L::load(x).mul(self.inverse);
            let code = steps.round();
            // First, as registers are short.
            let words = L::narrow(code);
            let error = steps.sub(L::to_float(code));
            self.worst = L::most(self.worst, error);
            if STATISTICS {
                self.sums.add(steps, error);
            }
            words
        }
    }
}

/// The codes of a group by the reciprocal.
#[inline(always)]
unsafe fn code_multiplied<
    L: Lanes,
    const SIGNED: bool,
    const STATISTICS: bool,
    const PACKED: u8,
>(
    mut place: Place,
    len: usize,
    group: &Group,
) -> Steps<L> {
    // SAFETY: the caller vouches for the values and as many codes; their number is a multiple of `STEP`.
    unsafe {
        let mut steps = Steps {
            inverse: L::splat(group.inverse),
            sums: Vectors::zero(),
            worst: L::least(),
        };
        // Codes of 4 bits are packed better by two steps at a time, of which groups of an odd number of steps leave one, and
        // the next not aligned. For other codes there are too few registers.
        let mut left = len / STEP;
        let by_two = PACKED == 4 && place.codes.addr().is_multiple_of(STEP);
        while by_two && left >= 2 {
            place.fetch::<L, 2>();
            let mut words = [L::narrow(L::splat_int(0)); 4];
            for (at, words) in words.iter_mut().enumerate() {
                *words = steps.words::<STATISTICS>(place.x.add(at * LANES));
            }
            L::stream_nibbles::<SIGNED>(words, group.zero_point, place.codes);
            place.advance::<PACKED>(2 * STEP);
            left -= 2;
        }
        for _ in 0..left {
            place.fetch::<L, 1>();
            let mut words = [L::narrow(L::splat_int(0)); 2];
            for (at, words) in words.iter_mut().enumerate() {
                *words = steps.words::<STATISTICS>(place.x.add(at * LANES));
            }
            put::<L, SIGNED, PACKED>(words, group.zero_point, place.codes);
            place.advance::<PACKED>(STEP);
        }
        steps
    }
}

/// The largest errors of a group whose codes the reciprocal finds, to the last bit.
#[inline(always)]
unsafe fn largest_error<L: Lanes>(x: *const f32, len: usize, group: &Group) -> L::Most {
    // SAFETY: as for `code_multiplied`.
    unsafe {
        let (inverse, negated) = (L::splat(group.inverse), L::splat(-group.scale));
        let mut worst = L::least();
        for at in (0..len).step_by(LANES) {
            let x = L::load(x.add(at));
            let code = L::to_float(x.mul(inverse).round());
            worst = L::most(worst, code.mul_add(negated, x));
        }
        worst
    }
}

#[inline(always)]
unsafe fn code_divided<L: Lanes, const SIGNED: bool, const STATISTICS: bool, const PACKED: u8>(
    place: Place,
    len: usize,
    group: &Group,
    rule: &Rule,
    mut sums: Vectors<L>,
) -> (Vectors<L>, L::Most) {
    // SAFETY: the caller vouches for the values and as many codes; their number is a multiple of `STEP`.
    unsafe {
        let mut place = place;
        let (bottom, top) = rule.codes();
        let (scale, negated) = (L::splat(group.scale), L::splat(-group.scale));
        let low = L::splat((bottom - group.zero_point) as f32);
        let high = L::splat((top - group.zero_point) as f32);
        let mut worst = L::least();
        for _ in 0..len / STEP {
            place.fetch::<L, 1>();
            let mut words = [L::narrow(L::splat_int(0)); 2];
            for (half, words) in words.iter_mut().enumerate() {
                let x = L::load(place.x.add(half * LANES));
                // Saturating before rounding is the same as after it, since the bounds are integers.
                let code = x.div(scale).min(high).max(low).round();
                // Of the exact product; the value that comes back differs from that by its rounding.
                *words = L::narrow(code);
                let e = L::to_float(code).mul_add(negated, x);
                worst = L::most(worst, e);
                if STATISTICS {
                    sums.add(x, e);
                }
            }
            put::<L, SIGNED, PACKED>(words, group.zero_point, place.codes);
            place.advance::<PACKED>(STEP);
        }
        (sums, worst)
    }
}

#[inline(always)]
unsafe fn code_wide<const SIGNED: bool, const PACKED: u8>(
    place: Place,
    len: usize,
    group: &Group,
    rule: &Rule,
    sums: &mut Sums,
) {
    let (bottom, top) = rule.codes();
    let mut worst = 0;
    for start in (0..len).step_by(STEP) {
        let step: [u8; STEP] = std::array::from_fn(|at| {
            // SAFETY: the caller vouches for `len` values, a multiple of `STEP`.
            let x = unsafe { place.x.add(start + at).read_unaligned() };
            let steps = code_one(x, group.scale, bottom, top, group.zero_point);
            let (wide, e) = (
                f64::from(x),
                f64::from(x) - f64::from(steps) * f64::from(group.scale),
            );
            sums.add_one(wide, e);
            let magnitude = if x.is_finite() {
                (e as f32).abs()
            } else {
                f32::INFINITY
            };
            worst = worst.max(magnitude.to_bits() as i32);
            (steps + group.zero_point) as u8
        });
        // SAFETY: the caller vouches for room for all codes.
        unsafe {
            let bits = if PACKED == UNPACKED { 8 } else { PACKED };
            pack_portable(
                bits,
                step.as_ptr(),
                STEP,
                place.codes.add(bytes::<PACKED>(start)),
            );
        }
    }
    sums.note_one(worst);
}

/// As [`code`] for one run of values that each have their own scale and zero point (a whole float).
#[inline(always)]
pub(crate) unsafe fn code_each<L: Lanes, const SIGNED: bool>(
    x: *const f32,
    len: usize,
    scales: *const f32,
    zero_points: *const f32,
    rule: &Rule,
    codes: *mut u8,
    sums: &mut Sums,
) -> bool {
    // SAFETY: the caller vouches for `len` values, scales, zero points and codes; `len` is a multiple of `STEP`.
    unsafe {
        let (bottom, top) = rule.codes();
        let (bottom, top) = (L::splat(bottom as f32), L::splat(top as f32));
        let mut vectors = Vectors::<L>::load(sums);
        let mut worst = L::least();
        let mut at = 0;
        while at < len {
            let mut rounded = [L::narrow(L::splat_int(0)); 2];
            for (half, rounded) in rounded.iter_mut().enumerate() {
                let at = at + half * LANES;
                let x = L::load(x.add(at));
                let (scale, zero) = (L::load(scales.add(at)), L::load(zero_points.add(at)));
                let steps = x.div(scale).min(top.sub(zero)).max(bottom.sub(zero));
                let steps = L::to_float(steps.round());
                let e = L::splat(0.0).sub(steps).mul_add(scale, x);
                worst = L::most(worst, e);
                vectors.add(x, e);
                *rounded = L::narrow(steps.add(zero).round());
            }
            L::store_codes::<SIGNED>(rounded[0], rounded[1], 0, codes.add(at));
            at += STEP;
        }
        vectors.store(sums);
        sums.note::<L>(worst);
        sums.are_finite::<L>()
    }
}

/// The values of consecutive groups of `len` codes each, a multiple of [`STEP`], which are packed to `BITS` bits:
/// `(code - zero_point) * scale`. `stream`: past the caches, and `to` then is 64-byte-aligned.
#[inline(always)]
pub(crate) unsafe fn decode<L: Lanes, const SIGNED: bool, const BITS: u8>(
    codes: *const u8,
    len: usize,
    scales: &[f32],
    zero_points: &[i16],
    to: *mut f32,
    stream: bool,
) {
    // SAFETY: the caller vouches for `len` codes and values for each scale.
    unsafe {
        for (group, (scale, zero_point)) in scales.iter().zip(zero_points).enumerate() {
            let (codes, to) = (codes.add(bytes::<BITS>(group * len)), to.add(group * len));
            let (scale, zero) = (L::splat(*scale), L::splat_int(i32::from(*zero_point)));
            let mut at = 0;
            while at < len {
                let [i, j] = L::load_codes::<SIGNED, BITS>(codes.add(bytes::<BITS>(at)));
                let a = L::to_float(L::sub_int(i, zero)).mul(scale);
                let b = L::to_float(L::sub_int(j, zero)).mul(scale);
                if stream {
                    a.stream(to.add(at));
                    b.stream(to.add(at + LANES));
                } else {
                    a.store(to.add(at));
                    b.store(to.add(at + LANES));
                }
                at += STEP;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::{Group, Path, Rule};
    use super::super::sums::Sums;
    use super::super::{InstructionSet, Kernel};

    #[repr(align(64))]
    struct Codes([u8; 512]);

    /// Groups of whole steps, packed to 4 bits, of which `len` values each.
    fn packed(set: InstructionSet, len: usize) -> ([u8; 512], [f64; 3], f32) {
        let rule = Rule {
            bits: 4,
            signed: false,
            symmetric: false,
            scale_bits: 24,
            smallest_scale: f32::MIN_POSITIVE,
            largest_scale: f32::MAX,
        };
        let x: Vec<f32> = (0..5 * len).map(|at| (at as f32 * 0.7).sin()).collect();
        let groups: Vec<Group> = (0..5).map(|at| rule.fit(-1.0, 1.0 + at as f32)).collect();
        assert!(groups.iter().all(|group| group.path == Path::Reciprocal));
        let (mut codes, mut sums) = (Codes([0xa5; 512]), Sums::ZERO);
        let kernel = Kernel::of(set).expect("an available set");
        let code = kernel.code(false, true, 4);
        // SAFETY: the groups have as many values, and half as many bytes are fewer than 512.
        let is_valid = unsafe {
            let (x, to) = (x.as_ptr(), codes.0.as_mut_ptr());
            code(x, x, len, &groups, &rule, to, &mut sums)
        };
        (kernel.fence)();
        assert!(is_valid);
        let (totals, largest) = sums.take();
        (codes.0, totals, largest)
    }

    #[test]
    fn groups_of_an_odd_number_of_steps_follow_each_other() {
        for len in [32, 64, 96, 128, 160] {
            let expected = packed(InstructionSet::Portable, len);
            assert_eq!(expected.0[5 * len / 2..].iter().max(), Some(&0xa5));
            for set in InstructionSet::available() {
                assert_eq!(packed(set, len), expected, "{set:?}, {len}");
            }
        }
    }
}
