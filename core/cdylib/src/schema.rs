//! Schemas.
//!
//! A schema at any address is read as JSON, without moving it. A schema that tables are built with, or that a stream
//! has, is registered first: it is parsed and checked once and then named by a handle.

use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, Failure, Status};

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
    let _ = (schema, flags, out, capacity, out_length);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
}

/// Releases the ArrowSchema at the address schema if it has not been released. An address of 0 is ignored.
///
/// # Safety
/// `schema` is 0 or the address of an ArrowSchema that is released or the caller's to release; `error` is null or a
/// bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_schema_release(schema: usize, error: *mut BowError) -> i32 {
    let _ = schema;
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
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
    let _ = (context, json, length, out_schema);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
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
    let _ = (context, schema, flags, out);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
}

/// Forgets a registered schema. Tables and streams that were made with it keep what they need of it.
///
/// BOW_STALE_HANDLE.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_schema_close(context: u32, schema: u32, error: *mut BowError) -> i32 {
    let _ = (context, schema);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
}

pub(crate) fn unsupported() -> Result<Status, Failure> {
    Err(Failure::new(Status::Unsupported, "not there yet"))
}
