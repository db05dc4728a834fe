//! How a failure is told to the caller.

use std::fmt;
use std::mem::{offset_of, size_of};

use crate::Status;

const MESSAGE_CAPACITY: usize = 500;

/// The caller's place for a description of what went wrong. The caller owns it and sets `size` before the call; a
/// call that succeeds leaves it untouched. Any function accepts null in its place. A caller that has more room behind the
/// struct, and says so in `size`, is given longer messages.
#[repr(C)]
pub struct BowError {
    /// Set by the caller to `sizeof(struct bow_error)`, so that the struct can grow.
    pub size: u32,
    /// The status that the call returned.
    pub code: i32,
    /// How many bytes of `message` were written, not counting the NUL that follows them.
    pub length: u32,
    /// What went wrong, in UTF-8; cut at a character's boundary to fit.
    pub message: [u8; 500],
}

const _: () = {
    assert!(size_of::<BowError>() == 512);
    assert!(offset_of!(BowError, code) == 4);
    assert!(offset_of!(BowError, length) == 8);
    assert!(offset_of!(BowError, message) == 12);
};

impl BowError {
    /// An error struct as a caller sets it up.
    pub const fn new() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            code: 0,
            length: 0,
            message: [0; 500],
        }
    }

    /// The message that was written last.
    pub fn message(&self) -> &str {
        let length = (self.length as usize).min(MESSAGE_CAPACITY);
        std::str::from_utf8(&self.message[..length]).unwrap_or("")
    }
}

impl Default for BowError {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BowError")
            .field("code", &self.code)
            .field("message", &self.message())
            .finish()
    }
}

/// Why a call fails: the status it returns and the sentence that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the call returns.
    pub status: Status,
    /// What the caller reads.
    pub message: String,
}

impl Failure {
    /// A failure with this status and message.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// A null, misaligned or otherwise unusable argument.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, message)
    }

    /// Writes the failure to the caller's error struct, as much of it as the struct's `size` has room for.
    ///
    /// # Safety
    /// `error` is null, or points to at least four readable bytes (`size`) and to `size` writable bytes.
    pub unsafe fn write_to(&self, error: *mut BowError) {
        const HEADER: usize = offset_of!(BowError, message);
        if error.is_null() {
            return;
        }
        // SAFETY: by this function's contract; unaligned access because `error` is whatever the caller passed.
        let size = unsafe { (&raw const (*error).size).read_unaligned() } as usize;
        if size <= HEADER {
            return;
        }
        // One byte is kept for the NUL, so that C code may print the message as a string.
        let capacity = size - HEADER - 1;
        let text = truncate(&self.message, capacity);
        // SAFETY: `size` bytes are writable, which is more than the header, the text and its NUL.
        unsafe {
            (&raw mut (*error).code).write_unaligned(self.status as i32);
            (&raw mut (*error).length).write_unaligned(text.len() as u32);
            let message = (&raw mut (*error).message).cast::<u8>();
            std::ptr::copy_nonoverlapping(text.as_ptr(), message, text.len());
            message.add(text.len()).write(0);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

fn truncate(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
