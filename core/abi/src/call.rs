//! The one shape of a function that takes and gives Arrow data, so that a caller in another language can call any
//! such function of any library.

use std::mem::{ManuallyDrop, align_of, offset_of, size_of};

use crate::error::BowError;
use crate::raw::{ArrowArrayStream, BowTable};

/// There is nothing in a bow_value.
pub const BOW_VALUE_NONE: u32 = 0;
/// A bow_value is a table.
pub const BOW_VALUE_TABLE: u32 = 1;
/// A bow_value is a stream.
pub const BOW_VALUE_STREAM: u32 = 2;

/// What a bow_value is.
#[repr(C)]
pub union BowContent {
    /// A table, if the kind is BOW_VALUE_TABLE.
    pub table: ManuallyDrop<BowTable>,
    /// A stream, if the kind is BOW_VALUE_STREAM.
    pub stream: ManuallyDrop<ArrowArrayStream>,
}

/// What goes into a bow_function and comes out of it: a table, a stream or nothing.
#[repr(C)]
pub struct BowValue {
    /// BOW_VALUE_NONE, BOW_VALUE_TABLE or BOW_VALUE_STREAM.
    pub kind: u32,
    /// Not used; 0.
    pub reserved: u32,
    /// The table or the stream.
    pub content: BowContent,
}

/// A function that takes and gives Arrow data, of any library. It answers 0, or from 16 up one of enum bow_status (a
/// function of one's own uses BOW_INVALID_ARGUMENT, BOW_INVALID_ARROW, BOW_UNSUPPORTED or BOW_IO), and then describes
/// the failure in error.
///
/// The inputs are moved: when it returns, with success or without, the release of each of their structs is null, and
/// what it still needs of them it has taken over. output is BOW_VALUE_NONE when it is called; on success it is the
/// caller's to release, on failure it is BOW_VALUE_NONE still. options, which may be null when options_length is 0, are
/// bytes of any meaning, readable until it returns.
///
/// It may run on any thread, several times at once. Nothing may be unwound out of it.
pub type BowFunction = unsafe extern "C" fn(
    inputs: *mut BowValue,
    input_count: u32,
    output: *mut BowValue,
    options: *const u8,
    options_length: u32,
    error: *mut BowError,
) -> i32;

const _: () = {
    assert!(size_of::<BowValue>() == 160 && align_of::<BowValue>() == 8);
    assert!(offset_of!(BowValue, content) == 8);
};
