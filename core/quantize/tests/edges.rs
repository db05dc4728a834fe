//! What lies at the edges: tables that nobody of ours made, tensors without values, and numbers next to nothing.

mod common;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use bowstring_quantize::{Control, InstructionSet, dequantize};
use common::{Random, back, data, list_of_floats, measure, one, zero_points};
use serde_json::json;

/// The batch with another column of this name.
fn with(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of(name).unwrap()] = column;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

#[test]
fn a_block_of_ggml_has_32_values_whatever_a_table_says() {
    let values = Random(82).normals(256);
    for bits in [4, 8] {
        let table = one(&values, &[256], json!({"layout": "ggml", "bitWidth": bits}));
        for size in [1, 16, 64, 256, i32::MAX] {
            let lying = with(&table, "group_size", Arc::new(Int32Array::from(vec![size])));
            let error = dequantize(&lying, &Default::default(), &Control::default()).unwrap_err();
            let expected = format!("group_size: expected 32 in layout \"ggml\" but found {size}");
            assert!(error.to_string().ends_with(&expected), "{error}");
        }
    }
}

#[test]
fn tensors_of_no_values_have_no_maps() {
    // Sizes beside a 0 take no memory, however large.
    let vast = 1 << 40;
    for shape in [
        &[0, 3, 1][..],
        &[2, 0, 4],
        &[0, 0, 5],
        &[3, 0],
        &[0, vast],
        &[0, vast, vast],
    ] {
        for axis in 0..shape.len() {
            for bits in [2, 4, 8] {
                let kind = json!({"granularity": "channel", "axis": axis, "bitWidth": bits});
                let table = one(&[], shape, kind);
                assert!(list_of_floats(&table, "scales", 0).is_empty(), "{shape:?}");
                assert!(zero_points(&table, 0).is_empty(), "{shape:?}");
                assert!(back(&table).is_empty());
            }
        }
    }
}

#[test]
fn blocks_whose_scale_has_no_inverse_are_zeros_in_every_set() {
    let mut values = vec![0.0f32; 32];
    values[..3].copy_from_slice(&[1e-37, -1e-37, 5e-38]);
    let kind = |set: InstructionSet| {
        let set = serde_json::to_value(set).unwrap();
        json!({"layout": "ggml", "bitWidth": 8, "instructionSet": set})
    };
    for set in InstructionSet::available() {
        let table = one(&values, &[32], kind(set));
        assert_eq!(data(&table, 0), [0; 34], "{set:?}");
    }
}

#[test]
fn where_nothing_is_lost_nothing_is_said_to_be() {
    for step in [3.0f32, 7.0, 11.0, 0.1, 1e-30] {
        let values: Vec<f32> = (0..64).map(|at| step * (at % 16) as f32).collect();
        let table = one(&values, &[64], json!({"groupSize": 32}));
        if measure(&table, "max_abs_error", 0) == 0.0 {
            assert_eq!(measure(&table, "rmse", 0), 0.0, "{step}");
            assert_eq!(measure(&table, "sqnr_db", 0), f32::INFINITY, "{step}");
            assert_eq!(measure(&table, "cosine", 0), 1.0, "{step}");
        } else {
            assert!(step.fract() != 0.0, "{step}");
        }
    }
}

#[test]
fn where_something_is_lost_all_measures_say_so() {
    for value in [0.3f32, 3.0, 5e-30, 7e25, 1e38] {
        // The mean of one error is that error.
        let table = one(&[value], &[1], json!({}));
        let largest = measure(&table, "max_abs_error", 0);
        assert_eq!(measure(&table, "rmse", 0), largest, "{value}");
        assert_eq!(measure(&table, "sqnr_db", 0).is_finite(), largest > 0.0);
    }
    // Integers on a grid that is not quite theirs.
    let values: Vec<f32> = (0..201).map(|at| (at * 7 % 16) as f32).collect();
    let table = one(
        &values,
        &[201],
        json!({"bitWidth": 8, "granularity": "tensor"}),
    );
    let largest = measure(&table, "max_abs_error", 0);
    assert!(largest > 0.0 && largest < 1e-6, "{largest}");
    let rmse = measure(&table, "rmse", 0);
    assert!(
        (largest / 15.0..=largest).contains(&rmse),
        "{rmse} {largest}"
    );
    assert!(measure(&table, "sqnr_db", 0).is_finite());
}

#[test]
fn the_largest_error_is_that_of_the_exact_product_at_any_magnitude() {
    let normals = Random(83).normals(512);
    for by in [1e-36f32, 1e-25, 1e-17, 1e-12, 1.0, 1e13, 1e23, 1e35] {
        let values: Vec<f32> = normals.iter().map(|x| x * by).collect();
        for kind in [
            json!({"groupSize": 64}),
            json!({"granularity": "channel", "axis": 1}),
        ] {
            let mut kind = kind;
            kind["layout"] = json!("unpacked");
            let table = one(&values, &[8, 64], kind.clone());
            let scales = list_of_floats(&table, "scales", 0);
            let zeros = zero_points(&table, 0);
            let codes = data(&table, 0);
            let errors = values.iter().zip(codes).enumerate().map(|(at, (x, code))| {
                let group = if scales.len() == 8 { at / 64 } else { at % 64 };
                let steps = f64::from(i16::from(code) - zeros[group]);
                (f64::from(*x) - steps * f64::from(scales[group])).abs() as f32
            });
            let largest = errors.fold(0.0, f32::max);
            assert_eq!(measure(&table, "max_abs_error", 0), largest, "{by} {kind}");
        }
    }
}
