//! Models go through every pair of formats.

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use bowstring_quantize::QuantizeError;
use bowstring_weights::{FileOptions, Outcome, Watch, WeightsError, quantize_file};
use common::{back, bytes, floats, ipc, names, opened, parquet, run, safetensors, tensor, write};
use half::{bf16, f16};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

fn model() -> Vec<u8> {
    let half = floats(2 * 64, 3);
    safetensors(&[
        ("norm.weight", "F32", &[64], bytes(&floats(64, 1))),
        ("embed.weight", "F32", &[10, 64], bytes(&floats(640, 2))),
        // The next tensor is at an odd address.
        ("mask", "BOOL", &[3], vec![1, 0, 1]),
        (
            "up.weight",
            "BF16",
            &[2, 64],
            half.iter()
                .flat_map(|value| bf16::from_f32(*value).to_le_bytes())
                .collect(),
        ),
        (
            "down.weight",
            "F16",
            &[2, 64],
            half.iter()
                .flat_map(|value| f16::from_f32(*value).to_le_bytes())
                .collect(),
        ),
        ("steps", "I64", &[], vec![7; 8]),
        ("wide.weight", "F64", &[1, 2], vec![0; 16]),
    ])
}

#[test]
fn a_model_becomes_a_table_of_its_matrices() {
    let directory = tempfile::tempdir().unwrap();
    let input = write(directory.path(), "model.safetensors", &model());
    let mut results = Vec::new();
    for (name, read) in [
        ("out.parquet", parquet as fn(&Path) -> Vec<RecordBatch>),
        ("out.arrow", ipc),
    ] {
        let output = directory.path().join(name);
        let report = run(&input, &output, json!({"bitWidth": 8})).unwrap();
        assert_eq!(report.bytes_in, std::fs::metadata(&input).unwrap().len());
        assert_eq!(report.bytes_out, std::fs::metadata(&output).unwrap().len());
        let outcomes: Vec<(&str, &str, Option<u8>)> = report
            .layers
            .iter()
            .map(|layer| (layer.name.as_str(), layer.outcome.name(), layer.bit_width))
            .collect();
        assert_eq!(
            outcomes,
            [
                ("norm.weight", "left out", None),
                ("embed.weight", "quantized", Some(8)),
                ("mask", "left out", None),
                ("up.weight", "quantized", Some(8)),
                ("down.weight", "quantized", Some(8)),
                ("steps", "left out", None),
                ("wide.weight", "left out", None),
            ]
        );
        let embed = &report.layers[1];
        assert_eq!(
            (embed.dtype.as_str(), &embed.shape[..]),
            ("F32", &[10, 64][..])
        );
        assert_eq!((embed.bytes_in, embed.bytes_out), (2560, 640 + 10 * 6));
        assert!(embed.rmse.unwrap() > 0.0 && embed.cosine.unwrap() > 0.9999);
        let batches = read(&output);
        assert_eq!(
            batches[0]
                .schema()
                .metadata()
                .get("bowstring:quantization_version"),
            Some(&"1".to_owned())
        );
        results.push(back(&batches));
    }
    assert_eq!(results[0], results[1]);
    for (name, count, seed) in [
        ("embed.weight", 640, 2),
        ("up.weight", 128, 3),
        ("down.weight", 128, 3),
    ] {
        for (found, expected) in results[0][name].iter().zip(floats(count, seed)) {
            assert!(
                (found - expected).abs() < 0.01,
                "{name}: {found} {expected}"
            );
        }
    }
    assert_eq!(
        names(directory.path()),
        ["model.safetensors", "out.arrow", "out.parquet"]
    );
}

/// Readers of Parquet that know nothing of Arrow see the entries of the file only.
#[test]
fn a_parquet_file_says_how_to_read_it_without_arrow() {
    let directory = tempfile::tempdir().unwrap();
    let input = write(directory.path(), "model.safetensors", &model());
    let output = directory.path().join("out.parquet");
    run(&input, &output, json!({})).unwrap();
    let file = std::fs::File::open(&output).unwrap();
    let file = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let entries = file.metadata().file_metadata().key_value_metadata();
    let said: HashMap<String, String> = entries
        .unwrap()
        .iter()
        .filter(|entry| entry.key.starts_with("bowstring:"))
        .map(|entry| (entry.key.clone(), entry.value.clone().unwrap()))
        .collect();
    let table = directory.path().join("out.arrow");
    run(&input, &table, json!({})).unwrap();
    let schema = ipc(&table)[0].schema();
    let expected = schema.metadata().iter();
    let expected = expected.map(|(key, text)| (key.clone(), text.clone()));
    assert_eq!(said, expected.collect());
}

#[test]
fn a_model_becomes_a_model_with_everything_else_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let input = write(directory.path(), "model.safetensors", &model());
    let output = directory.path().join("out.safetensors");
    let report = run(&input, &output, json!({})).unwrap();
    assert_eq!(report.bytes_out, std::fs::metadata(&output).unwrap().len());
    let (from, to) = (opened(&input), opened(&output));
    for name in ["norm.weight", "mask", "steps", "wide.weight"] {
        assert_eq!(to.0[name]["dtype"], from.0[name]["dtype"], "{name}");
        assert_eq!(to.0[name]["shape"], from.0[name]["shape"], "{name}");
        assert_eq!(tensor(&to, name), tensor(&from, name), "{name}");
    }
    // What the table has, in tensors.
    let table = directory.path().join("out.arrow");
    run(&input, &table, json!({})).unwrap();
    let layers: Value =
        serde_json::from_str(to.0["__metadata__"]["bowstring:layers"].as_str().unwrap()).unwrap();
    for batch in ipc(&table) {
        let name = batch["layer_name"].as_string::<i32>().value(0);
        let codes = batch["quantized_data"].as_binary::<i64>().value(0);
        let scales = batch["scales"].as_list::<i32>().value(0);
        let scales = scales.as_primitive::<Float32Type>().values().to_vec();
        assert_eq!(tensor(&to, name), codes);
        assert_eq!(to.0[name]["dtype"], "U8");
        assert_eq!(tensor(&to, &format!("{name}.scales")), bytes(&scales));
        assert_eq!(to.0[format!("{name}.zero_points")]["dtype"], "I16");
        assert_eq!(layers[name]["bit_width"], 4);
        assert_eq!(layers[name]["layout"], "onnx");
    }
    // Each tensor is aligned to its type: the widest come first.
    for (name, entry) in to.0.as_object().unwrap() {
        let alignment = match entry["dtype"].as_str() {
            Some("I64" | "F64") => 8,
            Some("F32") => 4,
            Some("I16") => 2,
            _ => 1,
        };
        if let Some(start) = entry["data_offsets"][0].as_u64() {
            assert!(start.is_multiple_of(alignment), "{name}");
        }
    }
    // And it is a model itself, of which nothing is left to quantize.
    let again = run(
        &output,
        &directory.path().join("again.safetensors"),
        json!({}),
    )
    .unwrap();
    assert!(
        again
            .layers
            .iter()
            .all(|layer| layer.outcome == Outcome::Copied)
    );
    // What is quantized in it can still be read.
    let again = opened(&directory.path().join("again.safetensors"));
    let kept = again.0["__metadata__"]["bowstring:layers"].as_str();
    let kept: Value = serde_json::from_str(kept.unwrap()).unwrap();
    assert_eq!(kept.as_object().unwrap().len(), 3);
    for (name, layer) in layers.as_object().unwrap() {
        for (key, value) in layer.as_object().unwrap() {
            match value.as_f64() {
                // Read and written as text, in the precision that it has in a table.
                Some(value) => assert_eq!(kept[name][key].as_f64().unwrap() as f32, value as f32),
                None => assert_eq!(&kept[name][key], value, "{name} {key}"),
            }
        }
    }
}

#[test]
fn a_model_keeps_what_it_says_of_itself() {
    let directory = tempfile::tempdir().unwrap();
    let part = |name: &str, metadata: Value| {
        let header = json!({
            "__metadata__": metadata,
            name: {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
        });
        common::file(&header.to_string(), &[0; 8])
    };
    let said = json!({"format": "mlx", "author": "ada", "odd": 1, "bowstring:packing": "none"});
    write(directory.path(), "1.safetensors", &part("a", said));
    let said = json!({"author": "bob", "licence": "MIT"});
    write(directory.path(), "2.safetensors", &part("b", said));
    write(
        directory.path(),
        "3.safetensors",
        &part("c", json!(["none"])),
    );
    let index = r#"{"weight_map":{"a":"1.safetensors","b":"2.safetensors","c":"3.safetensors"}}"#;
    let index = write(
        directory.path(),
        "model.safetensors.index.json",
        index.as_bytes(),
    );
    let output = directory.path().join("out.safetensors");
    run(&index, &output, json!({})).unwrap();
    let (header, _) = opened(&output);
    let found = &header["__metadata__"];
    assert_eq!(found["format"], "mlx");
    assert_eq!(found["author"], "ada", "the first file's");
    assert_eq!(found["licence"], "MIT");
    assert_eq!(found["odd"], Value::Null, "no text");
    assert!(
        found["bowstring:packing"]
            .as_str()
            .unwrap()
            .starts_with("layouts onnx and mlx: ")
    );
    let said_nothing = directory.path().join("3.safetensors");
    run(&said_nothing, &output, json!({})).unwrap();
    assert_eq!(
        opened(&output).0["__metadata__"]["format"],
        "pt",
        "by default"
    );
}

#[test]
fn vectors_are_quantized_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let input = write(directory.path(), "model.safetensors", &model());
    let output = directory.path().join("out.parquet");
    let report = run(&input, &output, json!({"vectors": true})).unwrap();
    assert_eq!(report.layers[0].outcome, Outcome::Quantized);
    assert_eq!(report.layers[5].outcome, Outcome::LeftOut);
}

#[test]
fn shards_are_one_model() {
    let directory = tempfile::tempdir().unwrap();
    let whole = [("a", 1), ("b", 2), ("c", 3)];
    let part = |layers: &[(&str, u32)]| {
        let tensors: Vec<common::Tensor> = layers
            .iter()
            .map(|(name, seed)| (*name, "F32", &[2u64, 32][..], bytes(&floats(64, *seed))))
            .collect();
        safetensors(&tensors)
    };
    let single = write(directory.path(), "single.safetensors", &part(&whole));
    let model = directory.path().join("model");
    std::fs::create_dir(&model).unwrap();
    write(&model, "model-1.safetensors", &part(&whole[..2]));
    write(&model, "model-2.safetensors", &part(&whole[2..]));
    let index = json!({
        "metadata": {"total_size": 768},
        "weight_map": {"a": "model-1.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"},
    });
    let index = write(
        &model,
        "model.safetensors.index.json",
        index.to_string().as_bytes(),
    );
    let result = |input: &Path| {
        let output = directory.path().join("out.arrow");
        run(input, &output, json!({})).unwrap();
        ipc(&output)
    };
    let expected = result(&single);
    assert_eq!(expected.len(), 3);
    assert_eq!(result(&index), expected);
    assert_eq!(result(&model), expected, "a directory");
}

#[test]
fn layers_that_fail_are_an_error_or_reported() {
    let directory = tempfile::tempdir().unwrap();
    let mut bad = floats(64, 2);
    bad[7] = f32::NAN;
    let model = safetensors(&[
        ("good", "F32", &[2, 32], bytes(&floats(64, 1))),
        ("bad", "F32", &[2, 32], bytes(&bad)),
        ("better", "F32", &[2, 32], bytes(&floats(64, 3))),
    ]);
    let input = write(directory.path(), "model.safetensors", &model);
    let output = directory.path().join("out.parquet");
    let error = run(&input, &output, json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer \"bad\" (row 1): weights[7]: expected a finite number but found NaN"
    );
    assert_eq!(names(directory.path()), ["model.safetensors"]);
    let report = run(&input, &output, json!({"continueOnError": true})).unwrap();
    let outcomes: Vec<&str> = report
        .layers
        .iter()
        .map(|layer| layer.outcome.name())
        .collect();
    assert_eq!(outcomes, ["quantized", "failed", "quantized"]);
    assert_eq!(
        report.layers[1].outcome,
        Outcome::Failed("weights[7]: expected a finite number but found NaN".to_owned())
    );
    // What the file says of it is known all the same.
    assert_eq!(report.layers[1].shape, [2, 32]);
    assert_eq!(
        (report.layers[1].bytes_in, report.layers[1].bytes_out),
        (256, 0)
    );
    let kept: Vec<String> = back(&parquet(&output)).into_keys().collect();
    assert_eq!(kept, ["better", "good"]);
}

#[test]
fn a_cancelled_run_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let input = write(directory.path(), "model.safetensors", &model());
    for output in ["out.parquet", "out.arrow", "out.safetensors"] {
        let watch = Arc::new(Watch::default());
        watch.cancel();
        let output = directory.path().join(output);
        let error = quantize_file(&input, &output, &FileOptions::default(), &watch).unwrap_err();
        assert!(matches!(
            error,
            WeightsError::Quantize(QuantizeError::Cancelled)
        ));
    }
    assert_eq!(names(directory.path()), ["model.safetensors"]);
}
