//! Source code in, Arrow tables out.
//!
//! [`extract`] reads files in parallel, parses each once with tree-sitter, walks the tree once, and hands out
//! [`ExtractionBatch`]es: five [`RecordBatch`]es about the same files, in input order whatever the thread count.

mod control;
mod facts;
mod file;
mod ids;
mod languages;
mod masks;
pub mod model;
mod options;
mod resolve;
mod rules;
mod scan;
mod schedule;
mod source;
mod spec;
mod tables;
mod text;
mod walk;

use std::fmt;
use std::ops::ControlFlow;

use arrow_array::RecordBatch;

pub use control::{Control, Progress};
pub use options::ExtractOptions;

/// The tables about one run of files. All buffers of the five tables lie in one 64-byte-aligned allocation.
#[derive(Debug, Clone)]
pub struct ExtractionBatch {
    /// Definitions and imports.
    pub symbols: RecordBatch,
    /// Every identifier token that is not a definition's own name.
    pub identifiers: RecordBatch,
    /// Edges between symbols, or from a symbol to a name.
    pub relationships: RecordBatch,
    /// One row a file that was read.
    pub files: RecordBatch,
    /// What was skipped, degraded or failed, and why.
    pub errors: RecordBatch,
}

/// Why an extraction as a whole ended early. What goes wrong with one file is a row of `errors` instead.
#[derive(Debug)]
pub enum ExtractError {
    /// [`Control::cancel`] was called, or the sink broke off.
    Cancelled,
    /// `single` was asked for and one table or column would exceed its bound; the message names the streaming form.
    BatchTooLarge(String),
    /// The root is missing or not a directory, or an option is out of range.
    InvalidOptions(String),
}

impl fmt::Display for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the extraction was cancelled"),
            Self::BatchTooLarge(message) | Self::InvalidOptions(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ExtractError {}

/// Extracts the files that `options` names and gives each finished batch to `sink`, in input order.
///
/// Runs on the calling thread and on `options.threads` workers, which have all ended when it returns. At least one
/// batch is handed out, also when there are no files.
pub fn extract(
    options: &ExtractOptions,
    control: &Control,
    sink: &mut dyn FnMut(ExtractionBatch) -> ControlFlow<()>,
) -> Result<(), ExtractError> {
    schedule::run(options, control, sink)
}
