//! The range of each group, with 0.

use super::affine::{AHEAD, STEP};
use super::lanes::{LANES, Lanes};

/// Values of a page of memory, the smallest there is.
const PAGE: usize = 4096 / size_of::<f32>();

/// Finds `lows[g]` and `highs[g]`, the range with 0 of the `g`th `len` values at `x`; a NaN becomes an end. Fetches the
/// first quarter of as many values at `next`, which need not be readable.
#[inline(always)]
pub(crate) unsafe fn ranges<L: Lanes>(
    x: *const f32,
    next: *const f32,
    len: usize,
    lows: &mut [f32],
    highs: &mut [f32],
) {
    // SAFETY: the caller vouches for `lows.len() * len` readable values.
    unsafe {
        // The addresses of the pages that come after those are looked up meanwhile.
        for page in (0..lows.len() * len).step_by(PAGE) {
            L::prefetch(next.wrapping_add(AHEAD + page));
        }
        let (mut x, mut next) = (x, next);
        for (low, high) in lows.iter_mut().zip(highs) {
            let mut range = L::no_range();
            for _ in 0..len / (4 * STEP) {
                L::prefetch(next);
                L::prefetch(next.wrapping_add(LANES));
                for at in (0..4 * STEP).step_by(LANES) {
                    range = L::widen(range, L::load(x.add(at)));
                }
                x = x.add(4 * STEP);
                next = next.wrapping_add(STEP);
            }
            for _ in 0..len % (4 * STEP) / STEP {
                L::prefetch(next);
                range = L::widen(range, L::load(x));
                range = L::widen(range, L::load(x.add(LANES)));
                x = x.add(STEP);
                next = next.wrapping_add(STEP / 4);
            }
            (*low, *high) = L::ends(range);
        }
    }
}

/// Widens the ranges of `len` columns, a multiple of [`STEP`], by one row of values. NaN is passed over.
#[inline(always)]
pub(crate) unsafe fn widen_ranges<L: Lanes>(
    x: *const f32,
    len: usize,
    lows: *mut f32,
    highs: *mut f32,
) {
    // SAFETY: the caller vouches for `len` values and as many ranges.
    unsafe {
        for at in (0..len).step_by(LANES) {
            let x = L::load(x.add(at));
            x.min(L::load(lows.add(at))).store(lows.add(at));
            x.max(L::load(highs.add(at))).store(highs.add(at));
        }
    }
}
