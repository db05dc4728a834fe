//! Schemas.
//!
//! A schema at any address is read as JSON, without moving it. A schema that tables are built with, or that a stream
//! has, is registered first: it is parsed and checked once and then named by a handle.

use bowstring_abi::guard::guard;
use bowstring_abi::{ArrowSchema, BowError, OwnedTable, Status};
use bowstring_runtime::ImportOptions;

use crate::arguments::{json, require, to_json, write_out, write_slice};

/// Writes the ArrowSchema at the address schema to out as JSON in UTF-8, out_length bytes without a NUL: one object as
/// bow_lease_schemas has them. The schema is only read, and stays its owner's. flags are those of bow_lease_import; with
/// BOW_IMPORT_CONVERT the schema is written as tables that have it are shown.
///
/// BOW_BUFFER_TOO_SMALL: capacity, in bytes, is less than out_length. BOW_INVALID_ARROW, BOW_UNSUPPORTED: the schema
/// breaks the specification or has a type that is not supported; the message names the field.
///
/// # Safety
/// `schema` is 0 or the address of an ArrowSchema; `out` has room for `capacity` bytes, `out_length` is writable,
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_schema_read(
    schema: usize,
    flags: u32,
    out: *mut u8,
    capacity: u32,
    out_length: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let options = ImportOptions::from_flags(flags)?;
        let schema = schema as *const ArrowSchema;
        require(schema, "schema")?;
        // SAFETY: not null and aligned, and a schema by contract.
        let tree = bowstring_runtime::shown_schema(unsafe { &*schema }, options)?;
        // SAFETY: passed on to the caller.
        unsafe { write_slice(&to_json(&tree)?, out, capacity, out_length) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Releases the ArrowSchema at the address schema if it has not been released. An address of 0 is ignored.
///
/// # Safety
/// `schema` is 0 or the address of an ArrowSchema that is released or the caller's to release; `error` is null or a
/// bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_schema_release(schema: usize, error: *mut BowError) -> i32 {
    let body = || {
        if schema != 0 {
            let schema = schema as *mut ArrowSchema;
            require(schema, "schema")?;
            // SAFETY: the caller's to release, by contract.
            drop(unsafe { OwnedTable::take_schema(schema) });
        }
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Registers a schema and writes its handle to out_schema. json is one object as bow_lease_schemas has them, in UTF-8;
/// "name", "metadata", "flags" (2, nullable), "children" and "dictionary" may be left out where they are empty. The
/// type may be any, not only a struct.
///
/// BOW_INVALID_ARGUMENT: json is not such JSON. BOW_INVALID_ARROW, BOW_UNSUPPORTED: a format or a number of children
/// breaks the specification or is not supported; the message names the field. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `length` bytes are readable at `json`, `out_schema` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_schema_register(
    context: u32,
    json: *const u8,
    length: u32,
    out_schema: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out_schema, "out_schema")?;
        // SAFETY: passed on to the caller.
        let tree = unsafe { self::json(json, length, "json") }?;
        let schema = bowstring_runtime::context(context)?.register_schema(tree)?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_schema, "out_schema", schema) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Exports a registered schema to the address out, where an ArrowSchema fits; what was there is overwritten without
/// being released. The caller owns the struct and releases it, on any thread. flags: BOW_BUILD_RESTORE gives fields that
/// were converted at import their original types, names and metadata; 0 gives the schema as it was registered.
///
/// BOW_STALE_HANDLE: there is no such context or schema. BOW_INVALID_ARROW: what the metadata says of an original type
/// cannot be.
///
/// # Safety
/// `out` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_schema_export(
    context: u32,
    schema: u32,
    flags: u32,
    out: usize,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let out = out as *mut ArrowSchema;
        require(out, "out")?;
        let schema = bowstring_runtime::context(context)?.export_schema(schema, flags)?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out, "out", schema) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Forgets a registered schema. Tables and streams that were made with it keep what they need of it.
///
/// BOW_STALE_HANDLE.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_schema_close(context: u32, schema: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::context(context)?.close_schema(schema)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}
