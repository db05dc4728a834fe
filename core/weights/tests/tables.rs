//! Tables of weights in Parquet files and in Arrow files and streams.

mod common;

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ListArray, RecordBatch, StringArray, UInt16Array};
use arrow_buffer::OffsetBuffer;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat_batches;
use bowstring_quantize::{Control, dequantize};
use bowstring_weights::{FileOptions, Watch, quantize_file};
use common::{back, bytes, floats, ipc, parquet, run, safetensors, write, write_batches};
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

#[test]
fn tables_of_weights_are_read_from_parquet_and_arrow() {
    let directory = tempfile::tempdir().unwrap();
    let batch = weights(directory.path());
    let path = |name: &str| directory.path().join(name);
    let schema = batch.schema();
    let create = |name: &str| File::create(path(name)).unwrap();
    let parquet = ArrowWriter::try_new(create("w.parquet"), schema.clone(), None);
    write_batches(parquet.unwrap(), [batch.clone()]);
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
    let file = File::create(&path).unwrap();
    let writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    write_batches(writer, [batch]);
    let output = directory.path().join("out.parquet");
    let report = run(&path, &output, json!({"bitWidth": 8})).unwrap();
    assert_eq!(report.layers[0].dtype, "BF16");
    assert_eq!(report.layers[0].bytes_in, 128);
    for (found, expected) in back(&parquet(&output))["w"].iter().zip(floats(64, 5)) {
        assert!((found - expected).abs() < 0.02, "{found} {expected}");
    }
}
