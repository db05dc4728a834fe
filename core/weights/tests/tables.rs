//! Tables of weights in Parquet files and in Arrow files and streams.

mod common;

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray, UInt16Array};
use arrow_buffer::OffsetBuffer;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat_batches;
use bowstring_quantize::{Control, dequantize, quantize};
use bowstring_weights::{FileOptions, Outcome, Watch, quantize_file};
use common::{
    Row, back, bytes, floats, ipc, lists, parquet, run, safetensors, table, write, write_batches,
};
use half::bf16;
use parquet::arrow::ArrowWriter;
use serde_json::json;

/// A table of weights: what dequantization gives.
fn weights(directory: &Path) -> RecordBatch {
    let tensors: Vec<common::Tensor> = vec![
        ("a", "F32", &[2, 64], bytes(&floats(128, 1))),
        ("b", "F32", &[4, 32], bytes(&floats(128, 2))),
    ];
    let input = write(directory, "weights.safetensors", &safetensors(&tensors));
    let output = directory.join("weights.arrow");
    run(&input, &output, json!({"bitWidth": 8})).unwrap();
    let batches = ipc(&output);
    let batch = concat_batches(&batches[0].schema(), &batches).unwrap();
    std::fs::remove_file(output).unwrap();
    dequantize(&batch, &Default::default(), &Control::default()).unwrap()
}

fn write_parquet(path: &Path, batch: RecordBatch) {
    let file = File::create(path).unwrap();
    let writer = ArrowWriter::try_new(file, batch.schema(), None);
    write_batches(writer.unwrap(), [batch]);
}

#[test]
fn tables_of_weights_are_read_from_parquet_and_arrow() {
    let directory = tempfile::tempdir().unwrap();
    let batch = weights(directory.path());
    let path = |name: &str| directory.path().join(name);
    let schema = batch.schema();
    let create = |name: &str| File::create(path(name)).unwrap();
    write_parquet(&path("w.parquet"), batch.clone());
    let file = FileWriter::try_new(create("w.arrow"), &schema);
    write_batches(file.unwrap(), [batch.slice(0, 1), batch.slice(1, 1)]);
    let stream = StreamWriter::try_new(create("w.arrows"), &schema);
    write_batches(stream.unwrap(), [batch]);
    let mut results = Vec::new();
    for name in ["w.parquet", "w.arrow", "w.arrows"] {
        let watch = Watch::default();
        let options = FileOptions::default();
        let output = path("out.arrow");
        let report = quantize_file(&path(name), &output, &options, &watch).unwrap();
        let layers: Vec<(&str, &str, &[u64])> = report
            .layers
            .iter()
            .map(|layer| (layer.name.as_str(), layer.dtype.as_str(), &layer.shape[..]))
            .collect();
        assert_eq!(
            layers,
            [("a", "F32", &[2, 64][..]), ("b", "F32", &[4, 32][..])],
            "{name}"
        );
        let progress = watch.progress();
        assert_eq!(
            (progress.layers_total, progress.layers_done),
            (2, 2),
            "{name}"
        );
        assert_eq!(
            (progress.values_total, progress.values_done),
            (256, 256),
            "{name}"
        );
        results.push(back(&ipc(&output)));
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

#[test]
fn bfloat16_is_known_in_tables_too() {
    let directory = tempfile::tempdir().unwrap();
    let item = Field::new("item", DataType::UInt16, false).with_metadata(HashMap::from([(
        "ARROW:extension:name".to_owned(),
        "bowstring.bfloat16".to_owned(),
    )]));
    let bits = floats(64, 5)
        .into_iter()
        .map(|value| bf16::from_f32(value).to_bits());
    let weights = ListArray::new(
        Arc::new(item),
        OffsetBuffer::from_lengths([64]),
        Arc::new(UInt16Array::from_iter_values(bits)),
        None,
    );
    let columns = [
        ("layer_name", Arc::new(StringArray::from(vec!["w"])) as _),
        ("weights", Arc::new(weights) as _),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = directory.path().join("w.parquet");
    write_parquet(&path, batch);
    let output = directory.path().join("out.parquet");
    let report = run(&path, &output, json!({"bitWidth": 8})).unwrap();
    assert_eq!(report.layers[0].dtype, "BF16");
    assert_eq!(report.layers[0].bytes_in, 128);
    for (found, expected) in back(&parquet(&output))["w"].iter().zip(floats(64, 5)) {
        assert!((found - expected).abs() < 0.02, "{found} {expected}");
    }
}

#[test]
fn layers_that_fail_are_told_from_the_others_of_their_batch() {
    let with = |mut values: Vec<f32>, at: usize, value: f32| {
        values[at] = value;
        values
    };
    let good = |seed| floats(64, seed);
    let row = |name: &str, shape, values| (name.to_owned(), shape, values);
    let (shape, other): (&[u64], &[u64]) = (&[2, 32], &[2, 33]);
    let rows: [Row; 6] = [
        row("a", shape, good(1)),
        row("b", shape, with(good(2), 7, f32::NAN)),
        row("c", other, good(3)),
        row("d", shape, good(4)),
        row("e", shape, with(good(5), 0, f32::INFINITY)),
        row("f", shape, good(6)),
    ];
    let failed = [
        ("b", "weights[7]: expected a finite number but found NaN"),
        (
            "c",
            "shape: expected sizes whose product is 64 but found [2, 33]",
        ),
        (
            "e",
            "weights[0]: expected a finite number but found infinity",
        ),
    ];
    let batch = table(&rows);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    write_parquet(&path("w.parquet"), batch.clone());
    // In three, of one of which nothing is left.
    for (name, sizes) in [("one.arrow", &[6][..]), ("three.arrow", &[1, 1, 4])] {
        let writer = FileWriter::try_new(File::create(path(name)).unwrap(), &batch.schema());
        let mut at = 0;
        let batches = sizes.iter().map(|size| {
            at += size;
            batch.slice(at - size, *size)
        });
        write_batches(writer.unwrap(), batches);
    }
    let good = [&rows[0], &rows[3], &rows[5]].map(Clone::clone);
    let expected = quantize(&table(&good), &Default::default(), &Control::default());
    let expected = back(&[expected.unwrap().batch]);

    for input in ["w.parquet", "one.arrow", "three.arrow"] {
        for (output, read) in [
            ("out.parquet", parquet as fn(&Path) -> Vec<RecordBatch>),
            ("out.arrow", ipc),
        ] {
            let what = format!("{input} to {output}");
            let options = json!({"continueOnError": true});
            let report = run(&path(input), &path(output), options).unwrap();
            assert_eq!(report.layers.len(), rows.len(), "{what}");
            for (layer, (name, ..)) in report.layers.iter().zip(&rows) {
                assert_eq!(layer.name, *name, "{what}");
                assert_eq!(layer.dtype, "F32", "{what}");
                let (outcome, shape, sizes, bits) =
                    match failed.iter().find(|(failed, _)| failed == name) {
                        Some((_, message)) => (
                            Outcome::Failed((*message).to_owned()),
                            &[][..],
                            (0, 0),
                            None,
                        ),
                        None => (Outcome::Quantized, &[2, 32][..], (256, 32 + 2 * 6), Some(4)),
                    };
                assert_eq!(layer.outcome, outcome, "{what}");
                assert_eq!(layer.shape, shape, "{what}");
                assert_eq!((layer.bytes_in, layer.bytes_out), sizes, "{what}");
                assert_eq!(layer.bit_width, bits, "{what}");
                let is_measured = (layer.rmse.is_some(), layer.cosine.is_some());
                assert_eq!(is_measured, (bits.is_some(), bits.is_some()), "{what}");
            }
            let batches = read(&path(output));
            let names: Vec<String> = batches
                .iter()
                .flat_map(|batch| batch["layer_name"].as_string::<i32>().iter().flatten())
                .map(str::to_owned)
                .collect();
            assert_eq!(names, ["a", "d", "f"], "{what}");
            assert_eq!(back(&batches), expected, "{what}");
        }
        // Rows are counted over the file, those that are left out too.
        let options = json!({"onInvalid": "skip"});
        let error = run(&path(input), &path("no.arrow"), options).unwrap_err();
        let (name, message) = failed[1];
        assert_eq!(
            error.to_string(),
            format!("layer \"{name}\" (row 2): {message}"),
            "{input}"
        );
        assert!(!path("no.arrow").exists());
    }
}

#[test]
fn a_column_of_importance_weights_the_search() {
    let rows: [Row; 2] = [
        ("a".to_owned(), &[4, 64], floats(4 * 64, 1)),
        ("b".to_owned(), &[4, 32], floats(4 * 32, 2)),
    ];
    // The first half of each row matters, the rest does not.
    let weights = [64, 32].map(|count| {
        let halves = [vec![1.0; count / 2], vec![0.0; count / 2]];
        halves.concat()
    });
    let batch = table(&rows);
    let mut columns: Vec<(&str, ArrayRef)> = ["layer_name", "weights", "shape"]
        .map(|name| (name, batch[name].clone()))
        .into();
    columns.push(("salience", lists(&weights)));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    write_parquet(&path("w.parquet"), batch.clone());
    let writer = FileWriter::try_new(File::create(path("w.arrow")).unwrap(), &batch.schema());
    write_batches(writer.unwrap(), [batch.clone()]);

    let plain = json!({"bitWidth": 2, "search": "mse"});
    let mut weighted = plain.clone();
    weighted["importance"] = json!("salience");
    let options = serde_json::from_value(weighted.clone()).unwrap();
    let expected = quantize(&batch, &options, &Control::default()).unwrap();
    let expected = back(&[expected.batch]);
    // Of the values that matter.
    let squares = |found: &[f32], (_, shape, values): &Row| -> f64 {
        let last = shape[1] as usize;
        let errors = found.iter().zip(values).enumerate();
        let errors = errors.filter(|(at, _)| at % last < last / 2);
        errors.map(|(_, (a, b))| f64::from(a - b).powi(2)).sum()
    };
    for input in ["w.parquet", "w.arrow"] {
        let result = |options| {
            run(&path(input), &path("out.arrow"), options).unwrap();
            back(&ipc(&path("out.arrow")))
        };
        let (found, without) = (result(weighted.clone()), result(plain.clone()));
        assert_eq!(found, expected, "{input}");
        for row in &rows {
            let [found, without] = [&found, &without].map(|all| squares(&all[&row.0], row));
            assert!(found < without, "{input}: {} {found} {without}", row.0);
        }
    }
}

/// Weights that are few different values are a hundredth of themselves in a file with a dictionary.
#[test]
fn batches_are_as_short_as_their_weights_ask_for_not_as_the_file() {
    const COUNT: usize = 2 << 20;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    // 8 MiB each, four of which are what a batch may have.
    let weights = ListArray::new(
        Arc::new(Field::new("item", DataType::Float32, false)),
        OffsetBuffer::from_lengths([COUNT; 5]),
        Arc::new(Float32Array::from(vec![0.5; 5 * COUNT])),
        None,
    );
    let names = StringArray::from_iter_values(["a", "b", "c", "d", "e"]);
    let columns = [
        ("layer_name", Arc::new(names) as ArrayRef),
        ("weights", Arc::new(weights)),
    ];
    write_parquet(
        &path("w.parquet"),
        RecordBatch::try_from_iter(columns).unwrap(),
    );
    assert!(path("w.parquet").metadata().unwrap().len() < 1 << 20);
    let options = json!({"granularity": "tensor", "statistics": false});
    run(&path("w.parquet"), &path("out.arrow"), options).unwrap();
    // Of each batch that is read, one is written.
    let rows: Vec<usize> = ipc(&path("out.arrow"))
        .iter()
        .map(RecordBatch::num_rows)
        .collect();
    assert_eq!(rows, [4, 1]);
}
