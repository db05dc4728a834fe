//! What comes over the boundary, turned into something to work with.

use std::ffi::c_void;

use bowstring_abi::{ArrowArray, ArrowSchema, BowTable, Failure, OwnedTable, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes an out parameter.
///
/// # Safety
/// `out` is null or writable.
pub(crate) unsafe fn write_out<T>(out: *mut T, name: &str, value: T) -> Result<(), Failure> {
    require(out, name)?;
    // SAFETY: not null and aligned, and writable by contract.
    unsafe { out.write(value) };
    Ok(())
}

/// Starts a job, if its handle can be written, and writes that.
///
/// # Safety
/// `out_job` is null or writable.
pub(crate) unsafe fn write_job<E: Into<Failure>>(
    out_job: *mut u32,
    start: impl FnOnce() -> Result<u32, E>,
) -> Result<Status, Failure> {
    require(out_job, "out_job")?;
    let job = start().map_err(E::into)?;
    // SAFETY: passed on to the caller.
    unsafe { write_out(out_job, "out_job", job) }?;
    Ok(Status::Ok)
}

/// Refuses null and misaligned addresses.
pub(crate) fn require<T>(pointer: *const T, name: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::invalid_argument(format!("{name} is null")));
    }
    if !pointer.is_aligned() {
        let alignment = align_of::<T>();
        return Err(Failure::invalid_argument(format!(
            "{name} is not aligned to {alignment} bytes"
        )));
    }
    Ok(())
}

/// Options, as JSON in UTF-8.
///
/// # Safety
/// As for [`json`].
pub(crate) unsafe fn options<T: DeserializeOwned>(
    bytes: *const u8,
    length: u32,
) -> Result<T, Failure> {
    // SAFETY: passed on to the caller.
    unsafe { json(bytes, length, "options") }
}

/// An argument that is JSON in UTF-8.
///
/// # Safety
/// `bytes` is null, or `length` bytes are readable there.
pub(crate) unsafe fn json<T: DeserializeOwned>(
    bytes: *const u8,
    length: u32,
    name: &str,
) -> Result<T, Failure> {
    require(bytes, name)?;
    // SAFETY: not null, and readable by contract.
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length as usize) };
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::invalid_argument(format!("{name}: {error}")))
}

/// JSON in UTF-8.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| Failure::new(Status::OutOfMemory, error.to_string()))
}

/// Takes tables over. From here on they are this side's to release, whatever happens.
///
/// # Safety
/// `tables` is null, or `count` tables are readable and writable there, each struct of which is released or the
/// caller's to give away.
pub(crate) unsafe fn take_tables(
    tables: *mut BowTable,
    count: u32,
) -> Result<Vec<OwnedTable>, Failure> {
    require(tables, "tables")?;
    // SAFETY: not null and aligned, and by contract.
    Ok((0..count as usize)
        .map(|index| unsafe { OwnedTable::take(tables.add(index)) })
        .collect())
}

/// Takes the two structs at these addresses over, as [`take_tables`] does.
///
/// # Safety
/// Each address is 0 or that of such a struct, which is released or the caller's to give away.
pub(crate) unsafe fn take_structs(schema: usize, array: usize) -> Result<OwnedTable, Failure> {
    let (schema, array) = (schema as *mut ArrowSchema, array as *mut ArrowArray);
    let mut table = BowTable::released();
    // Both are moved before either is found wanting. SAFETY: by contract.
    unsafe {
        take_struct(schema, &mut table.schema, |schema| schema.release = None);
        take_struct(array, &mut table.array, |array| array.release = None);
    }
    // SAFETY: moved from their owner, who gave them up.
    let table = unsafe { OwnedTable::take(&mut table) };
    require(schema, "schema")?;
    require(array, "array")?;
    Ok(table)
}

/// Moves the struct at `source`, unless there is none.
///
/// # Safety
/// `source` is null, misaligned or readable and writable.
unsafe fn take_struct<T>(source: *mut T, target: &mut T, mark_moved: impl FnOnce(&mut T)) {
    if source.is_null() || !source.is_aligned() {
        return;
    }
    // SAFETY: by contract.
    unsafe {
        std::ptr::copy_nonoverlapping(source, target, 1);
        mark_moved(&mut *source);
    }
}

/// Bytes of the caller's; none when `length` is 0.
///
/// # Safety
/// `length` bytes are readable at `bytes` for as long as the slice is used, or it is null.
pub(crate) unsafe fn bytes<'a>(
    bytes: *const u8,
    length: u32,
    name: &str,
) -> Result<&'a [u8], Failure> {
    if length == 0 {
        return Ok(&[]);
    }
    require(bytes, name)?;
    // SAFETY: not null, and readable by contract.
    Ok(unsafe { std::slice::from_raw_parts(bytes, length as usize) })
}

/// Text of the caller's, in UTF-8.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn text<'a>(
    bytes: *const u8,
    length: u32,
    name: &str,
) -> Result<&'a str, Failure> {
    // SAFETY: passed on to the caller.
    let bytes = unsafe { self::bytes(bytes, length, name) }?;
    std::str::from_utf8(bytes)
        .map_err(|error| Failure::invalid_argument(format!("{name}: {error}")))
}

/// Moves tables out.
///
/// # Safety
/// `out` has room for them.
pub(crate) unsafe fn give_tables(out: *mut BowTable, tables: Vec<OwnedTable>) {
    for (index, table) in tables.into_iter().enumerate() {
        // SAFETY: by contract; what was there is overwritten unread.
        unsafe { out.add(index).write(table.into_raw()) };
    }
}

/// Copies `source` to the caller's buffer and its length, in elements, to `out_length`, also when the buffer is too
/// small.
///
/// # Safety
/// `out` has room for `capacity` elements (or `capacity` is 0), and `out_length` is null or writable.
pub(crate) unsafe fn write_slice<T: Copy>(
    source: &[T],
    out: *mut T,
    capacity: u32,
    out_length: *mut u32,
) -> Result<Status, Failure> {
    let length = u32::try_from(source.len()).map_err(|_| {
        Failure::new(
            Status::OutOfMemory,
            "the answer has more than 2^32 elements",
        )
    })?;
    // SAFETY: passed on to the caller.
    unsafe { write_out(out_length, "out_length", length) }?;
    if length > capacity {
        return Err(too_small(source.len(), capacity));
    }
    if length > 0 {
        require(out, "out")?;
        // SAFETY: `capacity` elements fit by contract, and these are not more.
        unsafe { std::ptr::copy_nonoverlapping(source.as_ptr(), out, source.len()) };
    }
    Ok(Status::Ok)
}

pub(crate) fn too_small(needed: usize, capacity: u32) -> Failure {
    Failure::new(
        Status::BufferTooSmall,
        format!("expected room for {needed} elements but found room for {capacity}"),
    )
}

/// Copies as much of `value` as the caller's struct has room for; the struct begins with its size in bytes.
///
/// # Safety
/// `out` is null, or points to a struct whose first four bytes are its size and that is writable for that size.
pub(crate) unsafe fn write_sized<T: Copy>(out: *mut T, value: &T) -> Result<(), Failure> {
    require(out, "out")?;
    // SAFETY: readable by contract.
    let room = unsafe { out.cast::<u32>().read() } as usize;
    if room < size_of::<u64>() {
        return Err(Failure::invalid_argument(format!(
            "expected the size of the struct in its first field but found {room}"
        )));
    }
    let bytes = room.min(size_of::<T>());
    // SAFETY: `bytes` are readable in the value and writable at `out`, past the size that stays as it is.
    unsafe {
        let skip = size_of::<u32>();
        let source = std::ptr::from_ref(value).cast::<u8>().add(skip);
        std::ptr::copy_nonoverlapping(source, out.cast::<u8>().add(skip), bytes - skip);
    }
    Ok(())
}

/// Refuses what [`require`] does, and a struct that is smaller than expected: it begins with its size in bytes.
///
/// # Safety
/// `pointer` is null, or points to a struct whose first four bytes, which are readable, are its size.
pub(crate) unsafe fn require_sized<T>(pointer: *const T, name: &str) -> Result<(), Failure> {
    require(pointer, name)?;
    // SAFETY: readable by contract.
    let (found, expected) = (unsafe { pointer.cast::<u32>().read() }, size_of::<T>());
    if (found as usize) < expected {
        return Err(Failure::invalid_argument(format!(
            "expected the size of the struct, {expected}, in its first field but found {found}"
        )));
    }
    Ok(())
}

/// The number that a token pointer carries.
pub(crate) fn token(token: *mut c_void) -> u64 {
    token.addr() as u64
}
