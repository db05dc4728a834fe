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
    /// A string that is to be NUL-terminated has a NUL in it: what it is.
    Nul(&'static str),
    /// A string is not UTF-8: what it is.
    NotUtf8(&'static str),
    /// The format is not one of the specification's.
    UnknownFormat(String),
    /// A dictionary's keys are not integers: their format.
    KeyFormat(String),
    /// Run ends are not signed integers of 16, 32 or 64 bits: their format.
    RunEndFormat(String),
    /// A record batch, or the entries of a map, are not a struct: the format.
    NotAStruct(String),
    /// Only one of schema and array has a dictionary: whether it is the schema.
    Dictionary { expected: bool },
    /// The types nest deeper than the bound.
    TooDeep(usize),
    /// A count that may not be negative is: its name and value.
    Negative(&'static str, i64),
    /// Length and offset do not fit in memory together.
    TooLong { length: i64, offset: i64 },
    /// The number of buffers does not fit the type.
    BufferCount {
        expected: usize,
        or_more: bool,
        found: i64,
    },
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
    /// An offset lies beyond the end of the child.
    OffsetBeyondChild { index: usize, most: i64, found: i64 },
    /// A list view lies beyond the ends of the child.
    ListView {
        index: usize,
        offset: i64,
        size: i64,
        length: i64,
    },
    /// A type id is not one of the union's.
    TypeId { index: usize, found: i8 },
    /// An offset of a dense union lies outside the child that the type id names.
    UnionOffset {
        index: usize,
        length: i64,
        found: i32,
    },
    /// A key is not one of the dictionary's.
    Key {
        index: usize,
        length: i64,
        found: i64,
    },
    /// A run ends no later than the one before it.
    RunEnd {
        index: usize,
        previous: i64,
        found: i64,
    },
    /// The last run ends before the array does.
    RunsTooShort { expected: i64, found: i64 },
    /// There are nulls where there may be none: among what, and how many.
    Nulls { among: &'static str, count: usize },
    /// The length of a view is negative.
    ViewLength { index: usize, found: i32 },
    /// A view refers to a variadic buffer that there is not.
    ViewBuffer {
        index: usize,
        count: usize,
        found: i32,
    },
    /// A view refers to bytes beyond its buffer.
    ViewRange {
        index: usize,
        buffer: usize,
        bytes: usize,
        offset: i32,
        length: i32,
    },
    /// The first bytes of a view are not those that it refers to.
    ViewPrefix { index: usize },
    /// The unused bytes of a view are not 0.
    ViewPadding { index: usize },
    /// The text of a view is not UTF-8.
    ViewNotUtf8 { index: usize },
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
    /// The type would have to be converted, and must not be: its format.
    WouldConvert(String),
    /// The field would have to be renamed, and must not be: its name.
    WouldRename(String),
    /// The type is not what the one that the metadata names is converted to.
    NotConverted {
        original: String,
        expected: String,
        found: String,
    },
    /// What the metadata says of run ends is not that: its text.
    OriginalRunEnds(String),
    /// There are more items than the type can count.
    TooManyItems(usize),
    /// A value does not fit the type that it is converted to.
    DoesNotFit {
        index: usize,
        value: String,
        what: &'static str,
    },
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
            Self::Nul(what) => write!(f, "the {what} contains a NUL"),
            Self::NotUtf8(what) => write!(f, "the {what} is not UTF-8"),
            Self::UnknownFormat(format) => write!(
                f,
                "expected a format of the C data interface but found \"{}\"",
                format.escape_debug()
            ),
            Self::KeyFormat(format) => write!(
                f,
                "expected an integer format for the dictionary's keys but found \"{}\"",
                format.escape_debug()
            ),
            Self::RunEndFormat(format) => write!(
                f,
                "expected run ends of the format \"s\", \"i\" or \"l\" but found \"{}\"",
                format.escape_debug()
            ),
            Self::Dictionary { expected: true } => {
                f.write_str("expected a dictionary, as in the schema, but found none")
            }
            Self::Dictionary { expected: false } => {
                f.write_str("expected no dictionary, as in the schema, but found one")
            }
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
            Self::BufferCount {
                expected,
                or_more,
                found,
            } => {
                let more = if *or_more { " or more" } else { "" };
                write!(f, "expected {expected}{more} buffers but found {found}")
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
            Self::OffsetBeyondChild { index, most, found } => write!(
                f,
                "expected offset[{index}] <= {most}, the length of the child, but found {found}"
            ),
            Self::ListView {
                index,
                offset,
                size,
                length,
            } => write!(
                f,
                "expected view[{index}] within the {length} items of the child but found offset {offset} and size {size}"
            ),
            Self::TypeId { index, found } => write!(
                f,
                "expected type id[{index}] to be one of the format's but found {found}"
            ),
            Self::UnionOffset {
                index,
                length,
                found,
            } => write!(
                f,
                "expected offset[{index}] from 0 to below {length}, the length of the child, but found {found}"
            ),
            Self::Key {
                index,
                length,
                found,
            } => write!(
                f,
                "expected key[{index}] from 0 to below {length}, the length of the dictionary, but found {found}"
            ),
            Self::RunEnd {
                index,
                previous,
                found,
            } => write!(
                f,
                "expected run end[{index}] > {previous} but found {found}"
            ),
            Self::RunsTooShort { expected, found } => write!(
                f,
                "expected the last run to end at {expected} or later but found {found}"
            ),
            Self::Nulls { among, count } => {
                write!(f, "expected no nulls among {among} but found {count}")
            }
            Self::ViewLength { index, found } => {
                write!(
                    f,
                    "expected the length of view[{index}] >= 0 but found {found}"
                )
            }
            Self::ViewBuffer {
                index,
                count,
                found,
            } => write!(
                f,
                "expected view[{index}] in one of {count} variadic buffers but found {found}"
            ),
            Self::ViewRange {
                index,
                buffer,
                bytes,
                offset,
                length,
            } => write!(
                f,
                "expected view[{index}] within the {bytes} bytes of variadic buffer {buffer} but found offset {offset} and length {length}"
            ),
            Self::ViewPrefix { index } => write!(
                f,
                "expected view[{index}] to begin with the first bytes that it refers to but found others"
            ),
            Self::ViewPadding { index } => write!(
                f,
                "expected zeros after the bytes of view[{index}] but found others"
            ),
            Self::ViewNotUtf8 { index } => write!(f, "the text of view[{index}] is not UTF-8"),
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
            Self::WouldConvert(format) => write!(
                f,
                "the type \"{}\" would have to be converted, which strict forbids",
                format.escape_debug()
            ),
            Self::WouldRename(name) => write!(
                f,
                "the name \"{}\" would have to be changed, which strict forbids",
                name.escape_debug()
            ),
            Self::NotConverted {
                original,
                expected,
                found,
            } => write!(
                f,
                "expected the format \"{}\", to which the original type \"{}\" is converted, but found \"{}\"",
                expected.escape_debug(),
                original.escape_debug(),
                found.escape_debug()
            ),
            Self::OriginalRunEnds(text) => write!(
                f,
                "expected what run ends were in the metadata but found \"{}\"",
                text.escape_debug()
            ),
            Self::TooManyItems(count) => {
                write!(f, "{count} items are more than the type can count")
            }
            Self::DoesNotFit { index, value, what } => {
                write!(f, "expected value[{index}] to fit {what} but found {value}")
            }
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
            Problem::UnknownFormat(_) | Problem::WouldConvert(_) | Problem::WouldRename(_) => {
                Status::Unsupported
            }
            Problem::NoMemory { .. } => Status::OutOfMemory,
            _ => Status::InvalidArrow,
        };
        Failure::new(status, invalid.to_string())
    }
}
