//! What the weights may come in.

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, LargeListBuilder};
use arrow_array::{
    ArrayRef, FixedSizeListArray, Float16Array, Float32Array, Int32Array, Int64Array,
    LargeStringArray, ListArray, StructArray, UInt16Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use bowstring_quantize::LayerErrorKind;
use common::{Random, data, list_of_floats, lists, measure, names, one, plain, run, table};
use half::{bf16, f16};
use serde_json::{Value, json};

fn extension(field: Field, name: &str, metadata: &str) -> Field {
    field.with_metadata(HashMap::from([
        ("ARROW:extension:name".to_owned(), name.to_owned()),
        ("ARROW:extension:metadata".to_owned(), metadata.to_owned()),
    ]))
}

/// Values that float16 and bfloat16 hold exactly.
fn coarse(count: usize) -> Vec<f32> {
    let mut random = Random(11);
    (0..count)
        .map(|_| (random.next() % 255) as f32 / 64.0 - 2.0)
        .map(|x| bf16::from_f32(x).to_f32())
        .collect()
}

/// Each kind of input gives the same codes as a list of float32.
#[test]
fn all_kinds_of_input_are_one() {
    let values = coarse(2 * 3 * 128);
    let shape = [3, 128];
    let (first, second) = values.split_at(384);
    let json = json!({"bitWidth": 4});
    let expected = run(
        &common::batch(&[(first, &shape), (second, &shape)]),
        json.clone(),
    )
    .unwrap()
    .batch;
    let float32: ArrayRef = Arc::new(Float32Array::from(values.clone()));
    let float16: ArrayRef = Arc::new(Float16Array::from_iter_values(
        values.iter().map(|x| f16::from_f32(*x)),
    ));
    let bits: ArrayRef = Arc::new(UInt16Array::from_iter_values(
        values.iter().map(|x| bf16::from_f32(*x).to_bits()),
    ));
    let items = [
        (Field::new("item", DataType::Float32, true), float32.clone()),
        (Field::new("item", DataType::Float16, false), float16),
        (
            extension(
                Field::new("x", DataType::UInt16, true),
                "bowstring.bfloat16",
                "",
            ),
            bits,
        ),
    ];
    let shapes = lists(Arc::new(Int64Array::from(vec![3, 128, 3, 128])), &[2, 2]);
    let mut tables = Vec::new();
    for (item, values) in items {
        let item = Arc::new(item);
        let offsets = OffsetBuffer::from_lengths([384, 384]);
        let list: ArrayRef = Arc::new(ListArray::new(item.clone(), offsets, values.clone(), None));
        let offsets = OffsetBuffer::<i64>::from_lengths([384, 384]);
        let large: ArrayRef = Arc::new(arrow_array::LargeListArray::new(
            item.clone(),
            offsets,
            values.clone(),
            None,
        ));
        let fixed: ArrayRef = Arc::new(FixedSizeListArray::new(
            item.clone(),
            384,
            values.clone(),
            None,
        ));
        for column in [&list, &large, &fixed] {
            tables.push(table(vec![
                (plain("layer_name", &names(2)), names(2)),
                (plain("shape", &shapes), shapes.clone()),
                (plain("weights", column), column.clone()),
            ]));
        }
        let metadata = r#"{"shape":[3,128],"dim_names":["row","column"]}"#;
        tables.push(table(vec![
            (plain("layer_name", &names(2)), names(2)),
            (
                extension(
                    plain("weights", &fixed),
                    "arrow.fixed_shape_tensor",
                    metadata,
                ),
                fixed.clone(),
            ),
        ]));
        let sizes: ArrayRef = Arc::new(FixedSizeListArray::new(
            Arc::new(Field::new("item", DataType::Int32, false)),
            2,
            Arc::new(Int32Array::from(vec![3, 128, 3, 128])),
            None,
        ));
        let fields = Fields::from(vec![plain("data", &list), plain("shape", &sizes)]);
        let variable: ArrayRef = Arc::new(StructArray::new(fields, vec![list, sizes], None));
        let large_names: ArrayRef = Arc::new(LargeStringArray::from(vec!["layer0", "layer1"]));
        tables.push(table(vec![
            (plain("layer_name", &large_names), large_names.clone()),
            (
                extension(
                    plain("weights", &variable),
                    "arrow.variable_shape_tensor",
                    "{}",
                ),
                variable,
            ),
        ]));
    }
    assert_eq!(tables.len(), 15);
    for table in &tables {
        let found = run(table, json.clone()).unwrap().batch;
        assert_eq!(found, expected, "{:?}", table.schema());
        // One row of a slice, so that every column starts at an offset.
        let second = run(&table.slice(1, 1), json.clone()).unwrap().batch;
        assert_eq!(second, expected.slice(1, 1), "{:?}", table.schema());
    }
}

/// Offsets need not start at 0, and null rows may lie over values.
#[test]
fn offsets_and_null_rows_are_respected() {
    let values = Random(5).normals(400);
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let list: ArrayRef = Arc::new(ListArray::new(
        item,
        OffsetBuffer::new(vec![100, 200, 264, 400].into()),
        Arc::new(Float32Array::from(values.clone())),
        Some(NullBuffer::from(vec![true, false, true])),
    ));
    let batch = table(vec![
        (plain("layer_name", &names(3)), names(3)),
        (plain("weights", &list), list),
    ]);
    let quantized = run(&batch, json!({"onInvalid": "skip"})).unwrap();
    assert_eq!(quantized.batch.num_rows(), 2);
    for (row, range) in [(0, 100..200), (1, 264..400)] {
        let alone = one(&values[range.clone()], &[range.len()], json!({}));
        assert_eq!(data(&quantized.batch, row), data(&alone, 0), "row {row}");
    }
    assert_eq!(quantized.failures.len(), 1);
    assert_eq!(
        quantized.failures[0].to_string(),
        "layer \"layer1\" (row 1): expected weights but found null"
    );
    assert_eq!(quantized.failures[0].kind, LayerErrorKind::NullWeights);
}

/// An empty table, an empty layer, one value, constants, zeros, and the ends of float32.
#[test]
fn extremes_come_back() {
    let empty = common::batch(&[]);
    let quantized = run(&empty, json!({})).unwrap();
    assert_eq!(
        (quantized.batch.num_rows(), quantized.failures.len()),
        (0, 0)
    );

    let tiny = f32::from_bits(1);
    for kind in common::kinds() {
        let bits = kind["bitWidth"].as_u64().unwrap();
        let is_ggml = kind["layout"] == "ggml";
        let is_half = is_ggml || kind["scaleType"] == "float16";
        for values in [
            vec![],
            vec![0.0; 256],
            vec![-0.0; 256],
            vec![0.375; 256],
            vec![-3.0; 256],
            vec![tiny; 256],
            vec![-f32::MIN_POSITIVE; 256],
            [tiny, -tiny, 0.0, 1e-40].repeat(64),
            vec![f32::MAX; 256],
            vec![f32::MIN; 256],
            [f32::MAX, f32::MIN].repeat(128),
            [f32::MAX, 0.0, -1.0, 1e-38].repeat(64),
        ] {
            let most = values.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            if is_half && most > 1e4 {
                let batch = common::batch(&[(&values, &[values.len()])]);
                let error = run(&batch, kind.clone()).map(|_| ()).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    "layer \"layer0\" (row 0): expected values whose scales fit a float16 but found larger ones",
                    "{kind}"
                );
                continue;
            }
            let quantized = one(&values, &[values.len()], kind.clone());
            let scales = common::list_of_floats(&quantized, "scales", 0);
            let back = common::back(&quantized);
            if !is_ggml {
                let least = if is_half {
                    2f32.powi(-24)
                } else {
                    f32::MIN_POSITIVE
                };
                assert!(
                    scales.iter().all(|s| (least..=f32::MAX).contains(s)),
                    "{kind} {scales:?}"
                );
            }
            for (x, y) in values.iter().zip(&back) {
                assert!(y.is_finite(), "{kind} {x} {y}");
                if *x == 0.0 && !(is_ggml && bits == 4) {
                    assert_eq!(*y, 0.0, "{kind}");
                }
                let step = f64::from(scales.iter().fold(0.0f32, |most, s| most.max(s.abs())));
                let error = (f64::from(*x) - f64::from(*y)).abs();
                let bound = match (is_ggml, most == f32::MAX) {
                    // ggml's codes are one short on one side; and no code may stand for infinity, so scales at the end
                    // of float32 are smaller than their range asks for.
                    (true, _) | (_, true) => 1.01,
                    (false, false) => 0.502,
                };
                // Of values too small for a float16 scale ggml keeps nothing.
                let vanishing = if is_ggml { 127.0 * 2f64.powi(-25) } else { 0.0 };
                assert!(error <= step * bound + vanishing, "{kind} {x} {y} {step}");
            }
            for name in ["rmse", "max_abs_error", "cosine"] {
                assert!(measure(&quantized, name, 0).is_finite(), "{kind} {name}");
            }
            assert!(!measure(&quantized, "sqnr_db", 0).is_nan(), "{kind}");
        }
    }
}

/// Of a group, a channel or a tensor, and also if the layer is clipped for another reason.
#[test]
fn the_largest_float16_is_the_largest_scale() {
    for bits in [2u8, 4, 8] {
        for scheme in ["asymmetric", "symmetric"] {
            let steps = match scheme {
                "symmetric" => (1 << (bits - 1)) - 1,
                _ => (1 << bits) - 1,
            };
            for granularity in [
                json!({}),
                json!({"granularity": "tensor"}),
                json!({"granularity": "channel"}),
                json!({"granularity": "channel", "axis": 1}),
            ] {
                let mut kind = granularity;
                kind["bitWidth"] = json!(bits);
                kind["scheme"] = json!(scheme);
                kind["scaleType"] = json!("float16");
                let mut clip = kind.clone();
                clip["onInvalid"] = json!("clip");
                let mut values = vec![0.5; 64 * 64];
                values[100] = (steps * 65_504) as f32;
                let scales = |values: &[f32], kind: &Value| {
                    let result = run(&common::batch(&[(values, &[64, 64])]), kind.clone());
                    result.map(|quantized| list_of_floats(&quantized.batch, "scales", 0))
                };
                let found = scales(&values, &kind).unwrap();
                assert_eq!(
                    found.iter().fold(0.0, |most: f32, s| most.max(*s)),
                    65_504.0
                );
                values[100] = (steps * 65_505) as f32;
                let mut nan = values.clone();
                nan[0] = f32::NAN;
                let mut infinite = values.clone();
                infinite[0] = f32::NEG_INFINITY;
                for (values, kind) in [(&values, &kind), (&nan, &clip), (&infinite, &clip)] {
                    assert_eq!(
                        scales(values, kind).unwrap_err().to_string(),
                        "layer \"layer0\" (row 0): expected values whose scales fit a float16 but found larger ones",
                        "{kind}"
                    );
                }
            }
        }
    }
}

/// Their faults are told and clipped as those of float32.
#[test]
fn halves_are_clipped_and_their_faults_told() {
    let values = coarse(300);
    let most = values.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    for (bad, word, good) in [
        (f32::INFINITY, "infinity", most),
        (f32::NEG_INFINITY, "-infinity", -most),
        (f32::NAN, "NaN", 0.0),
    ] {
        let mut values = values.clone();
        values[7] = bad;
        let float16 = values.iter().map(|x| f16::from_f32(*x));
        let float16: ArrayRef = Arc::new(Float16Array::from_iter_values(float16));
        let bits = values.iter().map(|x| bf16::from_f32(*x).to_bits());
        let bits: ArrayRef = Arc::new(UInt16Array::from_iter_values(bits));
        let item = Field::new("item", DataType::UInt16, true);
        for (item, array) in [
            (Field::new("item", DataType::Float16, true), float16),
            (extension(item, "bowstring.bfloat16", ""), bits),
        ] {
            let offsets = OffsetBuffer::from_lengths([300]);
            let list: ArrayRef = Arc::new(ListArray::new(Arc::new(item), offsets, array, None));
            let batch = table(vec![
                (plain("layer_name", &names(1)), names(1)),
                (plain("weights", &list), list),
            ]);
            assert_eq!(
                run(&batch, json!({})).unwrap_err().to_string(),
                format!(
                    "layer \"layer0\" (row 0): weights[7]: expected a finite number but found {word}"
                )
            );
            values[7] = good;
            let found = run(&batch, json!({"onInvalid": "clip"})).unwrap().batch;
            assert_eq!(found, one(&values, &[300], json!({})), "{word}");
        }
    }
}

/// Tensors of a fixed and of a variable shape, both of [3, 128]. Of the second, the row `null` has
/// no data.
fn tensors(values: &[f32], null: Option<usize>) -> [(Field, ArrayRef); 2] {
    let rows = values.len() / 384;
    let array: ArrayRef = Arc::new(Float32Array::from(values.to_vec()));
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let fixed: ArrayRef = Arc::new(FixedSizeListArray::new(
        item.clone(),
        384,
        array.clone(),
        None,
    ));
    let data: ArrayRef = Arc::new(ListArray::new(
        item,
        OffsetBuffer::from_lengths(vec![384; rows]),
        array,
        Some((0..rows).map(|row| Some(row) != null).collect()),
    ));
    let sizes: ArrayRef = Arc::new(FixedSizeListArray::new(
        Arc::new(Field::new("item", DataType::Int32, false)),
        2,
        Arc::new(Int32Array::from([3, 128].repeat(rows))),
        None,
    ));
    let fields = Fields::from(vec![plain("data", &data), plain("shape", &sizes)]);
    let variable: ArrayRef = Arc::new(StructArray::new(fields, vec![data, sizes], None));
    let metadata = r#"{"shape":[3,128]}"#;
    let field = plain("weights", &fixed);
    let other = plain("weights", &variable);
    [
        (
            extension(field, "arrow.fixed_shape_tensor", metadata),
            fixed,
        ),
        (
            extension(other, "arrow.variable_shape_tensor", "{}"),
            variable,
        ),
    ]
}

#[test]
fn a_shape_beside_a_tensor_is_the_tensors_own() {
    let values = coarse(2 * 384);
    let kind = json!({"granularity": "channel"});
    for (field, tensors) in tensors(&values, None) {
        let with = |second: [i64; 2]| {
            let sizes = Int64Array::from(vec![3, 128, second[0], second[1]]);
            let shapes = lists(Arc::new(sizes), &[2, 2]);
            table(vec![
                (plain("layer_name", &names(2)), names(2)),
                (field.clone(), tensors.clone()),
                (plain("shape", &shapes), shapes),
            ])
        };
        let found = run(&with([3, 128]), kind.clone()).unwrap().batch;
        let shape = [3, 128];
        let expected = common::batch(&[(&values[..384], &shape), (&values[384..], &shape)]);
        assert_eq!(found, run(&expected, kind.clone()).unwrap().batch);
        // As many values in other rows would be other channels.
        let error = run(&with([128, 3]), kind.clone()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "layer \"layer1\" (row 1): shape: expected [3, 128], the tensor's own, but found [128, 3]"
        );
    }
}

#[test]
fn a_tensor_without_data_is_null_weights() {
    let values = coarse(3 * 384);
    let [_, (field, column)] = tensors(&values, Some(1));
    let batch = table(vec![
        (plain("layer_name", &names(3)), names(3)),
        (field, column),
    ]);
    let message = "layer \"layer1\" (row 1): expected weights but found null";
    for on_invalid in ["error", "clip"] {
        let error = run(&batch, json!({"onInvalid": on_invalid})).unwrap_err();
        assert_eq!(error.to_string(), message, "{on_invalid}");
    }
    let quantized = run(&batch, json!({"onInvalid": "skip"})).unwrap();
    assert_eq!(quantized.batch.num_rows(), 2);
    assert_eq!(quantized.failures[0].to_string(), message);
    assert_eq!(quantized.failures[0].kind, LayerErrorKind::NullWeights);
}

/// Beside large lists of sizes, too.
#[test]
fn a_null_shape_is_none() {
    let values = coarse(2 * 384);
    let mut shapes = LargeListBuilder::new(Int64Builder::new());
    shapes.append_value([Some(3), Some(128)]);
    shapes.append_null();
    let shapes: ArrayRef = Arc::new(shapes.finish());
    let column = lists(Arc::new(Float32Array::from(values.clone())), &[384, 384]);
    let batch = table(vec![
        (plain("layer_name", &names(2)), names(2)),
        (plain("weights", &column), column),
        (plain("shape", &shapes), shapes),
    ]);
    let expected = common::batch(&[(&values[..384], &[3, 128]), (&values[384..], &[384])]);
    let kind = json!({"granularity": "channel"});
    assert_eq!(
        run(&batch, kind.clone()).unwrap().batch,
        run(&expected, kind).unwrap().batch
    );
}
