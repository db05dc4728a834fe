//! Files made for the tests.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use arrow_array::{ArrayRef, ListArray, RecordBatch, RecordBatchWriter, StringArray};
use arrow_ipc::reader::FileReader;
use bowstring_quantize::{Control, dequantize};
use bowstring_weights::{FileOptions, FileReport, Watch, WeightsError, quantize_file};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value, json};

/// A safetensors file of this header and data.
pub fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// A tensor: name, type, shape and bytes.
pub type Tensor<'a> = (&'a str, &'a str, &'a [u64], Vec<u8>);

/// A safetensors file of these tensors.
pub fn safetensors(tensors: &[Tensor]) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    header.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    for (name, dtype, shape, bytes) in tensors {
        let start = data.len();
        data.extend(bytes);
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
        header.insert((*name).to_owned(), entry);
    }
    file(&Value::Object(header).to_string(), &data)
}

/// The header of a safetensors file, and the data behind it.
pub fn opened(path: &Path) -> (Value, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    (header, bytes[8 + length..].to_vec())
}

/// The bytes of a tensor of an opened file.
pub fn tensor<'a>((header, data): &'a (Value, Vec<u8>), name: &str) -> &'a [u8] {
    let offset = |at: usize| header[name]["data_offsets"][at].as_u64().unwrap() as usize;
    &data[offset(0)..offset(1)]
}

/// Values that look like weights.
pub fn floats(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
        (state >> 8) as f32 / (1u32 << 24) as f32 - 0.5
    };
    (0..count).map(|_| next() + next()).collect()
}

pub fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub fn write(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

pub fn run(input: &Path, output: &Path, options: Value) -> Result<FileReport, WeightsError> {
    let mut options = options;
    let vectors = options
        .as_object_mut()
        .and_then(|object| object.remove("vectors"))
        .is_some();
    let options = FileOptions {
        quantize: serde_json::from_value(options).unwrap(),
        vectors,
    };
    quantize_file(input, output, &options, &Watch::default())
}

/// The names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A row of a table of weights: name, shape and values.
pub type Row = (String, &'static [u64], Vec<f32>);

pub fn table(rows: &[Row]) -> RecordBatch {
    let names = StringArray::from_iter_values(rows.iter().map(|(name, ..)| name));
    let shapes = rows.iter().map(|(_, shape, _)| {
        let sizes = shape.iter().map(|size| Some(*size as i64));
        Some(sizes.collect::<Vec<_>>())
    });
    let shapes = ListArray::from_iter_primitive::<Int64Type, _, _>(shapes);
    let columns = [
        ("layer_name", Arc::new(names) as ArrayRef),
        ("weights", lists(rows.iter().map(|(.., values)| values))),
        ("shape", Arc::new(shapes)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// A column of lists.
pub fn lists<'a>(lists: impl IntoIterator<Item = &'a Vec<f32>>) -> ArrayRef {
    let lists = lists.into_iter();
    let lists = lists.map(|list| Some(list.iter().map(|value| Some(*value)).collect::<Vec<_>>()));
    Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists))
}

/// Writes a table to its end.
pub fn write_batches(
    mut writer: impl RecordBatchWriter,
    batches: impl IntoIterator<Item = RecordBatch>,
) {
    for batch in batches {
        writer.write(&batch).unwrap();
    }
    writer.close().unwrap();
}

pub fn parquet(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    // The reader's batches are without the schema's metadata.
    let schema = builder.schema().clone();
    let batches = builder.build().unwrap().map(Result::unwrap);
    batches
        .map(|batch| batch.with_schema(schema.clone()).unwrap())
        .collect()
}

pub fn ipc(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).unwrap();
    FileReader::try_new(file, None)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The weights that come back, by layer.
pub fn back(batches: &[RecordBatch]) -> BTreeMap<String, Vec<f32>> {
    let mut layers = BTreeMap::new();
    for batch in batches {
        let batch = dequantize(batch, &Default::default(), &Control::default()).unwrap();
        for row in 0..batch.num_rows() {
            let weights = batch["weights"].as_list::<i32>().value(row);
            let weights = weights.as_primitive::<Float32Type>().values().to_vec();
            let name = batch["layer_name"].as_string::<i32>().value(row).to_owned();
            layers.insert(name, weights);
        }
    }
    layers
}
