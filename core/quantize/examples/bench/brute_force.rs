//! The search for scales against one that tries them all, and beside ggml's Q4_K.

use std::time::Instant;

use arrow_array::Float32Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use bowstring_quantize::{Control, QuantizeOptions, Quantizer, dequantize};
use serde_json::json;

use crate::q4_k;
use crate::rounds::Rounds;

/// Values of the comparison: trying everything takes its time.
const VALUES: usize = 1 << 17;
/// Scales that are tried for each zero point, from a quarter of the covering one to a little above it.
const SCALES: usize = 512;
/// Our error at the most, and how many times faster at the least.
const WORSE: f64 = 1.01;
const FASTER: f64 = 50.0;

pub fn compare(rounds: &mut Rounds) {
    println!(
        "\nsearch \"mse\" against all of {SCALES} scales and all zero points, {VALUES} values, 1 thread"
    );
    for (name, values) in [("normal", normal()), ("heavy tails", heavy_tails())] {
        println!("  {name}");
        for (bits, group) in [(4u32, 32usize), (4, 128), (2, 32), (2, 128), (8, 128)] {
            let (plain, plain_time, _) = ours(&values, bits, group, "none");
            let (found, found_time, size) = ours(&values, bits, group, "mse");
            let start = Instant::now();
            let best = all(&values, bits, group);
            let all_time = start.elapsed().as_secs_f64();
            let (worse, faster) = (found / best, all_time / found_time);
            let is_met = worse <= WORSE && faster >= FASTER;
            rounds.missed += usize::from(!is_met);
            println!(
                "    {bits} bits, groups of {group:<3}: rmse {found:.6} of {best:.6} by brute force ({worse:.4}), {plain:.6} \
                 without; {size:.2} bits; {:6.1} ns a value, {faster:.0} times faster ({:.2} ns without)  bars {WORSE}, \
                 {FASTER}: {}",
                found_time * 1e9 / VALUES as f64,
                plain_time * 1e9 / VALUES as f64,
                if is_met { "met" } else { "MISSED" },
            );
        }
        let start = Instant::now();
        let back = q4_k::round_trip(&values);
        let time = start.elapsed().as_secs_f64();
        println!(
            "    ggml's Q4_K         : rmse {:.6}; {:.2} bits; {:6.1} ns a value",
            rmse(&values, &back),
            q4_k::BITS,
            time * 1e9 / VALUES as f64
        );
    }
}

/// The error, the best time of three, and the bits that a value takes in the table, scales and zero points included.
fn ours(values: &[f32], bits: u32, group: usize, search: &str) -> (f64, f64, f64) {
    let json = json!({"bitWidth": bits, "groupSize": group, "search": search, "threads": 1});
    let options: QuantizeOptions = serde_json::from_value(json).expect("options");
    let batch = crate::batch(Float32Array::from(values.to_vec()));
    let quantizer = Quantizer::default();
    let mut time = f64::MAX;
    let mut last = None;
    for _ in 0..3 {
        let start = Instant::now();
        let quantized = quantizer.quantize(&batch, &options, &Control::default());
        time = time.min(start.elapsed().as_secs_f64());
        last = Some(quantized.expect("quantized").batch);
    }
    let back = dequantize(
        &last.expect("a round"),
        &Default::default(),
        &Control::default(),
    );
    let back = back.expect("dequantized");
    let list = back
        .column_by_name("weights")
        .expect("a column")
        .as_list::<i32>()
        .value(0);
    let error = rmse(values, list.as_primitive::<Float32Type>().values());
    // A float32 and an int16 for each group.
    (error, time, f64::from(bits) + 48.0 / group as f64)
}

fn rmse(values: &[f32], back: &[f32]) -> f64 {
    let squares = values
        .iter()
        .zip(back)
        .map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2));
    (squares.sum::<f64>() / values.len() as f64).sqrt()
}

/// The least error over all scales and zero points.
fn all(values: &[f32], bits: u32, group: usize) -> f64 {
    let mut sum = 0.0;
    for group in values.chunks_exact(group) {
        let (low, high) = group.iter().fold((0.0f32, 0.0f32), |(low, high), x| {
            (low.min(*x), high.max(*x))
        });
        let top = ((1u32 << bits) - 1) as f32;
        let widest = (high - low) / top;
        // With eight bits only zero points near that of the range can win, and all would take hours.
        let covering = (-low / widest).round();
        let near = if bits == 8 { 8.0 } else { top };
        let (first, last) = ((covering - near).max(0.0), (covering + near).min(top));
        let mut best = f32::MAX;
        for zero_point in first as u32..=last as u32 {
            for at in 0..SCALES {
                let scale = widest * (0.25 + 0.8 * at as f32 / SCALES as f32);
                best = best.min(error_of(group, scale, zero_point as f32, top));
            }
        }
        sum += f64::from(best);
    }
    (sum / values.len() as f64).sqrt()
}

/// The squared error with one scale and zero point, by vectors where there are some.
fn error_of(group: &[f32], scale: f32, zero_point: f32, top: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(group: &[f32], scale: f32, zero_point: f32, top: f32) -> f32 {
            plain(group, scale, zero_point, top)
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: both are there.
            return unsafe { avx2(group, scale, zero_point, top) };
        }
    }
    plain(group, scale, zero_point, top)
}

#[inline(always)]
fn plain(group: &[f32], scale: f32, zero_point: f32, top: f32) -> f32 {
    let inverse = 1.0 / scale;
    let (low, high) = (-zero_point, top - zero_point);
    let mut sums = [0.0f32; 32];
    for values in group.chunks_exact(32) {
        for (sum, x) in sums.iter_mut().zip(values) {
            let steps = (x * inverse).round_ties_even();
            let steps = if steps < high { steps } else { high };
            let steps = if steps > low { steps } else { low };
            let error = x - steps * scale;
            *sum += error * error;
        }
    }
    sums.iter().sum()
}

/// Uniform numbers from 0 to 1.
fn uniform(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

fn normal() -> Vec<f32> {
    let mut state = 3;
    let mut next = || {
        let radius = (-2.0 * (1.0 - uniform(&mut state)).ln()).sqrt();
        (radius * (std::f64::consts::TAU * uniform(&mut state)).cos()) as f32
    };
    (0..VALUES).map(|_| next() * 0.02).collect()
}

/// Laplace's distribution: weights of trained layers have such tails.
fn heavy_tails() -> Vec<f32> {
    let mut state = 5;
    let mut next = || {
        let side = uniform(&mut state) - 0.5;
        -side.signum() * (1.0 - 2.0 * side.abs()).max(1e-300).ln()
    };
    (0..VALUES).map(|_| next() as f32 * 0.02).collect()
}
