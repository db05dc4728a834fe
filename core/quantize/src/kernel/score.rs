//! What a scale would gain, for the search.

use super::lanes::{LANES, Lanes};

/// For a scale of `1 / inverse` and codes in `low..=high` of 0: the sums of w d r, w r^2 and w d^2, where r is the
/// rounded and saturated code of a value, d what the value has beyond it, in steps, and w its weight. `weights` may be
/// null, for 1.
#[inline(always)]
pub(crate) unsafe fn score<L: Lanes>(
    x: *const f32,
    weights: *const f32,
    len: usize,
    inverse: f32,
    low: f32,
    high: f32,
) -> [f64; 3] {
    // SAFETY: the caller vouches for `len` values and weights; `len` is a multiple of `STEP`.
    unsafe {
        let (inverse, low, high) = (L::splat(inverse), L::splat(low), L::splat(high));
        let mut sums = [L::splat(0.0); 3];
        for at in (0..len).step_by(LANES) {
            let q = L::load(x.add(at)).mul(inverse);
            let r = L::to_float(q.min(high).max(low).round());
            let d = q.sub(r);
            let (weighted_d, weighted_r) = if weights.is_null() {
                (d, r)
            } else {
                let weight = L::load(weights.add(at));
                (d.mul(weight), r.mul(weight))
            };
            sums[0] = d.mul_add(weighted_r, sums[0]);
            sums[1] = r.mul_add(weighted_r, sums[1]);
            sums[2] = d.mul_add(weighted_d, sums[2]);
        }
        [
            f64::from(sums[0].total()),
            f64::from(sums[1].total()),
            f64::from(sums[2].total()),
        ]
    }
}
