//! Schemas that were read before. The batches of a stream have one schema, and so have those of a query that is asked again:
//! to see that it is the same takes a fraction of what it takes to check it, to parse its formats and to hash it.

use std::cell::RefCell;
use std::ffi::c_char;
use std::rc::Rc;

use crate::invalid::Problem;
use crate::layout::{Layout, layout_of};
use crate::metadata::metadata;
use crate::node::text;
use crate::raw::ArrowSchema;

/// One struct of a schema.
#[derive(Debug)]
pub(crate) struct KnownNode {
    pub format: Box<str>,
    pub layout: Layout,
    /// `None` when the struct has no name.
    name: Option<Box<str>>,
    /// `None` when the struct has no metadata.
    metadata: Option<Box<[(String, String)]>>,
    flags: i64,
    children: i64,
    has_dictionary: bool,
}

impl KnownNode {
    fn read(schema: &ArrowSchema) -> Result<Self, Problem> {
        let format = text(schema.format, "format")?.unwrap_or_default();
        let metadata = (!schema.metadata.is_null()).then(|| {
            metadata(schema)
                .map(|entry| entry.map(|(key, value)| (key.to_owned(), value.to_owned())))
                .collect::<Result<_, _>>()
        });
        Ok(Self {
            layout: layout_of(format).ok_or_else(|| Problem::UnknownFormat(format.to_owned()))?,
            format: format.into(),
            name: text(schema.name, "name")?.map(Box::from),
            metadata: metadata.transpose()?,
            flags: schema.flags,
            children: schema.n_children,
            has_dictionary: !schema.dictionary.is_null(),
        })
    }

    /// Whether a struct says the same, without what is below it.
    fn is(&self, schema: &ArrowSchema) -> bool {
        schema.release.is_some()
            && schema.flags == self.flags
            && schema.n_children == self.children
            && (self.children == 0 || !schema.children.is_null())
            && schema.dictionary.is_null() != self.has_dictionary
            && is_text(schema.format, Some(&self.format))
            && is_text(schema.name, self.name.as_deref())
            && match &self.metadata {
                None => schema.metadata.is_null(),
                Some(known) => !schema.metadata.is_null() && is_metadata(schema, known),
            }
    }
}

/// Whether a string of a schema is this one.
fn is_text(found: *const c_char, known: Option<&str>) -> bool {
    let Some(known) = known else {
        return found.is_null();
    };
    // SAFETY: a string of a schema that is not released is NUL-terminated: it may be read until it differs, as it does at
    // its NUL if not before.
    let byte = |index: usize| unsafe { found.cast::<u8>().add(index).read() };
    let mut bytes = known.bytes().enumerate();
    !found.is_null() && bytes.all(|(index, known)| byte(index) == known) && byte(known.len()) == 0
}

fn is_metadata(schema: &ArrowSchema, known: &[(String, String)]) -> bool {
    let mut known = known.iter();
    metadata(schema).all(|entry| match (entry, known.next()) {
        (Ok((key, value)), Some(known)) => key == known.0 && value == known.1,
        _ => false,
    }) && known.next().is_none()
}

/// A schema whose structs were found to be sound.
#[derive(Debug)]
pub(crate) struct KnownSchema {
    /// In pre-order, dictionaries after the children.
    pub nodes: Box<[KnownNode]>,
    pub fingerprint: u64,
}

impl KnownSchema {
    /// A schema that a walk has found sound, which has this fingerprint.
    pub fn read(schema: &ArrowSchema, fingerprint: u64) -> Result<Self, Problem> {
        let mut nodes = Vec::new();
        collect(schema, &mut nodes)?;
        let nodes = nodes.into();
        Ok(Self { nodes, fingerprint })
    }

    /// Whether a schema is this one. It may be any struct that a producer could give.
    fn is(&self, schema: &ArrowSchema) -> bool {
        let mut nodes = self.nodes.iter();
        is_below(&mut nodes, schema)
    }
}

fn collect(schema: &ArrowSchema, nodes: &mut Vec<KnownNode>) -> Result<(), Problem> {
    nodes.push(KnownNode::read(schema)?);
    below(schema).try_for_each(|child| match child {
        Some(child) => collect(child, nodes),
        None => Err(Problem::Null("a child")),
    })
}

fn is_below(nodes: &mut std::slice::Iter<'_, KnownNode>, schema: &ArrowSchema) -> bool {
    nodes.next().is_some_and(|node| node.is(schema))
        && below(schema).all(|child| child.is_some_and(|child| is_below(nodes, child)))
}

/// The children and the dictionary of a schema that has as many children as it says.
fn below(schema: &ArrowSchema) -> impl Iterator<Item = Option<&ArrowSchema>> {
    let children = (0..schema.n_children as usize).map(|index| {
        // SAFETY: `children` has `n_children` entries, each null or a schema that lives as long as its parent.
        unsafe { (*schema.children.add(index)).as_ref() }
    });
    // SAFETY: a dictionary that is not null is a schema that lives as long as its parent.
    let dictionary = unsafe { schema.dictionary.as_ref() };
    children.chain(dictionary.map(Some))
}

/// More schemas than a thread has in use at once.
const MOST: usize = 16;

thread_local! {
    /// The last one found is the first one looked at.
    static KNOWN: RefCell<Vec<Rc<KnownSchema>>> = const { RefCell::new(Vec::new()) };
}

/// What this thread knows of a schema.
pub(crate) fn recall(schema: &ArrowSchema) -> Option<Rc<KnownSchema>> {
    let find = |known: &mut Vec<Rc<KnownSchema>>| {
        let index = known.iter().position(|known| known.is(schema))?;
        known.swap(0, index);
        Some(known[0].clone())
    };
    // A thread in its exit knows nothing any more.
    KNOWN.try_with(|known| find(&mut known.borrow_mut())).ok()?
}

/// Keeps a schema that a walk has found sound.
pub(crate) fn remember(schema: &ArrowSchema, fingerprint: u64) {
    if let Ok(schema) = KnownSchema::read(schema, fingerprint) {
        let _ = KNOWN.try_with(|known| {
            let mut known = known.borrow_mut();
            known.truncate(MOST - 1);
            known.insert(0, Rc::new(schema));
        });
    }
}
