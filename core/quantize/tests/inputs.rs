//! What the weights may come in.

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float16Array, Float32Array, Int32Array, Int64Array,
    LargeStringArray, ListArray, StructArray, UInt16Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use bowstring_quantize::LayerErrorKind;
use common::{Random, data, lists, measure, names, one, plain, run, table};
use half::{bf16, f16};
use serde_json::json;

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
