//! What holds for all values, by random search.

mod common;

use bowstring_quantize::{CodeType, InstructionSet, Target, dequantize_with, quantize_with};
use common::{back, data, list_of_floats, measure, one, zero_points};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Finite values: of one magnitude, of very different ones, with ties, with zeros.
fn values(count: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![
        4 => -4.0f32..4.0,
        2 => (-64i32..64).prop_map(|steps| steps as f32 / 8.0),
        1 => (-30i32..30, -1.0f32..1.0).prop_map(|(power, x)| x * 2f32.powi(power)),
        1 => Just(0.0),
    ];
    // A scale for all of them, of which some are far from 1.
    (proptest::collection::vec(value, count), -120i32..90)
        .prop_map(|(values, power)| values.iter().map(|x| x * 2f32.powi(power)).collect())
}

fn affine() -> impl Strategy<Value = Value> {
    let granularity = prop_oneof![
        Just(json!({"groupSize": 32})),
        Just(json!({})),
        Just(json!({"granularity": "tensor"})),
        Just(json!({"granularity": "channel"})),
        Just(json!({"granularity": "channel", "axis": 1})),
    ];
    let bits = prop_oneof![Just(2u8), Just(4), Just(8)];
    (granularity, bits, any::<bool>(), any::<bool>()).prop_map(
        |(mut json, bits, symmetric, plain)| {
            json["bitWidth"] = json!(bits);
            json["scheme"] = json!(if symmetric { "symmetric" } else { "asymmetric" });
            json["layout"] = json!(if plain { "unpacked" } else { "onnx" });
            json
        },
    )
}

/// The index of the scale of the value at `at` of a tensor of `columns` columns.
fn group_of(json: &Value, at: usize, columns: usize) -> usize {
    let (row, column) = (at / columns, at % columns);
    match (json["granularity"].as_str(), json["axis"].as_i64()) {
        (Some("tensor"), _) => 0,
        (Some(_), Some(_)) => column,
        (Some(_), None) => row,
        (None, _) => {
            let group = json["groupSize"].as_u64().unwrap_or(128) as usize;
            row * columns.div_ceil(group) + column / group
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// The scale is no coarser than the range asks for, so no value is further than half a step from its code; a few
    /// units of the code's own rounding are beside it.
    #[test]
    fn no_error_exceeds_half_a_step(values in values(1..700), columns in 1usize..300, json in affine()) {
        let rows = values.len().div_ceil(columns);
        let mut values = values;
        values.resize(rows * columns, 0.0);
        let batch = one(&values, &[rows, columns], json.clone());
        let (scales, back) = (list_of_floats(&batch, "scales", 0), back(&batch));
        let mut largest = 0.0f64;
        for (at, (x, y)) in values.iter().zip(&back).enumerate() {
            let scale = f64::from(scales[group_of(&json, at, columns)]);
            let (x, y) = (f64::from(*x), f64::from(*y));
            let rounding = (x.abs() + 256.0 * scale) * 2.0 * f64::from(f32::EPSILON);
            prop_assert!((x - y).abs() <= scale / 2.0 + rounding, "{} {} {}", x, y, scale);
            if x == 0.0 {
                prop_assert_eq!(y, 0.0);
            }
            largest = largest.max((x - y).abs());
        }
        let said = f64::from(measure(&batch, "max_abs_error", 0));
        // It is that of the exact product of code and scale, before its rounding.
        let most = back.iter().fold(0.0f64, |most, y| most.max(f64::from(y.abs())));
        let rounding = largest * 1e-6 + most * f64::from(f32::EPSILON) / 2.0;
        prop_assert!((said - largest).abs() <= rounding, "{} {}", said, largest);
    }

    /// Each step to wider codes divides the bound by at least four.
    #[test]
    fn the_bound_shrinks_with_wider_codes(values in values(1..300), scheme in prop_oneof![Just("asymmetric"), Just("symmetric")]) {
        let bound = |bits: u8| {
            let batch = one(&values, &[values.len()], json!({"bitWidth": bits, "scheme": scheme, "groupSize": 32}));
            list_of_floats(&batch, "scales", 0)
        };
        let (two, four, eight) = (bound(2), bound(4), bound(8));
        let shrinks = |wide: f32, narrow: f32| wide <= (narrow / 4.0).max(f32::MIN_POSITIVE);
        for ((two, four), eight) in two.iter().zip(&four).zip(&eight) {
            prop_assert!(shrinks(*four, *two) && shrinks(*eight, *four), "{} {} {}", two, four, eight);
        }
    }

    /// The stored scales give the stored codes; and what comes back quantizes to the same codes again.
    #[test]
    fn the_stored_scales_give_the_same_codes(values in values(1..700), columns in 1usize..300, json in affine()) {
        let rows = values.len().div_ceil(columns);
        let mut values = values;
        values.resize(rows * columns, 0.0);
        let mut json = json;
        json["layout"] = json!("onnx");
        let batch = one(&values, &[rows, columns], json.clone());
        let (axis, block_size) = match (json["granularity"].as_str(), json["axis"].as_i64()) {
            (Some(_), Some(axis)) => (axis, 0),
            (Some(_), None) => (0, 0),
            (None, _) => (1, json["groupSize"].as_u64().unwrap_or(128) as usize),
        };
        let sign = if json["scheme"] == "symmetric" { "int" } else { "uint" };
        let r#type: CodeType = serde_json::from_value(json!(format!("{sign}{}", json["bitWidth"]))).unwrap();
        let target = Target { r#type, axis, block_size };
        let (scales, zeros) = (list_of_floats(&batch, "scales", 0), zero_points(&batch, 0));
        let shape = [rows, columns];
        let again = quantize_with(&values, &shape, &scales, Some(&zeros), &target).unwrap();
        let codes = data(&batch, 0);
        prop_assert_eq!(&again, &codes);
        let values = dequantize_with(&codes, &shape, &scales, Some(&zeros), &target).unwrap();
        prop_assert_eq!(&values, &back(&batch));
        prop_assert_eq!(&quantize_with(&values, &shape, &scales, Some(&zeros), &target).unwrap(), &codes);
    }

    /// The bare primitive is ONNX's sentence, value by value, for any scale and zero point.
    #[test]
    fn the_primitive_is_the_rule(
        values in values(1..400),
        scale in prop_oneof![0.001f32..10.0, Just(0.5f32), Just(1e-30f32), Just(1e30f32)],
        zero in -128i16..256,
        block in 1usize..64,
    ) {
        for (r#type, low, high) in [
            (CodeType::Int8, -128i16, 127), (CodeType::Uint8, 0, 255),
            (CodeType::Int4, -8, 7), (CodeType::Uint4, 0, 15),
            (CodeType::Int2, -2, 1), (CodeType::Uint2, 0, 3),
        ] {
            let zero = zero.clamp(low, high);
            let blocks = values.len().div_ceil(block);
            let scales: Vec<f32> = (0..blocks).map(|at| scale * (1.0 + at as f32 / 7.0)).collect();
            let target = Target { r#type, axis: 0, block_size: block };
            let zeros = vec![zero; blocks];
            let found = quantize_with(&values, &[values.len()], &scales, Some(&zeros), &target).unwrap();
            let bits = match high - low { 255 => 8, 15 => 4, _ => 2 };
            let mut expected = vec![0u8; (values.len() * bits).div_ceil(8)];
            for (at, x) in values.iter().enumerate() {
                let steps = (x / scales[at / block]).round_ties_even();
                let code = (f64::from(steps) + f64::from(zero)).clamp(f64::from(low), f64::from(high)) as i16;
                let code = (code as u8) & (255u16 >> (8 - bits)) as u8;
                expected[at * bits / 8] |= code << (at * bits % 8);
            }
            prop_assert_eq!(found, expected);
        }
    }

    /// Every instruction set writes every column to the bit.
    #[test]
    fn every_instruction_set_agrees(values in values(1..1500), columns in 1usize..400, json in affine(), search in any::<bool>(), statistics in any::<bool>()) {
        let rows = values.len().div_ceil(columns);
        let mut values = values;
        values.resize(rows * columns, 0.25);
        let with = |set: InstructionSet| {
            let mut json = json.clone();
            json["instructionSet"] = json!(set);
            json["statistics"] = json!(statistics);
            if search {
                json["search"] = json!("mse");
            }
            one(&values, &[rows, columns], json)
        };
        let expected = with(InstructionSet::Portable);
        for set in InstructionSet::available() {
            prop_assert_eq!(&with(set), &expected, "{:?}", set);
        }
    }
}
