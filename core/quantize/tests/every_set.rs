//! The way back, and values that are no numbers in every lane, by every instruction set.

mod common;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use bowstring_quantize::{Control, DequantizeOptions, InstructionSet, dequantize};
use common::{Random, batch, kinds, run};
use serde_json::{Value, json};

/// The weights of a batch, as bits.
fn weights(batch: &RecordBatch) -> Vec<Vec<u32>> {
    let weights = batch.column_by_name("weights").unwrap().as_list::<i32>();
    let rows = weights.iter().map(|row| {
        let row = row.unwrap();
        let values = row.as_primitive::<Float32Type>().values();
        values.iter().map(|value| value.to_bits()).collect()
    });
    rows.collect()
}

/// Quantizes by the portable set and compares what each set makes of that.
fn assert_same_back(layers: &RecordBatch, mut kind: Value, threads: usize) {
    kind["instructionSet"] = json!("portable");
    kind["continueOnError"] = json!(true);
    let quantized = run(layers, kind.clone()).unwrap().batch;
    let with = |set, threads| {
        let options = DequantizeOptions {
            threads,
            instruction_set: Some(set),
        };
        weights(&dequantize(&quantized, &options, &Control::default()).unwrap())
    };
    let expected = with(InstructionSet::Portable, 1);
    for set in InstructionSet::available() {
        assert!(with(set, threads) == expected, "{kind} {set:?}");
    }
}

#[test]
fn values_come_back_the_same() {
    let mut random = Random(21);
    let shapes = [
        vec![64, 96],
        vec![7, 33],
        vec![1],
        vec![61, 301],
        vec![9, 96],
        vec![5, 3, 131],
        vec![9001],
    ];
    let values = shapes
        .each_ref()
        .map(|shape| random.normals(shape.iter().product()));
    let layers: Vec<(&[f32], &[usize])> = values
        .iter()
        .zip(&shapes)
        .map(|(values, shape)| (&values[..], &shape[..]))
        .collect();
    let layers = batch(&layers);
    for kind in kinds() {
        assert_same_back(&layers, kind, 3);
    }
}

/// Past the caches, from lines that begin in the middle of a layer.
#[test]
fn large_layers_come_back_the_same() {
    let large = Random(22).normals(1_050_000 / 128 * 128 + 37);
    for before in [1, 3, 16] {
        let before = vec![0.5; before];
        let layers = batch(&[(&before, &[before.len()]), (&large, &[large.len()])]);
        for kind in [
            json!({"bitWidth": 8}),
            json!({"bitWidth": 8, "scheme": "symmetric", "groupSize": 32}),
            json!({"bitWidth": 4, "scheme": "symmetric"}),
            json!({"bitWidth": 2, "granularity": "tensor"}),
        ] {
            assert_same_back(&layers, kind, 1);
        }
    }
}

#[test]
fn no_lane_lets_pass_what_is_no_number() {
    const LANES: usize = 64;
    let good = Random(23).normals(2 * LANES);
    let mut values = vec![good.clone()];
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in 0..LANES {
            let mut spoilt = good.clone();
            spoilt[at] = bad;
            values.push(spoilt);
        }
    }
    let shape = [2, LANES];
    let layers: Vec<(&[f32], &[usize])> = values
        .iter()
        .map(|values| (&values[..], &shape[..]))
        .collect();
    let layers = batch(&layers);
    for mut kind in kinds() {
        for statistics in [true, false] {
            kind["statistics"] = json!(statistics);
            kind["continueOnError"] = json!(true);
            for set in InstructionSet::available() {
                kind["instructionSet"] = json!(set);
                let found = run(&layers, kind.clone()).unwrap();
                assert_eq!(found.failures.len(), 4 * LANES, "{kind}");
                assert_eq!(found.batch.num_rows(), 1, "{kind}");
            }
        }
    }
}
