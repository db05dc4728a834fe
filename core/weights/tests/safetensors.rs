//! What a safetensors result holds, as a stranger finds it.

mod common;

use std::collections::BTreeMap;
use std::fs::File;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_ipc::writer::FileWriter;
use common::{
    Row, back, floats, ipc, opened, run, safetensors, table, tensor, write, write_batches,
};
use serde_json::{Value, json};

/// The bytes of a tensor, of which the header has to say this type and one axis.
fn list<'a>(file: &'a (Value, Vec<u8>), name: &str, dtype: &str, size: usize) -> &'a [u8] {
    let found = tensor(file, name);
    assert_eq!(file.0[name]["dtype"], dtype, "{name}");
    assert_eq!(file.0[name]["shape"], json!([found.len() / size]), "{name}");
    found
}

fn numbers<const N: usize, T>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .chunks_exact(N)
        .map(|chunk| from(chunk.try_into().unwrap()))
        .collect()
}

/// What the metadata says of the layers.
fn layers((header, _): &(Value, Vec<u8>)) -> BTreeMap<String, Value> {
    let text = header["__metadata__"]["bowstring:layers"].as_str().unwrap();
    serde_json::from_str(text).unwrap()
}

/// The values of a layer, from its tensors and what the metadata says, and nothing of the library.
fn read(file: &(Value, Vec<u8>), name: &str, layer: &Value) -> Vec<f32> {
    let text = |key: &str| layer[key].as_str().unwrap();
    let int = |key: &str| layer[key].as_i64().unwrap();
    let (layout, bits, axis) = (text("layout"), int("bit_width") as usize, int("axis"));
    let group_size = int("group_size") as usize;
    let is_symmetric = match text("scheme") {
        "symmetric" => true,
        "asymmetric" => false,
        other => panic!("a scheme of {other}"),
    };
    let shape = layer["shape"].as_array().unwrap();
    let shape: Vec<usize> = shape
        .iter()
        .map(|size| size.as_u64().unwrap() as usize)
        .collect();
    let beside = |suffix: &str| format!("{name}.{suffix}");
    let data = list(file, name, "U8", 1);
    let scales = numbers(list(file, &beside("scales"), "F32", 4), f32::from_le_bytes);
    let zeros = numbers(
        list(file, &beside("zero_points"), "I16", 2),
        i16::from_le_bytes,
    );
    assert_eq!(zeros.len(), scales.len(), "{name}");
    // A tensor for each group, where there is one.
    let is_q4_1 = layout == "ggml" && bits == 4 && !is_symmetric;
    let has_biases = file.0.get(beside("biases")).is_some();
    assert_eq!(has_biases, layout == "mlx" || is_q4_1, "{name}");
    let biases =
        has_biases.then(|| numbers(list(file, &beside("biases"), "F32", 4), f32::from_le_bytes));

    let code = |at: usize| match layout {
        "onnx" | "mlx" => data[at * bits / 8] >> (at * bits % 8) & (0xff >> (8 - bits)),
        "unpacked" => data[at],
        "ggml" => {
            let (block, at) = (at / 32, at % 32);
            let half = |bytes: usize, head: usize| {
                data[block * bytes + head + at % 16] >> (at / 16 * 4) & 15
            };
            match (bits, is_symmetric) {
                (8, _) => data[block * 34 + 2 + at],
                (_, true) => half(18, 2),
                (_, false) => half(20, 4),
            }
        }
        other => panic!("a layout of {other}"),
    };
    let is_signed = match layout {
        "ggml" => bits == 8,
        "mlx" => false,
        _ => is_symmetric,
    };
    let number = |code: u8| {
        // An unpacked code is a byte, sign and all.
        let unused = if layout == "unpacked" { 0 } else { 8 - bits };
        match is_signed {
            true => i32::from(((code << unused) as i8) >> unused),
            false => i32::from(code),
        }
    };
    let last = shape[shape.len() - 1];
    let group = |at: usize| match (axis, group_size) {
        (-1, _) => 0,
        (axis, 0) => {
            let axis = axis as usize;
            at / shape[axis + 1..].iter().product::<usize>() % shape[axis]
        }
        _ => at / last * last.div_ceil(group_size) + at % last / group_size,
    };
    let value = |at: usize| {
        let (code, g) = (number(code(at)), group(at));
        let by_zero = (code - i32::from(zeros[g])) as f32 * scales[g];
        let by_bias = biases
            .as_ref()
            .map(|biases| code as f32 * scales[g] + biases[g]);
        match by_bias {
            Some(by_bias) if is_q4_1 => by_bias,
            Some(by_bias) => {
                // Two ways to the same value, which round differently.
                let difference = (by_bias - by_zero).abs();
                assert!(difference <= scales[g] * 1e-4, "{name}: {difference}");
                by_zero
            }
            None => by_zero,
        }
    };
    (0..shape.iter().product()).map(value).collect()
}

/// The ways to quantize a layer that change what its result looks like.
fn kinds() -> Vec<Value> {
    let mut kinds = Vec::new();
    for bits in [2, 4, 8] {
        for scheme in ["asymmetric", "symmetric"] {
            for mut kind in [
                json!({"groupSize": 64}),
                json!({"granularity": "channel"}),
                json!({"granularity": "channel", "axis": -1}),
                json!({"granularity": "tensor"}),
                json!({"groupSize": 32, "layout": "unpacked"}),
                json!({"groupSize": 32, "layout": "mlx"}),
            ] {
                kind["bitWidth"] = json!(bits);
                kind["scheme"] = json!(scheme);
                kinds.push(kind);
            }
        }
    }
    for (bits, scheme) in [(8, "symmetric"), (4, "symmetric"), (4, "asymmetric")] {
        kinds.push(json!({"bitWidth": bits, "scheme": scheme, "layout": "ggml"}));
    }
    kinds
}

/// A layer of each shape for each kind, `KIND.SHAPE` by name, and the options that make them so.
fn model() -> (Vec<Row>, Value) {
    let mut layers: Vec<Row> = Vec::new();
    let mut overrides = Vec::new();
    for (at, mut kind) in kinds().into_iter().enumerate() {
        let in_whole_groups = kind["layout"] == "mlx" || kind["layout"] == "ggml";
        kind["pattern"] = json!(format!("{at}.*"));
        overrides.push(kind);
        let shapes: [&'static [u64]; 4] = [&[6, 160], &[2, 3, 64], &[96], &[5, 71]];
        for shape in &shapes[..if in_whole_groups { 3 } else { 4 }] {
            let name = format!("{at}.{}", layers.len());
            let values = floats(shape.iter().product::<u64>() as usize, layers.len() as u32);
            layers.push((name, shape, values));
        }
    }
    (layers, json!({"overrides": overrides}))
}

/// A column of measures, by layer.
fn measures(batches: &[RecordBatch], column: &str) -> BTreeMap<String, f32> {
    let rows = batches.iter().flat_map(|batch| {
        let names = batch["layer_name"].as_string::<i32>().iter().flatten();
        let column = batch[column].as_primitive::<Float32Type>();
        names.map(str::to_owned).zip(column.values().to_vec())
    });
    rows.collect()
}

#[test]
fn a_stranger_reads_every_layer_by_its_tensors_and_the_metadata() {
    let directory = tempfile::tempdir().unwrap();
    let (model, options) = model();
    // All in one batch, which the result has to take apart.
    let batch = table(&model);
    let input = directory.path().join("model.arrow");
    let writer = FileWriter::try_new(File::create(&input).unwrap(), &batch.schema());
    write_batches(writer.unwrap(), [batch]);
    let result = |name: &str| {
        let output = directory.path().join(name);
        run(&input, &output, options.clone()).unwrap();
        output
    };
    let file = opened(&result("out.safetensors"));
    let batches = ipc(&result("out.arrow"));
    // How to read them is said in the same words.
    for (key, sentence) in batches[0].schema().metadata() {
        assert_eq!(file.0["__metadata__"][key], json!(sentence), "{key}");
    }
    let expected = back(&batches);
    let (rmses, cosines) = (measures(&batches, "rmse"), measures(&batches, "cosine"));
    let layers = layers(&file);
    assert_eq!(layers.len(), model.len());
    for (name, shape, values) in &model {
        let layer = &layers[name];
        assert_eq!(layer["shape"], json!(shape), "{name}");
        let found = read(&file, name, layer);
        assert_eq!(found, expected[name], "{name}: {layer}");
        // How well it went is that of the table, and true.
        let measure = |key: &str| layer[key].as_f64().unwrap();
        assert_eq!(measure("rmse") as f32, rmses[name], "{name}");
        assert_eq!(measure("cosine") as f32, cosines[name], "{name}");
        // Errors of the size of float32's rounding are measured before it.
        let (rmse, cosine) = compared(values, &found);
        assert!(
            (measure("rmse") - rmse).abs() < 1e-3 * rmse + 1e-7,
            "{name}: {layer} {rmse}"
        );
        assert!(
            (measure("cosine") - cosine).abs() < 1e-5,
            "{name}: {layer} {cosine}"
        );
    }
}

/// The root of the mean squared error, and the cosine similarity.
fn compared(values: &[f32], found: &[f32]) -> (f64, f64) {
    let sum = |term: fn(f64, f64) -> f64| -> f64 {
        let pairs = values.iter().zip(found);
        pairs.map(|(a, b)| term((*a).into(), (*b).into())).sum()
    };
    let squares = sum(|a, b| (a - b) * (a - b));
    (
        (squares / values.len() as f64).sqrt(),
        sum(|a, b| a * b) / (sum(|a, _| a * a) * sum(|_, b| b * b)).sqrt(),
    )
}

/// The types of the format, and the bytes of eight values.
const TYPES: [(&str, usize); 22] = [
    ("BOOL", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("I64", 64),
    ("U64", 64),
    ("F64", 64),
    ("C64", 64),
];

#[test]
fn tensors_of_every_type_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let tensors: Vec<common::Tensor> = TYPES
        .iter()
        .zip(1..)
        .map(|((dtype, size), fill)| (*dtype, *dtype, &[8][..], vec![fill; *size]))
        .collect();
    let input = write(
        directory.path(),
        "model.safetensors",
        &safetensors(&tensors),
    );
    let output = directory.path().join("out.safetensors");
    let report = run(&input, &output, json!({})).unwrap();
    let sizes: Vec<(&str, u64)> = report
        .layers
        .iter()
        .map(|layer| (layer.dtype.as_str(), layer.bytes_out))
        .collect();
    assert_eq!(sizes, TYPES.map(|(dtype, size)| (dtype, size as u64)));
    let file = opened(&output);
    for (name, dtype, shape, bytes) in &tensors {
        assert_eq!(file.0[name]["dtype"], *dtype);
        assert_eq!(file.0[name]["shape"], json!(shape), "{name}");
        assert_eq!(tensor(&file, name), bytes, "{name}");
    }
    // A byte more or less would be of another shape.
    for (dtype, size) in TYPES {
        for size in [size - 1, size + 1] {
            let model = safetensors(&[("a", dtype, &[8], vec![0; size])]);
            let model = write(directory.path(), "odd.safetensors", &model);
            let error = run(&model, &output, json!({})).unwrap_err().to_string();
            let message =
                format!("expected the bytes of {dtype} values of shape [8] but found {size}");
            assert!(error.ends_with(&message), "{error}");
        }
    }
}
