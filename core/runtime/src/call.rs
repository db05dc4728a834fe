//! Calls of other libraries' functions, as jobs.

use std::mem::{offset_of, size_of};

use bowstring_abi::call::BowValue;

/// A call of a bow_function.
#[repr(C)]
pub struct BowCall {
    /// Set by the caller to sizeof(struct bow_call), so that the struct can grow.
    pub size: u32,
    /// How many inputs there are.
    pub input_count: u32,
    /// The address of the bow_function.
    pub function: usize,
    /// The inputs; may be null when there are none.
    pub inputs: *mut BowValue,
    /// Options for the function, copied before bow_call_start returns; may be null when options_length is 0.
    pub options: *const u8,
    /// How many bytes of options there are.
    pub options_length: u32,
    /// The kind of output that is expected: BOW_VALUE_NONE, BOW_VALUE_TABLE or BOW_VALUE_STREAM.
    pub output: u32,
    /// How the output is imported: the flags of bow_lease_import.
    pub flags: u32,
    /// Not used; 0.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<BowCall>() == 48);
    assert!(offset_of!(BowCall, function) == 8);
    assert!(offset_of!(BowCall, options_length) == 32);
    assert!(offset_of!(BowCall, flags) == 40);
};
