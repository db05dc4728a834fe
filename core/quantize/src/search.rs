//! The scale of the least squared error.
//!
//! For given codes r the best scale is sum(w x r) / sum(w r^2), and what it takes off the squared error is
//! sum(w x r)^2 / sum(w r^2). So a candidate scale is scored by one pass over the group, which also says where to look
//! next, as in k-means on a line. Scales below the one that covers the range are tried, further down as long as that
//! helps, and the best few are followed by least squares; with a free zero point, its neighbours are tried too.
//! The idea is that of `make_qx_quants` of ggml-quants.c.

use crate::kernel::affine::{Group, Path, Rule};

/// A scale and zero point, and what they gain.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    scale: f64,
    zero_point: i32,
    gain: f64,
    /// Where least squares would go.
    next: f64,
}

/// The map of the least error that is found from `start`, the one that covers the range. `score(inverse, low, high)`
/// gives the sums that [`score`](crate::kernel::affine::score) describes.
pub(crate) fn improve(
    rule: &Rule,
    start: &Group,
    len: usize,
    score: impl Fn(f32, f32, f32) -> [f64; 2],
) -> Group {
    if matches!(start.path, Path::Wide | Path::Beyond) {
        // Far from 1 the sums overflow or vanish.
        return *start;
    }
    let (bottom, top) = rule.codes();
    let try_scale = |scale: f64, zero_point: i32| {
        let (low, high) = ((bottom - zero_point) as f32, (top - zero_point) as f32);
        let [product, square] = score((1.0 / scale) as f32, low, high);
        let (gain, next) = if square > 0.0 && product > 0.0 {
            // In steps; the values themselves are `scale` times as large.
            (
                product * product / square * scale * scale,
                scale * product / square,
            )
        } else {
            (0.0, scale)
        };
        Candidate {
            scale,
            zero_point,
            gain,
            next,
        }
    };
    let polish = |mut best: Candidate| {
        for _ in 0..3 {
            let next = try_scale(best.next, best.zero_point);
            if next.gain <= best.gain {
                break;
            }
            best = next;
        }
        best
    };
    let widest = f64::from(start.scale);
    // Finer codes gain less from each step of the scale; longer groups have longer tails to cut.
    let (ratio, patience) = match rule.bits {
        2 => (0.94, 5),
        4 => (0.965, 6),
        _ => (0.99, 4),
    };
    let line = |zero_point: i32, first: f64, ratio: f64| {
        let mut best = [try_scale(first, zero_point); 3];
        let mut since = 0;
        let mut scale = first;
        let limit = if len > 1024 { 96 } else { 40 };
        for _ in 0..limit {
            scale *= ratio;
            let found = try_scale(scale, zero_point);
            since += 1;
            if found.gain > best[0].gain {
                best = [found, best[0], best[1]];
                since = 0;
            } else if found.gain > best[1].gain {
                best = [best[0], found, best[1]];
            } else if found.gain > best[2].gain {
                best[2] = found;
            }
            if since > patience {
                break;
            }
        }
        best
    };
    let pick = |a: Candidate, b: Candidate| if b.gain > a.gain { b } else { a };
    let mut best = line(start.zero_point, widest * 1.02, ratio)
        .map(polish)
        .into_iter()
        .reduce(pick)
        .expect("three");
    if !rule.symmetric {
        // Codes that are freed on one side are of use on the other.
        loop {
            let before = best;
            for zero_point in [before.zero_point - 1, before.zero_point + 1] {
                if (bottom..=top).contains(&zero_point) {
                    for factor in [0.92, 0.96, 1.0, 1.04, 1.08] {
                        best = pick(best, polish(try_scale(before.scale * factor, zero_point)));
                    }
                }
            }
            if best.zero_point == before.zero_point {
                break;
            }
        }
    }
    if best.gain <= 0.0 {
        return *start;
    }
    let mut map = Group::given(rule.nearest(best.scale), best.zero_point);
    if best.next > 0.0 && best.next != best.scale {
        // The scale that was scored made the codes; the one of least squares may do better with the same codes.
        let other = rule.nearest(best.next);
        let gains =
            [map.scale, other].map(|scale| exact_error(&score, rule, scale, best.zero_point));
        if gains[1] < gains[0] {
            map = Group::given(other, best.zero_point);
        }
    }
    map
}

/// The squared error with this very scale, less the sum of squares of the values.
fn exact_error(
    score: &impl Fn(f32, f32, f32) -> [f64; 2],
    rule: &Rule,
    scale: f32,
    zero_point: i32,
) -> f64 {
    let (bottom, top) = rule.codes();
    let [product, square] = score(
        1.0 / scale,
        (bottom - zero_point) as f32,
        (top - zero_point) as f32,
    );
    let scale = f64::from(scale);
    (square - 2.0 * product) * scale * scale
}
