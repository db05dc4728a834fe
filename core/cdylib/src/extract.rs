//! Extraction: source files to tables.
//!
//! Reads files, parses each once and hands out what it found, file by file: the symbols that are defined, every
//! identifier with what it refers to, the relationships between symbols, the files, and what went wrong with which.

use std::sync::Arc;

use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, Failure, OwnedTable, Status, export_batch};
use bowstring_extract::{Control, ExtractError, ExtractOptions, ExtractionBatch, extract};
use bowstring_runtime::{Monitor, Progress};

use crate::arguments::{options, write_job};

/// Starts to extract source files and writes the job's handle to out_job. options is JSON in UTF-8:
///
/// ```text
/// root            string, required: absolute path of the directory that reported paths are relative to
/// paths           array of strings: files to read, absolute or relative to root; by default every file below
///                 root that git does not ignore and whose language is known
/// threads         worker threads; 0, the default, means one per core
/// maxFileBytes    larger files are skipped and reported; default 4194304
/// maxParseMillis  bound on the parse time of one file; default 5000
/// chunkRows       bound on the rows of one table of one result; default 65536, or none with single
/// chunkBytes      bound on the bytes of one column of one result; default 67108864, or with single the most that
///                 is allowed, 1073741824
/// single          boolean: everything in one result, or the job fails with BOW_BATCH_TOO_LARGE
/// content         boolean: fill files.content
/// codeContext     lines around a definition for symbols.code_context; 0, the default, leaves it null
/// ```
///
/// Each result is a group of 5 tables about the same files: symbols, identifiers, relationships, files, errors. There
/// is at least one. Results come in the order of the files, whatever the number of threads. What is wrong with one
/// file is a row of errors; the job as a whole fails with BOW_INVALID_ARGUMENT (the root is not a directory, an
/// option is out of range) or BOW_BATCH_TOO_LARGE.
///
/// BOW_INVALID_ARGUMENT: options is not such JSON; the message says where. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `options_length` bytes are readable at `options`, `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_extract_start(
    context: u32,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let start = || {
            // SAFETY: passed on to the caller.
            start(context, unsafe { self::options(options, options_length) }?)
        };
        // SAFETY: passed on to the caller.
        unsafe { write_job(out_job, start) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

fn start(context: u32, options: ExtractOptions) -> Result<u32, Failure> {
    let control = Arc::new(Control::default());
    let monitor = Arc::new(ControlMonitor(control.clone()));
    bowstring_runtime::context(context)?.start_job("bow-extract", monitor, move |outlet| {
        let mut refused = None;
        let result = extract(&options, &control, &mut |batch| match export(&batch) {
            Ok(group) => outlet.send(group),
            Err(failure) => {
                refused = Some(failure);
                std::ops::ControlFlow::Break(())
            }
        });
        match refused {
            Some(failure) => Err(failure),
            None => result.map_err(failure),
        }
    })
}

fn export(batch: &ExtractionBatch) -> Result<Vec<OwnedTable>, Failure> {
    [
        &batch.symbols,
        &batch.identifiers,
        &batch.relationships,
        &batch.files,
        &batch.errors,
    ]
    .into_iter()
    .map(|table| Ok(export_batch(table)?))
    .collect()
}

fn failure(error: ExtractError) -> Failure {
    let status = match error {
        ExtractError::Cancelled => Status::Cancelled,
        ExtractError::BatchTooLarge(_) => Status::BatchTooLarge,
        ExtractError::InvalidOptions(_) => Status::InvalidArgument,
    };
    Failure::new(status, error.to_string())
}

/// An extraction's control, as the runtime sees it.
struct ControlMonitor(Arc<Control>);

impl Monitor for ControlMonitor {
    fn progress(&self) -> Progress {
        let progress = self.0.progress();
        Progress {
            files_total: progress.files_total,
            bytes_total: progress.bytes_total,
            files_done: progress.files_done,
            bytes_done: progress.bytes_done,
        }
    }

    fn cancel(&self) {
        self.0.cancel();
    }
}
