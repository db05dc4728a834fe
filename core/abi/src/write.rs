//! Schema structs from owned values.

use std::ffi::{CString, c_char};

use crate::OwnedTable;
use crate::guard::guard_callback;
use crate::invalid::{InvalidArrow, Problem};
use crate::raw::{ArrowArray, ArrowSchema};
use crate::schema::SchemaTree;

/// Makes a schema struct; the table has no array. Whether the types can be is for [`check`](crate::check::check) to say,
/// of a table that has this schema.
///
/// Fails when a string has a NUL, or metadata is larger than the specification can say.
pub fn write_schema(tree: &SchemaTree) -> Result<OwnedTable, InvalidArrow> {
    let schema = schema_struct(tree).map_err(|problem| InvalidArrow {
        path: format!("field \"{}\"", tree.name.escape_debug()),
        problem,
    })?;
    // SAFETY: the schema was made here and is given up; the array is a released one.
    Ok(unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) })
}

/// The `private_data` of a schema that was written: what its pointers point to.
struct Written {
    format: CString,
    name: CString,
    metadata: Option<Vec<u8>>,
    children: Box<[*mut ArrowSchema]>,
}

fn schema_struct(tree: &SchemaTree) -> Result<ArrowSchema, Problem> {
    let format = c_string(&tree.format, "the format has a NUL")?;
    let name = c_string(&tree.name, "the name has a NUL")?;
    let metadata = tree.metadata.as_deref().map(encode_metadata).transpose()?;
    // Each in an owner, so that those already made are released when a later one fails.
    let owned = |tree: &SchemaTree| {
        schema_struct(tree).map(|schema| {
            // SAFETY: the schema was made here and is given up.
            unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) }
        })
    };
    let children = tree
        .children
        .iter()
        .map(owned)
        .collect::<Result<Vec<_>, _>>()?;
    let dictionary = tree.dictionary.as_deref().map(owned).transpose()?;
    let boxed = |table: OwnedTable| Box::into_raw(Box::new(table.into_raw().schema));
    let mut written = Box::new(Written {
        format,
        name,
        metadata,
        children: children.into_iter().map(boxed).collect(),
    });
    Ok(ArrowSchema {
        format: written.format.as_ptr(),
        name: written.name.as_ptr(),
        metadata: written
            .metadata
            .as_ref()
            .map_or(std::ptr::null(), |bytes| bytes.as_ptr().cast::<c_char>()),
        flags: tree.flags,
        n_children: written.children.len() as i64,
        children: written.children.as_mut_ptr(),
        dictionary: dictionary.map_or(std::ptr::null_mut(), boxed),
        release: Some(release_written),
        private_data: Box::into_raw(written).cast(),
    })
}

fn c_string(text: &str, problem: &'static str) -> Result<CString, Problem> {
    CString::new(text).map_err(|_| Problem::Metadata(problem))
}

/// Counts are native-endian `i32`: of the pairs, then before each key and each value that of its bytes.
fn encode_metadata(pairs: &[(String, String)]) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let count = |bytes: &mut Vec<u8>, count: usize| {
        let count = i32::try_from(count)
            .map_err(|_| Problem::Metadata("a key or a value is larger than 2 GiB"))?;
        bytes.extend_from_slice(&count.to_ne_bytes());
        Ok(())
    };
    count(&mut bytes, pairs.len())?;
    for (key, value) in pairs {
        for text in [key, value] {
            count(&mut bytes, text.len())?;
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    Ok(bytes)
}

unsafe extern "C" fn release_written(schema: *mut ArrowSchema) {
    guard_callback(|| {
        // SAFETY: the caller passes a schema that has this function as its `release`, or null.
        let Some(schema) = (unsafe { schema.as_mut() }) else {
            return;
        };
        if schema.release.take().is_none() {
            return;
        }
        // SAFETY: `schema_struct` made it, and `release` having been set means that it was not freed yet.
        let written = unsafe { Box::from_raw(schema.private_data.cast::<Written>()) };
        let dictionary = (!schema.dictionary.is_null()).then_some(&schema.dictionary);
        for &child in written.children.iter().chain(dictionary) {
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
