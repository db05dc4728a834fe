//! Golden data made by others: ONNX's node tests and ggml's blocks.

mod common;

use bowstring_quantize::{CodeType, Target, dequantize_with, quantize_with};
use common::{bytes, data, floats, list_of_floats, one, own, shared};
use serde_json::{Value, json};

/// A tensor of a case.
struct Tensor {
    kind: String,
    shape: Vec<usize>,
    values: Vec<f64>,
    packed: Option<Vec<u8>>,
}

impl Tensor {
    fn of(value: &Value) -> Self {
        let numbers = |name: &str| {
            value[name]
                .as_array()
                .unwrap()
                .iter()
                .map(|n| n.as_f64().unwrap())
        };
        Self {
            kind: value["type"].as_str().unwrap().to_lowercase(),
            shape: numbers("shape").map(|size| size as usize).collect(),
            values: numbers("values").collect(),
            packed: value["packed_hex"].as_str().map(bytes),
        }
    }

    fn code_type(&self) -> Option<CodeType> {
        serde_json::from_value(json!(self.kind)).ok()
    }

    fn floats(&self) -> Vec<f32> {
        self.values.iter().map(|value| *value as f32).collect()
    }

    /// The codes as ONNX packs them.
    fn codes(&self) -> Vec<u8> {
        self.packed
            .clone()
            .unwrap_or_else(|| self.values.iter().map(|code| *code as i64 as u8).collect())
    }
}

/// Runs the integer cases of a file; returns how many, and the names of those out of scope.
fn onnx(cases: &Value) -> (usize, Vec<String>) {
    let (mut run, mut out_of_scope) = (0, Vec::new());
    for case in cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let op = case["op"].as_str().unwrap();
        let inputs: Vec<Tensor> = case["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(Tensor::of)
            .collect();
        let outputs: Vec<Tensor> = case["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(Tensor::of)
            .collect();
        let codes = if op == "DequantizeLinear" {
            &inputs[0]
        } else {
            &outputs[0]
        };
        let Some(code_type) = codes.code_type() else {
            out_of_scope.push(name.to_owned());
            continue;
        };
        // A scale from the operator's own range, for the dynamic one.
        let given = if op == "DynamicQuantizeLinear" {
            &outputs[1..]
        } else {
            &inputs[1..]
        };
        let zero_points = given
            .get(1)
            .map(|t| t.values.iter().map(|zero| *zero as i16).collect::<Vec<_>>());
        let attribute = |name: &str, default: i64| case["attrs"][name].as_i64().unwrap_or(default);
        let target = Target {
            r#type: code_type,
            axis: attribute("axis", 1),
            block_size: attribute("block_size", 0) as usize,
        };
        let (scales, shape) = (given[0].floats(), &inputs[0].shape);
        if op == "DequantizeLinear" {
            let values = dequantize_with(
                &codes.codes(),
                shape,
                &scales,
                zero_points.as_deref(),
                &target,
            )
            .unwrap();
            assert_eq!(values, outputs[0].floats(), "{name}");
        } else {
            let values = inputs[0].floats();
            let found =
                quantize_with(&values, shape, &scales, zero_points.as_deref(), &target).unwrap();
            assert_eq!(found, codes.codes(), "{name}");
        }
        run += 1;
    }
    (run, out_of_scope)
}

/// int16, fp8 and fp4 are out of scope.
const OUT_OF_SCOPE: [&str; 12] = [
    "test_dequantizelinear_e4m3fn",
    "test_dequantizelinear_e4m3fn_float16",
    "test_dequantizelinear_e4m3fn_zero_point",
    "test_dequantizelinear_e5m2",
    "test_dequantizelinear_float4e2m1",
    "test_dequantizelinear_int16",
    "test_dequantizelinear_uint16",
    "test_quantizelinear_blocked_symmetric",
    "test_quantizelinear_e4m3fn",
    "test_quantizelinear_e5m2",
    "test_quantizelinear_float4e2m1",
    "test_quantizelinear_int16",
];

#[test]
fn every_integer_case_of_onnx_is_met_to_the_bit() {
    let (run, mut out_of_scope) = onnx(&own("onnx-cases.json"));
    out_of_scope.retain(|name| name != "test_quantizelinear_uint16");
    out_of_scope.sort();
    assert_eq!(
        (run, out_of_scope),
        (17, OUT_OF_SCOPE.map(str::to_owned).to_vec())
    );
}

#[test]
fn every_integer_case_of_the_shared_oracle_is_met_to_the_bit() {
    let Some(cases) = shared("onnx-quant-cases.json") else {
        return;
    };
    let (run, out_of_scope) = onnx(&cases);
    assert_eq!((run, out_of_scope.len()), (17, 13));
}

/// The dynamic operator's scale and zero point are those of a tensor that is quantized as a whole.
#[test]
fn a_tensor_of_its_own_range_is_onnx_dynamic_quantization() {
    let cases = own("onnx-cases.json");
    let dynamic = cases
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["op"] == "DynamicQuantizeLinear");
    let mut count = 0;
    for case in dynamic {
        let (input, output) = (
            Tensor::of(&case["inputs"][0]),
            Tensor::of(&case["outputs"][0]),
        );
        let options = json!({"bitWidth": 8, "granularity": "tensor"});
        let batch = one(&input.floats(), &input.shape, options);
        assert_eq!(data(&batch, 0), output.codes(), "{}", case["name"]);
        let scale = Tensor::of(&case["outputs"][1]).floats();
        assert_eq!(
            list_of_floats(&batch, "scales", 0),
            scale,
            "{}",
            case["name"]
        );
        count += 1;
    }
    assert_eq!(count, 3);
}

fn ggml(name: &str, values: &[f32], expected: &Value) {
    for (format, bits, scheme) in [
        ("Q8_0", 8, "symmetric"),
        ("Q4_0", 4, "symmetric"),
        ("Q4_1", 4, "asymmetric"),
    ] {
        for set in bowstring_quantize::InstructionSet::available() {
            let options = json!({"bitWidth": bits, "scheme": scheme, "layout": "ggml", "instructionSet": set});
            let batch = one(values, &[values.len()], options);
            assert_eq!(
                data(&batch, 0),
                bytes(expected[format].as_str().unwrap()),
                "{name} {format} {set:?}"
            );
        }
    }
}

#[test]
fn every_block_of_ggml_is_met_to_the_bit() {
    for case in own("ggml-cases.json").as_array().unwrap() {
        ggml(
            case["name"].as_str().unwrap(),
            &floats(case["inputs"].as_str().unwrap()),
            case,
        );
    }
}

/// ggml compares `v < min` from the first value on, so of zeros of both signs the first is the minimum that is stored.
#[test]
fn the_first_of_two_zeros_is_the_minimum() {
    for (zeros, sign) in [([0.0f32, -0.0], 0u8), ([-0.0, 0.0], 0x80)] {
        let mut values = [1.0f32; 32];
        (values[5], values[20]) = (zeros[0], zeros[1]);
        for set in bowstring_quantize::InstructionSet::available() {
            let options = json!({"layout": "ggml", "instructionSet": set});
            let block = data(&one(&values, &[32], options), 0);
            assert_eq!(block[2..4], [0, sign], "{set:?}");
        }
    }
}

#[test]
fn every_block_of_the_shared_oracle_is_met_to_the_bit() {
    let Some(golden) = shared("ggml-golden-256.json") else {
        return;
    };
    ggml(
        "golden",
        &floats(golden["input_f32_hex"].as_str().unwrap()),
        &golden,
    );
}
