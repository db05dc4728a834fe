//! Results too large for the caches, whose codes go straight to their place.

mod common;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use bowstring_quantize::InstructionSet;
use common::{Random, batch, run};
use serde_json::{Value, json};

const PIECE: usize = 8192;

/// Normal values, with ties between codes, groups of zeros, and groups whose squares float32 does not hold.
fn values(count: usize) -> Vec<f32> {
    let mut values = Random(11).normals(count);
    for (index, group) in values.chunks_mut(128).enumerate() {
        match index % 97 {
            3 => group.iter_mut().for_each(|x| *x = (*x * 8.0).round() / 8.0),
            5 => group.fill(0.0),
            7 => group.iter_mut().for_each(|x| *x *= 1e25),
            11 => group.iter_mut().for_each(|x| *x *= 1e-30),
            _ => {}
        }
    }
    values
}

fn data(batch: &RecordBatch, row: usize) -> &[u8] {
    let column = batch.column_by_name("quantized_data").unwrap();
    column.as_binary::<i64>().value(row)
}

fn with(kind: &Value, set: InstructionSet, threads: usize) -> Value {
    let mut kind = kind.clone();
    kind["instructionSet"] = json!(set);
    kind["threads"] = json!(threads);
    kind
}

/// The layer is written past the caches, its pieces are not.
#[test]
fn a_large_layer_has_the_codes_of_its_pieces() {
    let values = values(2_200_000 / PIECE * PIECE);
    let shape = [PIECE];
    let pieces: Vec<(&[f32], &[usize])> = values
        .chunks(PIECE)
        .map(|piece| (piece, &shape[..]))
        .collect();
    let pieces = batch(&pieces);
    let whole = [values.len()];
    let odd = [0.5, -0.25, 1.0];
    // Behind another layer it begins anywhere, and in the middle of a line.
    let first = batch(&[(&values, &whole)]);
    let second = batch(&[(&odd, &[3]), (&values, &whole)]);
    for kind in [
        json!({"bitWidth": 8}),
        json!({"bitWidth": 8, "scheme": "symmetric", "groupSize": 32, "statistics": false}),
        json!({"bitWidth": 4}),
        json!({"bitWidth": 4, "scheme": "symmetric", "statistics": false}),
        json!({"bitWidth": 4, "groupSize": 64, "statistics": false}),
        json!({"bitWidth": 2}),
    ] {
        let pieces = run(&pieces, kind.clone()).unwrap().batch;
        let expected: Vec<u8> = (0..pieces.num_rows())
            .flat_map(|row| data(&pieces, row).to_vec())
            .collect();
        for set in InstructionSet::available() {
            for threads in [1, 3] {
                let kind = with(&kind, set, threads);
                let found = run(&first, kind.clone()).unwrap().batch;
                assert!(data(&found, 0) == expected, "{kind}");
                let found = run(&second, kind.clone()).unwrap().batch;
                assert!(data(&found, 1) == expected, "{kind}, second");
            }
        }
    }
}

/// One group of a whole layer is coded in parts, which are written past the caches as well.
#[test]
fn a_large_group_has_the_same_codes_and_measures_on_all_sets() {
    let normals = Random(12).normals(2_200_000);
    for (bits, scheme, by) in [
        (8, "asymmetric", 1.0),
        (4, "asymmetric", 1.0),
        (4, "symmetric", 1.0),
        // Far from 1: codes are found one at a time.
        (4, "symmetric", 1e-20),
    ] {
        let values: Vec<f32> = normals.iter().map(|x| x * by).collect();
        let layer = batch(&[(&values, &[values.len()])]);
        let kind = json!({"bitWidth": bits, "granularity": "tensor", "scheme": scheme});
        let portable = with(&kind, InstructionSet::Portable, 1);
        let expected = run(&layer, portable).unwrap().batch;
        for set in InstructionSet::available() {
            let found = run(&layer, with(&kind, set, 3)).unwrap().batch;
            assert!(found == expected, "{kind} {set:?} {by}");
        }
    }
}
