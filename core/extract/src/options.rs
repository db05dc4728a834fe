//! What a caller may ask of an extraction.

use std::path::PathBuf;

use serde::Deserialize;

/// Options of one extraction. The JSON form uses camelCase names; every field but `root` has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtractOptions {
    /// Absolute path of the directory that reported paths are relative to.
    pub root: PathBuf,
    /// Files to read, absolute or relative to `root`. `None`: every file below `root` that git does not ignore and
    /// whose language is known.
    #[serde(default)]
    pub paths: Option<Vec<PathBuf>>,
    /// Worker threads; 0 means one per core.
    #[serde(default)]
    pub threads: usize,
    /// Files above this size are skipped and reported in `errors`.
    #[serde(default = "default_max_file_bytes")]
    pub max_file_bytes: u64,
    /// Parse time bound per file, in milliseconds. A file that takes longer is reported as failed.
    #[serde(default = "default_max_parse_millis")]
    pub max_parse_millis: u64,
    /// A chunk is closed before it would hold more rows than this in one table: 65,536 unless said, or no bound with
    /// `single`.
    #[serde(default)]
    pub chunk_rows: Option<usize>,
    /// A chunk is closed before one of its columns would hold more bytes than this: 64 MiB unless said, or 1 GiB with
    /// `single`. More than 1 GiB is never held.
    #[serde(default)]
    pub chunk_bytes: Option<usize>,
    /// One batch for everything, or [`ExtractError::BatchTooLarge`](crate::ExtractError::BatchTooLarge).
    #[serde(default)]
    pub single: bool,
    /// Fill `fileData.content`.
    #[serde(default)]
    pub content: bool,
    /// Lines of source around a definition for `symbols.code_context`; 0 leaves the column null.
    #[serde(default)]
    pub code_context: u32,
}

impl ExtractOptions {
    /// Every file below `root`, with the default bounds.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            paths: None,
            threads: 0,
            max_file_bytes: default_max_file_bytes(),
            max_parse_millis: default_max_parse_millis(),
            chunk_rows: None,
            chunk_bytes: None,
            single: false,
            content: false,
            code_context: 0,
        }
    }

    /// Rows of one table and bytes of one column that a chunk may hold.
    pub(crate) fn bounds(&self) -> (usize, usize) {
        let (rows, bytes) = if self.single {
            (usize::MAX, MAX_COLUMN_BYTES)
        } else {
            (1 << 16, 64 << 20)
        };
        let bytes = self.chunk_bytes.unwrap_or(bytes).min(MAX_COLUMN_BYTES);
        (self.chunk_rows.unwrap_or(rows), bytes)
    }
}

/// No column may hold more bytes, whatever the options say: offsets are 32 bits wide.
pub(crate) const MAX_COLUMN_BYTES: usize = 1 << 30;

fn default_max_file_bytes() -> u64 {
    4 << 20
}

fn default_max_parse_millis() -> u64 {
    5_000
}
