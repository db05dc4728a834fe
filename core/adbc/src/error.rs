//! What can go wrong, and how a driver says so.

use std::ffi::{CStr, c_char};
use std::fmt;

use bowstring_abi::StreamError;

use crate::raw::{self, ADBC_ERROR_VENDOR_CODE_PRIVATE_DATA, AdbcStatusCode};

/// What a driver answered instead of doing as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverError {
    /// The ADBC status, which is not 0.
    pub status: AdbcStatusCode,
    /// The driver's own words; what is not UTF-8 in them is replaced.
    pub message: String,
    /// The database's own code, if it gave one.
    pub vendor_code: Option<i32>,
    /// The SQLSTATE, five characters, if there is one.
    pub sqlstate: Option<String>,
}

/// The status of a function that a driver does not have.
pub(crate) const NOT_IMPLEMENTED: AdbcStatusCode = 2;

/// The names of the statuses, without the prefix `ADBC_STATUS_`.
const NAMES: [&str; 15] = [
    "OK",
    "UNKNOWN",
    "NOT_IMPLEMENTED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "INVALID_ARGUMENT",
    "INVALID_STATE",
    "INVALID_DATA",
    "INTEGRITY",
    "INTERNAL",
    "IO",
    "CANCELLED",
    "TIMEOUT",
    "UNAUTHENTICATED",
    "UNAUTHORIZED",
];

impl DriverError {
    /// The status' name, such as `INVALID_ARGUMENT`; `UNKNOWN` for one that ADBC does not define.
    pub fn status_name(&self) -> &'static str {
        NAMES.get(self.status as usize).unwrap_or(&NAMES[1])
    }

    /// Copies what the struct says.
    ///
    /// # Safety
    /// The message is null or NUL-terminated.
    pub(crate) unsafe fn copy(status: AdbcStatusCode, error: &raw::AdbcError) -> Self {
        let message = match error.message.is_null() {
            true => "the driver gave no message".to_owned(),
            // SAFETY: by contract.
            false => unsafe { CStr::from_ptr(error.message) }
                .to_string_lossy()
                .into_owned(),
        };
        let vendor_code = error.vendor_code;
        Self {
            status,
            message,
            // A driver that has none leaves what the caller put there, or sets 0.
            vendor_code: (vendor_code != ADBC_ERROR_VENDOR_CODE_PRIVATE_DATA && vendor_code != 0)
                .then_some(vendor_code),
            sqlstate: sqlstate(error.sqlstate),
        }
    }

    pub(crate) fn missing(function: &str) -> Self {
        Self {
            status: NOT_IMPLEMENTED,
            message: format!("the driver has no {function}"),
            vendor_code: None,
            sqlstate: None,
        }
    }
}

fn sqlstate(characters: [c_char; 5]) -> Option<String> {
    let bytes = characters.map(|character| character as u8);
    bytes
        .iter()
        .all(u8::is_ascii_alphanumeric)
        .then(|| String::from_utf8_lossy(&bytes).into_owned())
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DriverError {}

/// Why a call fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The driver's library cannot be opened.
    Library(String),
    /// The library has no such entry point, or it does not make a driver that can be used.
    EntryPoint(String),
    /// A text that goes to the driver has a NUL in it, where it would end for the driver.
    Nul(String),
    /// The call was cancelled before it began.
    Cancelled,
    /// The stream that the driver was given failed, whatever the driver made of that.
    Source(StreamError),
    /// The driver refused.
    Driver(DriverError),
}

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(message) | Self::EntryPoint(message) => f.write_str(message),
            Self::Nul(what) => write!(f, "expected no NUL in {what}"),
            Self::Cancelled => f.write_str("the call was cancelled"),
            Self::Source(error) => write!(f, "what the driver was to read failed: {error}"),
            Self::Driver(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Calls a driver's function, if it has it. Whatever it wrote to the error struct is copied and released, once.
pub(crate) fn call<F>(
    name: &str,
    function: Option<F>,
    invoke: impl FnOnce(F, *mut raw::AdbcError) -> AdbcStatusCode,
) -> Result<(), DriverError> {
    let function = function.ok_or_else(|| DriverError::missing(name))?;
    let mut error = raw::AdbcError::new();
    let status = invoke(function, &mut error);
    let result = match status {
        0 => Ok(()),
        // SAFETY: a driver's message is NUL-terminated.
        _ => Err(unsafe { DriverError::copy(status, &error) }),
    };
    // Also after success, where a driver should not have written anything.
    if let Some(release) = error.release {
        // SAFETY: the driver asked for this by setting it, and it is called once.
        unsafe { release(&mut error) };
    }
    result
}
