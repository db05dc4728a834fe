//! Files of model weights in, files of quantized weights out.
//!
//! [`quantize_file`] reads safetensors (one file, or shards and their index), Parquet and Arrow IPC, quantizes layer by
//! layer, and writes Parquet, Arrow IPC or safetensors. Files that can be are mapped into memory and read where they are,
//! and results are written as they come, so that the memory of its own that a run takes is that of its largest layers'
//! results, however large the files. The result appears under its name when it is complete, and not at all when anything
//! fails. docs/quantization.md describes the formats.
//!
//! A file that is mapped must not be changed while it is read: its bytes would change under the reader, and behind a new
//! end of the file there is nothing to read, which ends the process (SIGBUS).
//!
//! Decoders of Parquet and Arrow may panic where a file is damaged, which becomes an error here. So that nothing is printed
//! of it, the first such file that is opened wraps the process's panic hook in one that calls it for every other panic.

mod beside;
mod convert;
mod error;
mod ipc;
mod layers;
mod mapped;
mod parquet;
mod report;
mod safetensors;
mod sink;
mod source;
mod watch;

pub use convert::{FileOptions, quantize_file};
pub use error::WeightsError;
pub use report::{FileReport, LayerReport, Outcome};
pub use watch::Watch;
