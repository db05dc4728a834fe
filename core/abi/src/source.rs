//! Streams out: the callbacks of a stream around whatever gives its batches.

use std::ffi::{CString, c_char, c_int};

use crate::guard::catch;
use crate::raw::{ArrowArray, ArrowArrayStream, ArrowSchema, BowTable};
use crate::{Failure, OwnedStream, OwnedTable, StreamError};

const EIO: c_int = 5;
const EINVAL: c_int = 22;

/// What gives the batches of a stream. It is dropped when the consumer releases the stream.
pub trait StreamSource: Send {
    /// The stream's schema; may be asked for more than once.
    fn schema(&mut self) -> Result<ArrowSchema, StreamError>;

    /// The next batch, of which the array counts; `None` at the end, and from then on. May block.
    fn next(&mut self) -> Result<Option<OwnedTable>, StreamError>;
}

impl From<Failure> for StreamError {
    /// As an input/output error, `EIO`.
    fn from(failure: Failure) -> Self {
        let message = Some(failure.message);
        Self {
            errno: EIO,
            message,
        }
    }
}

impl OwnedStream {
    /// A stream of what `source` gives.
    pub fn new(source: impl StreamSource + 'static) -> Self {
        let private = Box::new(Private {
            source: Box::new(source),
            error: None,
        });
        let raw = ArrowArrayStream {
            get_schema: Some(get_schema),
            get_next: Some(get_next),
            get_last_error: Some(get_last_error),
            release: Some(release),
            private_data: Box::into_raw(private).cast(),
        };
        // SAFETY: the stream was made here and is given up.
        unsafe { Self::from_raw(raw) }
    }
}

/// The `private_data` of a stream of this library's own.
struct Private {
    source: Box<dyn StreamSource>,
    /// What `get_last_error` gives.
    error: Option<CString>,
}

/// # Safety
/// `stream` is null or one made by [`OwnedStream::new`], and nobody else uses it meanwhile.
unsafe fn private<'a>(stream: *mut ArrowArrayStream) -> Option<&'a mut Private> {
    // SAFETY: by contract; the private data lives until the release, which sets `release` to null.
    unsafe {
        let stream = stream.as_ref().filter(|stream| stream.release.is_some())?;
        stream.private_data.cast::<Private>().as_mut()
    }
}

/// Runs a callback: what goes wrong, a panic too, becomes the stream's last error.
///
/// # Safety
/// As for [`private`].
unsafe fn answer(
    stream: *mut ArrowArrayStream,
    body: impl FnOnce(&mut dyn StreamSource) -> Result<(), StreamError>,
) -> c_int {
    // SAFETY: passed on to the consumer.
    let Some(private) = (unsafe { private(stream) }) else {
        return EINVAL;
    };
    let result = match catch(|| Ok(body(&mut *private.source))) {
        Ok(result) => result,
        Err(panic) => Err(panic.into()),
    };
    let StreamError { errno, message } = match result {
        Ok(()) => return 0,
        Err(error) => error,
    };
    // A NUL would end the message for its reader.
    let message = message.map(|message| message.replace('\0', "\u{fffd}"));
    private.error = message.and_then(|message| CString::new(message).ok());
    // A consumer would take 0 for success.
    if errno == 0 { EIO } else { errno }
}

unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    let body = |source: &mut dyn StreamSource| {
        let schema = source.schema()?;
        // SAFETY: the consumer passes room for a schema.
        unsafe { out.write(schema) };
        Ok(())
    };
    // SAFETY: passed on to the consumer.
    unsafe { answer(stream, body) }
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    let body = |source: &mut dyn StreamSource| {
        let array = match source.next()? {
            Some(batch) => {
                let BowTable { schema, array } = batch.into_raw();
                // SAFETY: the schema is this side's to release; the array is given away.
                drop(unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) });
                array
            }
            None => ArrowArray::released(),
        };
        // SAFETY: the consumer passes room for an array.
        unsafe { out.write(array) };
        Ok(())
    };
    // SAFETY: passed on to the consumer.
    unsafe { answer(stream, body) }
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: passed on to the consumer.
    match unsafe { private(stream) } {
        Some(Private {
            error: Some(error), ..
        }) => error.as_ptr(),
        _ => std::ptr::null(),
    }
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    crate::guard::guard_callback(|| {
        // SAFETY: the consumer passes a stream that has this function as its `release`, or null.
        let Some(stream) = (unsafe { stream.as_mut() }) else {
            return;
        };
        if stream.release.take().is_some() {
            // SAFETY: `OwnedStream::new` made it, and `release` having been set means that it was not freed yet.
            drop(unsafe { Box::from_raw(stream.private_data.cast::<Private>()) });
        }
    });
}
