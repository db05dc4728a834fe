//! The `file` table, and the keys by which the other tables know a file.

use arrow_array::StringArray;
use rustc_hash::FxHashMap;

use super::{Encoder, Progress, finish, too_many};
use crate::StoreError;
use crate::contract::{Columns, optional};
use crate::image::Image;

/// The files of one batch: row `n` has the key `first + n`.
pub(super) struct FileKeys<'a> {
    columns: FileColumns<'a>,
    first: u32,
    keys: FxHashMap<&'a str, u32>,
    /// First and last symbol of each file; (0, -1) for one without.
    symbols: Vec<(i64, i64)>,
}

struct FileColumns<'a> {
    rows: usize,
    path: &'a StringArray,
    language: &'a StringArray,
    content: &'a StringArray,
    hash: &'a StringArray,
    size: &'a [u32],
    line_count: &'a [u32],
    parse_error_count: &'a [u32],
}

impl<'a> FileKeys<'a> {
    pub(super) fn new(table: Columns<'a>, progress: &Progress) -> Result<Self, StoreError> {
        let columns = FileColumns {
            rows: table.rows(),
            path: table.text("path"),
            language: table.text("language"),
            content: table.text("content"),
            hash: table.text("hash"),
            size: table.numbers("size"),
            line_count: table.numbers("line_count"),
            parse_error_count: table.numbers("parse_error_count"),
        };
        let first = progress.counts.files + 1;
        u32::try_from(first + columns.rows as u64).map_err(|_| too_many("files"))?;
        let first = first as u32;
        let mut keys = FxHashMap::default();
        for row in 0..columns.rows {
            let path = columns.path.value(row);
            if keys.insert(path, first + row as u32).is_some() {
                return Err(table.invalid("path", row, &format!("\"{path}\" comes twice")));
            }
        }
        Ok(Self {
            symbols: vec![(0, -1); columns.rows],
            columns,
            first,
            keys,
        })
    }

    /// Tells that the symbols `first` to `last` are those of the file `key`.
    pub(super) fn set_symbols(&mut self, key: u32, first: i64, last: i64) {
        self.symbols[(key - self.first) as usize] = (first, last);
    }

    /// Looks up the `file_path` of each row of a table.
    pub(super) fn lookup<'b>(
        &'b self,
        table: &'b Columns<'a>,
        paths: &'a StringArray,
    ) -> FileLookup<'a, 'b> {
        FileLookup {
            files: self,
            table,
            paths,
            last: ("", None),
        }
    }
}

/// Finds the file of row after row. Neighbours are mostly of one file, so the last answer is tried first.
pub(super) struct FileLookup<'a, 'b> {
    files: &'b FileKeys<'a>,
    table: &'b Columns<'a>,
    paths: &'a StringArray,
    last: (&'a str, Option<u32>),
}

impl FileLookup<'_, '_> {
    #[inline]
    pub(super) fn key(&mut self, row: usize) -> Result<u32, StoreError> {
        let path = self.paths.value(row);
        match self.last {
            (last, Some(key)) if last == path => Ok(key),
            _ => self.search(path, row),
        }
    }

    fn search(&mut self, path: &str, row: usize) -> Result<u32, StoreError> {
        let Some(&key) = self.files.keys.get(path) else {
            let message = format!("\"{path}\" is not a path of table files in the same batch");
            return Err(self.table.invalid("file_path", row, &message));
        };
        self.last = (self.paths.value(row), Some(key));
        Ok(key)
    }
}

impl Encoder {
    /// After the identifiers, whose `name_use` rows it refers to.
    pub(super) fn encode_files(
        &mut self,
        files: &FileKeys<'_>,
        image: &mut Image,
        progress: &mut Progress,
    ) {
        let mut table = image.table();
        let columns = &files.columns;
        let (first_use, last_use) = (self.written.name_uses + 1, progress.name_uses);
        for row in 0..columns.rows {
            let record = &mut self.record;
            record.clear();
            record.null();
            record.text(columns.path.value(row).as_bytes());
            record.text(columns.language.value(row).as_bytes());
            record.text(columns.hash.value(row).as_bytes());
            record.number(columns.size[row]);
            record.number(columns.line_count[row]);
            record.number(columns.parse_error_count[row]);
            record.int(files.symbols[row].0);
            record.int(files.symbols[row].1);
            record.int(first_use as i64);
            record.int(last_use as i64);
            record.optional_text(optional(columns.content, row).map(str::as_bytes));
            image.push(&mut table, i64::from(files.first) + row as i64, record);
        }
        finish(image, "file", table);
        progress.counts.files += columns.rows as u64;
    }
}
