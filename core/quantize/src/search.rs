//! The scale of the least squared error.
//!
//! A scale s makes codes r and leaves d = x / s - r. For these codes the best scale is s (1 + sum(w d r) / sum(w r^2)),
//! and its squared error s^2 (sum(w d^2) - sum(w d r)^2 / sum(w r^2)). So a candidate scale is scored by one pass over
//! the group, which also says where to look next, as in k-means on a line; and as d is what is summed, nothing cancels. Scales below the one that covers the range are tried, further down as long as that
//! helps, and the best few are followed by least squares; with a free zero point, its neighbours are tried too.
//! The idea is that of `make_qx_quants` of ggml-quants.c.

use crate::kernel::rule::{Group, Path, Rule};

/// A scale and zero point, and what they cost.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    scale: f64,
    zero_point: i32,
    /// The squared error that the best scale for its codes leaves.
    error: f64,
    /// Where least squares would go.
    next: f64,
}

/// The map of the least error that is found from `start`, the one that covers the range. `score(inverse, low, high)`
/// gives the sums that [`score`](crate::kernel::score::score) describes.
pub(crate) fn improve(
    rule: &Rule,
    start: &Group,
    len: usize,
    score: impl Fn(f32, f32, f32) -> [f64; 3],
) -> Group {
    if matches!(start.path, Path::Wide | Path::Beyond) {
        // Far from 1 the sums overflow or vanish.
        return *start;
    }
    let (bottom, top) = rule.codes();
    let try_scale = |scale: f64, zero_point: i32| {
        let (low, high) = ((bottom - zero_point) as f32, (top - zero_point) as f32);
        let [cross, square, rest] = score((1.0 / scale) as f32, low, high);
        let unit = scale * scale;
        // Codes that do not follow the values at all, such as none but 0, lead nowhere.
        let (error, next) = if square > 0.0 && square + cross > 0.0 {
            let error = (rest - cross * cross / square) * unit;
            (error, scale * (1.0 + cross / square))
        } else {
            (rest * unit, scale)
        };
        Candidate {
            scale,
            zero_point,
            error,
            next,
        }
    };
    // Finer codes gain less from each step of the scale; longer groups have longer tails to cut. With two bits there is little
    // to choose from, and least squares goes the rest of the way. What costs `hope` times as much as the best so far is not
    // followed by least squares, which gains less than that.
    let (ratio, patience, starts, steps, hope, factors): (f64, u32, usize, u32, f64, &[f64]) =
        match rule.bits {
            2 => (0.8, 1, 1, 2, 1.1, &[1.0]),
            4 => (0.965, 6, 3, 3, 1.25, &[0.92, 0.96, 1.0, 1.04, 1.08]),
            _ => (0.99, 4, 3, 3, 1.25, &[0.92, 0.96, 1.0, 1.04, 1.08]),
        };
    let polish = |mut best: Candidate| {
        for _ in 0..steps {
            let next = try_scale(best.next, best.zero_point);
            if next.error >= best.error {
                break;
            }
            best = next;
        }
        best
    };
    let widest = f64::from(start.scale);
    let line = |zero_point: i32, first: f64, ratio: f64| {
        let mut best = [try_scale(first, zero_point); 3];
        let mut since = 0;
        let mut scale = first;
        let limit = if len > 1024 { 96 } else { 40 };
        for _ in 0..limit {
            scale *= ratio;
            let found = try_scale(scale, zero_point);
            since += 1;
            if found.error < best[0].error {
                best = [found, best[0], best[1]];
                since = 0;
            } else if found.error < best[1].error {
                best = [best[0], found, best[1]];
            } else if found.error < best[2].error {
                best[2] = found;
            }
            if since > patience {
                break;
            }
        }
        best
    };
    let pick = |a: Candidate, b: Candidate| if b.error < a.error { b } else { a };
    let mut best = line(start.zero_point, widest * 1.02, ratio)
        .into_iter()
        .take(starts)
        .map(polish)
        .reduce(pick)
        .expect("one at least");
    if !rule.symmetric {
        // Codes that are freed on one side are of use on the other.
        loop {
            let before = best;
            for zero_point in [before.zero_point - 1, before.zero_point + 1] {
                if (bottom..=top).contains(&zero_point) {
                    let nearby = factors
                        .iter()
                        .map(|factor| try_scale(before.scale * factor, zero_point));
                    let nearby = nearby.reduce(pick).expect("some factors");
                    if nearby.error < best.error * hope {
                        best = pick(best, polish(nearby));
                    }
                }
            }
            if best.zero_point == before.zero_point {
                break;
            }
        }
    }
    // The scale that was scored made the codes; the one of least squares may do better with the same codes. Neither may
    // be better than the start once it is stored.
    let stored = [best.scale, best.next]
        .map(|scale| Group::given(rule.nearest(scale), best.zero_point))
        .map(|group| (exact_error(&score, rule, &group), group));
    let start = (exact_error(&score, rule, start), *start);
    let least = stored
        .into_iter()
        .fold(start, |a, b| if b.0 < a.0 { b } else { a });
    least.1
}

/// The squared error of this very map.
fn exact_error(score: &impl Fn(f32, f32, f32) -> [f64; 3], rule: &Rule, group: &Group) -> f64 {
    let (bottom, top) = rule.codes();
    let zero_point = group.zero_point;
    let (low, high) = ((bottom - zero_point) as f32, (top - zero_point) as f32);
    let [.., rest] = score(1.0 / group.scale, low, high);
    rest * f64::from(group.scale) * f64::from(group.scale)
}
