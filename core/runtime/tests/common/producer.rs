//! A foreign stream that does as it is told.

use std::ffi::{CString, c_char, c_int};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bowstring_abi::{ArrowArray, ArrowArrayStream, ArrowSchema, BowTable, OwnedStream, OwnedTable};

/// What the next `get_next` does.
pub enum Step {
    /// Gives this table's array.
    Batch(OwnedTable),
    /// Fails, with a message or without.
    Fail(c_int, Option<&'static str>),
    /// Does something first, such as waiting.
    Run(Box<dyn FnOnce() + Send>),
}

struct Script {
    /// The table whose schema the stream has; `None` fails.
    schema: Option<OwnedTable>,
    steps: std::vec::IntoIter<Step>,
    error: Option<CString>,
    releases: Arc<AtomicUsize>,
}

/// The stream, and how often it has been released.
pub fn stream(schema: Option<OwnedTable>, steps: Vec<Step>) -> (OwnedStream, Arc<AtomicUsize>) {
    let releases = Arc::new(AtomicUsize::new(0));
    let script = Box::new(Script {
        schema,
        steps: steps.into_iter(),
        error: None,
        releases: releases.clone(),
    });
    let raw = ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release),
        private_data: Box::into_raw(script).cast(),
    };
    // SAFETY: made here and given up.
    (unsafe { OwnedStream::from_raw(raw) }, releases)
}

/// # Safety
/// The stream is one of this file's and is not released.
unsafe fn script<'a>(stream: *mut ArrowArrayStream) -> &'a mut Script {
    // SAFETY: by contract.
    unsafe { &mut *(*stream).private_data.cast() }
}

unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: called as the specification says.
    unsafe {
        let script = script(stream);
        match script.schema.take() {
            Some(table) => {
                let BowTable { schema, array } = table.into_raw();
                drop(OwnedTable::from_raw(ArrowSchema::released(), array));
                out.write(schema);
                0
            }
            None => {
                script.error = Some(c"no schema".into());
                libc_errno::EIO
            }
        }
    }
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: called as the specification says.
    let script = unsafe { script(stream) };
    loop {
        let array = match script.steps.next() {
            Some(Step::Run(run)) => {
                run();
                continue;
            }
            Some(Step::Fail(errno, message)) => {
                script.error = message.map(|message| CString::new(message).unwrap());
                return errno;
            }
            Some(Step::Batch(table)) => {
                let BowTable { schema, array } = table.into_raw();
                // SAFETY: the schema is this side's; the array is given away.
                drop(unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) });
                array
            }
            None => ArrowArray::released(),
        };
        // SAFETY: called as the specification says.
        unsafe { out.write(array) };
        return 0;
    }
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: called as the specification says.
    match &unsafe { script(stream) }.error {
        Some(error) => error.as_ptr(),
        None => std::ptr::null(),
    }
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    // SAFETY: called once, as the specification says.
    unsafe {
        let script = Box::from_raw((*stream).private_data.cast::<Script>());
        (*stream).release = None;
        script.releases.fetch_add(1, SeqCst);
    }
}

mod libc_errno {
    pub const EIO: i32 = 5;
}
