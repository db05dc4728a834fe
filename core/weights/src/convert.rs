//! One file into the other.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, UInt8Type};
use arrow_array::{Array, RecordBatch};
use bowstring_quantize::{QuantizeError, QuantizeOptions, Quantized, Quantizer};

use crate::error::misnamed;
use crate::report::{FileReport, LayerReport, Outcome};
use crate::safetensors::TensorInfo;
use crate::sink::{Sink, create};
use crate::source::{Item, Source};
use crate::{Watch, WeightsError};

/// What a quantizer keeps for the next layer.
const KEPT_BYTES: usize = 64 << 20;

/// How a file is quantized.
#[derive(Debug, Clone, Default)]
pub struct FileOptions {
    /// How its layers are.
    pub quantize: QuantizeOptions,
    /// Quantize tensors of one axis too. Biases and norms are small, and models sensitive to them; by default they are left
    /// as they are. Tables of layers (Parquet, Arrow) are quantized as a whole in any case.
    pub vectors: bool,
}

/// Quantizes the layers of `input` and writes the result to `output`. Their formats are those that their names say.
///
/// Of a safetensors file, tensors of two axes and more of F32, F16 and BF16 are quantized. A safetensors result holds the
/// others as they are; one in Parquet or Arrow cannot, and leaves them out, which the report says.
///
/// # Errors
/// See [`WeightsError`]. Then there is no result, and what was at `output` before is still there.
pub fn quantize_file(
    input: &Path,
    output: &Path,
    options: &FileOptions,
    watch: &Watch,
) -> Result<FileReport, WeightsError> {
    let mut needed = vec!["layer_name", "weights", "shape"];
    needed.extend(options.quantize.importance.as_deref());
    let source = Source::open(input, options.vectors, &needed, watch)?;
    if source.reads(output) {
        return Err(misnamed(output, "another file than the input"));
    }
    let bytes_in = source.bytes;
    let mut run = Run {
        quantizer: Quantizer::keeping(KEPT_BYTES),
        options: &options.quantize,
        watch,
        sink: create(
            output,
            options.quantize.quantized_schema(),
            source.metadata.clone(),
        )?,
        layers: Vec::new(),
    };
    for item in source {
        watch.check()?;
        let done = match item? {
            Item::Layer(tensor, batch) => run.layers(&batch, tensor.dtype.name, Some(&tensor)),
            Item::Table(batch, element) => run.layers(&batch, &element, None),
            Item::Tensor(tensor, bytes) => run.tensor(&tensor, &bytes),
        };
        done.map_err(|error| match error {
            WeightsError::Quantize(error @ QuantizeError::InvalidSchema(_)) => {
                let (path, message) = (input.to_owned(), error.to_string());
                WeightsError::Invalid { path, message }
            }
            error => error,
        })?;
    }
    let Run { sink, layers, .. } = run;
    let bytes_out = sink.finish(watch)?;
    Ok(FileReport {
        layers,
        bytes_in,
        bytes_out,
    })
}

struct Run<'a> {
    quantizer: Quantizer,
    options: &'a QuantizeOptions,
    watch: &'a Watch,
    sink: Box<dyn Sink>,
    layers: Vec<LayerReport>,
}

impl Run<'_> {
    /// Quantizes a table; `tensor` is what the file says of its one layer, where it is none of tables.
    fn layers(
        &mut self,
        batch: &RecordBatch,
        element: &str,
        tensor: Option<&TensorInfo>,
    ) -> Result<(), WeightsError> {
        let row = self.layers.len();
        let control = &self.watch.control;
        let quantized = self.quantizer.quantize(batch, self.options, control);
        let Quantized {
            batch: quantized,
            mut failures,
        } = quantized.map_err(|error| match error {
            // Rows are counted over the file.
            QuantizeError::Layer(mut error) => {
                error.row += row;
                QuantizeError::Layer(error)
            }
            error => error,
        })?;
        self.sink.layers(&quantized)?;
        let mut results = (0..quantized.num_rows()).map(|at| report(&quantized, at, element));
        failures.reverse();
        for at in 0..batch.num_rows() {
            let failed = failures.pop_if(|failure| failure.row == at);
            self.layers.extend(match failed {
                None => results.next(),
                Some(failure) => Some(LayerReport {
                    name: failure.layer,
                    dtype: element.to_owned(),
                    shape: tensor.map_or_else(Vec::new, |tensor| tensor.shape.clone()),
                    outcome: Outcome::Failed(failure.message),
                    bytes_in: tensor.map_or(0, |tensor| tensor.bytes.len() as u64),
                    bytes_out: 0,
                    bit_width: None,
                    rmse: None,
                    cosine: None,
                }),
            });
        }
        Ok(())
    }

    fn tensor(
        &mut self,
        tensor: &TensorInfo,
        bytes: &arrow_buffer::Buffer,
    ) -> Result<(), WeightsError> {
        let is_copied = self.sink.tensor(tensor, bytes)?;
        self.watch.pass(tensor.values());
        let size = bytes.len() as u64;
        self.layers.push(LayerReport {
            name: tensor.name.clone(),
            dtype: tensor.dtype.name.to_owned(),
            shape: tensor.shape.clone(),
            outcome: if is_copied {
                Outcome::Copied
            } else {
                Outcome::LeftOut
            },
            bytes_in: size,
            bytes_out: if is_copied { size } else { 0 },
            bit_width: None,
            rmse: None,
            cosine: None,
        });
        Ok(())
    }
}

/// What a row of a quantized table says.
fn report(batch: &RecordBatch, row: usize, element: &str) -> LayerReport {
    let list = |name: &str| batch[name].as_list::<i32>().value(row);
    let measure = |name: &str| {
        let column = batch[name].as_primitive::<Float32Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let shape: Vec<u64> = list("shape")
        .as_primitive::<Int64Type>()
        .values()
        .iter()
        .map(|size| *size as u64)
        .collect();
    let values: u64 = shape.iter().product();
    let codes = batch["quantized_data"].as_binary::<i64>().value(row).len();
    let groups = list("scales").len();
    let biases = batch["biases"].as_list::<i32>();
    let biases = if biases.is_valid(row) {
        biases.value(row).len()
    } else {
        0
    };
    LayerReport {
        name: batch["layer_name"].as_string::<i32>().value(row).to_owned(),
        dtype: element.to_owned(),
        shape,
        outcome: Outcome::Quantized,
        bytes_in: values * if element == "F32" { 4 } else { 2 },
        bytes_out: (codes + (4 + 2) * groups + 4 * biases) as u64,
        bit_width: Some(batch["bit_width"].as_primitive::<UInt8Type>().value(row)),
        rmse: measure("rmse"),
        cosine: measure("cosine"),
    }
}
