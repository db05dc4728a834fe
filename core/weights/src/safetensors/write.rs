//! Quantized layers as tensors: the codes under the layer's name, and `.scales`, `.zero_points` and `.biases` beside them.
//!
//! The header, which comes first, has to know where everything is. So the bytes go to a file of their own as they come, and
//! the result is put together from it at the end, the widest types first, so that each tensor is aligned.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write, copy};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int16Type, Int32Type, Int64Type, UInt8Type};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use serde_json::{Map, Value, json};

use super::header::{METADATA, MOST_HEADER_BYTES};
use super::{Dtype, Metadata, TensorInfo};
use crate::beside::Beside;
use crate::error::About;
use crate::sink::Sink;
use crate::{Watch, WeightsError};

/// Bytes that are copied in one go.
const PIECE: usize = 32 << 20;
/// The key of the metadata that says of each quantized layer what its columns would.
const LAYERS: &str = "bowstring:layers";

/// Where the bytes of a tensor are in the file of data.
struct Written {
    name: String,
    dtype: Dtype,
    shape: Vec<u64>,
    start: u64,
    len: u64,
}

pub(crate) struct SafetensorsSink {
    path: PathBuf,
    /// Only its removal matters.
    _data_beside: Beside,
    data: BufWriter<File>,
    len: u64,
    tensors: Vec<Written>,
    names: HashSet<String>,
    layers: BTreeMap<String, Value>,
    /// Of the layers; its metadata says how to read them.
    schema: SchemaRef,
    /// The input's.
    metadata: Metadata,
}

impl SafetensorsSink {
    pub fn create(
        path: &Path,
        schema: SchemaRef,
        metadata: Metadata,
    ) -> Result<Self, WeightsError> {
        let (beside, file) = Beside::create(path)?;
        Ok(Self {
            path: path.to_owned(),
            _data_beside: beside,
            data: BufWriter::new(file),
            len: 0,
            tensors: Vec::new(),
            names: HashSet::new(),
            layers: BTreeMap::new(),
            schema,
            metadata,
        })
    }

    fn write(
        &mut self,
        name: String,
        dtype: Dtype,
        shape: Vec<u64>,
        bytes: &[u8],
    ) -> Result<(), WeightsError> {
        if name == METADATA || !self.names.insert(name.clone()) {
            let message = format!("expected one tensor {name:?} but found two of that name");
            return Err(message).about(&self.path);
        }
        self.data.write_all(bytes).about(&self.path)?;
        self.tensors.push(Written {
            name,
            dtype,
            shape,
            start: self.len,
            len: bytes.len() as u64,
        });
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn header(&self) -> Result<Vec<u8>, WeightsError> {
        // Readers ask for a format, which most files name; then the input's, then what is true of this file.
        let format = ("format".to_owned(), json!("pt"));
        let texts = self.metadata.iter().chain(self.schema.metadata());
        let texts = texts.map(|(key, value)| (key.clone(), json!(value)));
        let mut metadata: Map<String, Value> = std::iter::once(format).chain(texts).collect();
        // Layers that the input had quantized already are here as they were, and so is what it said of them.
        let before = self.metadata.get(LAYERS);
        let before = before.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
        let mut layers = before.unwrap_or_default();
        layers.extend(self.layers.clone());
        metadata.insert(LAYERS.to_owned(), json!(Value::Object(layers).to_string()));
        let mut header = Map::new();
        header.insert(METADATA.to_owned(), Value::Object(metadata));
        let mut start = 0;
        for Written {
            name,
            dtype,
            shape,
            len,
            ..
        } in &self.tensors
        {
            let data_offsets = [start, start + len];
            let entry = json!({"dtype": dtype.name, "shape": shape, "data_offsets": data_offsets});
            header.insert(name.clone(), entry);
            start += len;
        }
        let mut header = serde_json::to_vec(&header)
            .map_err(|error| error.to_string())
            .about(&self.path)?;
        // The data begins at a multiple of eight.
        header.resize(header.len().next_multiple_of(8), b' ');
        if header.len() as u64 > MOST_HEADER_BYTES {
            let message = format!(
                "expected a header of at most {MOST_HEADER_BYTES} bytes, which is what readers take, but {} tensors need \
                 {}: write a table instead",
                self.tensors.len(),
                header.len()
            );
            return Err(message).about(&self.path);
        }
        Ok(header)
    }
}

fn dtype(name: &str) -> Dtype {
    Dtype::of(name).expect("a type of the format")
}

/// The bytes of numbers.
fn bytes_of<T: arrow_buffer::ArrowNativeType>(values: &[T]) -> &[u8] {
    let len = size_of_val(values);
    // SAFETY: numbers have no padding, and any of their bytes can be read.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), len) }
}

impl Sink for SafetensorsSink {
    fn layers(&mut self, batch: &RecordBatch) -> Result<(), WeightsError> {
        let text = |name: &str, row: usize| batch[name].as_string::<i32>().value(row).to_owned();
        let int = |name: &str, row: usize| batch[name].as_primitive::<Int32Type>().value(row);
        let measure = |name: &str, row: usize| {
            let column = batch[name].as_primitive::<Float32Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        for row in 0..batch.num_rows() {
            let name = text("layer_name", row);
            let list = |name: &str| batch[name].as_list::<i32>().value(row);
            let codes = batch["quantized_data"].as_binary::<i64>().value(row);
            let scales = list("scales");
            let zero_points = list("zero_points");
            let shape = list("shape");
            let (scales, zero_points) = (
                scales.as_primitive::<Float32Type>().values(),
                zero_points.as_primitive::<Int16Type>().values(),
            );
            let layer = json!({
                "shape": &shape.as_primitive::<Int64Type>().values()[..],
                "bit_width": batch["bit_width"].as_primitive::<UInt8Type>().value(row),
                "scheme": text("scheme", row),
                "group_size": int("group_size", row),
                "axis": int("axis", row),
                "layout": text("layout", row),
                "rmse": measure("rmse", row),
                "cosine": measure("cosine", row),
            });
            self.layers.insert(name.clone(), layer);
            let groups = vec![scales.len() as u64];
            let beside = |suffix: &str| format!("{name}.{suffix}");
            let (scale_bytes, zero_bytes) = (bytes_of(scales), bytes_of(zero_points));
            self.write(beside("scales"), dtype("F32"), groups.clone(), scale_bytes)?;
            self.write(beside("zero_points"), dtype("I16"), groups, zero_bytes)?;
            let biases = batch["biases"].as_list::<i32>();
            if biases.is_valid(row) {
                let biases = biases.value(row);
                let biases = biases.as_primitive::<Float32Type>().values();
                let count = vec![biases.len() as u64];
                self.write(beside("biases"), dtype("F32"), count, bytes_of(biases))?;
            }
            self.write(name, dtype("U8"), vec![codes.len() as u64], codes)?;
        }
        Ok(())
    }

    fn tensor(&mut self, tensor: &TensorInfo, bytes: &Buffer) -> Result<bool, WeightsError> {
        self.write(
            tensor.name.clone(),
            tensor.dtype,
            tensor.shape.clone(),
            bytes,
        )?;
        Ok(true)
    }

    fn finish(mut self: Box<Self>, watch: &Watch) -> Result<u64, WeightsError> {
        // A stable sort: within a type, tensors stay in the order of the input.
        self.tensors
            .sort_by_key(|tensor| std::cmp::Reverse(tensor.dtype.bits));
        let header = self.header()?;
        let Self {
            path,
            data,
            len,
            tensors,
            ..
        } = *self;
        let mut data = data
            .into_inner()
            .map_err(|error| error.into_error())
            .about(&path)?;
        let (beside, mut file) = Beside::create(&path)?;
        file.write_all(&(header.len() as u64).to_le_bytes())
            .about(&path)?;
        file.write_all(&header).about(&path)?;
        for tensor in &tensors {
            data.seek(SeekFrom::Start(tensor.start)).about(&path)?;
            // In pieces, between which a run can be stopped.
            for at in (0..tensor.len).step_by(PIECE) {
                watch.check()?;
                let piece = (tensor.len - at).min(PIECE as u64);
                copy(&mut (&mut data).take(piece), &mut file).about(&path)?;
            }
        }
        beside.commit(&file, watch)?;
        Ok(8 + header.len() as u64 + len)
    }
}
