//! ggml's Q4_K, for comparison: blocks of 256 values in eight groups of 32, whose scales and minima are six bits of a
//! float16 each, 4.5 bits a value. As `quantize_row_q4_K_ref` of ggml-quants.c goes about it.

use half::f16;

const GROUP: usize = 32;
const GROUPS: usize = 8;
/// Bytes of a block of 256 values: two float16, twelve bytes of scales and minima, 128 bytes of codes.
const BYTES: usize = 4 + 12 + 128;

pub const BITS: f64 = BYTES as f64 * 8.0 / (GROUP * GROUPS) as f64;

/// What comes back of `values`, whose number is a multiple of 256.
pub fn round_trip(values: &[f32]) -> Vec<f32> {
    values
        .chunks_exact(GROUP * GROUPS)
        .flat_map(block)
        .collect()
}

fn block(values: &[f32]) -> Vec<f32> {
    let maps: Vec<(f32, f32)> = values.chunks_exact(GROUP).map(fit).collect();
    let most = |part: fn(&(f32, f32)) -> f32| maps.iter().map(part).fold(0.0f32, f32::max);
    let (most_scale, most_minimum) = (most(|map| map.0), most(|map| map.1));
    let stored = |most: f32| f16::from_f32(most / 63.0).to_f32();
    let steps = |value: f32, most: f32| {
        if most > 0.0 {
            (value * (63.0 / most)).round_ties_even().min(63.0)
        } else {
            0.0
        }
    };
    let groups = values.chunks_exact(GROUP).zip(&maps);
    groups
        .flat_map(|(group, (scale, minimum))| {
            let scale = stored(most_scale) * steps(*scale, most_scale);
            let minimum = stored(most_minimum) * steps(*minimum, most_minimum);
            group.iter().map(move |x| {
                if scale == 0.0 {
                    return -minimum;
                }
                let code = ((x + minimum) / scale).round_ties_even().clamp(0.0, 15.0);
                scale * code - minimum
            })
        })
        .collect()
}

/// Scale and negated minimum of a group: 21 starting scales, each followed by least squares, weighted by magnitude.
fn fit(values: &[f32]) -> (f32, f32) {
    let power: f32 = values.iter().map(|x| x * x).sum();
    let average = (power / GROUP as f32).sqrt();
    let weights: [f32; GROUP] = std::array::from_fn(|at| average + values[at].abs());
    let low = values.iter().copied().fold(0.0f32, f32::min);
    let high = values.iter().copied().fold(f32::MIN, f32::max);
    if high <= low {
        return (0.0, -low);
    }
    let codes = |inverse: f32| -> [f32; GROUP] {
        std::array::from_fn(|at| {
            (inverse * (values[at] - low))
                .round_ties_even()
                .clamp(0.0, 15.0)
        })
    };
    let error = |codes: &[f32; GROUP], scale: f32, minimum: f32| -> f32 {
        (0..GROUP)
            .map(|at| weights[at] * (scale * codes[at] + minimum - values[at]).powi(2))
            .sum()
    };
    let sum = |term: &dyn Fn(usize) -> f32| (0..GROUP).map(term).sum::<f32>();
    let (w, wx) = (sum(&|at| weights[at]), sum(&|at| weights[at] * values[at]));
    let first = (high - low) / 15.0;
    let mut best = (error(&codes(1.0 / first), first, low), first, low);
    for step in 0..=20 {
        let codes = codes((14.0 + 0.1 * step as f32) / (high - low));
        let wl = sum(&|at| weights[at] * codes[at]);
        let wll = sum(&|at| weights[at] * codes[at] * codes[at]);
        let wxl = sum(&|at| weights[at] * codes[at] * values[at]);
        let determinant = w * wll - wl * wl;
        if determinant <= 0.0 {
            continue;
        }
        let mut scale = (w * wxl - wx * wl) / determinant;
        let mut minimum = (wll * wx - wl * wxl) / determinant;
        if minimum > 0.0 {
            (scale, minimum) = (wxl / wll, 0.0);
        }
        let found = error(&codes, scale, minimum);
        if found < best.0 {
            best = (found, scale, minimum);
        }
    }
    (best.1, -best.2)
}
