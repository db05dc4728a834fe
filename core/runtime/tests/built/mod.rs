//! What JavaScript would give to have a table built.

#![allow(dead_code, reason = "each test binary uses its own part")]

use bowstring_abi::{Failure, OwnedTable, SchemaTree};

use crate::common::Scope;
pub use crate::common::{drain, node};

/// A struct of numbers, text and flags.
pub fn schema() -> SchemaTree {
    let columns = vec![
        node("i", "number", vec![]),
        node("u", "text", vec![]),
        node("b", "flag", vec![]),
    ];
    node("+s", "", columns)
}

/// What JavaScript would have: three rows of that schema.
pub struct Memory {
    pub numbers: [i32; 3],
    pub validity: [u8; 1],
    pub offsets: [i32; 4],
    pub text: [u8; 4],
    /// The flags are its bits 1 to 3.
    pub flags: [u8; 1],
}

pub static MEMORY: Memory = Memory {
    numbers: [1, -2, 3],
    validity: [0b101],
    offsets: [0, 1, 1, 4],
    text: *b"abcd",
    flags: [0b1010],
};

pub fn at<T>(value: &'static T) -> f64 {
    std::ptr::from_ref(value).addr() as f64
}

pub const BORROW: f64 = 1.0;
pub const COPY: f64 = 2.0;

/// The words of three rows of `MEMORY`, borrowed under `token`.
pub fn words(token: f64, leases: &[u32]) -> Vec<f64> {
    let mut words = vec![token, 0.0, leases.len() as f64];
    words.extend(leases.iter().map(|&lease| f64::from(lease)));
    words.extend([3.0, 0.0, 1.0, 3.0, 0.0]);
    words.extend([0.0; 4]);
    words.extend([3.0, 1.0, 2.0, 0.0, 0.0]);
    words.extend([BORROW, at(&MEMORY.validity), 1.0, 0.0]);
    words.extend([BORROW, at(&MEMORY.numbers), 12.0, 0.0]);
    words.extend([3.0, 0.0, 3.0, 0.0, 0.0]);
    words.extend([0.0; 4]);
    words.extend([BORROW, at(&MEMORY.offsets), 16.0, 0.0]);
    words.extend([COPY, at(&MEMORY.text), 4.0, 0.0]);
    words.extend([3.0, 0.0, 2.0, 0.0, 0.0]);
    words.extend([0.0; 4]);
    words.extend([BORROW, at(&MEMORY.flags), 1.0, 1.0]);
    words
}

pub fn build(scope: &Scope, schema: u32, words: &[f64]) -> Result<OwnedTable, Failure> {
    // SAFETY: the addresses are those of a static, or refused before they are read.
    unsafe { scope.context.build(schema, words) }
}

pub fn live_pins(scope: &Scope) -> f64 {
    scope.context.stats().live_pins
}
