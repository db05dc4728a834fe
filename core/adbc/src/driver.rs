//! Drivers: shared libraries with an entry point that fills in a table of functions.

use std::collections::HashMap;
use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bowstring_abi::{OwnedStream, StreamError, cause_of};
use libloading::Library;

use crate::Error;
use crate::error::{DriverError, NOT_IMPLEMENTED, call};
use crate::raw::{self, ADBC_VERSION_1_0_0, ADBC_VERSION_1_1_0, AdbcDriver, AdbcDriverInitFunc};

/// Room behind the table of revision 1.1.0. Some released headers give `ADBC_DRIVER_1_1_0_SIZE` as more than the struct
/// had then, and a driver may clear that much before it fills the table in.
const SPARE_FUNCTIONS: usize = 16;

#[repr(C)]
struct Table {
    driver: AdbcDriver,
    spare: [usize; SPARE_FUNCTIONS],
}

/// A driver that is ready to be used, for the rest of the process.
pub struct Driver {
    table: Table,
    version: c_int,
}

// SAFETY: the table is written once, by the entry point. Its functions may be called from any thread; that an object is
// used by one thread at a time is seen to by the types of the objects.
unsafe impl Send for Driver {}
// SAFETY: as above.
unsafe impl Sync for Driver {}

/// A path, and the name of an entry point if one was given.
type Key = (String, Option<String>);

/// The drivers that were loaded. They are never unloaded: what they allocated may be released at any time.
static DRIVERS: LazyLock<Mutex<HashMap<Key, Arc<Driver>>>> = LazyLock::new(Mutex::default);

impl Driver {
    /// Opens the library at `path` and calls its entry point. Without a name, that is the one that ADBC derives from the
    /// library's (`AdbcDriverSqliteInit` for `libadbc_driver_sqlite.so`), or else `AdbcDriverInit`. The same path and
    /// name give the same driver.
    ///
    /// # Safety
    /// The library's initialisers are run, and the entry point is one of an ADBC driver.
    pub unsafe fn load(path: &str, entrypoint: Option<&str>) -> Result<Arc<Self>, Error> {
        let key = (path.to_owned(), entrypoint.map(str::to_owned));
        // Held while the library is opened, so that an entry point is called once.
        let mut drivers = DRIVERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(driver) = drivers.get(&key) {
            return Ok(driver.clone());
        }
        // SAFETY: by contract.
        let library = unsafe { Library::new(path) }
            .map_err(|error| Error::Library(cause_of(&error, path)))?;
        // Never closed: from here on its code may have handed out addresses.
        let library = ManuallyDrop::new(library);
        let names = match entrypoint {
            Some(name) => vec![name.to_owned()],
            None => vec![derived_name(path), "AdbcDriverInit".to_owned()],
        };
        let found = names.iter().find_map(|name| {
            // SAFETY: by contract, the symbol is an entry point.
            unsafe { library.get::<AdbcDriverInitFunc>(name.as_bytes()) }.ok()
        });
        let init = *found.ok_or_else(|| {
            let names = names.join(" or ");
            Error::EntryPoint(format!("{path} has no entry point {names}"))
        })?;
        // SAFETY: by contract.
        let driver = Arc::new(unsafe { Self::init(init) }?);
        drivers.insert(key, driver.clone());
        Ok(driver)
    }

    /// Calls an entry point, for revision 1.1.0 and if it does not have that, for 1.0.0.
    ///
    /// # Safety
    /// It is one of an ADBC driver, and the driver stays loaded.
    pub unsafe fn init(init: AdbcDriverInitFunc) -> Result<Self, Error> {
        // SAFETY: by contract.
        let newest = unsafe { Self::init_version(init, ADBC_VERSION_1_1_0) };
        Ok(match newest {
            Err(error) if error.status == NOT_IMPLEMENTED => {
                // SAFETY: by contract.
                unsafe { Self::init_version(init, ADBC_VERSION_1_0_0) }?
            }
            result => result?,
        })
    }

    unsafe fn init_version(init: AdbcDriverInitFunc, version: c_int) -> Result<Self, DriverError> {
        let mut table = Table {
            driver: AdbcDriver::new(),
            spare: [0; SPARE_FUNCTIONS],
        };
        call("entry point", Some(init), |init, error| {
            // SAFETY: by contract; the table has room for the revision.
            unsafe { init(version, (&raw mut table).cast(), error) }
        })?;
        Ok(Self { table, version })
    }

    /// The functions.
    pub(crate) fn functions(&self) -> &AdbcDriver {
        &self.table.driver
    }

    /// The revision of ADBC that the driver was made for: 1000000 or 1001000.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// The error behind a failure of a stream that this driver made, with all that ADBC knows of it. A driver that
    /// cannot tell has at least what the stream said.
    pub fn stream_error(&self, stream: &mut OwnedStream, error: StreamError) -> DriverError {
        let stream_said = |status| DriverError {
            status,
            message: error.message.unwrap_or_else(|| {
                format!(
                    "the stream failed without a message (errno {})",
                    error.errno
                )
            }),
            vendor_code: None,
            sqlstate: None,
        };
        let mut status = 0;
        let known = match self.functions().error_from_array_stream {
            // SAFETY: the stream is one of the driver's, as the caller says, and has not been released.
            Some(function) => unsafe { function(stream.as_raw(), &mut status).as_ref() },
            None => None,
        };
        match known {
            // SAFETY: a driver's message is NUL-terminated; the error stays the stream's, so it is not released here.
            Some(error) if status != 0 => unsafe { DriverError::copy(status, error) },
            _ => stream_said(status_of(error.errno)),
        }
    }
}

/// The ADBC status nearest to an `errno` code.
fn status_of(errno: i32) -> raw::AdbcStatusCode {
    const ENOENT: i32 = 2;
    const EIO: i32 = 5;
    const EINVAL: i32 = 22;
    const ECANCELED: i32 = 125;
    match errno {
        ENOENT => 3,
        EINVAL => 5,
        EIO => 10,
        ECANCELED => 11,
        _ => 1,
    }
}

/// The entry point that ADBC derives from a library's name: `libadbc_driver_x-y.so.1` has `AdbcDriverXYInit`.
fn derived_name(path: &str) -> String {
    let file = Path::new(path).file_name().unwrap_or_default();
    let file = file.to_string_lossy();
    let stem = file.split('.').next().unwrap_or_default();
    let stem = stem.strip_prefix("lib").unwrap_or(stem);
    let words = stem.split(['_', '-']).filter(|word| !word.is_empty());
    let mut name: String = words
        .map(|word| {
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            first.to_uppercase() + rest
        })
        .collect();
    if !name.starts_with("Adbc") {
        name.insert_str(0, "Adbc");
    }
    name + "Init"
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a driver of ADBC revision {}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::derived_name;

    #[test]
    fn entry_points_are_named_after_libraries() {
        for (path, name) in [
            ("/x/libadbc_driver_sqlite.so", "AdbcDriverSqliteInit"),
            ("libadbc_driver_x-y.so.1.2", "AdbcDriverXYInit"),
            ("/x.y/adbc_driver_flightsql.dll", "AdbcDriverFlightsqlInit"),
            ("/opt/libduckdb.dylib", "AdbcDuckdbInit"),
            ("/", "AdbcInit"),
        ] {
            assert_eq!(derived_name(path), name, "{path}");
        }
    }
}
