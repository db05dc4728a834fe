//! A disk that is full in the middle of a result.

#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{bytes, floats, names, run, safetensors, write};
use serde_json::json;

/// The directory in which the test that is started again works.
const DIRECTORY: &str = "BOWSTRING_TEST_DIRECTORY";
const RESULTS: [&str; 3] = ["out.parquet", "out.arrow", "out.safetensors"];

/// A limit on the size of files stands in for a disk's end: it is the process's own, so this test runs as another.
#[test]
fn a_result_that_cannot_be_written_leaves_what_was_there() {
    if let Ok(directory) = std::env::var(DIRECTORY) {
        return fill(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let model = safetensors(&[("a", "F32", &[512, 512], bytes(&floats(512 * 512, 1)))]);
    write(directory.path(), "model.safetensors", &model);
    for name in RESULTS {
        write(directory.path(), name, b"before");
    }
    // Without the trap, the signal that tells of the limit would end the process.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(DIRECTORY, directory.path())
        .status()
        .unwrap();
    assert!(status.success());
    let mut expected = RESULTS.to_vec();
    expected.push("model.safetensors");
    expected.sort_unstable();
    assert_eq!(names(directory.path()), expected);
    for name in RESULTS {
        assert_eq!(
            std::fs::read(directory.path().join(name)).unwrap(),
            b"before"
        );
    }
}

fn fill(directory: &Path) {
    for name in RESULTS {
        let output = directory.join(name);
        let error = run(&directory.join("model.safetensors"), &output, json!({})).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{}: File too large (os error 27)", output.display())
        );
    }
}
