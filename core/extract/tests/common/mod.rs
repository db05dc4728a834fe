//! What several test files need: a directory of files, and an extraction into one place.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use bowstring_extract::{Control, ExtractError, ExtractOptions, ExtractionBatch, extract};
use tempfile::TempDir;

/// A directory with these files.
pub fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let root = tempfile::tempdir().expect("a temporary directory");
    for (name, content) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().expect("a file has a parent")).expect("writable");
        fs::write(path, content).expect("writable");
    }
    root
}

/// Options for exactly these paths.
pub fn paths(root: &TempDir, paths: &[&str]) -> ExtractOptions {
    ExtractOptions {
        paths: Some(paths.iter().map(PathBuf::from).collect()),
        ..ExtractOptions::new(root.path())
    }
}

/// All batches of an extraction.
pub fn run(options: &ExtractOptions) -> Result<Vec<ExtractionBatch>, ExtractError> {
    let mut batches = Vec::new();
    extract(options, &Control::default(), &mut |batch| {
        batches.push(batch);
        ControlFlow::Continue(())
    })?;
    Ok(batches)
}

/// The only batch of an extraction.
pub fn one(options: &ExtractOptions) -> ExtractionBatch {
    let mut batches = run(options).expect("an extraction");
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

/// A text column; null as "-".
pub fn texts(table: &RecordBatch, column: &str) -> Vec<String> {
    let array = table
        .column_by_name(column)
        .expect("a column")
        .as_string::<i32>();
    (0..array.len())
        .map(|row| {
            if array.is_null(row) {
                "-".into()
            } else {
                array.value(row).to_owned()
            }
        })
        .collect()
}

/// The rows of `errors` as "path: severity stage/code: message".
pub fn errors(batch: &ExtractionBatch) -> Vec<String> {
    let column = |name| texts(&batch.errors, name);
    let (path, severity, stage, code, message) = (
        column("path"),
        column("severity"),
        column("stage"),
        column("code"),
        column("message"),
    );
    (0..path.len())
        .map(|at| {
            format!(
                "{}: {} {}/{}: {}",
                path[at], severity[at], stage[at], code[at], message[at]
            )
        })
        .collect()
}
