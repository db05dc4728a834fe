//! What the tests share: batches, random values, and a reader of test data.

#![allow(dead_code)] // Not every test uses all of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int16Type};
use arrow_array::{Array, ArrayRef, Float32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{Field, Schema};
use bowstring_quantize::{Control, QuantizeError, QuantizeOptions, Quantized, quantize};
use serde_json::{Value, json};

/// A test data file of this crate.
pub fn own(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name);
    read(&path).unwrap_or_else(|| panic!("{} is missing", path.display()))
}

/// A file of the folder beside a development checkout; says so where it is missing.
pub fn shared(name: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let directory =
        std::env::var_os("BOWSTRING_SHARED").map_or(root.join("../shared"), PathBuf::from);
    let path = directory.join("oracles").join(name);
    let found = read(&path);
    if found.is_none() {
        eprintln!("skipped: {} is not there", path.display());
    }
    found
}

fn read(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

pub fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

pub fn floats(hex: &str) -> Vec<f32> {
    bytes(hex)
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

/// Options from their JSON form.
pub fn options(json: Value) -> QuantizeOptions {
    serde_json::from_value(json).unwrap()
}

/// A list column of one item type.
pub fn lists(values: ArrayRef, lengths: &[usize]) -> ArrayRef {
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    Arc::new(ListArray::new(
        field,
        OffsetBuffer::from_lengths(lengths.iter().copied()),
        values,
        None,
    ))
}

/// A batch of float32 layers `layer0`, `layer1`, ... with their shapes.
pub fn batch(layers: &[(&[f32], &[usize])]) -> RecordBatch {
    let names: StringArray = (0..layers.len())
        .map(|at| Some(format!("layer{at}")))
        .collect();
    let values: Vec<f32> = layers
        .iter()
        .flat_map(|(values, _)| values.iter().copied())
        .collect();
    let lengths: Vec<usize> = layers.iter().map(|(values, _)| values.len()).collect();
    let sizes: Vec<i64> = layers
        .iter()
        .flat_map(|(_, shape)| shape.iter().map(|size| *size as i64))
        .collect();
    let ranks: Vec<usize> = layers.iter().map(|(_, shape)| shape.len()).collect();
    RecordBatch::try_from_iter([
        ("layer_name", Arc::new(names) as ArrayRef),
        (
            "weights",
            lists(Arc::new(Float32Array::from(values)), &lengths),
        ),
        ("shape", lists(Arc::new(Int64Array::from(sizes)), &ranks)),
    ])
    .unwrap()
}

pub fn run(batch: &RecordBatch, json: Value) -> Result<Quantized, QuantizeError> {
    quantize(batch, &options(json), &Control::default())
}

/// Quantizes one layer.
pub fn one(values: &[f32], shape: &[usize], json: Value) -> RecordBatch {
    run(&batch(&[(values, shape)]), json).unwrap().batch
}

/// One layer back from its quantized form.
pub fn back(quantized: &RecordBatch) -> Vec<f32> {
    let batch = bowstring_quantize::dequantize(quantized, &Default::default(), &Control::default())
        .unwrap();
    let weights = batch.column_by_name("weights").unwrap().as_list::<i32>();
    weights
        .value(0)
        .as_primitive::<Float32Type>()
        .values()
        .to_vec()
}

pub fn data(batch: &RecordBatch, row: usize) -> Vec<u8> {
    batch
        .column_by_name("quantized_data")
        .unwrap()
        .as_binary::<i64>()
        .value(row)
        .to_vec()
}

pub fn list_of_floats(batch: &RecordBatch, name: &str, row: usize) -> Vec<f32> {
    batch
        .column_by_name(name)
        .unwrap()
        .as_list::<i32>()
        .value(row)
        .as_primitive::<Float32Type>()
        .values()
        .to_vec()
}

pub fn zero_points(batch: &RecordBatch, row: usize) -> Vec<i16> {
    let lists = batch
        .column_by_name("zero_points")
        .unwrap()
        .as_list::<i32>();
    lists
        .value(row)
        .as_primitive::<Int16Type>()
        .values()
        .to_vec()
}

pub fn measure(batch: &RecordBatch, name: &str, row: usize) -> f32 {
    batch
        .column_by_name(name)
        .unwrap()
        .as_primitive::<Float32Type>()
        .value(row)
}

/// Numbers that look random and are the same everywhere (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the standard normal distribution.
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.unit()).cos()) as f32
    }

    pub fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }
}

/// All combinations of the options that change bytes, as JSON.
pub fn kinds() -> Vec<Value> {
    let mut kinds = Vec::new();
    for bits in [2, 4, 8] {
        for scheme in ["asymmetric", "symmetric"] {
            for layout in ["onnx", "unpacked"] {
                kinds.push(json!({"bitWidth": bits, "scheme": scheme, "layout": layout}));
            }
            kinds.push(
                json!({"bitWidth": bits, "scheme": scheme, "layout": "mlx", "groupSize": 32}),
            );
            kinds.push(json!({"bitWidth": bits, "scheme": scheme, "granularity": "tensor"}));
            kinds.push(json!({"bitWidth": bits, "scheme": scheme, "granularity": "channel"}));
            kinds.push(
                json!({"bitWidth": bits, "scheme": scheme, "granularity": "channel", "axis": -1}),
            );
            kinds.push(json!({"bitWidth": bits, "scheme": scheme, "groupSize": 32, "scaleType": "float16"}));
            kinds.push(
                json!({"bitWidth": bits, "scheme": scheme, "groupSize": 64, "search": "mse"}),
            );
        }
    }
    for (bits, scheme) in [(8, "symmetric"), (4, "symmetric"), (4, "asymmetric")] {
        kinds.push(json!({"bitWidth": bits, "scheme": scheme, "layout": "ggml"}));
    }
    kinds
}

/// Names of as many layers.
pub fn names(count: usize) -> ArrayRef {
    Arc::new(
        (0..count)
            .map(|at| Some(format!("layer{at}")))
            .collect::<StringArray>(),
    )
}

/// A table of these columns.
pub fn table(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// The field of a column.
pub fn plain(name: &str, column: &ArrayRef) -> Field {
    Field::new(name, column.data_type().clone(), true)
}
