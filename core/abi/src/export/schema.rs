//! Schema structs of this library's own.

use std::any::Any;
use std::ffi::{CString, c_char};
use std::sync::Arc;

use crate::SchemaTree;
use crate::export::slab::Draft;
use crate::guard::guard_callback;
use crate::invalid::Problem;
use crate::metadata::metadata_bytes;
use crate::raw::ArrowSchema;

/// The `private_data` of a schema of this library's own.
struct SchemaPrivate {
    children: Box<[*mut ArrowSchema]>,
    _owner: Arc<dyn Any + Send + Sync>,
}

/// What one struct points to.
struct Strings {
    format: CString,
    name: CString,
    metadata: Option<Vec<u8>>,
}

/// A schema struct with strings of its own. Nothing is checked but that the strings can be written.
pub(crate) fn schema_struct(tree: &SchemaTree) -> Result<ArrowSchema, Problem> {
    let text = |text: &str, what| CString::new(text).map_err(|_| Problem::Nul(what));
    let metadata = tree.metadata.as_deref().map(metadata_bytes).transpose()?;
    let strings = Arc::new(Strings {
        format: text(&tree.format, "format")?,
        name: text(&tree.name, "name")?,
        metadata,
    });
    let children = tree.children.iter().map(schema_struct).map(Owned::new);
    let children = children.collect::<Result<Vec<_>, _>>()?;
    let dictionary = tree.dictionary.as_deref().map(schema_struct).transpose()?;
    let source = ArrowSchema {
        format: strings.format.as_ptr(),
        name: strings.name.as_ptr(),
        metadata: match &strings.metadata {
            Some(metadata) => metadata.as_ptr().cast::<c_char>(),
            None => std::ptr::null(),
        },
        flags: tree.flags,
        ..ArrowSchema::released()
    };
    let children = children.into_iter().map(Owned::into_inner).collect();
    Ok(new_schema(&source, children, dictionary, strings))
}

/// A finished child, released when a later one fails.
struct Owned(ArrowSchema);

impl Owned {
    fn new(schema: Result<ArrowSchema, Problem>) -> Result<Self, Problem> {
        schema.map(Self)
    }

    fn into_inner(mut self) -> ArrowSchema {
        std::mem::replace(&mut self.0, ArrowSchema::released())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: the schema is owned and not released yet.
            unsafe { release(&mut self.0) };
        }
    }
}

/// A schema with the strings and flags of `source`, which `owner` keeps alive.
pub(super) fn new_schema(
    source: &ArrowSchema,
    children: Vec<ArrowSchema>,
    dictionary: Option<ArrowSchema>,
    owner: Arc<dyn Any + Send + Sync>,
) -> ArrowSchema {
    let children = children
        .into_iter()
        .map(|child| Box::into_raw(Box::new(child)))
        .collect();
    let mut private = Box::new(SchemaPrivate {
        children,
        _owner: owner,
    });
    ArrowSchema {
        format: source.format,
        name: source.name,
        metadata: source.metadata,
        flags: source.flags,
        n_children: private.children.len() as i64,
        children: private.children.as_mut_ptr(),
        dictionary: boxed(dictionary),
        release: Some(release_schema),
        private_data: Box::into_raw(private).cast(),
    }
}

/// A schema of this library's own over the strings of `source`, which `owner` keeps alive and which is one that
/// [`schema_struct`] made.
pub(crate) fn share_schema(source: &ArrowSchema, owner: Arc<dyn Any + Send + Sync>) -> ArrowSchema {
    let mut draft = Draft::new();
    share(source, &mut draft);
    draft.into_schema(owner)
}

fn share(source: &ArrowSchema, draft: &mut Draft<ArrowSchema>) -> usize {
    let parent = draft.add(ArrowSchema {
        format: source.format,
        name: source.name,
        metadata: source.metadata,
        flags: source.flags,
        n_children: source.n_children,
        ..ArrowSchema::released()
    });
    for index in 0..source.n_children as usize {
        // SAFETY: the source is well formed, as its maker says.
        let child = unsafe { &**source.children.add(index) };
        let child = share(child, draft);
        draft.set_child(parent, index, child);
    }
    // SAFETY: as above; a dictionary that is not null is a well-formed schema.
    if let Some(dictionary) = unsafe { source.dictionary.as_ref() } {
        let dictionary = share(dictionary, draft);
        draft.set_dictionary(parent, dictionary);
    }
    parent
}

/// The address of a box, or null.
pub(super) fn boxed<T>(value: Option<T>) -> *mut T {
    value.map_or(std::ptr::null_mut(), |value| Box::into_raw(Box::new(value)))
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    guard_callback(|| {
        // SAFETY: the caller passes a schema that has this function as its `release`, or null.
        let Some(schema) = (unsafe { schema.as_mut() }) else {
            return;
        };
        if schema.release.take().is_none() {
            return;
        }
        // SAFETY: `new_schema` made it, and `release` having been set means that it was not freed yet.
        let private = unsafe { Box::from_raw(schema.private_data.cast::<SchemaPrivate>()) };
        for &child in private
            .children
            .iter()
            .chain((!schema.dictionary.is_null()).then_some(&schema.dictionary))
        {
            // SAFETY: each was boxed when the parent was made, and only its parent frees the box.
            let mut child = unsafe { Box::from_raw(child) };
            // A child without `release` has been moved out; its new owner releases it.
            if let Some(release) = child.release {
                // SAFETY: the child is not released yet, and is the parent's to release.
                unsafe { release(&mut *child) };
            }
        }
    });
}
