//! Leases.
//!
//! A lease makes the memory of tables readable for as long as somebody says that they read it. It takes over the tables
//! of one result, whoever made them, and counts references; with the last one the tables are released. A reader that
//! cannot follow pointers cheaply gets all that it needs in two calls: the schemas, once, and a description of where
//! in a few blocks of memory each buffer lies.

use std::ffi::c_void;

use bowstring_abi::guard::{guard, guard_callback};
use bowstring_abi::{BowError, BowTable, Failure, Status};
use bowstring_runtime::ImportOptions;

use crate::arguments::{
    give_tables, require, take_structs, take_tables, to_json, token, too_small, write_out,
    write_slice,
};

/// Takes count tables over and writes the handle of a lease of them to out_lease. Their memory is valid until the
/// lease's references, of which there is one to begin with, have been given back. The tables are moved: the release
/// of every struct in tables is null afterwards, also when the call fails; on failure they have been released.
///
/// flags says how much of the tables is checked (one of BOW_VALIDATE_NONE, _MINIMAL, _DEFAULT, _FULL) and how they come
/// in (any of BOW_IMPORT_CONVERT, _ANY, _STRICT). A lease of tables that were converted shows the converted ones and
/// keeps the originals, which bow_lease_export gives.
///
/// BOW_INVALID_ARROW, BOW_UNSUPPORTED: a table breaks the specification, has null rows or an offset, or has a column
/// of a type that is not supported; the message names the column. BOW_INVALID_ARGUMENT: flags cannot be.
/// BOW_OUT_OF_MEMORY: all handles are in use, or there is no memory for a conversion.
///
/// # Safety
/// `tables` points to `count` tables that the caller owns or that are released; `out_lease` is writable; `error` is
/// null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_import(
    context: u32,
    tables: *mut BowTable,
    count: u32,
    flags: u32,
    out_lease: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // First of all, so that the caller's structs are moved from whatever happens. SAFETY: passed on to the caller.
        let tables = unsafe { take_tables(tables, count) }?;
        require(out_lease, "out_lease")?;
        if tables.is_empty() {
            return Err(Failure::invalid_argument(
                "expected at least 1 table but found 0",
            ));
        }
        let options = ImportOptions::from_flags(flags)?;
        let lease = bowstring_runtime::context(context)?.import(tables, options)?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_lease, "out_lease", lease) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// As bow_lease_import for one table, whose two structs are at any addresses: schema is that of an ArrowSchema, array
/// that of an ArrowArray. Both are moved: their release is null afterwards, also when the call fails.
///
/// # Safety
/// Each address is 0 or that of such a struct, which the caller owns or which is released; `out_lease` is writable;
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_adopt(
    context: u32,
    schema: usize,
    array: usize,
    flags: u32,
    out_lease: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // First of all, so that the caller's structs are moved from whatever happens. SAFETY: passed on to the caller.
        let table = unsafe { take_structs(schema, array) }?;
        require(out_lease, "out_lease")?;
        let options = ImportOptions::from_flags(flags)?;
        let lease = bowstring_runtime::context(context)?.import(vec![table], options)?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_lease, "out_lease", lease) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Describes a lease's memory as out_length numbers in out, in this order:
///
/// ```text
/// number of tables, number of blocks, bytes of all blocks
/// per block: address, bytes
/// per table: fingerprint of its schema, then its nodes in pre-order, beginning with the struct array itself;
///     per node: length, null count (-1 when not known), offset, number of buffers, number of children,
///               1 if a dictionary follows after the children, else 0
///         per buffer: index of its block, its byte offset in the block, bytes
/// ```
///
/// A buffer without bytes has the block index -1, also an offsets buffer when length and offset are 0. Buffers that
/// this library allocated together share a block; any other buffer is a block of its own. Bytes are what length and
/// offset need, which may be less than was allocated. Equal schemas have equal fingerprints within a process, below
/// 2^53, and different ones different ones: get a schema once by bow_lease_schemas and keep it under its fingerprint.
///
/// BOW_BUFFER_TOO_SMALL: capacity, in numbers, is less than out_length. BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
///
/// # Safety
/// `out` has room for `capacity` doubles, `out_length` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_describe(
    context: u32,
    lease: u32,
    out: *mut f64,
    capacity: u32,
    out_length: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let lease = bowstring_runtime::context(context)?.lease(lease)?;
        // SAFETY: passed on to the caller.
        unsafe { write_slice(&lease.description().words, out, capacity, out_length) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Writes the schemas of a lease's tables to out as JSON in UTF-8, out_length bytes without a NUL: an array with one
/// object per table, {"format": string, "name": string, "metadata": [[key, value], ...] or null, "flags": number,
/// "children": [the same], "dictionary": null or the same}. Format and flags are those of the Arrow C Data Interface.
///
/// BOW_BUFFER_TOO_SMALL: capacity, in bytes, is less than out_length. BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
///
/// # Safety
/// `out` has room for `capacity` bytes, `out_length` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_schemas(
    context: u32,
    lease: u32,
    out: *mut u8,
    capacity: u32,
    out_length: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let lease = bowstring_runtime::context(context)?.lease(lease)?;
        let schemas = to_json(&lease.schemas()?)?;
        // SAFETY: passed on to the caller.
        unsafe { write_slice(&schemas, out, capacity, out_length) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Copies one block of a lease, by its index in the description, to out: memory of the caller's own, which needs no
/// lease. The bytes count as bytes_copied in the context's stats.
///
/// BOW_BUFFER_TOO_SMALL: capacity is less than the block's bytes. BOW_INVALID_ARGUMENT: there is no such block.
/// BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
///
/// # Safety
/// `out` has room for `capacity` bytes and does not overlap the block; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_copy(
    context: u32,
    lease: u32,
    block: u32,
    out: *mut u8,
    capacity: u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let lease = bowstring_runtime::context(context)?.lease(lease)?;
        let block = lease.block(block)?;
        if block.bytes > capacity as usize {
            return Err(too_small(block.bytes, capacity));
        }
        require(out, "out")?;
        // SAFETY: the block's bytes are readable while the lease is held, as here, and the caller says that `out` has
        // room for them elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(block.address as *const u8, out, block.bytes) };
        lease.copied(block.bytes);
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Takes one more reference to a lease, to be given back by bow_lease_drop or bow_lease_release. Unlike the reference
/// that a lease starts with, it does not end with the context: memory that somebody may still read stays valid.
///
/// BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_retain(context: u32, lease: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::context(context)?.retain(lease)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Gives one reference to a lease back: the one that it started with, or when that is gone a retained one. With the
/// last reference the handle becomes stale and the tables are released, unless exported tables still hold them.
///
/// BOW_LEASE_RELEASED: all references have been given back already. BOW_STALE_HANDLE.
///
/// # Safety
/// Nobody who relied on the reference reads the memory any more; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_release(context: u32, lease: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::context(context)?.release(lease)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Gives a reference taken by bow_lease_retain back, in the shape of a deallocator: bytes is ignored, and token is
/// context * 2^32 + lease. May be called from any thread, also after the context was closed. A token that names
/// nothing any more is ignored.
///
/// # Safety
/// Nobody who relied on the reference reads the memory any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_drop(_bytes: *mut c_void, token: *mut c_void) {
    guard_callback(|| bowstring_runtime::drop_token(self::token(token)));
}

/// Exports one table of a lease, by its index, to out: the original arrays, not a copy, as they were before they were
/// converted. The caller owns the structs and releases them, on any thread; until then they hold the lease's memory.
/// What out held before is overwritten without being released.
///
/// BOW_INVALID_ARGUMENT: there is no such table. BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
///
/// # Safety
/// `out` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_export(
    context: u32,
    lease: u32,
    table: u32,
    out: *mut BowTable,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out, "out")?;
        let exported = bowstring_runtime::context(context)?
            .lease(lease)?
            .export(table)?;
        // SAFETY: passed on to the caller.
        unsafe { give_tables(out, vec![exported]) };
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Adds what the binding has seen to the context's stats: leases that it lost (leaks), breaches of a lease's rules
/// (violations), and bytes that it copied itself (bytes, a whole number).
///
/// BOW_STALE_HANDLE.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_lease_report(
    context: u32,
    leaks: u32,
    violations: u32,
    bytes: f64,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // The cast saturates: no number of bytes is too odd for it.
        bowstring_runtime::context(context)?.report(leaks, violations, bytes as u64);
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}
