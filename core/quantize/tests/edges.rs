//! What lies at the edges: options that only together make no sense, tables that nobody of ours made, tensors without
//! values, and numbers next to nothing.

mod common;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use bowstring_quantize::{Control, InstructionSet, QuantizeError, dequantize};
use common::{Random, batch, data, list_of_floats, measure, one, run, zero_points};
use serde_json::json;

/// The batch with another column of this name.
fn with(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of(name).unwrap()] = column;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

#[test]
fn overrides_that_match_together_are_checked_together() {
    let values = Random(81).normals(256);
    let table = batch(&[(&values, &[256])]);
    let ggml = json!({"pattern": "*", "layout": "ggml"});
    for (field, value, what) in [
        (
            "groupSize",
            json!(256),
            "groupSize of layout \"ggml\": expected 32 but found 256",
        ),
        (
            "groupSize",
            json!(64),
            "groupSize of layout \"ggml\": expected 32 but found 64",
        ),
        (
            "bitWidth",
            json!(2),
            "bitWidth of layout \"ggml\": expected 4 or 8 but found 2",
        ),
        (
            "granularity",
            json!("tensor"),
            "granularity of layout \"ggml\": expected group but found tensor",
        ),
        (
            "search",
            json!("mse"),
            "search of layout \"ggml\": expected none but found mse",
        ),
    ] {
        let second = |pattern: &str| json!({"pattern": pattern, field: value});
        let error = run(&table, json!({"overrides": [ggml, second("layer0")]})).unwrap_err();
        let expected = format!("the overrides that match, together: {what}");
        assert!(error.to_string().ends_with(&expected), "{error}");
        // A layer that only one of them matches is as it would be without the other.
        run(&table, json!({"overrides": [ggml, second("layer1")]})).unwrap();
    }
    // What makes sense only on top of another.
    let channels = json!({"pattern": "layer*", "granularity": "channel"});
    let axis = json!({"pattern": "layer0", "axis": 1});
    let table = batch(&[(&values, &[16, 16])]);
    run(&table, json!({"overrides": [channels, axis]})).unwrap();
    let whole = json!({"pattern": "layer1", "granularity": "tensor"});
    run(&table, json!({"overrides": [channels, whole, axis]})).unwrap();
    let error = run(&table, json!({"overrides": [axis, channels]})).unwrap_err();
    assert_eq!(
        error,
        QuantizeError::InvalidOptions(
            "overrides[0]: axis: belongs to granularity \"channel\" but found \"group\"".to_owned()
        )
    );
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
fn channels_of_no_values_have_the_maps_of_zeros() {
    for (shape, channels) in [([0, 3, 1], 3), ([2, 0, 4], 4), ([0, 0, 5], 5)] {
        for bits in [2, 4, 8] {
            let axis = if channels == 3 { 1 } else { 2 };
            let kind = json!({"granularity": "channel", "axis": axis, "bitWidth": bits});
            // Twice, as what was there before must not be seen.
            for _ in 0..2 {
                let table = one(&[], &shape, kind.clone());
                let scales = list_of_floats(&table, "scales", 0);
                assert_eq!(scales, vec![f32::MIN_POSITIVE; channels], "{shape:?}");
                assert_eq!(zero_points(&table, 0), vec![0; channels], "{shape:?}");
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
    // The mean is not above the largest.
    let table = one(&[0.3], &[1], json!({}));
    assert!(measure(&table, "rmse", 0) <= measure(&table, "max_abs_error", 0));
}
