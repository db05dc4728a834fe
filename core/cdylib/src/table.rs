//! Tables built from memory of the caller's.
//!
//! A caller that has a garbage collector cannot be called when native code is done with its memory: it would have to be
//! called on the one thread that may run it. So memory that a table borrows is pinned under a number of the caller's
//! choice, its token, and once every struct of the table has been released, on whatever threads, the token is in the
//! context's queue of released pins, from which the caller takes it when it likes.

use bowstring_abi::guard::guard;
use bowstring_abi::{ArrowArray, ArrowSchema, BowError, BowTable, OwnedTable, Status};

use crate::arguments::{give_tables, require, take_tables, write_out};

/// Builds a table over the caller's memory, of a registered schema, and writes it to out; the caller owns it. words is
/// count numbers, in this order:
///
/// ```text
/// token (a whole number below 2^32; 0: nothing is pinned), flags (BOW_BUILD_RESTORE or 0)
/// number of leases, their handles
/// the nodes in pre-order, beginning with the schema's own, dictionaries after the children;
///     per node: length, null count (-1 when not known), number of buffers, number of children,
///               1 if a dictionary follows after the children, else 0
///         per buffer: mode (BOW_BUFFER_NONE, BOW_BUFFER_BORROW or BOW_BUFFER_COPY), address, bytes, bit offset
/// ```
///
/// Arrays have the offset 0. A validity or boolean bitmap whose first bit is not the lowest of its first byte has a bit
/// offset, and is copied shifted, whatever its mode; other buffers have the bit offset 0. Buffers are those of the Arrow
/// C Data Interface, except that a view type has no buffer of sizes: it is made from the bytes of the variadic buffers.
/// bytes may be more than length and type need.
///
/// Borrowed memory must stay where it is, and must not be written to, until the token comes out of
/// bow_context_released. Leases that are named, in whose memory borrowed buffers may lie, are kept until then too, also
/// if they are released before. Children and dictionaries that a consumer moves out of the table count as parts of it.
/// When the call fails nothing is pinned, and the token does not come.
///
/// The words are checked as structs from outside are: BOW_INVALID_ARROW when counts, bytes or offsets are not what
/// schema and lengths need, with the place in the message. BOW_INVALID_ARGUMENT: there are too few words or too many, or
/// one is not a number that can be there. BOW_LEASE_RELEASED, BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `count` doubles are readable at `words`, and at each address in them as many bytes as are said; `out` is writable;
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_table_build(
    context: u32,
    schema: u32,
    words: *const f64,
    count: u32,
    out: *mut BowTable,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out, "out")?;
        require(words, "words")?;
        // SAFETY: not null and aligned, and readable by contract.
        let words = unsafe { std::slice::from_raw_parts(words, count as usize) };
        let context = bowstring_runtime::context(context)?;
        // SAFETY: passed on to the caller.
        let table = unsafe { context.build(schema, words) }?;
        // SAFETY: passed on to the caller.
        unsafe { give_tables(out, vec![table]) };
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Moves a table's structs to other addresses: its schema to schema, its array to array, where what was is overwritten
/// without being released. With an address of 0 that struct is released instead. The release of both structs in table
/// is null afterwards.
///
/// # Safety
/// `table` is owned by the caller, each of `schema` and `array` is 0 or the address of room for such a struct; `error`
/// is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_table_move(
    table: *mut BowTable,
    schema: usize,
    array: usize,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // First of all, so that the caller's structs are moved from whatever happens. SAFETY: passed on to the caller.
        let mut tables = unsafe { take_tables(table, 1) }?;
        let (schema_out, array_out) = (schema as *mut ArrowSchema, array as *mut ArrowArray);
        if schema != 0 {
            require(schema_out, "schema")?;
        }
        if array != 0 {
            require(array_out, "array")?;
        }
        let Some(table) = tables.pop() else {
            return Ok(Status::Ok);
        };
        let mut table = table.into_raw();
        // SAFETY: the caller says that there is room.
        unsafe {
            if schema != 0 {
                let schema = std::mem::replace(&mut table.schema, ArrowSchema::released());
                write_out(schema_out, "schema", schema)?;
            }
            if array != 0 {
                let array = std::mem::replace(&mut table.array, ArrowArray::released());
                write_out(array_out, "array", array)?;
            }
            // What was not asked for.
            drop(OwnedTable::take(&mut table));
        }
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Releases the ArrowArray at the address array if it has not been released. An address of 0 is ignored.
///
/// # Safety
/// `array` is 0 or the address of an ArrowArray that is released or the caller's to release; `error` is null or a
/// bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_array_release(array: usize, error: *mut BowError) -> i32 {
    let body = || {
        if array != 0 {
            let array = array as *mut ArrowArray;
            require(array, "array")?;
            // SAFETY: the caller's to release, by contract.
            drop(unsafe { OwnedTable::take_array(array) });
        }
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}
