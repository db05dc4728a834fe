//! Reading a schema struct: as a tree of owned values, and as a fingerprint.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, Field, Schema};
use serde::{Deserialize, Serialize};

use crate::OwnedTable;
use crate::export::schema_struct;
use crate::invalid::{InvalidArrow, Problem};
use crate::metadata::metadata;
use crate::node::{Node, SchemaNode, text};
use crate::raw::{ArrowArray, ArrowSchema};
use crate::walk::{Root, SchemaVisitor, Visitor, walk, walk_schema};

/// A schema struct as owned values. As JSON it is an object with the fields' names as keys; all but `format` may be
/// left out there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaTree {
    /// The format string; of a dictionary-encoded field that of its keys.
    pub format: String,
    /// The field's name; empty when the struct has none.
    #[serde(default)]
    pub name: String,
    /// The key-value pairs in the struct's order; `None` when the struct has none.
    #[serde(default)]
    pub metadata: Option<Vec<(String, String)>>,
    /// Bits: 1 dictionary ordered, 2 nullable, 4 map keys sorted.
    #[serde(default = "nullable")]
    pub flags: i64,
    /// The children.
    #[serde(default)]
    pub children: Vec<SchemaTree>,
    /// The type of the dictionary's values, if the field is dictionary-encoded.
    #[serde(default)]
    pub dictionary: Option<Box<SchemaTree>>,
}

/// The flag of a field that may have nulls.
pub(crate) const NULLABLE: i64 = 2;

fn nullable() -> i64 {
    NULLABLE
}

impl SchemaTree {
    /// Reads the schema of a table, whose outermost type may be any.
    pub fn read(table: &OwnedTable) -> Result<Self, InvalidArrow> {
        Self::read_schema(table.schema())
    }

    /// Reads a schema struct, without moving it.
    pub fn read_schema(schema: &ArrowSchema) -> Result<Self, InvalidArrow> {
        walk_schema(schema, &mut Reader)
    }

    /// The tree of an arrow-rs field. Metadata is sorted by key, since arrow-rs keeps no order: equal fields give equal
    /// trees.
    pub fn of_field(field: &Field) -> Result<Self, InvalidArrow> {
        Self::of(FFI_ArrowSchema::try_from(field))
    }

    /// The tree of an arrow-rs schema, as [`of_field`](Self::of_field).
    pub fn of_schema(schema: &Schema) -> Result<Self, InvalidArrow> {
        Self::of(FFI_ArrowSchema::try_from(schema))
    }

    fn of(schema: Result<FFI_ArrowSchema, ArrowError>) -> Result<Self, InvalidArrow> {
        let schema = schema.map_err(|error| InvalidArrow {
            path: "schema".to_owned(),
            problem: Problem::Arrow(error.to_string()),
        })?;
        let mut tree = Self::read_schema(from_ffi(&schema))?;
        tree.sort_metadata();
        Ok(tree)
    }

    fn sort_metadata(&mut self) {
        if let Some(metadata) = &mut self.metadata {
            metadata.sort();
        }
        self.children.iter_mut().for_each(Self::sort_metadata);
        if let Some(dictionary) = &mut self.dictionary {
            dictionary.sort_metadata();
        }
    }

    /// The tree as an arrow-rs field. What arrow-rs has no place for is dropped: the order of metadata, and name,
    /// metadata and nullability of a dictionary's values.
    pub fn to_field(&self) -> Result<Field, InvalidArrow> {
        let owned = self.to_owned_schema()?;
        Field::try_from(as_ffi(owned.schema())).map_err(|error| InvalidArrow {
            path: "schema".to_owned(),
            problem: Problem::Arrow(error.to_string()),
        })
    }

    /// The tree as a struct of this library's own, which the caller owns. Fails when it is not a schema: a format that
    /// is none, a number of children that does not fit the type, a NUL in a string.
    pub fn to_raw(&self) -> Result<ArrowSchema, InvalidArrow> {
        Ok(self.to_owned_schema()?.into_raw().schema)
    }

    fn to_owned_schema(&self) -> Result<OwnedTable, InvalidArrow> {
        let schema = schema_struct(self).map_err(|problem| InvalidArrow {
            path: "schema".to_owned(),
            problem,
        })?;
        // SAFETY: the schema was made here and is given up; the array is a released one.
        let owned = unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) };
        walk_schema(owned.schema(), &mut Nothing)?;
        Ok(owned)
    }

    /// The value of a key of the metadata.
    pub fn metadata_value(&self, key: &str) -> Option<&str> {
        let mut entries = self.metadata.iter().flatten();
        entries.find_map(|(found, value)| (found == key).then_some(value.as_str()))
    }
}

/// The same struct under arrow-rs's name.
pub(crate) fn as_ffi(schema: &ArrowSchema) -> &FFI_ArrowSchema {
    const { assert!(size_of::<FFI_ArrowSchema>() == size_of::<ArrowSchema>()) };
    // SAFETY: both are the specification's struct, field by field; borrowed, so nothing is released through it.
    unsafe { &*std::ptr::from_ref(schema).cast() }
}

/// The same struct under this crate's name.
fn from_ffi(schema: &FFI_ArrowSchema) -> &ArrowSchema {
    // SAFETY: as in `as_ffi`.
    unsafe { &*std::ptr::from_ref(schema).cast() }
}

struct Nothing;

impl SchemaVisitor for Nothing {
    type Output = ();

    fn leave(&mut self, _: &SchemaNode<'_>, _: Vec<()>, _: Option<()>) -> Result<(), Problem> {
        Ok(())
    }
}

struct Reader;

impl SchemaVisitor for Reader {
    type Output = SchemaTree;

    fn leave(
        &mut self,
        node: &SchemaNode<'_>,
        children: Vec<SchemaTree>,
        dictionary: Option<SchemaTree>,
    ) -> Result<SchemaTree, Problem> {
        let schema = node.schema;
        let metadata = (!schema.metadata.is_null()).then(|| {
            metadata(schema)
                .map(|entry| entry.map(|(key, value)| (key.to_owned(), value.to_owned())))
                .collect::<Result<Vec<_>, _>>()
        });
        Ok(SchemaTree {
            format: node.format.to_owned(),
            name: text(schema.name, "name")?.unwrap_or_default().to_owned(),
            metadata: metadata.transpose()?,
            flags: schema.flags,
            children,
            dictionary: dictionary.map(Box::new),
        })
    }
}

/// A number below 2^53 that is equal for equal schemas and, within one process, different for different ones (the
/// hash is keyed at random, so that nobody can prepare a collision).
pub fn fingerprint(table: &OwnedTable) -> Result<u64, InvalidArrow> {
    let mut visitor = Fingerprint::default();
    walk(table.schema(), table.array(), Root::Any, &mut visitor)?;
    Ok(visitor.finish())
}

/// Writes a schema down in full, without two schemas reading the same, and hashes it in one go at the end.
#[derive(Default)]
pub(crate) struct Fingerprint {
    bytes: Vec<u8>,
}

impl Fingerprint {
    pub fn finish(&self) -> u64 {
        static KEYS: OnceLock<RandomState> = OnceLock::new();
        KEYS.get_or_init(RandomState::new).hash_one(&self.bytes[..]) >> 11
    }

    fn write(&mut self, text: &str) {
        self.bytes
            .extend_from_slice(&(text.len() as u32).to_ne_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

impl Visitor for Fingerprint {
    type Output = ();

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        let schema = node.schema;
        self.write(node.format);
        self.write(text(schema.name, "name")?.unwrap_or_default());
        self.bytes.extend_from_slice(&schema.flags.to_ne_bytes());
        self.bytes
            .extend_from_slice(&schema.n_children.to_ne_bytes());
        self.bytes.push(u8::from(!schema.dictionary.is_null()));
        for entry in metadata(schema) {
            let (key, value) = entry?;
            self.bytes.push(1);
            self.write(key);
            self.write(value);
        }
        self.bytes
            .push(if schema.metadata.is_null() { 2 } else { 0 });
        Ok(())
    }

    fn leave(&mut self, _: &Node<'_>, _: Vec<()>, _: Option<()>) -> Result<(), Problem> {
        Ok(())
    }
}
