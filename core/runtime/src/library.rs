//! Other shared libraries. They belong to the process and are never closed: what they allocated may be released, and
//! what they started may run, at any time.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use bowstring_abi::{Failure, Status};
use libloading::Library;

use crate::error::{Kind, RuntimeError};
use crate::handle::{Handle, HandleTable};
use crate::sync::lock;

#[derive(Default)]
struct Libraries {
    by_path: HashMap<String, Handle>,
    open: HandleTable<&'static Library>,
}

static LIBRARIES: LazyLock<Mutex<Libraries>> = LazyLock::new(Mutex::default);

/// Opens a library, or gives the handle that its path already has.
///
/// # Safety
/// The library's initialisers may be run.
pub unsafe fn open_library(path: &str) -> Result<Handle, Failure> {
    if let Some(&handle) = lock(&LIBRARIES).by_path.get(path) {
        return Ok(handle);
    }
    // Without the lock: initialisers are foreign code. SAFETY: by contract.
    let library = unsafe { Library::new(path) }
        .map_err(|error| Failure::new(Status::Io, message(path, &error)))?;
    let mut libraries = lock(&LIBRARIES);
    if let Some(&handle) = libraries.by_path.get(path) {
        // Another thread was quicker; both have the same library, and the system counts.
        std::mem::forget(library);
        return Ok(handle);
    }
    let handle = libraries
        .open
        .insert(Box::leak(Box::new(library)))
        .map_err(|_| RuntimeError::NoHandles(Kind::Library))?;
    libraries.by_path.insert(path.to_owned(), handle);
    Ok(handle)
}

/// The address of a symbol.
pub fn symbol(library: Handle, name: &str) -> Result<usize, Failure> {
    let found = lock(&LIBRARIES).open.get(library).live().copied();
    let library = found.ok_or(RuntimeError::Stale(Kind::Library, library))?;
    // SAFETY: nothing is done with what is at the address.
    match unsafe { library.get::<*const ()>(name.as_bytes()) } {
        Ok(symbol) => Ok((*symbol).addr()),
        Err(error) => Err(Failure::invalid_argument(message(name, &error))),
    }
}

/// The system's words, which mostly name the file or the symbol, but not always.
fn message(what: &str, error: &libloading::Error) -> String {
    let text = error.to_string();
    if text.contains(what) {
        text
    } else {
        format!("{what}: {text}")
    }
}
