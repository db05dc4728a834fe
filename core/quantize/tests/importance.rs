//! The weights of the search: whose they are, what they do, and which are refused.

mod common;

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Float32Array, RecordBatch};
use bowstring_quantize::LayerErrorKind;
use common::{Random, back, data, list_of_floats, lists, run};
use serde_json::{Value, json};

/// Layers of these values and shapes, with the column `energy` beside them.
fn weighted(layers: &[(&[f32], &[usize])], energy: ArrayRef) -> RecordBatch {
    let mut columns = common::batch(layers).columns().to_vec();
    columns.push(energy);
    let names = ["layer_name", "weights", "shape", "energy"];
    RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap()
}

fn energies(rows: &[&[f32]]) -> ArrayRef {
    let lengths: Vec<usize> = rows.iter().map(|row| row.len()).collect();
    lists(Arc::new(Float32Array::from(rows.concat())), &lengths)
}

/// 40 for every `nth` value, and next to nothing for the rest.
fn every(nth: usize, count: usize) -> Vec<f32> {
    let weight = |at: usize| if at.is_multiple_of(nth) { 40.0 } else { 0.1 };
    (0..count).map(weight).collect()
}

fn important(more: Value) -> Value {
    let mut options = more;
    options["importance"] = json!("energy");
    options
}

#[test]
fn each_layer_is_searched_by_its_own_weights() {
    let values = Random(61).normals(3 * 512);
    let layers: Vec<(&[f32], &[usize])> = values
        .chunks(512)
        .map(|values| (values, &[2, 256][..]))
        .collect();
    // One for each column, one for each value, and one for each column again.
    let weights = [every(5, 256), every(7, 512), every(3, 256)];
    let rows: Vec<&[f32]> = weights.iter().map(|row| &row[..]).collect();
    for kind in [
        json!({"search": "mse"}),
        json!({"search": "mse", "granularity": "tensor"}),
    ] {
        let all = weighted(&layers, energies(&rows));
        let all = run(&all, important(kind.clone())).unwrap().batch;
        for row in 0..3 {
            let alone = weighted(&layers[row..=row], energies(&rows[row..=row]));
            let alone = run(&alone, important(kind.clone())).unwrap().batch;
            assert_eq!(data(&all, row), data(&alone, 0), "{kind} {row}");
            for name in ["scales", "zero_points"] {
                let list = |batch: &RecordBatch, row: usize| {
                    let column = batch.column_by_name(name).unwrap();
                    column.as_list::<i32>().value(row)
                };
                assert_eq!(&list(&all, row), &list(&alone, 0), "{kind} {row} {name}");
            }
        }
    }
}

/// However the values of a scale lie: in a row, in pieces, or each by itself.
#[test]
fn weights_count_in_every_granularity() {
    let shape = [24, 6, 64];
    let values = Random(62).normals(24 * 6 * 64);
    // What is small matters, so the scale that covers all is far from the best.
    let weight = |x: &f32| if x.abs() < 0.5 { 40.0 } else { 0.01 };
    let weights: Vec<f32> = values.iter().map(weight).collect();
    let table = weighted(&[(&values, &shape)], energies(&[&weights]));
    for bits in [2, 4] {
        for kind in [
            json!({"groupSize": 32}),
            json!({"granularity": "tensor"}),
            json!({"granularity": "channel", "axis": 0}),
            json!({"granularity": "channel", "axis": 1}),
            json!({"granularity": "channel", "axis": 2}),
        ] {
            let mut kind = kind;
            kind["bitWidth"] = json!(bits);
            kind["search"] = json!("mse");
            let error = |kind: Value| -> f64 {
                let back = back(&run(&table, kind).unwrap().batch);
                let errors = values.iter().zip(&back).zip(&weights);
                errors
                    .map(|((x, y), weight)| f64::from(*weight) * f64::from(x - y).powi(2))
                    .sum()
            };
            let (even, uneven) = (error(kind.clone()), error(important(kind.clone())));
            assert!(uneven < 0.9 * even, "{kind} {uneven} {even}");
        }
    }
}

/// Of more than a million values, which all threads search together.
#[test]
fn weights_count_in_long_groups() {
    const COUNT: usize = 1_100_001;
    let values = Random(64).normals(2 * COUNT);
    let weight = |x: &f32| if x.abs() < 0.5 { 40.0 } else { 0.01 };
    let weights: Vec<f32> = values.iter().map(weight).collect();
    let second = |all: &[f32]| -> Vec<f32> { all.iter().skip(1).step_by(2).copied().collect() };
    let table = weighted(&[(&values, &[COUNT, 2])], energies(&[&weights]));
    let channels = json!({"granularity": "channel", "axis": 1, "search": "mse"});
    let found = run(&table, important(channels)).unwrap().batch;
    let alone = weighted(
        &[(&second(&values), &[COUNT])],
        energies(&[&second(&weights)]),
    );
    let tensor = json!({"granularity": "tensor", "search": "mse"});
    let even = run(&alone, tensor.clone()).unwrap().batch;
    let alone = run(&alone, important(tensor)).unwrap().batch;
    let scale = |batch: &RecordBatch, at: usize| list_of_floats(batch, "scales", 0)[at];
    assert_eq!(scale(&found, 1), scale(&alone, 0));
    assert!(scale(&alone, 0) < 0.9 * scale(&even, 0));
}

#[test]
fn weights_may_be_for_layers_that_only_an_override_searches() {
    let values = Random(63).normals(512);
    let layers: [(&[f32], &[usize]); 2] = [(&values[..256], &[256]), (&values[256..], &[256])];
    let weights = every(5, 256);
    let table = weighted(&layers, energies(&[&weights, &weights]));
    let overrides = json!({"overrides": [{"pattern": "layer0", "search": "mse"}]});
    let found = run(&table, important(overrides)).unwrap().batch;
    let searched = run(&table, important(json!({"search": "mse"}))).unwrap();
    let plain = run(&table, json!({})).unwrap();
    assert_eq!(found.slice(0, 1), searched.batch.slice(0, 1));
    assert_eq!(found.slice(1, 1), plain.batch.slice(1, 1));
}

#[test]
fn weights_that_are_none_are_refused() {
    let values = Random(64).normals(3 * 64);
    let layers: Vec<(&[f32], &[usize])> = values
        .chunks(64)
        .map(|values| (values, &[2, 32][..]))
        .collect();
    let with = |at: usize, weight: Option<f32>| {
        let mut weights = vec![Some(1.0); 32];
        weights[at] = weight;
        Some(weights)
    };
    let element = LayerErrorKind::InvalidElement;
    let number = "expected a number from 0 to 1e12 but found";
    for (weights, kind, message) in [
        (
            None,
            LayerErrorKind::Other,
            "importance: expected weights but found null".to_owned(),
        ),
        (
            with(9, None),
            element(9),
            format!("importance[9]: {number} null"),
        ),
        (
            with(31, Some(1.1e12)),
            element(31),
            format!("importance[31]: {number} 1100000000000"),
        ),
        (
            with(0, Some(f32::INFINITY)),
            element(0),
            format!("importance[0]: {number} inf"),
        ),
        (
            with(3, Some(-1e-30)),
            element(3),
            format!("importance[3]: {number} {}", -1e-30f32),
        ),
    ] {
        let mut rows = ListBuilder::new(Float32Builder::new());
        rows.append_option(with(0, Some(0.0)));
        rows.append_option(weights);
        rows.append_option(with(31, Some(1e12)));
        let table = weighted(&layers, Arc::new(rows.finish()));
        let mut options = important(json!({"search": "mse", "onInvalid": "skip"}));
        let error = run(&table, options.clone()).unwrap_err();
        let expected = format!("layer \"layer1\" (row 1): {message}");
        assert_eq!(error.to_string(), expected);
        options["continueOnError"] = json!(true);
        let quantized = run(&table, options).unwrap();
        assert_eq!(quantized.batch.num_rows(), 2, "{message}");
        assert_eq!(quantized.failures.len(), 1, "{message}");
        assert_eq!(quantized.failures[0].to_string(), expected);
        assert_eq!(quantized.failures[0].kind, kind, "{message}");
    }
}
