//! What is written.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;

use crate::error::misnamed;
use crate::ipc::IpcSink;
use crate::parquet::ParquetSink;
use crate::safetensors::{Metadata, SafetensorsSink, TensorInfo};
use crate::source::Format;
use crate::{Watch, WeightsError};

/// A file that is being written. Dropping one that is not finished leaves nothing behind.
pub(crate) trait Sink {
    /// Adds quantized layers.
    fn layers(&mut self, batch: &RecordBatch) -> Result<(), WeightsError>;

    /// Adds a tensor as it is; false where the format cannot hold one.
    fn tensor(&mut self, _tensor: &TensorInfo, _bytes: &Buffer) -> Result<bool, WeightsError> {
        Ok(false)
    }

    /// Gives the file its name, and says how large it is; unless the run is asked to stop.
    fn finish(self: Box<Self>, watch: &Watch) -> Result<u64, WeightsError>;
}

/// Begins a file of the format that its name says, for quantized layers of this schema. One of safetensors also has the
/// input's `metadata`.
pub(crate) fn create(
    path: &Path,
    schema: SchemaRef,
    metadata: Metadata,
) -> Result<Box<dyn Sink>, WeightsError> {
    // A stream is read, but what is written is a file.
    let is_stream = path.extension().is_some_and(|it| it == "arrows");
    match Format::of(path).filter(|_| !is_stream) {
        Some(Format::Safetensors) => Ok(Box::new(SafetensorsSink::create(path, schema, metadata)?)),
        Some(Format::Parquet) => Ok(Box::new(ParquetSink::create(path, schema)?)),
        Some(Format::Ipc) => Ok(Box::new(IpcSink::create(path, schema)?)),
        None => Err(misnamed(
            path,
            "the name of a .safetensors, .parquet, .arrow, .feather or .ipc file",
        )),
    }
}
