//! The structs of the Arrow C Data Interface and C Stream Interface, exactly as the specification lays them out.
//!
//! Plain data: nothing is released when one goes out of scope. [`OwnedTable`](crate::OwnedTable) is the owner.

use std::ffi::{c_char, c_int, c_void};
use std::mem::{align_of, offset_of, size_of};

/// [`ArrowSchema`](https://arrow.apache.org/docs/format/CDataInterface.html#the-arrowschema-structure): the type of
/// an array, its name and metadata.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowSchema {
    /// The type as a NUL-terminated format string.
    pub format: *const c_char,
    /// The field's name, NUL-terminated UTF-8; may be null.
    pub name: *const c_char,
    /// Binary key-value pairs; may be null.
    pub metadata: *const c_char,
    /// Bits: 1 dictionary ordered, 2 nullable, 4 map keys sorted.
    pub flags: i64,
    /// How many children there are.
    pub n_children: i64,
    /// `n_children` pointers, each to a child's schema.
    pub children: *mut *mut ArrowSchema,
    /// The type of the dictionary's values, or null.
    pub dictionary: *mut ArrowSchema,
    /// Frees what the producer allocated and sets itself to null; null once released or moved from.
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    /// The producer's own.
    pub private_data: *mut c_void,
}

/// [`ArrowArray`](https://arrow.apache.org/docs/format/CDataInterface.html#the-arrowarray-structure): the data of an
/// array.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowArray {
    /// How many items the array has.
    pub length: i64,
    /// How many of them are null; -1 when not computed.
    pub null_count: i64,
    /// How many items at the start of the buffers do not belong to the array.
    pub offset: i64,
    /// How many buffers there are.
    pub n_buffers: i64,
    /// How many children there are.
    pub n_children: i64,
    /// `n_buffers` addresses.
    pub buffers: *mut *const c_void,
    /// `n_children` pointers, each to a child.
    pub children: *mut *mut ArrowArray,
    /// The dictionary's values, or null.
    pub dictionary: *mut ArrowArray,
    /// Frees what the producer allocated and sets itself to null; null once released or moved from.
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    /// The producer's own.
    pub private_data: *mut c_void,
}

/// [`ArrowArrayStream`](https://arrow.apache.org/docs/format/CStreamInterface.html): arrays of one schema, pulled
/// one at a time.
#[repr(C)]
#[derive(Debug)]
pub struct ArrowArrayStream {
    /// Writes the schema to `out`; 0 or an `errno` code.
    pub get_schema:
        Option<unsafe extern "C" fn(*mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int>,
    /// Writes the next array to `out`, a released one at the end; 0 or an `errno` code.
    pub get_next:
        Option<unsafe extern "C" fn(*mut ArrowArrayStream, out: *mut ArrowArray) -> c_int>,
    /// What went wrong in the last call, valid until the next; may be null.
    pub get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    /// Frees what the producer allocated and sets itself to null; null once released or moved from.
    pub release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    /// The producer's own.
    pub private_data: *mut c_void,
}

/// A record batch as it crosses the boundary: a struct array and its schema. Each struct whose `release` is not null
/// is owned by whoever holds the table, and is released by them exactly once; a function that takes tables moves
/// them, which sets `release` to null in the source, also when the function then fails.
#[repr(C)]
#[derive(Debug)]
pub struct BowTable {
    /// The columns' names and types; its format is `+s`.
    pub schema: ArrowSchema,
    /// The rows.
    pub array: ArrowArray,
}

impl ArrowSchema {
    /// A schema that holds nothing.
    pub const fn released() -> Self {
        Self {
            format: std::ptr::null(),
            name: std::ptr::null(),
            metadata: std::ptr::null(),
            flags: 0,
            n_children: 0,
            children: std::ptr::null_mut(),
            dictionary: std::ptr::null_mut(),
            release: None,
            private_data: std::ptr::null_mut(),
        }
    }
}

impl ArrowArray {
    /// An array that holds nothing.
    pub const fn released() -> Self {
        Self {
            length: 0,
            null_count: 0,
            offset: 0,
            n_buffers: 0,
            n_children: 0,
            buffers: std::ptr::null_mut(),
            children: std::ptr::null_mut(),
            dictionary: std::ptr::null_mut(),
            release: None,
            private_data: std::ptr::null_mut(),
        }
    }
}

impl ArrowArrayStream {
    /// A stream that holds nothing.
    pub const fn released() -> Self {
        Self {
            get_schema: None,
            get_next: None,
            get_last_error: None,
            release: None,
            private_data: std::ptr::null_mut(),
        }
    }
}

impl BowTable {
    /// A table that holds nothing.
    pub const fn released() -> Self {
        Self {
            schema: ArrowSchema::released(),
            array: ArrowArray::released(),
        }
    }
}

// Bindings in other languages address these fields by number.
const _: () = {
    assert!(size_of::<ArrowSchema>() == 72 && align_of::<ArrowSchema>() == 8);
    assert!(offset_of!(ArrowSchema, format) == 0);
    assert!(offset_of!(ArrowSchema, name) == 8);
    assert!(offset_of!(ArrowSchema, metadata) == 16);
    assert!(offset_of!(ArrowSchema, flags) == 24);
    assert!(offset_of!(ArrowSchema, n_children) == 32);
    assert!(offset_of!(ArrowSchema, children) == 40);
    assert!(offset_of!(ArrowSchema, dictionary) == 48);
    assert!(offset_of!(ArrowSchema, release) == 56);
    assert!(offset_of!(ArrowSchema, private_data) == 64);

    assert!(size_of::<ArrowArray>() == 80 && align_of::<ArrowArray>() == 8);
    assert!(offset_of!(ArrowArray, length) == 0);
    assert!(offset_of!(ArrowArray, null_count) == 8);
    assert!(offset_of!(ArrowArray, offset) == 16);
    assert!(offset_of!(ArrowArray, n_buffers) == 24);
    assert!(offset_of!(ArrowArray, n_children) == 32);
    assert!(offset_of!(ArrowArray, buffers) == 40);
    assert!(offset_of!(ArrowArray, children) == 48);
    assert!(offset_of!(ArrowArray, dictionary) == 56);
    assert!(offset_of!(ArrowArray, release) == 64);
    assert!(offset_of!(ArrowArray, private_data) == 72);

    assert!(size_of::<ArrowArrayStream>() == 40 && align_of::<ArrowArrayStream>() == 8);
    assert!(offset_of!(ArrowArrayStream, get_schema) == 0);
    assert!(offset_of!(ArrowArrayStream, get_next) == 8);
    assert!(offset_of!(ArrowArrayStream, get_last_error) == 16);
    assert!(offset_of!(ArrowArrayStream, release) == 24);
    assert!(offset_of!(ArrowArrayStream, private_data) == 32);

    assert!(size_of::<BowTable>() == 152 && align_of::<BowTable>() == 8);
    assert!(offset_of!(BowTable, schema) == 0);
    assert!(offset_of!(BowTable, array) == 72);
};
