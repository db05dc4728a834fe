//! The same bytes whatever the instruction set, the number of threads, the batches and the alignment.

mod common;

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float32Array, LargeListArray, RecordBatch, StringArray,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use bowstring_quantize::{Control, InstructionSet, QuantizeOptions, quantize};
use common::{Random, batch, kinds, options};
use serde_json::json;

/// Layers of every awkward size, with ties, tiny and huge scales, and one that is long enough for several tasks.
fn layers() -> Vec<(Vec<f32>, Vec<usize>)> {
    let mut random = Random(1);
    let mut layers = Vec::new();
    for shape in [
        vec![64, 96],
        vec![96, 64],
        vec![2, 32, 96],
        vec![9, 3, 32],
        vec![1, 32],
    ] {
        let count = shape.iter().product();
        layers.push((random.normals(count), shape.clone()));
        layers.push((
            random
                .normals(count)
                .iter()
                .map(|x| (x * 8.0).round() / 8.0)
                .collect(),
            shape.clone(),
        ));
    }
    let scaled =
        |by: f32, random: &mut Random| random.normals(4096).iter().map(|x| x * by).collect();
    layers.push((scaled(1e-30, &mut random), vec![32, 128]));
    layers.push((scaled(1e30, &mut random), vec![32, 128]));
    layers
}

fn ragged() -> Vec<(Vec<f32>, Vec<usize>)> {
    let mut random = Random(2);
    let shapes = [
        vec![7, 33],
        vec![61, 301],
        vec![1],
        vec![3],
        vec![0],
        vec![4, 0],
        vec![5, 3, 131],
        vec![9001],
        vec![1500, 3],
    ];
    shapes
        .into_iter()
        .map(|shape| (random.normals(shape.iter().product()), shape))
        .collect()
}

fn table(layers: &[(Vec<f32>, Vec<usize>)]) -> RecordBatch {
    batch(
        &layers
            .iter()
            .map(|(values, shape)| (&values[..], &shape[..]))
            .collect::<Vec<_>>(),
    )
}

fn quantized(batch: &RecordBatch, options: &QuantizeOptions) -> RecordBatch {
    let result = quantize(batch, options, &Control::default()).unwrap();
    assert!(
        result
            .failures
            .iter()
            .all(|failure| failure.message.contains("float16")),
        "{:?}",
        result.failures
    );
    result.batch
}

#[test]
fn instruction_set_and_threads_change_nothing() {
    for (layers, is_ragged) in [(layers(), false), (ragged(), true)] {
        let batch = table(&layers);
        for kind in kinds() {
            if is_ragged && (kind["layout"] == "ggml" || kind["layout"] == "mlx") {
                continue;
            }
            let with = |set: InstructionSet, threads: usize| {
                let mut kind = kind.clone();
                kind["instructionSet"] = json!(set);
                kind["threads"] = json!(threads);
                kind["continueOnError"] = json!(true);
                quantized(&batch, &options(kind))
            };
            let expected = with(InstructionSet::Portable, 1);
            assert!(expected.num_rows() + 1 >= layers.len(), "{kind}");
            for set in InstructionSet::available() {
                for threads in [1, 3] {
                    assert_eq!(with(set, threads), expected, "{kind} {set:?} {threads}");
                }
            }
        }
    }
}

/// Long enough for several tasks, and for groups that are done in parts.
#[test]
fn a_long_layer_is_the_same_on_all_threads() {
    let values = Random(4).normals(550_016);
    let batch = batch(&[(&values, &[values.len()])]);
    for kind in [
        json!({"bitWidth": 4}),
        json!({"bitWidth": 8, "granularity": "tensor"}),
        json!({"bitWidth": 2, "groupSize": 32, "scheme": "symmetric"}),
        json!({"bitWidth": 8, "layout": "ggml"}),
    ] {
        let with = |set: InstructionSet, threads: usize| {
            let mut kind = kind.clone();
            kind["instructionSet"] = json!(set);
            kind["threads"] = json!(threads);
            quantized(&batch, &options(kind))
        };
        let expected = with(InstructionSet::Portable, 1);
        for set in InstructionSet::available() {
            assert_eq!(with(set, 3), expected, "{kind} {set:?}");
        }
    }
}

#[test]
fn batches_and_slices_change_nothing() {
    let layers = [layers(), ragged()].concat();
    let batch = table(&layers);
    for kind in [
        json!({}),
        json!({"bitWidth": 2, "scheme": "symmetric"}),
        json!({"bitWidth": 8, "granularity": "channel"}),
    ] {
        let options = options(kind.clone());
        let whole = quantized(&batch, &options);
        for row in 0..batch.num_rows() {
            let alone = quantized(&batch.slice(row, 1), &options);
            assert_eq!(alone, whole.slice(row, 1), "{kind} row {row}");
        }
    }
}

#[test]
fn alignment_and_kind_of_list_change_nothing() {
    let values = Random(3).normals(300_000 / 3 * 3);
    let expected = quantized(
        &batch(&[(&values, &[values.len()])]),
        &QuantizeOptions::default(),
    );
    let names: ArrayRef = Arc::new(StringArray::from(vec!["layer0"]));
    for shift in [1usize, 3, 7, 16] {
        let mut moved = vec![f32::NAN; shift];
        moved.extend_from_slice(&values);
        let buffer = Buffer::from_vec(moved);
        let array = Float32Array::new(ScalarBuffer::new(buffer, shift, values.len()), None);
        let item = Arc::new(Field::new("element", DataType::Float32, true));
        let len = values.len();
        let large = LargeListArray::new(
            item.clone(),
            OffsetBuffer::from_lengths([len]),
            Arc::new(array.clone()),
            None,
        );
        let fixed = FixedSizeListArray::new(item, len as i32, Arc::new(array), None);
        for weights in [Arc::new(large) as ArrayRef, Arc::new(fixed)] {
            let kind = weights.data_type().clone();
            let batch =
                RecordBatch::try_from_iter([("layer_name", names.clone()), ("weights", weights)])
                    .unwrap();
            assert_eq!(
                quantized(&batch, &QuantizeOptions::default()),
                expected,
                "{shift} {kind}"
            );
        }
    }
}
