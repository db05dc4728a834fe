//! From a path to bytes that can be parsed, or to the reason why not.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::facts::FileError;
use crate::model::Severity;

/// How often a file that changes under the reader is read anew.
const ATTEMPTS: usize = 2;
/// How much of a file is searched for the zero byte that marks binary data.
const BINARY_PREFIX: usize = 8192;

/// A file's bytes as read, and decoded.
#[derive(Debug)]
pub struct Source {
    /// What is parsed. Not always UTF-8: see `lossy`.
    pub bytes: Vec<u8>,
    /// blake3 of the bytes on disk.
    pub hash: [u8; 32],
    /// Bytes on disk.
    pub size: u32,
    /// Whether `bytes` is not UTF-8, so that text taken from it must be decoded with replacement.
    pub lossy: bool,
    /// What was lost or odd.
    pub errors: Vec<FileError>,
}

/// Shorthand for an error row.
pub fn error(
    severity: Severity,
    stage: &'static str,
    code: &'static str,
    message: impl Into<String>,
) -> FileError {
    FileError {
        severity,
        stage,
        code,
        message: message.into(),
        byte_offset: None,
    }
}

/// Reads and decodes a file. `after_read` runs between reading and the check that the file stayed the same.
pub fn read(
    path: &Path,
    max_bytes: u64,
    after_read: &mut dyn FnMut(),
) -> Result<Source, FileError> {
    let mut errors = Vec::new();
    for attempt in 0..ATTEMPTS {
        let (bytes, before) = read_once(path, max_bytes)?;
        after_read();
        let after = fs::metadata(path).map_err(|e| read_error(&e))?;
        if same_file(&before, &after) && bytes.len() as u64 == before.len() {
            return decode(bytes, errors);
        }
        if attempt == 0 {
            errors.push(error(
                Severity::Degraded,
                "read",
                "changed",
                "the file changed while it was read; the rows describe its next version",
            ));
        }
    }
    Err(error(
        Severity::Failed,
        "read",
        "changed",
        format!("the file changed during each of {ATTEMPTS} attempts to read it"),
    ))
}

fn read_once(path: &Path, max_bytes: u64) -> Result<(Vec<u8>, Metadata), FileError> {
    // Asked before opening: opening a pipe would wait for its writer.
    let metadata = fs::metadata(path).map_err(|e| read_error(&e))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "a directory"
        } else {
            "not a regular file"
        };
        return Err(error(
            Severity::Skipped,
            "read",
            "not_a_file",
            format!("expected a file but found {what}"),
        ));
    }
    let mut file = File::open(path).map_err(|e| read_error(&e))?;
    let metadata = file.metadata().map_err(|e| read_error(&e))?;
    let size = metadata.len();
    if size > max_bytes {
        return Err(error(
            Severity::Skipped,
            "read",
            "too_large",
            format!("the file has {size} bytes, more than the limit of {max_bytes}"),
        ));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(size as usize + 1)
        .map_err(|_| out_of_memory(size))?;
    // One byte past the size tells a file that grows from one that stays.
    (&mut file)
        .take(size + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| read_error(&e))?;
    Ok((bytes, metadata))
}

fn decode(bytes: Vec<u8>, mut errors: Vec<FileError>) -> Result<Source, FileError> {
    let size = bytes.len() as u32;
    let hash = *blake3::hash(&bytes).as_bytes();
    if let Some((encoding, bom)) = encoding_rs::Encoding::for_bom(&bytes)
        && encoding != encoding_rs::UTF_8
    {
        let (text, malformed) = encoding.decode_without_bom_handling(&bytes[bom..]);
        if malformed {
            errors.push(error(
                Severity::Degraded,
                "decode",
                "malformed_utf16",
                "unpaired surrogates were replaced; byte offsets count in the UTF-8 text",
            ));
        }
        let bytes = text.into_owned().into_bytes();
        return Ok(Source {
            bytes,
            hash,
            size,
            lossy: false,
            errors,
        });
    }
    let prefix = &bytes[..bytes.len().min(BINARY_PREFIX)];
    if memchr::memchr(0, prefix).is_some() {
        return Err(error(
            Severity::Skipped,
            "decode",
            "binary",
            "the file holds binary data",
        ));
    }
    let invalid = std::str::from_utf8(&bytes).err();
    if let Some(invalid) = &invalid {
        errors.push(FileError {
            byte_offset: Some(invalid.valid_up_to() as u32),
            ..error(
                Severity::Degraded,
                "decode",
                "invalid_utf8",
                "the file is not UTF-8; bytes that are not were replaced in its text",
            )
        });
    }
    Ok(Source {
        bytes,
        hash,
        size,
        lossy: invalid.is_some(),
        errors,
    })
}

fn read_error(cause: &io::Error) -> FileError {
    let (code, message) = match cause.kind() {
        io::ErrorKind::NotFound => ("missing", "no such file".to_owned()),
        io::ErrorKind::PermissionDenied => ("unreadable", "permission denied".to_owned()),
        _ if is_link_loop(cause) => ("symlink_loop", "the path is a loop of links".to_owned()),
        _ => ("unreadable", cause.to_string()),
    };
    error(Severity::Failed, "read", code, message)
}

/// Whether links lead in a circle.
pub fn is_link_loop(cause: &io::Error) -> bool {
    const ELOOP: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };
    cfg!(unix) && cause.raw_os_error() == Some(ELOOP)
}

fn out_of_memory(size: u64) -> FileError {
    error(
        Severity::Failed,
        "read",
        "out_of_memory",
        format!("no memory for the {size} bytes of the file"),
    )
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let key = |m: &Metadata| (m.dev(), m.ino(), m.len(), m.mtime(), m.mtime_nsec());
    key(a) == key(b)
}

#[cfg(not(unix))]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    a.len() == b.len() && a.modified().ok() == b.modified().ok()
}

/// A path relative to the root as the tables show it: forward slashes; bytes that are not UTF-8 as `\xNN`, and a
/// backslash before it doubled only in such a path.
pub fn display_path(relative: &Path) -> (String, bool) {
    match relative.to_str() {
        Some(text) if cfg!(windows) => (text.replace('\\', "/"), false),
        Some(text) => (text.to_owned(), false),
        None => {
            let mut text = String::new();
            for chunk in relative.as_os_str().as_encoded_bytes().utf8_chunks() {
                text.push_str(&chunk.valid().replace('\\', "\\\\"));
                for byte in chunk.invalid() {
                    text.push_str(&format!("\\x{byte:02x}"));
                }
            }
            (text, true)
        }
    }
}

/// Finds where the paths that a caller gave lead: the files to open, relative to the root.
///
/// The parts of a path are followed to where they really are, so that neither `..` nor a link leads out of the root.
/// Files of one directory mostly come one after another, so what is known of the last directory is kept.
pub struct Locator<'a> {
    root: &'a Path,
    directory: PathBuf,
    is_inside: bool,
}

/// A file below the root.
pub struct Located {
    /// The path to open.
    pub path: PathBuf,
    /// The path from the root.
    pub relative: PathBuf,
    /// Bytes on disk.
    pub size: u64,
}

impl<'a> Locator<'a> {
    /// Paths are relative to `root`, which is canonical.
    pub fn new(root: &'a Path) -> Self {
        Self {
            root,
            directory: root.to_owned(),
            is_inside: true,
        }
    }

    /// Where `path` leads; or the path to show, and why it cannot be read.
    pub fn locate(&mut self, path: &Path) -> Result<Located, (PathBuf, FileError)> {
        let normal = normalize(&self.root.join(path));
        let relative = match normal.strip_prefix(self.root) {
            Ok(relative) if !relative.as_os_str().is_empty() => relative.to_owned(),
            _ => return Err((path.to_owned(), outside())),
        };
        match self.size_inside(&normal) {
            Ok(Some(size)) => Ok(Located {
                path: normal,
                relative,
                size,
            }),
            Ok(None) => Err((relative, outside())),
            Err(cause) => Err((relative, read_error(&cause))),
        }
    }

    /// The size of the file that a path below the root leads to, `None` when that is not below the root.
    fn size_inside(&mut self, path: &Path) -> io::Result<Option<u64>> {
        let directory = path.parent().unwrap_or(self.root);
        if directory != self.directory {
            self.is_inside = directory.canonicalize()?.starts_with(self.root);
            self.directory.clear();
            self.directory.push(directory);
        }
        let metadata = fs::symlink_metadata(path)?;
        if metadata.is_symlink() {
            let is_inside = path.canonicalize()?.starts_with(self.root);
            return Ok(is_inside.then(|| fs::metadata(path).map_or(0, |target| target.len())));
        }
        Ok(self.is_inside.then_some(metadata.len()))
    }
}

fn outside() -> FileError {
    error(
        Severity::Failed,
        "path",
        "outside_root",
        "the path leads out of the root",
    )
}

/// Removes `.` and `..` without asking the file system.
fn normalize(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}
