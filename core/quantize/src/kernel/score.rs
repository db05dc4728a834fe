//! What a scale would gain, for the search.

use super::affine::STEP;
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
        let mut sums = [[L::splat(0.0); 3]; 2];
        let mut at = 0;
        while at < len {
            for (half, sums) in sums.iter_mut().enumerate() {
                let at = at + half * LANES;
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
            at += STEP;
        }
        let [a, b] = sums;
        [
            total(a[0].add(b[0])),
            total(a[1].add(b[1])),
            total(a[2].add(b[2])),
        ]
    }
}

#[inline(always)]
unsafe fn total<L: Lanes>(lanes: L) -> f64 {
    let mut values = [0.0f32; LANES];
    // SAFETY: the array holds a whole vector.
    unsafe { lanes.store(values.as_mut_ptr()) };
    // By halves: as deterministic as in order, and a shorter chain.
    let mut sums = values.map(f64::from);
    let mut half = LANES / 2;
    while half > 0 {
        for at in 0..half {
            sums[at] += sums[at + half];
        }
        half /= 2;
    }
    sums[0]
}
