//! How tables come in: what is checked, and what becomes of types that JavaScript's Arrow library cannot hold.

use std::any::Any;
use std::sync::Arc;

use bowstring_abi::build::BuildSchema;
use bowstring_abi::convert::convert;
use bowstring_abi::describe::{Description, describe_root};
use bowstring_abi::{
    ArrowSchema, Failure, InvalidArrow, Level, OwnedTable, Root, SchemaTree, share_table,
};

/// In the flags of an import: nothing is checked that can be read past. For tables of this library's own making.
pub const BOW_VALIDATE_NONE: u32 = 0;
/// In the flags of an import: what the structs say is checked, such as lengths, counts, null pointers and names.
pub const BOW_VALIDATE_MINIMAL: u32 = 1;
/// In the flags of an import: the first and last offsets are checked too.
pub const BOW_VALIDATE_DEFAULT: u32 = 2;
/// In the flags of an import: all offsets, text and null counts are checked too.
pub const BOW_VALIDATE_FULL: u32 = 3;
/// In the flags of an import: columns of types that JavaScript's Arrow library cannot hold are converted to ones that it
/// can, and say in their metadata what they were. The bytes count as bytes_copied in the context's stats.
pub const BOW_IMPORT_CONVERT: u32 = 4;
/// In the flags of an import: the type may be any, and what comes in is one array of that type. Otherwise it must be a
/// struct, without null rows and with the offset 0: a record batch.
pub const BOW_IMPORT_ANY: u32 = 8;
/// In the flags of an import: what BOW_IMPORT_CONVERT would convert is refused with BOW_UNSUPPORTED.
pub const BOW_IMPORT_STRICT: u32 = 16;

const LEVEL: u32 = 3;
const ALL: u32 = LEVEL | BOW_IMPORT_CONVERT | BOW_IMPORT_ANY | BOW_IMPORT_STRICT;

/// The flags of an import, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportOptions {
    /// How much is checked.
    pub level: Level,
    /// Whether columns are converted.
    pub convert: bool,
    /// Whether the type may be another than a struct.
    pub any: bool,
    /// Whether what would have to be converted is refused.
    pub strict: bool,
}

impl ImportOptions {
    /// Refuses bits that mean nothing, and asking for what contradicts itself.
    pub fn from_flags(flags: u32) -> Result<Self, Failure> {
        if flags & !ALL != 0 {
            return Err(Failure::invalid_argument(format!(
                "expected flags within {ALL:#x} but found {flags:#x}"
            )));
        }
        let options = Self {
            level: Level::from_number(flags & LEVEL).expect("each number of two bits is a level"),
            convert: flags & BOW_IMPORT_CONVERT != 0,
            any: flags & BOW_IMPORT_ANY != 0,
            strict: flags & BOW_IMPORT_STRICT != 0,
        };
        if options.convert && options.strict {
            return Err(Failure::invalid_argument(
                "expected one of BOW_IMPORT_CONVERT and BOW_IMPORT_STRICT but found both",
            ));
        }
        Ok(options)
    }
}

impl From<Level> for ImportOptions {
    /// Record batches, checked so far and taken as they are.
    fn from(level: Level) -> Self {
        Self {
            level,
            convert: false,
            any: false,
            strict: false,
        }
    }
}

/// The schema that tables of this schema are shown with.
pub fn shown_schema(
    schema: &ArrowSchema,
    options: ImportOptions,
) -> Result<SchemaTree, InvalidArrow> {
    let empty = BuildSchema::new(SchemaTree::read_schema(schema)?)?.empty()?;
    SchemaTree::read(&Prepared::new(vec![empty], options)?.shown()[0])
}

/// Tables that have been checked, converted as far as needed, and described. Any thread may do that.
#[derive(Debug)]
pub struct Prepared {
    tables: Tables,
    /// Of the tables as they are shown.
    description: Description,
    /// How many bytes the conversion wrote.
    bytes_copied: usize,
}

#[derive(Debug)]
enum Tables {
    /// They are shown as they came.
    Same(Vec<OwnedTable>),
    Converted {
        /// Shared with those that are shown, which may have columns of theirs.
        originals: Vec<Arc<OwnedTable>>,
        shown: Vec<OwnedTable>,
    },
}

impl Prepared {
    /// Checks, converts and describes tables.
    pub fn new(originals: Vec<OwnedTable>, options: ImportOptions) -> Result<Self, InvalidArrow> {
        let root = match options.any {
            true => Root::Any,
            false => Root::RecordBatch,
        };
        let description = describe_root(&originals, root, options.level)?;
        let as_they_are = !(options.convert || options.strict) || {
            let mut fingerprints = description.fingerprints.iter();
            fingerprints.all(|&fingerprint| plain::is_known(fingerprint))
        };
        if as_they_are {
            return Ok(Self::same(originals, description));
        }

        let (mut is_changed, mut bytes_copied) = (false, 0);
        let originals: Vec<_> = originals.into_iter().map(Arc::new).collect();
        let mut shown = Vec::with_capacity(originals.len());
        for (original, &fingerprint) in originals.iter().zip(&description.fingerprints) {
            let owner: Arc<dyn Any + Send + Sync> = original.clone();
            // SAFETY: the owner is the table.
            let converted = convert(unsafe { share_table(original, owner) }?, options.strict)?;
            if !converted.is_changed {
                plain::note(fingerprint);
            }
            is_changed |= converted.is_changed;
            bytes_copied += converted.bytes_copied;
            shown.push(converted.table);
        }
        if !is_changed {
            // Without the shares, each original has one owner again.
            drop(shown);
            let originals = originals.into_iter().filter_map(Arc::into_inner);
            return Ok(Self::same(originals.collect(), description));
        }
        let description = describe_root(&shown, root, Level::None)?;
        Ok(Self {
            tables: Tables::Converted { originals, shown },
            description,
            bytes_copied,
        })
    }

    fn same(tables: Vec<OwnedTable>, description: Description) -> Self {
        Self {
            tables: Tables::Same(tables),
            description,
            bytes_copied: 0,
        }
    }

    /// The tables as they are shown.
    pub fn shown(&self) -> &[OwnedTable] {
        match &self.tables {
            Tables::Same(tables) => tables,
            Tables::Converted { shown, .. } => shown,
        }
    }

    /// Table `index` as it came.
    pub fn original(&self, index: usize) -> Option<&OwnedTable> {
        match &self.tables {
            Tables::Same(tables) => tables.get(index),
            Tables::Converted { originals, .. } => originals.get(index).map(Arc::as_ref),
        }
    }

    /// The tables as they are shown, to be given away.
    pub fn into_shown(self) -> Vec<OwnedTable> {
        match self.tables {
            Tables::Same(tables) => tables,
            Tables::Converted { shown, .. } => shown,
        }
    }

    /// Where the memory of the tables that are shown lies.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// How many bytes had to be written.
    pub fn bytes_copied(&self) -> usize {
        self.bytes_copied
    }
}

/// Schemas of which nothing has to be converted, by their fingerprints: to find that out takes longer than to describe a
/// small batch, and a stream's batches all have one schema.
mod plain {
    use std::collections::HashSet;
    use std::sync::{LazyLock, PoisonError, RwLock};

    /// More schemas than a program has in use; a bound so that ever new ones do not fill memory.
    const MOST: usize = 4096;

    static KNOWN: LazyLock<RwLock<HashSet<u64>>> = LazyLock::new(RwLock::default);

    pub fn is_known(fingerprint: u64) -> bool {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        known.contains(&fingerprint)
    }

    pub fn note(fingerprint: u64) {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(fingerprint);
    }
}
