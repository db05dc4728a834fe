//! What JavaScript's Arrow library cannot hold becomes something that it can, and becomes what it was again on the way
//! back.
//!
//! | type | becomes |
//! |---|---|
//! | list view, large list view | list, large list |
//! | run-end encoded | its values, repeated |
//! | decimal32, decimal64 | decimal128 |
//! | decimal256 of up to 38 digits | decimal128; a value that does not fit is an error |
//! | decimal256 of more digits | fixed-size binary of 32 bytes, the extension type `bowstring.decimal256` |
//! | dictionary with 64-bit keys | dictionary with int32 keys; a dictionary of more than 2^31 values is an error |
//! | struct with equal names | the later ones with a number after the name |
//! | map whose entries have other names | `entries`, `key` and `value` |
//!
//! at any depth. What a field becomes depends on its type alone, never on its values, so that the batches of a stream
//! keep one schema. What it was is in its metadata:
//!
//! - `bowstring:original_type`: the format string of the type that it was;
//! - `bowstring:original_run_ends`: with the type `+r`, its children and flags as JSON;
//! - `bowstring:original_name`: the name that it had;
//! - `bowstring:dictionary:...`: the same of a dictionary's values, which have no metadata of their own in most
//!   libraries; each level of nesting adds one `dictionary:`.

mod data;
mod decimal;
mod key;
mod list_view;
mod name;
mod read;
mod run_end;
mod schema;

use std::sync::Arc;

use crate::export::export_data;
use crate::invalid::InvalidArrow;
use crate::walk::Root;
use crate::{OwnedTable, SchemaTree};

pub use schema::{convert_schema, restore_schema};

/// The key of the metadata that has the format of the type that a field was.
pub const ORIGINAL_TYPE: &str = "bowstring:original_type";
/// The key of the metadata that has the name of a field that was renamed.
pub const ORIGINAL_NAME: &str = "bowstring:original_name";
/// The key of the metadata that has the children of a field that was run-end encoded.
pub const ORIGINAL_RUN_ENDS: &str = "bowstring:original_run_ends";
/// What follows `bowstring:` in the keys that are about a dictionary's values.
const DICTIONARY: &str = "bowstring:dictionary:";
/// What all these keys begin with.
const OURS: &str = "bowstring:";

/// A table in the types that were asked for.
#[derive(Debug)]
pub struct Converted {
    /// The table: the one that was given, if there was nothing to convert. Columns without anything to convert share
    /// its buffers, and their structs keep it.
    pub table: OwnedTable,
    /// How many bytes were written for it.
    pub bytes_copied: usize,
    /// Whether it is another table than the one that was given.
    pub is_changed: bool,
}

/// Converts what JavaScript's Arrow library cannot hold in a table, whose outermost type may be any. With `strict`, a
/// type that would have to be converted is refused instead, and its place named.
///
/// What is converted is checked in full on the way, with the buffers that say where something is copied first, as by
/// [`import_table`](crate::import_table); other columns are not looked at.
pub fn convert(table: OwnedTable, strict: bool) -> Result<Converted, InvalidArrow> {
    let original = SchemaTree::read(&table)?;
    let converted = convert_schema(&original);
    if converted == original {
        return Ok(unchanged(table));
    }
    if strict {
        return Err(schema::first_difference(&original, &converted));
    }
    let table = Arc::new(table);
    let (data, mut bytes_copied) = read::read(&table, &read::Reading::Convert)?;
    let data = data::convert(&original, data, &mut bytes_copied)
        .map_err(|place| place.invalid(&original))?;
    Ok(Converted {
        table: export_data(&converted, &data, Root::Any)?,
        bytes_copied,
        is_changed: true,
    })
}

/// Undoes [`convert`]: every field whose metadata says what it was becomes that again, equal in every value. A table
/// without such fields is returned as it is.
///
/// Fails when a value does not fit the type it is to have, or when a field's type is not what the one in its metadata
/// is converted to; the message names the place.
pub fn restore(table: OwnedTable) -> Result<Converted, InvalidArrow> {
    let found = SchemaTree::read(&table)?;
    let restored = restore_schema(&found)?;
    if restored == found {
        return Ok(unchanged(table));
    }
    let table = Arc::new(table);
    let (data, mut bytes_copied) = read::read(&table, &read::Reading::Restore)?;
    let data =
        data::restore(&found, data, &mut bytes_copied).map_err(|place| place.invalid(&found))?;
    Ok(Converted {
        table: export_data(&restored, &data, Root::Any)?,
        bytes_copied,
        is_changed: true,
    })
}

fn unchanged(table: OwnedTable) -> Converted {
    Converted {
        table,
        bytes_copied: 0,
        is_changed: false,
    }
}
