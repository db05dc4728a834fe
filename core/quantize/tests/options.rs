//! What each option changes.

mod common;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt8Type};
use arrow_array::{Array, ArrayRef, Float32Array, RecordBatch, StringArray};
use bowstring_quantize::{CodeType, Target, quantize_with};
use common::{Random, back, data, list_of_floats, lists, measure, one, run, zero_points};
use half::f16;
use serde_json::{Value, json};

fn int(batch: &RecordBatch, name: &str, row: usize) -> i32 {
    batch
        .column_by_name(name)
        .unwrap()
        .as_primitive::<Int32Type>()
        .value(row)
}

fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> &'a str {
    batch
        .column_by_name(name)
        .unwrap()
        .as_string::<i32>()
        .value(row)
}

fn bits(batch: &RecordBatch, row: usize) -> u8 {
    batch
        .column_by_name("bit_width")
        .unwrap()
        .as_primitive::<UInt8Type>()
        .value(row)
}

/// How many groups, and what the table says about them.
#[test]
fn granularities_are_what_they_say() {
    let values = Random(21).normals(4 * 6 * 300);
    let shape = [4, 6, 300];
    let cases = [
        (json!({}), 4 * 6 * 3, 128, 2),
        (json!({"groupSize": 32}), 4 * 6 * 10, 32, 2),
        (json!({"groupSize": 64}), 4 * 6 * 5, 64, 2),
        (json!({"groupSize": 256}), 4 * 6 * 2, 256, 2),
        (json!({"granularity": "tensor"}), 1, 0, -1),
        (json!({"granularity": "channel"}), 4, 0, 0),
        (json!({"granularity": "channel", "axis": 1}), 6, 0, 1),
        (json!({"granularity": "channel", "axis": 2}), 300, 0, 2),
        (json!({"granularity": "channel", "axis": -1}), 300, 0, 2),
        (json!({"granularity": "channel", "axis": -3}), 4, 0, 0),
    ];
    for (options, groups, group_size, axis) in cases {
        let batch = one(&values, &shape, options.clone());
        assert_eq!(
            list_of_floats(&batch, "scales", 0).len(),
            groups,
            "{options}"
        );
        assert_eq!(zero_points(&batch, 0).len(), groups, "{options}");
        assert_eq!(int(&batch, "group_size", 0), group_size, "{options}");
        assert_eq!(int(&batch, "axis", 0), axis, "{options}");
    }
    for axis in [3, -4] {
        let batch = common::batch(&[(&values, &shape)]);
        let options = json!({"granularity": "channel", "axis": axis});
        assert_eq!(
            run(&batch, options).unwrap_err().to_string(),
            format!(
                "layer \"layer0\" (row 0): axis: expected one of a tensor of 3 axes but found {axis}"
            )
        );
    }
}

/// The scales of each group are those of its own values, worked out here in float64 one by one.
#[test]
fn scales_and_zero_points_are_those_of_the_range() {
    let (rows, columns, group) = (5, 300, 128);
    let values = Random(22).normals(rows * columns);
    for bits in [2u8, 4, 8] {
        for scheme in ["asymmetric", "symmetric"] {
            let options = json!({"bitWidth": bits, "scheme": scheme});
            let batch = one(&values, &[rows, columns], options.clone());
            let (mut scales, mut zeros) = (Vec::new(), Vec::new());
            for row in values.chunks(columns) {
                for group in row.chunks(group) {
                    let low = group.iter().copied().fold(0.0, f32::min);
                    let high = group.iter().copied().fold(0.0, f32::max);
                    let (low, high) = (f64::from(low), f64::from(high));
                    if scheme == "symmetric" {
                        scales.push((high.max(-low) / f64::from((1 << (bits - 1)) - 1)) as f32);
                        zeros.push(0);
                    } else {
                        let scale = ((high - low) / (2f64.powi(i32::from(bits)) - 1.0)) as f32;
                        scales.push(scale);
                        zeros.push((-low / f64::from(scale)).round_ties_even() as i16);
                    }
                }
            }
            assert_eq!(list_of_floats(&batch, "scales", 0), scales, "{options}");
            assert_eq!(zero_points(&batch, 0), zeros, "{options}");
        }
    }
}

/// All layouts of one rule hold the same codes.
#[test]
fn layouts_differ_in_packing_only() {
    let values = Random(23).normals(4 * 256);
    let shape = [4, 256];
    for bits in [2usize, 4, 8] {
        let with = |layout: &str| one(&values, &shape, json!({"bitWidth": bits, "layout": layout}));
        let (onnx, unpacked, mlx) = (with("onnx"), with("unpacked"), with("mlx"));
        let per_byte = 8 / bits;
        let mut packed = vec![0u8; 4 * 256 / per_byte];
        for (at, code) in data(&unpacked, 0).into_iter().enumerate() {
            packed[at / per_byte] |= code << (at % per_byte * bits);
        }
        assert_eq!(data(&onnx, 0), packed, "{bits}");
        for (batch, layout) in [(&onnx, "onnx"), (&unpacked, "unpacked"), (&mlx, "mlx")] {
            assert_eq!(text(batch, "layout", 0), layout);
            assert_eq!(
                batch.column_by_name("biases").unwrap().is_null(0),
                layout != "mlx"
            );
        }
        // MLX adds a bias, which stands for zero exactly.
        let (scales, biases) = (
            list_of_floats(&mlx, "scales", 0),
            list_of_floats(&mlx, "biases", 0),
        );
        for ((scale, bias), zero) in scales.iter().zip(&biases).zip(zero_points(&mlx, 0)) {
            assert_eq!(f64::from(*bias), -f64::from(zero) * f64::from(*scale));
            assert_eq!(f32::mul_add(f32::from(zero), *scale, *bias), 0.0);
        }
        assert!(data(&mlx, 0).len().is_multiple_of(4));
    }
    let ragged = common::batch(&[(&values[..1000], &[10, 100])]);
    for (layout, group) in [("mlx", 128), ("ggml", 32)] {
        assert_eq!(
            run(&ragged, json!({"layout": layout}))
                .unwrap_err()
                .to_string(),
            format!(
                "layer \"layer0\" (row 0): layout \"{layout}\": expected a last axis of whole groups of {group} but found \
                 100 values"
            )
        );
    }
}

/// Scales have so few bits that a bias is exact whatever the zero point, also where they were
/// searched for.
#[test]
fn biases_are_exact_in_every_group() {
    let values = Random(30).normals(128 * 500);
    for bits in [2u8, 4, 8] {
        for search in ["none", "mse"] {
            let options = json!({"layout": "mlx", "bitWidth": bits, "search": search});
            let batch = one(&values, &[500, 128], options.clone());
            let scales = list_of_floats(&batch, "scales", 0);
            let biases = list_of_floats(&batch, "biases", 0);
            assert_eq!(biases.len(), 500);
            for ((scale, bias), zero) in scales.iter().zip(&biases).zip(zero_points(&batch, 0)) {
                let exact = -f64::from(zero) * f64::from(*scale);
                assert_eq!(f64::from(*bias), exact, "{options}");
                assert!(
                    scale.to_bits().trailing_zeros() >= u32::from(bits),
                    "{options}"
                );
            }
        }
    }
}

/// No padding between rows or groups; the last byte is filled with zeros.
#[test]
fn rows_begin_in_the_middle_of_bytes() {
    let values = [1.0, 2.0, 3.0, -1.0, -2.0, -3.0, 0.5, 0.25, -0.5];
    for (bits, bytes) in [(2u8, 3), (4, 5), (8, 9)] {
        let batch = one(&values, &[3, 3], json!({"bitWidth": bits, "groupSize": 32}));
        let codes = data(
            &one(
                &values,
                &[3, 3],
                json!({"bitWidth": bits, "groupSize": 32, "layout": "unpacked"}),
            ),
            0,
        );
        assert_eq!(codes.len(), 9);
        let mut expected = vec![0u8; bytes];
        for (at, code) in codes.iter().enumerate() {
            expected[at * usize::from(bits) / 8] |= code << (at * usize::from(bits) % 8);
        }
        assert_eq!(data(&batch, 0), expected, "{bits}");
        assert_eq!(list_of_floats(&batch, "scales", 0).len(), 3);
    }
}

#[test]
fn float16_scales_are_float16_and_cover_the_range() {
    let mut random = Random(24);
    for factor in [1e-9f32, 1e-6, 1e-3, 1.0, 1e4] {
        let values: Vec<f32> = random.normals(512).iter().map(|x| x * factor).collect();
        for scheme in ["asymmetric", "symmetric"] {
            for layout in ["onnx", "mlx"] {
                let options = json!({"scaleType": "float16", "scheme": scheme, "layout": layout});
                let half = one(&values, &[512], options.clone());
                let full = one(&values, &[512], json!({"scheme": scheme, "layout": layout}));
                let full = list_of_floats(&full, "scales", 0);
                for (half, full) in list_of_floats(&half, "scales", 0).iter().zip(full) {
                    assert_eq!(f16::from_f32(*half).to_f32(), *half, "{options}");
                    let above = full * 1.001 + 2f32.powi(-24);
                    assert!((full..=above).contains(half), "{options} {half} {full}");
                }
            }
        }
    }
}

#[test]
fn overrides_go_by_name_and_the_last_one_wins() {
    let values = Random(25).normals(256);
    let names: ArrayRef = Arc::new(StringArray::from(vec![
        "model.embed",
        "model.layers.0.attn.q",
        "model.layers.0.mlp.up",
        "model.layers.11.mlp.up",
        "head",
    ]));
    let column = lists(Arc::new(Float32Array::from(values.repeat(5))), &[256; 5]);
    let batch = RecordBatch::try_from_iter([("layer_name", names), ("weights", column)]).unwrap();
    let options = json!({
        "bitWidth": 4,
        "overrides": [
            {"pattern": "*embed", "bitWidth": 8, "granularity": "channel", "axis": -1},
            {"pattern": "model.layers.*.mlp.*", "groupSize": 32, "scheme": "symmetric"},
            {"pattern": "model.layers.1?.*", "bitWidth": 2, "layout": "unpacked"},
            {"pattern": "{head,tail}", "layout": "ggml", "bitWidth": 8},
        ],
    });
    let quantized = run(&batch, options).unwrap().batch;
    let found: Vec<_> = (0..5)
        .map(|row| {
            (
                bits(&quantized, row),
                text(&quantized, "scheme", row),
                int(&quantized, "group_size", row),
                text(&quantized, "layout", row),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (8, "asymmetric", 0, "onnx"),
            (4, "asymmetric", 128, "onnx"),
            (4, "symmetric", 32, "onnx"),
            (2, "symmetric", 32, "unpacked"),
            (8, "symmetric", 32, "ggml"),
        ]
    );
    // A mixed table comes back as each layer alone does.
    let all = bowstring_quantize::dequantize(&quantized, &Default::default(), &Default::default());
    let all = all.unwrap();
    let all = all.column_by_name("weights").unwrap().as_list::<i32>();
    for row in 0..5 {
        let alone = back(&quantized.slice(row, 1));
        let row = all.value(row);
        let row = row.as_primitive::<arrow_array::types::Float32Type>();
        assert_eq!(&row.values()[..], alone);
    }
}

#[test]
fn min_cosine_falls_back_to_wider_codes() {
    let values = Random(26).normals(1024);
    let cosine_of = |bits: u8| {
        measure(
            &one(&values, &[1024], json!({"bitWidth": bits})),
            "cosine",
            0,
        )
    };
    let (two, four, eight) = (cosine_of(2), cosine_of(4), cosine_of(8));
    assert!(two < four && four < eight);
    let cases = [
        (2, -1.0, 2),
        (2, two, 2),
        (2, two + 1e-6, 4),
        (4, four + 1e-6, 8),
        (2, four + 1e-6, 8),
        // Nothing is wide enough; the widest is what there is.
        (2, 1.0, 8),
        (8, 1.0, 8),
    ];
    for statistics in [true, false] {
        for (start, wanted, expected) in cases {
            let options = json!({"bitWidth": start, "minCosine": wanted, "statistics": statistics});
            let batch = one(&values, &[1024], options.clone());
            assert_eq!(bits(&batch, 0), expected, "{options}");
            let plain = one(
                &values,
                &[1024],
                json!({"bitWidth": expected, "statistics": statistics}),
            );
            assert_eq!(batch, plain, "{options}");
        }
    }
    // ggml's wider block is Q8_0, and each layer falls back on its own.
    let ggml = one(
        &values,
        &[1024],
        json!({"layout": "ggml", "minCosine": 0.9999}),
    );
    assert_eq!((bits(&ggml, 0), text(&ggml, "scheme", 0)), (8, "symmetric"));
    let exact: Vec<f32> = (0..1024).map(|at| (at % 16) as f32).collect();
    let batch = common::batch(&[(&values, &[1024]), (&exact, &[1024])]);
    let batch = run(&batch, json!({"minCosine": 0.9999})).unwrap().batch;
    assert_eq!((bits(&batch, 0), bits(&batch, 1)), (8, 4));
}

fn weighted_error(values: &[f32], back: &[f32], weights: &[f32]) -> f64 {
    let terms = values.iter().zip(back).enumerate().map(|(at, (x, y))| {
        f64::from(weights[at % weights.len()]) * (f64::from(*x) - f64::from(*y)).powi(2)
    });
    terms.sum()
}

#[test]
fn search_and_importance_lower_what_they_are_to_lower() {
    let (rows, columns) = (16, 256);
    let values = Random(27).normals(rows * columns);
    let importance: Vec<f32> = (0..columns)
        .map(|at| if at % 5 == 0 { 40.0 } else { 0.1 })
        .collect();
    let with_importance = |weights: &[f32]| {
        let batch = common::batch(&[(&values, &[rows, columns])]);
        let mut columns: Vec<(String, ArrayRef)> = batch
            .schema()
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, column)| (field.name().clone(), column.clone()))
            .collect();
        let weights = lists(
            Arc::new(Float32Array::from(weights.to_vec())),
            &[weights.len()],
        );
        columns.push(("energy".to_owned(), weights));
        RecordBatch::try_from_iter(columns).unwrap()
    };
    for bits in [2, 4, 8] {
        for granularity in [
            json!({}),
            json!({"granularity": "tensor"}),
            json!({"granularity": "channel"}),
            json!({"granularity": "channel", "axis": 1}),
            json!({"layout": "mlx"}),
            json!({"scheme": "symmetric", "scaleType": "float16"}),
        ] {
            let merged = |more: Value| {
                let mut all = granularity.as_object().unwrap().clone();
                all.insert("bitWidth".to_owned(), json!(bits));
                all.extend(more.as_object().unwrap().clone());
                Value::Object(all)
            };
            let back_of =
                |batch: &RecordBatch, options: Value| back(&run(batch, options).unwrap().batch);
            let weighted = with_importance(&importance);
            let plain = back_of(&weighted, merged(json!({})));
            let searched = back_of(&weighted, merged(json!({"search": "mse"})));
            let important = back_of(
                &weighted,
                merged(json!({"search": "mse", "importance": "energy"})),
            );
            let even = |back: &[f32]| weighted_error(&values, back, &[1.0]);
            let uneven = |back: &[f32]| weighted_error(&values, back, &importance);
            // Sums in float32 choose between candidates, so near ties may fall either way: in short groups far.
            assert!(
                even(&searched) <= even(&plain) * 1.000_01,
                "{bits} {granularity}"
            );
            assert!(
                uneven(&important) <= uneven(&searched) * 1.01,
                "{bits} {granularity} {} {}",
                uneven(&important),
                uneven(&searched)
            );
            // A channel along the last axis has 16 values, of one weight; weights that are spread evenly over a tensor
            // do not change its optimum.
            if bits < 8 && granularity["axis"] != 1 {
                assert!(
                    even(&searched) < even(&plain) * 0.99,
                    "{bits} {granularity}"
                );
            }
            if bits < 8 && granularity["granularity"].is_null() {
                assert!(
                    uneven(&important) < uneven(&searched) * 0.99,
                    "{bits} {granularity}"
                );
            }
            // One weight a column says the same as that weight for each value.
            let each = with_importance(&importance.repeat(rows));
            let options = merged(json!({"search": "mse", "importance": "energy"}));
            assert_eq!(back_of(&each, options), important, "{bits} {granularity}");
        }
    }
    let options = json!({"search": "mse", "importance": "energy"});
    for (weights, message) in [
        (
            vec![1.0; 7],
            "importance: expected 256 or 4096 weights but found 7",
        ),
        (
            [vec![1.0; 9], vec![-1.0; 247]].concat(),
            "importance[9]: expected a number from 0 to 1e12 but found -1",
        ),
        (
            vec![f32::NAN; 256],
            "importance[0]: expected a number from 0 to 1e12 but found NaN",
        ),
    ] {
        assert_eq!(
            run(&with_importance(&weights), options.clone())
                .unwrap_err()
                .to_string(),
            format!("layer \"layer0\" (row 0): {message}")
        );
    }
    // Of a layer of one row, one weight a column and one a value are the same number.
    let importance: ArrayRef = lists(Arc::new(Float32Array::from(vec![1.0; 7])), &[7]);
    let mut columns = common::batch(&[(&[0.5; 64], &[64])]).columns().to_vec();
    columns.push(importance);
    let names = ["layer_name", "weights", "shape", "energy"];
    let one = RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
    assert_eq!(
        run(&one, options).unwrap_err().to_string(),
        "layer \"layer0\" (row 0): importance: expected 64 weights but found 7"
    );
}

/// The stored scales and zero points give the stored codes, by the bare primitive.
#[test]
fn the_primitive_gives_the_same_codes_from_the_stored_scales() {
    let (rows, columns) = (12, 200);
    let values = Random(29).normals(rows * columns);
    for bits in [2, 4, 8] {
        for scheme in ["asymmetric", "symmetric"] {
            for (granularity, axis, block_size) in [
                (json!({}), 1, 128),
                (json!({"groupSize": 32}), 1, 32),
                (json!({"granularity": "tensor"}), 0, 0),
                (json!({"granularity": "channel"}), 0, 0),
                (json!({"granularity": "channel", "axis": 1}), 1, 0),
                (json!({"search": "mse"}), 1, 128),
            ] {
                let mut options = granularity.clone();
                options["bitWidth"] = json!(bits);
                options["scheme"] = json!(scheme);
                let batch = one(&values, &[rows, columns], options.clone());
                let name = format!("{}int{bits}", if scheme == "symmetric" { "" } else { "u" });
                let r#type: CodeType = serde_json::from_value(json!(name)).unwrap();
                let codes = quantize_with(
                    &values,
                    &[rows, columns],
                    &list_of_floats(&batch, "scales", 0),
                    Some(&zero_points(&batch, 0)),
                    &Target {
                        r#type,
                        axis,
                        block_size,
                    },
                );
                let found = codes.unwrap();
                if options["search"] == "mse" && scheme == "symmetric" {
                    // A searched scale need not cover the range: ONNX's lowest code is one below the symmetric one.
                    assert_eq!(found.len(), data(&batch, 0).len());
                    continue;
                }
                assert_eq!(found, data(&batch, 0), "{options}");
            }
        }
    }
}
