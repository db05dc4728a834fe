//! Why an Arrow struct is refused: the place, what was expected and what was found.

use std::fmt;

use crate::{Failure, Status};

/// What is wrong with a struct, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidArrow {
    /// The place, as `column[2] "tags" -> item`; `record batch` is the outermost struct.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a schema or an array.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant's doc says what its fields are")]
pub enum Problem {
    /// `release` is null: `"schema"` or `"array"`.
    Released(&'static str),
    /// A pointer that must not be null is: its name.
    Null(&'static str),
    /// A string is not UTF-8: what it is.
    NotUtf8(&'static str),
    /// The format is not one that this library supports.
    UnsupportedFormat(String),
    /// The field is dictionary-encoded, which is not supported.
    UnsupportedDictionary,
    /// The outermost type is not a struct: its format.
    NotAStruct(String),
    /// The types nest deeper than the bound.
    TooDeep(usize),
    /// A count that may not be negative is: its name and value.
    Negative(&'static str, i64),
    /// Length and offset do not fit in memory together.
    TooLong { length: i64, offset: i64 },
    /// The number of buffers does not fit the type.
    BufferCount { expected: usize, found: i64 },
    /// The schema's number of children does not fit the type.
    SchemaChildCount { expected: usize, found: i64 },
    /// The array's number of children is not the schema's.
    ArrayChildCount { expected: i64, found: i64 },
    /// A child pointer is null: `"schema"` or `"array"`, and which.
    NullChild(&'static str, usize),
    /// A buffer that must hold bytes is null.
    NullBuffer { index: usize, bytes: usize },
    /// A buffer that was given with its size is smaller than the array needs.
    BufferTooShort {
        index: usize,
        expected: usize,
        found: usize,
    },
    /// `null_count` is out of range or is not what the validity bitmap says.
    NullCount { expected: NullCount, found: i64 },
    /// A child is shorter than its parent.
    ChildTooShort { expected: i64, found: i64 },
    /// The first offset is negative.
    FirstOffset(i64),
    /// An offset is smaller than the one before it.
    OffsetOrder {
        index: usize,
        previous: i64,
        found: i64,
    },
    /// An offset lies inside a character.
    OffsetInCharacter { index: usize, offset: usize },
    /// The text is not UTF-8 from this byte on.
    TextNotUtf8 { offset: usize },
    /// A buffer of this library's own reaches beyond the memory it was allocated.
    OutOfBounds { index: usize, bytes: usize },
    /// The memory for a copy could not be had.
    NoMemory { bytes: usize },
    /// Metadata is malformed.
    Metadata(&'static str),
    /// The struct array of a record batch has null rows.
    NullRows(i64),
    /// The struct array of a record batch has an offset.
    BatchOffset(i64),
    /// arrow-rs refuses the schema or the columns: its message.
    Arrow(String),
}

/// Which null counts would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullCount {
    /// -1 or any up to this.
    UpTo(i64),
    /// Exactly this, counted from the validity bitmap.
    Exactly(usize),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Released(what) => write!(f, "the {what} has been released"),
            Self::Null(what) => write!(f, "{what} is null"),
            Self::NotUtf8(what) => write!(f, "the {what} is not UTF-8"),
            Self::UnsupportedFormat(format) => write!(
                f,
                "the format \"{}\" is not supported",
                format.escape_debug()
            ),
            Self::UnsupportedDictionary => f.write_str("dictionary encoding is not supported"),
            Self::NotAStruct(format) => {
                write!(
                    f,
                    "expected a struct (\"+s\") but found the format \"{}\"",
                    format.escape_debug()
                )
            }
            Self::TooDeep(bound) => write!(f, "the types nest deeper than {bound} levels"),
            Self::Negative(what, value) => write!(f, "expected {what} >= 0 but found {value}"),
            Self::TooLong { length, offset } => {
                write!(
                    f,
                    "length {length} with offset {offset} exceeds the address space"
                )
            }
            Self::BufferCount { expected, found } => {
                write!(f, "expected {expected} buffers but found {found}")
            }
            Self::SchemaChildCount { expected, found } => {
                write!(
                    f,
                    "expected {expected} children in the schema but found {found}"
                )
            }
            Self::ArrayChildCount { expected, found } => {
                write!(
                    f,
                    "expected {expected} children, as in the schema, but found {found}"
                )
            }
            Self::NullChild(what, index) => write!(f, "child {index} of the {what} is null"),
            Self::NullBuffer { index, bytes } => {
                write!(
                    f,
                    "expected {bytes} bytes in buffer {index} but found a null pointer"
                )
            }
            Self::BufferTooShort {
                index,
                expected,
                found,
            } => {
                write!(
                    f,
                    "expected {expected} bytes in buffer {index} but found {found}"
                )
            }
            Self::NullCount {
                expected: NullCount::UpTo(most),
                found,
            } => {
                write!(
                    f,
                    "expected a null count between -1 and {most} but found {found}"
                )
            }
            Self::NullCount {
                expected: NullCount::Exactly(count),
                found,
            } => {
                write!(
                    f,
                    "expected a null count of {count}, as the validity bitmap has, but found {found}"
                )
            }
            Self::ChildTooShort { expected, found } => {
                write!(
                    f,
                    "expected a length of at least {expected}, as the parent needs, but found {found}"
                )
            }
            Self::FirstOffset(found) => {
                write!(f, "expected the first offset >= 0 but found {found}")
            }
            Self::OffsetOrder {
                index,
                previous,
                found,
            } => {
                write!(
                    f,
                    "expected offset[{index}] >= {previous} but found {found}"
                )
            }
            Self::OffsetInCharacter { index, offset } => {
                write!(
                    f,
                    "offset[{index}] = {offset} lies inside a UTF-8 character"
                )
            }
            Self::TextNotUtf8 { offset } => {
                write!(f, "the text is not UTF-8 at byte {offset} of its buffer")
            }
            Self::OutOfBounds { index, bytes } => {
                write!(
                    f,
                    "expected {bytes} bytes in buffer {index} but it ends before them"
                )
            }
            Self::NoMemory { bytes } => write!(f, "no memory for a copy of {bytes} bytes"),
            Self::Metadata(what) => write!(f, "malformed metadata: {what}"),
            Self::NullRows(count) => write!(f, "expected no null rows but found {count}"),
            Self::BatchOffset(offset) => write!(f, "expected offset 0 but found {offset}"),
            Self::Arrow(message) => f.write_str(message),
        }
    }
}

impl fmt::Display for InvalidArrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for InvalidArrow {}

impl From<InvalidArrow> for Failure {
    fn from(invalid: InvalidArrow) -> Self {
        let status = match invalid.problem {
            Problem::UnsupportedFormat(_) | Problem::UnsupportedDictionary => Status::Unsupported,
            Problem::NoMemory { .. } => Status::OutOfMemory,
            _ => Status::InvalidArrow,
        };
        Failure::new(status, invalid.to_string())
    }
}
