//! Files of weights.
//!
//! Quantizes a model in files, layer by layer, into one file.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::{ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::ArrowError;
use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, Failure, Status, export_batch};
use bowstring_runtime::{Monitor, Progress};
use bowstring_weights::{
    FileOptions, FileReport, LayerReport, Outcome, Watch, WeightsError, quantize_file,
};

use crate::arguments::write_job;
use crate::quantize_options::{FileRequest, file_options};
use crate::quantize_work::{failure, in_files};

/// Starts to quantize a model in files and writes the job's handle to out_job. options is JSON in UTF-8: those of
/// bow_quantize_start, and
///
/// ```text
/// input    string, required: a .safetensors, .safetensors.index.json, .parquet, .arrow, .arrows, .feather or .ipc file,
///          or a directory with a model.safetensors or its index
/// output   string, required: a .safetensors, .parquet, .arrow, .feather or .ipc file. It appears when it is complete, and
///          only then takes the place of what was there
/// vectors  boolean: quantize tensors of one axis too, which are copied otherwise
/// ```
///
/// The one result is a group of 2 tables: the tensors in the order of the input, with the columns layer_name utf8, dtype
/// utf8, shape list of int64, outcome utf8 ("quantized", "copied", "left out", "failed"), message utf8 (of what failed, or
/// null), bytes_in int64, bytes_out int64, bit_width uint8, rmse float32 and cosine float32 (null for what was not
/// quantized); and a row with bytes_in and bytes_out int64, the sizes of all files.
///
/// The state counts as bow_quantize_start's does. The job fails as that does, and with BOW_IO when a file cannot be read or
/// written or breaks its format. Input files must not be changed meanwhile.
///
/// bow_job_cancel only asks it to stop: it ends when it has removed what it had begun to write, and bow_job_next answers
/// BOW_CANCELLED then; or it ends well, where it was asked too late and output is there.
///
/// BOW_INVALID_ARGUMENT: options is not such JSON, the message names the option. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `options_length` bytes are readable at `options`, `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_weights_quantize(
    context: u32,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let start = || {
            // SAFETY: passed on to the caller.
            start(context, unsafe { file_options(options, options_length) }?)
        };
        // SAFETY: passed on to the caller.
        unsafe { write_job(out_job, start) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

fn start(context: u32, request: FileRequest) -> Result<u32, Failure> {
    let watch = Arc::new(Watch::default());
    let monitor = Arc::new(WatchMonitor(watch.clone()));
    bowstring_runtime::context(context)?.start_job("bow-weights", monitor, move |outlet| {
        let FileRequest {
            input,
            output,
            vectors,
            quantize,
        } = request;
        let (input, output) = (PathBuf::from(input), PathBuf::from(output));
        let options = FileOptions { quantize, vectors };
        let report =
            quantize_file(&input, &output, &options, &watch).map_err(|error| match error {
                WeightsError::Quantize(error) => failure(error, 0),
                error => Failure::new(Status::Io, error.to_string()),
            })?;
        let tables = [layers(&report), sizes(&report)];
        let tables: Result<Vec<_>, Failure> = tables
            .into_iter()
            .map(|table| {
                let table =
                    table.map_err(|error| Failure::new(Status::Panic, error.to_string()))?;
                Ok(export_batch(&table)?)
            })
            .collect();
        // Nobody may want the report any more; the file is there.
        let _ = outlet.send(tables?);
        Ok(())
    })
}

fn layers(report: &FileReport) -> Result<RecordBatch, ArrowError> {
    let layers = &report.layers;
    let texts = |text: fn(&LayerReport) -> Option<&str>| -> ArrayRef {
        Arc::new(layers.iter().map(text).collect::<StringArray>())
    };
    let sizes = |size: fn(&LayerReport) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            layers.iter().map(|layer| size(layer) as i64),
        ))
    };
    let mut shapes = ListBuilder::new(Int64Builder::new());
    for layer in layers {
        shapes.append_value(layer.shape.iter().map(|size| Some(*size as i64)));
    }
    RecordBatch::try_from_iter_with_nullable([
        ("layer_name", texts(|layer| Some(&layer.name)), false),
        ("dtype", texts(|layer| Some(&layer.dtype)), false),
        ("shape", Arc::new(shapes.finish()) as ArrayRef, false),
        ("outcome", texts(|layer| Some(layer.outcome.name())), false),
        (
            "message",
            texts(|layer| match &layer.outcome {
                Outcome::Failed(message) => Some(message),
                _ => None,
            }),
            true,
        ),
        ("bytes_in", sizes(|layer| layer.bytes_in), false),
        ("bytes_out", sizes(|layer| layer.bytes_out), false),
        (
            "bit_width",
            Arc::new(
                layers
                    .iter()
                    .map(|layer| layer.bit_width)
                    .collect::<UInt8Array>(),
            ),
            true,
        ),
        (
            "rmse",
            Arc::new(
                layers
                    .iter()
                    .map(|layer| layer.rmse)
                    .collect::<Float32Array>(),
            ),
            true,
        ),
        (
            "cosine",
            Arc::new(
                layers
                    .iter()
                    .map(|layer| layer.cosine)
                    .collect::<Float32Array>(),
            ),
            true,
        ),
    ])
}

fn sizes(report: &FileReport) -> Result<RecordBatch, ArrowError> {
    let size = |bytes: u64| Arc::new(Int64Array::from(vec![bytes as i64])) as ArrayRef;
    RecordBatch::try_from_iter([
        ("bytes_in", size(report.bytes_in)),
        ("bytes_out", size(report.bytes_out)),
    ])
}

/// A run's counters, as the runtime sees them.
struct WatchMonitor(Arc<Watch>);

impl Monitor for WatchMonitor {
    fn progress(&self) -> Progress {
        in_files(self.0.progress())
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    // So that a job that says it was cancelled has not written its file, and has removed what it had begun.
    fn is_awaited(&self) -> bool {
        true
    }
}
