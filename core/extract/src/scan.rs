//! Which files an extraction covers: those named by the caller, or all below the root that git does not ignore.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use crate::ExtractError;
use crate::control::Control;
use crate::facts::{FileError, FileFacts};
use crate::languages;
use crate::model::Severity;
use crate::options::ExtractOptions;
use crate::source::{Locator, display_path, error, is_link_loop};

/// One file to process, or what is wrong with it already.
pub struct Entry {
    /// The file to open; relative paths do not occur.
    pub path: PathBuf,
    /// Its path in the tables.
    pub name: String,
    /// Bytes on disk as of the scan; only progress depends on it.
    pub size: u64,
    /// Set when the file is out already.
    pub error: Option<FileError>,
    /// Whether `name` is an escaped form of a name that is not UTF-8.
    pub escaped: bool,
}

impl Entry {
    fn new(root_relative: &Path, path: PathBuf, size: u64) -> Self {
        let (name, escaped) = display_path(root_relative);
        Self {
            path,
            name,
            size,
            error: None,
            escaped,
        }
    }

    fn rejected(root_relative: &Path, error: FileError) -> Self {
        let (name, escaped) = display_path(root_relative);
        Self {
            path: PathBuf::new(),
            name,
            size: 0,
            error: Some(error),
            escaped,
        }
    }

    /// The facts of a file that is out already.
    pub fn reject(&self) -> Option<FileFacts> {
        self.error
            .clone()
            .map(|error| FileFacts::failed(self.name.clone(), error))
    }
}

/// Lists the files of an extraction in a fixed order: the caller's, or by path.
pub fn scan(options: &ExtractOptions, control: &Control) -> Result<Vec<Entry>, ExtractError> {
    let root = options.root.canonicalize().map_err(|cause| {
        let root = options.root.display();
        ExtractError::InvalidOptions(match cause.kind() {
            io::ErrorKind::NotFound => format!("the root {root} does not exist"),
            _ => format!("the root {root} cannot be opened: {cause}"),
        })
    })?;
    if !root.is_dir() {
        let root = options.root.display();
        return Err(ExtractError::InvalidOptions(format!(
            "the root {root} is not a directory"
        )));
    }
    let entries = match &options.paths {
        Some(paths) => named(&root, &options.root, paths),
        None => below(&root, control)?,
    };
    control.set_total(
        entries.len() as u64,
        entries.iter().map(|entry| entry.size).sum(),
    );
    Ok(entries)
}

fn named(root: &Path, given_root: &Path, paths: &[PathBuf]) -> Vec<Entry> {
    let mut locator = Locator::new(root);
    let entry = |path: &PathBuf| {
        // The caller may spell the root with links in it.
        let path = path.strip_prefix(given_root).unwrap_or(path);
        match locator.locate(path) {
            Ok(file) => Entry::new(&file.relative, file.path, file.size),
            Err((path, error)) => Entry::rejected(&path, error),
        }
    };
    paths.iter().map(entry).collect()
}

fn below(root: &Path, control: &Control) -> Result<Vec<Entry>, ExtractError> {
    let mut entries = Vec::new();
    // Ignore files count whether or not the root is a checkout, and nothing outside the root decides.
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .parents(false)
        .git_global(false)
        .filter_entry(|entry| entry.file_name() != ".git" && entry.file_name() != ".bowstring")
        .build();
    for found in walk {
        if control.is_cancelled() {
            return Err(ExtractError::Cancelled);
        }
        match found {
            Ok(entry) => entries.extend(scanned(root, &entry)),
            Err(cause) => entries.push(unreadable(root, &cause)),
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn scanned(root: &Path, entry: &DirEntry) -> Option<Entry> {
    let kind = entry.file_type()?;
    let relative = entry.path().strip_prefix(root).ok()?;
    if kind.is_symlink() {
        return linked(relative, entry.path());
    }
    if !kind.is_file() || !languages::is_known(entry.path()) {
        return None;
    }
    let size = entry.metadata().map_or(0, |metadata| metadata.len());
    Some(Entry::new(relative, entry.path().to_owned(), size))
}

/// A link is not followed: what it leads to is found where it is. A loop is worth a word.
fn linked(relative: &Path, path: &Path) -> Option<Entry> {
    match fs::metadata(path) {
        Err(cause) if is_link_loop(&cause) => Some(Entry::rejected(
            relative,
            error(
                Severity::Skipped,
                "scan",
                "symlink_loop",
                "the path is a loop of links",
            ),
        )),
        Ok(metadata) if metadata.is_dir() || languages::is_known(path) => Some(Entry::rejected(
            relative,
            error(
                Severity::Skipped,
                "scan",
                "symlink",
                "a symbolic link; links are not followed",
            ),
        )),
        _ => None,
    }
}

fn unreadable(root: &Path, cause: &ignore::Error) -> Entry {
    let mut at = cause;
    let mut path = root;
    loop {
        match at {
            ignore::Error::WithPath { path: inner, err } => {
                path = inner;
                at = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                at = err;
            }
            _ => break,
        }
    }
    let relative = path.strip_prefix(root).unwrap_or(path);
    Entry::rejected(
        relative,
        error(Severity::Failed, "scan", "unreadable", at.to_string()),
    )
}
