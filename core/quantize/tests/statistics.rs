//! What is measured: of the values that come back, and the largest error, which is sought only where it may be.

mod common;

use arrow_array::RecordBatch;
use common::{Random, back, data, list_of_floats, measure, one, zero_points};
use serde_json::json;

/// The statistics are those of the values that come back.
#[test]
fn statistics_are_of_what_comes_back() {
    let values = Random(28).normals(64 * 96);
    for kind in common::kinds() {
        let batch = one(&values, &[64, 96], kind.clone());
        let back = back(&batch);
        let sum = |f: &dyn Fn(f64, f64) -> f64| {
            values
                .iter()
                .zip(&back)
                .map(|(x, y)| f(f64::from(*x), f64::from(*y)))
                .sum::<f64>()
        };
        let error = sum(&|x, y| (x - y) * (x - y));
        let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
        let largest = values.iter().zip(&back).fold(0.0, |most: f64, (x, y)| {
            most.max((f64::from(*x) - f64::from(*y)).abs())
        });
        for (name, expected) in [
            ("rmse", (error / values.len() as f64).sqrt()),
            ("max_abs_error", largest),
            ("sqnr_db", 10.0 * (xx / error).log10()),
            ("cosine", xy / (xx * yy).sqrt()),
        ] {
            let found = f64::from(measure(&batch, name, 0));
            // The largest error is that of the exact product of code and scale, before its rounding.
            let rounding = f64::from(f32::EPSILON) * 4.0;
            assert!(
                (found - expected).abs() <= 2e-6 * expected.abs().max(1e-3) + rounding,
                "{kind} {name} {found} {expected}"
            );
        }
    }
}

/// Alone, and beside others whose squares float32 holds.
#[test]
fn squares_that_float32_does_not_hold_are_summed() {
    let normals = Random(29).normals(64 * 96);
    let tiny: Vec<f32> = normals.iter().map(|x| x * 1e-25).collect();
    // In rows of the same group or block, and of others.
    let mixed = |row: usize| -> Vec<f32> {
        let values = normals.iter().zip(&tiny).enumerate();
        let pick = |(at, (x, y)): (usize, (&f32, &f32))| {
            if (at / row).is_multiple_of(2) { *x } else { *y }
        };
        values.map(pick).collect()
    };
    let small = |by: f32| -> Vec<f32> { normals.iter().map(|x| x * by).collect() };
    let alone = [1e-9, 1e-12, 1e-14, 1e-25].map(small);
    for values in [mixed(32), mixed(96), mixed(1)].into_iter().chain(alone) {
        for kind in common::kinds() {
            let batch = one(&values, &[64, 96], kind.clone());
            let pairs = values.iter().zip(back(&batch));
            let errors = pairs.map(|(x, y)| f64::from(*x) - f64::from(y));
            let squares: f64 = errors.map(|error| error * error).sum();
            let expected = (squares / values.len() as f64).sqrt();
            let found = f64::from(measure(&batch, "rmse", 0));
            assert!(
                (found - expected).abs() <= 1e-5 * expected,
                "{kind} {found:e} {expected:e}"
            );
        }
    }
}

/// The largest error of the products of code and scale, by the stored scales and codes.
fn largest_error(values: &[f32], group: usize, quantized: &RecordBatch) -> f32 {
    let scales = list_of_floats(quantized, "scales", 0);
    let zeros = zero_points(quantized, 0);
    let codes = data(quantized, 0);
    let errors = values.iter().zip(codes).enumerate().map(|(at, (x, code))| {
        let (scale, zero) = (scales[at / group], zeros[at / group]);
        f32::from(i16::from(code) - zero).mul_add(-scale, *x).abs()
    });
    errors.fold(0.0, f32::max)
}

#[test]
fn the_largest_error_is_exact_wherever_it_is() {
    const COUNT: usize = 128 * 600;
    let mut random = Random(13);
    let normals = random.normals(COUNT);
    let scaled = |by: &dyn Fn(usize) -> f32| -> Vec<f32> {
        let scaled = normals.iter().enumerate();
        scaled.map(|(at, x)| x * by(at / 128)).collect()
    };
    // All values are codes, by scales of a power of two: no error at all, or only in one group.
    let exact: Vec<f32> = (0..COUNT).map(|at| (at % 256) as f32 - 128.0).collect();
    let mut nearly = exact.clone();
    nearly[COUNT / 2] += 0.001;
    for (name, values) in [
        ("normal", normals.clone()),
        ("rising", scaled(&|group| 1.0 + group as f32 * 0.01)),
        ("falling", scaled(&|group| 10.0 - group as f32 * 0.01)),
        (
            "one large",
            scaled(&|group| if group == 377 { 50.0 } else { 1.0 }),
        ),
        (
            "mixed",
            scaled(&|group| [1.0, 1e-3, 0.9999, 30.0][group % 4]),
        ),
        ("zeros", vec![0.0; COUNT]),
        (
            "zeros, then normal",
            [vec![0.0; COUNT / 2], normals[..COUNT / 2].to_vec()].concat(),
        ),
        ("exact", exact),
        ("nearly exact", nearly),
        ("nothing but 0.3", vec![0.3; COUNT]),
    ] {
        for bits in [2, 4, 8] {
            for group in [32, 128] {
                let kind = json!({"bitWidth": bits, "groupSize": group, "layout": "unpacked"});
                let quantized = one(&values, &[COUNT], kind.clone());
                let expected = largest_error(&values, group, &quantized);
                let found = measure(&quantized, "max_abs_error", 0);
                assert_eq!(
                    found.to_bits(),
                    expected.to_bits(),
                    "{name} {kind} {found} {expected}"
                );
            }
        }
    }
}
