//! The owner of a stream: whoever holds one must release it, and releases it once.

use std::ffi::CStr;
use std::mem::ManuallyDrop;

use crate::OwnedTable;
use crate::raw::{ArrowArray, ArrowArrayStream, ArrowSchema};

/// A stream that is this side's to read and release; dropping it calls its `release` if that is not null.
#[derive(Debug)]
pub struct OwnedStream {
    raw: ArrowArrayStream,
}

// SAFETY: a stream may be used and released on any thread, as long as it is one at a time, which `&mut self` sees to.
unsafe impl Send for OwnedStream {}

/// What a producer answered instead of what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// The `errno` code.
    pub errno: i32,
    /// The producer's own words, if it had any; what is not UTF-8 in them is replaced.
    pub message: Option<String>,
}

impl std::fmt::Display for StreamError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { errno, message } = self;
        match message {
            Some(message) => write!(f, "the stream failed: {message} (errno {errno})"),
            None => write!(f, "the stream failed without a message (errno {errno})"),
        }
    }
}

impl std::error::Error for StreamError {}

impl OwnedStream {
    /// Moves the stream out of `source` and sets `release` there to null.
    ///
    /// # Safety
    /// `source` is aligned, readable and writable, and is either released (`release` null) or a stream that the caller
    /// owns and gives up. The stream may be read and dropped on any thread.
    pub unsafe fn take(source: *mut ArrowArrayStream) -> Self {
        // SAFETY: by contract.
        let raw = unsafe { source.read() };
        // SAFETY: by contract. Only `release` is written: the specification's mark of a struct that was moved from.
        unsafe { (*source).release = None };
        Self { raw }
    }

    /// Takes a stream made on this side.
    ///
    /// # Safety
    /// As for [`take`](Self::take): the stream is released or owned by the caller, who gives it up.
    pub unsafe fn from_raw(raw: ArrowArrayStream) -> Self {
        Self { raw }
    }

    /// Gives the struct, and the duty to release it, to the caller.
    pub fn into_raw(self) -> ArrowArrayStream {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used again and does not run its destructor.
        unsafe { std::ptr::read(&this.raw) }
    }

    /// The struct, for a function that looks at it. It stays owned by this.
    pub fn as_raw(&mut self) -> *mut ArrowArrayStream {
        &mut self.raw
    }

    /// Whether there is nothing to read: `release` or a function that every stream has is null.
    pub fn is_released(&self) -> bool {
        let ArrowArrayStream {
            get_schema,
            get_next,
            release,
            ..
        } = self.raw;
        release.is_none() || get_schema.is_none() || get_next.is_none()
    }

    /// The schema, in a table without an array.
    pub fn schema(&mut self) -> Result<OwnedTable, StreamError> {
        let mut schema = ArrowSchema::released();
        let get_schema = self.raw.get_schema.filter(|_| !self.is_released());
        let errno = match get_schema {
            // SAFETY: the stream is not released, and the out struct is a local.
            Some(get_schema) => unsafe { get_schema(&mut self.raw, &mut schema) },
            None => return Err(released()),
        };
        if errno != 0 {
            return Err(self.error(errno));
        }
        // SAFETY: the producer gave the schema to this side.
        Ok(unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) })
    }

    /// The next array, in a table without a schema; `None` at the end. Blocks as long as the producer does.
    pub fn next_array(&mut self) -> Result<Option<ArrowArray>, StreamError> {
        let mut array = ArrowArray::released();
        let get_next = self.raw.get_next.filter(|_| !self.is_released());
        let errno = match get_next {
            // SAFETY: the stream is not released, and the out struct is a local.
            Some(get_next) => unsafe { get_next(&mut self.raw, &mut array) },
            None => return Err(released()),
        };
        if errno != 0 {
            return Err(self.error(errno));
        }
        Ok(array.release.is_some().then_some(array))
    }

    fn error(&mut self, errno: i32) -> StreamError {
        let message = match self.raw.get_last_error {
            // SAFETY: the stream is not released.
            Some(get_last_error) => unsafe { get_last_error(&mut self.raw) },
            None => std::ptr::null(),
        };
        // SAFETY: a message that is not null is NUL-terminated and valid until the next call on the stream. It stays
        // the producer's, so it is copied and not freed.
        let message =
            (!message.is_null()).then(|| unsafe { CStr::from_ptr(message) }.to_string_lossy());
        StreamError {
            errno,
            message: message.map(Into::into),
        }
    }
}

fn released() -> StreamError {
    const EINVAL: i32 = 22;
    StreamError {
        errno: EINVAL,
        message: Some("it has been released".to_owned()),
    }
}

impl Drop for OwnedStream {
    fn drop(&mut self) {
        if let Some(release) = self.raw.release {
            // SAFETY: the stream is owned and not released yet; this is its only release.
            unsafe { release(&mut self.raw) };
            self.raw.release = None;
        }
    }
}
