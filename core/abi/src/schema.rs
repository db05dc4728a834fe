//! Reading a schema struct: as a tree of owned values, and as a fingerprint.

use std::ffi::c_char;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use crate::OwnedTable;
use crate::invalid::{InvalidArrow, Problem};
use crate::raw::ArrowSchema;
use crate::walk::{MAX_DEPTH, Node, Visitor, text, walk};

/// A schema struct as owned values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaTree {
    /// The format string.
    pub format: String,
    /// The field's name; empty when the struct has none.
    pub name: String,
    /// The key-value pairs in the struct's order; `None` when the struct has none.
    pub metadata: Option<Vec<(String, String)>>,
    /// Bits: 1 dictionary ordered, 2 nullable, 4 map keys sorted.
    pub flags: i64,
    /// The children.
    pub children: Vec<SchemaTree>,
    /// The type of the dictionary's values, if the field is dictionary-encoded.
    pub dictionary: Option<Box<SchemaTree>>,
}

impl SchemaTree {
    /// Reads the schema of a table.
    pub fn read(table: &OwnedTable) -> Result<Self, InvalidArrow> {
        walk(table.schema(), table.array(), &mut Reader)
    }
}

impl SchemaTree {
    /// Reads a schema struct that comes without an array.
    pub fn read_schema(schema: &ArrowSchema) -> Result<Self, InvalidArrow> {
        read_struct(schema, 0).map_err(|problem| InvalidArrow {
            path: "schema".to_owned(),
            problem,
        })
    }
}

fn read_struct(schema: &ArrowSchema, depth: usize) -> Result<SchemaTree, Problem> {
    if depth >= MAX_DEPTH {
        return Err(Problem::TooDeep(MAX_DEPTH));
    }
    if schema.release.is_none() {
        return Err(Problem::Released("schema"));
    }
    if schema.n_children < 0 {
        return Err(Problem::Negative(
            "the schema's number of children",
            schema.n_children,
        ));
    }
    if schema.n_children > 0 && schema.children.is_null() {
        return Err(Problem::Null("the schema's list of children"));
    }
    let children = (0..schema.n_children as usize)
        .map(|index| {
            // SAFETY: `children` is not null and has `n_children` entries; each that is not null is a schema.
            let child = unsafe { (*schema.children.add(index)).as_ref() };
            read_struct(child.ok_or(Problem::NullChild("schema", index))?, depth + 1)
        })
        .collect::<Result<_, _>>()?;
    // SAFETY: a dictionary that is not null is a schema.
    let dictionary = match unsafe { schema.dictionary.as_ref() } {
        Some(dictionary) => Some(Box::new(read_struct(dictionary, depth + 1)?)),
        None => None,
    };
    let pairs = (!schema.metadata.is_null()).then(|| {
        metadata(schema)
            .map(|entry| entry.map(|(key, value)| (key.to_owned(), value.to_owned())))
            .collect::<Result<Vec<_>, _>>()
    });
    Ok(SchemaTree {
        format: text(schema.format, "format")?
            .ok_or(Problem::Null("the format"))?
            .to_owned(),
        name: text(schema.name, "name")?.unwrap_or_default().to_owned(),
        metadata: pairs.transpose()?,
        flags: schema.flags,
        children,
        dictionary,
    })
}

struct Reader;

impl Visitor for Reader {
    type Output = SchemaTree;

    fn enter(&mut self, _node: &Node<'_>) -> Result<(), Problem> {
        Ok(())
    }

    fn leave(&mut self, node: &Node<'_>, children: Vec<SchemaTree>) -> Result<SchemaTree, Problem> {
        let schema = node.schema;
        let metadata = (!schema.metadata.is_null()).then(|| {
            metadata(schema)
                .map(|entry| entry.map(|(key, value)| (key.to_owned(), value.to_owned())))
                .collect::<Result<Vec<_>, _>>()
        });
        Ok(SchemaTree {
            format: text(schema.format, "format")?
                .unwrap_or_default()
                .to_owned(),
            name: text(schema.name, "name")?.unwrap_or_default().to_owned(),
            metadata: metadata.transpose()?,
            flags: schema.flags,
            children,
            dictionary: None,
        })
    }
}

/// A number below 2^53 that is equal for equal schemas and, within one process, different for different ones (the
/// hash is keyed at random, so that nobody can prepare a collision).
pub fn fingerprint(table: &OwnedTable) -> Result<u64, InvalidArrow> {
    let mut visitor = Fingerprint::default();
    walk(table.schema(), table.array(), &mut visitor)?;
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

    fn leave(&mut self, _node: &Node<'_>, _children: Vec<()>) -> Result<(), Problem> {
        Ok(())
    }
}

/// The entries of a schema's metadata, each a key and a value in UTF-8. An iterator that ends after its first error.
///
/// The bytes are, by the specification: the number of pairs as a native-endian `i32`, then for each pair the key's
/// length (`i32`), the key, the value's length (`i32`), the value.
pub(crate) fn metadata(schema: &ArrowSchema) -> Metadata<'_> {
    Metadata {
        next: schema.metadata,
        left: None,
        _schema: schema,
    }
}

pub(crate) struct Metadata<'a> {
    next: *const c_char,
    /// How many pairs are left; `None` before the count has been read.
    left: Option<i32>,
    _schema: &'a ArrowSchema,
}

impl<'a> Metadata<'a> {
    fn count(&mut self, what: &'static str) -> Result<i32, Problem> {
        // SAFETY: the producer wrote a whole count here; nothing says that it is aligned.
        let count = unsafe { self.next.cast::<i32>().read_unaligned() };
        if count < 0 {
            return Err(Problem::Metadata(what));
        }
        // SAFETY: the count's own four bytes.
        self.next = unsafe { self.next.add(4) };
        Ok(count)
    }

    fn string(
        &mut self,
        negative: &'static str,
        not_utf8: &'static str,
    ) -> Result<&'a str, Problem> {
        let length = self.count(negative)? as usize;
        // SAFETY: the producer wrote as many bytes as the count before them says.
        let bytes = unsafe { std::slice::from_raw_parts(self.next.cast::<u8>(), length) };
        // SAFETY: those same bytes.
        self.next = unsafe { self.next.add(length) };
        std::str::from_utf8(bytes).map_err(|_| Problem::Metadata(not_utf8))
    }

    fn pair(&mut self) -> Result<Option<(&'a str, &'a str)>, Problem> {
        if self.next.is_null() {
            return Ok(None);
        }
        let left = match self.left {
            Some(left) => left,
            None => self.count("the number of pairs is negative")?,
        };
        if left == 0 {
            return Ok(None);
        }
        let key = self.string("the length of a key is negative", "a key is not UTF-8")?;
        let value = self.string("the length of a value is negative", "a value is not UTF-8")?;
        self.left = Some(left - 1);
        Ok(Some((key, value)))
    }
}

impl<'a> Iterator for Metadata<'a> {
    type Item = Result<(&'a str, &'a str), Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let pair = self.pair();
        if !matches!(pair, Ok(Some(_))) {
            self.next = std::ptr::null();
        }
        pair.transpose()
    }
}
