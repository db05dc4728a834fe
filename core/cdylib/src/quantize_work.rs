//! What the jobs of a quantization do.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use bowstring_abi::build::BuildSchema;
use bowstring_abi::call::Value;
use bowstring_abi::{
    ArrowSchema, Failure, OwnedTable, SchemaTree, Status, export_batch, import_table,
};
use bowstring_quantize::{
    CodeType, Control, DequantizeOptions, LayerError, QuantizeError, QuantizeOptions, Quantized,
    Target, dequantize, quantize, quantize_with, validate_schema,
};
use bowstring_runtime::{Monitor, Outlet, Progress};
use serde::Serialize;

use crate::arguments::to_json;

/// How many characters of a layer's name go into the line for programs: the whole line has to fit an error struct.
const NAME_CHARACTERS: usize = 256;

pub(crate) fn start_quantization(
    context: u32,
    input: Value,
    options: QuantizeOptions,
) -> Result<u32, Failure> {
    start(context, "bow-quantize", input, move |batch, control| {
        let Quantized { batch, failures } = quantize(batch, &options, control)?;
        Ok((batch, Some(failures)))
    })
}

pub(crate) fn start_dequantization(
    context: u32,
    input: Value,
    options: DequantizeOptions,
) -> Result<u32, Failure> {
    start(context, "bow-dequantize", input, move |batch, control| {
        Ok((dequantize(batch, &options, control)?, None))
    })
}

/// A table, and the layers that are not in it if any may be left out.
type Done = (RecordBatch, Option<Vec<LayerError>>);

/// Starts a job that does `work` with each batch of the input.
fn start(
    context: u32,
    name: &str,
    input: Value,
    work: impl Fn(&RecordBatch, &Control) -> Result<Done, QuantizeError> + Send + 'static,
) -> Result<u32, Failure> {
    let context = bowstring_runtime::context(context)?;
    let control = Arc::new(Control::default());
    let monitor = Arc::new(ControlMonitor(control.clone()));
    let counting = context.clone();
    context.start_job(name, monitor, move |outlet| {
        let copied = |bytes: usize| counting.report(0, 0, bytes as u64);
        let send = |batch: RecordBatch, row: usize| {
            let done = work(&batch, &control).map_err(|error| failure(error, row))?;
            // Whoever sees the result has its input back.
            drop(batch);
            send(outlet, done, row)
        };
        match input {
            Value::Table(table) => {
                let imported = import_table(table)?;
                copied(imported.bytes_copied);
                send(imported.batch, 0)?;
            }
            Value::Stream(stream) => {
                let mut batches = stream.into_batches()?;
                // Tells of options and columns that cannot be before anything is read, and what the results look like.
                let mut wanted = send(RecordBatch::new_empty(batches.schema().clone()), 0)?;
                let (mut row, mut bytes) = (0, 0);
                while wanted {
                    let Some(batch) = batches.next().transpose()? else {
                        break;
                    };
                    copied(batches.bytes_copied() - bytes);
                    bytes = batches.bytes_copied();
                    let rows = batch.num_rows();
                    wanted = send(batch, row)?;
                    row += rows;
                }
            }
            Value::None => {}
        }
        Ok(())
    })
}

/// Queues a result; false when nobody wants more.
fn send(outlet: &Outlet, (batch, failures): Done, row: usize) -> Result<bool, Failure> {
    let mut group: Vec<OwnedTable> = vec![export_batch(&batch)?];
    if let Some(failures) = failures {
        group.push(export_batch(&failed_layers(&failures, row)?)?);
    }
    Ok(outlet.send(group).is_continue())
}

/// The table of the layers that were left out.
fn failed_layers(failures: &[LayerError], row: usize) -> Result<RecordBatch, Failure> {
    let rows = failures.iter().map(|error| (row + error.row) as i64);
    let names = failures.iter().map(|error| Some(error.layer.as_str()));
    let indices = failures
        .iter()
        .map(|error| error.index().map(|at| at as i64));
    let messages = failures.iter().map(|error| Some(shifted(error, row)));
    let columns: [(&str, ArrayRef, bool); 4] = [
        ("row", Arc::new(Int64Array::from_iter_values(rows)), false),
        (
            "layer_name",
            Arc::new(names.collect::<StringArray>()),
            false,
        ),
        ("index", Arc::new(indices.collect::<Int64Array>()), true),
        (
            "message",
            Arc::new(messages.collect::<StringArray>()),
            false,
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| Failure::new(Status::Panic, error.to_string()))
}

/// The sentence about a layer, whose row counts from the start of the input.
fn shifted(error: &LayerError, row: usize) -> String {
    let error = LayerError {
        row: row + error.row,
        ..error.clone()
    };
    error.to_string()
}

/// The failure of a batch that begins at `row` of the input.
pub(crate) fn failure(error: QuantizeError, row: usize) -> Failure {
    #[derive(Serialize)]
    struct Place {
        row: usize,
        layer: String,
        index: Option<usize>,
    }
    let status = match &error {
        QuantizeError::Cancelled => Status::Cancelled,
        QuantizeError::InvalidOptions(_) | QuantizeError::InvalidSchema(_) => {
            Status::InvalidArgument
        }
        QuantizeError::TooLarge(_) => Status::BatchTooLarge,
        QuantizeError::Layer(layer) => {
            let place = Place {
                row: row + layer.row,
                layer: layer.layer.chars().take(NAME_CHARACTERS).collect(),
                index: layer.index(),
            };
            let place = to_json(&place)
                .map(|json| String::from_utf8_lossy(&json).into_owned())
                .unwrap_or_default();
            return Failure::new(Status::Layer, format!("{place}\n{}", shifted(layer, row)));
        }
    };
    Failure::new(status, error.to_string())
}

/// Whether tables of this schema can be quantized.
pub(crate) fn validate(schema: &ArrowSchema, options: &QuantizeOptions) -> Result<(), Failure> {
    let empty = BuildSchema::new(SchemaTree::read_schema(schema)?)?.empty()?;
    let empty = import_table(empty)?.batch;
    validate_schema(empty.schema_ref(), options).map_err(|error| failure(error, 0))
}

/// What bow_quantize_with is given.
pub(crate) struct Tensor<'a> {
    pub code_type: CodeType,
    pub axis: i64,
    pub block_size: usize,
    pub shape: Vec<usize>,
    pub values: &'a [f32],
    pub scales: &'a [f32],
    pub zero_points: Option<&'a [i16]>,
    pub code_bytes: u64,
}

pub(crate) fn quantize_tensor(tensor: &Tensor, codes: &mut [u8]) -> Result<(), Failure> {
    let target = Target {
        r#type: tensor.code_type,
        axis: tensor.axis,
        block_size: tensor.block_size,
    };
    let packed = quantize_with(
        tensor.values,
        &tensor.shape,
        tensor.scales,
        tensor.zero_points,
        &target,
    )
    .map_err(|error| failure(error, 0))?;
    let found = codes.len();
    let Some(codes) = codes.get_mut(..packed.len()) else {
        return Err(Failure::new(
            Status::BufferTooSmall,
            format!(
                "codes: expected room for {} bytes but found {found}",
                packed.len()
            ),
        ));
    };
    codes.copy_from_slice(&packed);
    Ok(())
}

/// Layers and their values as the files and bytes that a job's state counts.
pub(crate) fn in_files(progress: bowstring_quantize::Progress) -> Progress {
    Progress {
        files_total: progress.layers_total,
        bytes_total: progress.values_total,
        files_done: progress.layers_done,
        bytes_done: progress.values_done,
    }
}

/// A quantization's control, as the runtime sees it.
struct ControlMonitor(Arc<Control>);

impl Monitor for ControlMonitor {
    fn progress(&self) -> Progress {
        in_files(self.0.progress())
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    // So that a job that says it was cancelled reads its input no more.
    fn is_awaited(&self) -> bool {
        true
    }
}
