//! Options of databases, connections and statements.

use std::ffi::{CStr, CString};

use crate::Error;
use crate::error::{DriverError, NOT_IMPLEMENTED, call};
use crate::raw::{SetNumber, SetOption};

/// What an option is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionValue {
    /// A text.
    Text(String),
    /// A truth value, which ADBC writes as the text `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Double(f64),
}

impl From<&str> for OptionValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for OptionValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// The functions that set options of one kind of object.
pub(crate) struct Setters<T> {
    /// For messages.
    pub name: &'static str,
    pub object: *mut T,
    pub text: SetOption<T>,
    pub int: SetNumber<T, i64>,
    pub double: SetNumber<T, f64>,
}

impl<T> Setters<T> {
    /// Sets an option.
    ///
    /// # Safety
    /// The object is the driver's, and nobody else uses it meanwhile.
    pub unsafe fn set(&self, key: &str, value: &OptionValue) -> Result<(), Error> {
        let key = &text(key, "the name of an option")?;
        let done = match value {
            // SAFETY: passed on to the caller.
            OptionValue::Text(value) => unsafe { self.set_text(key, value) },
            // SAFETY: passed on to the caller.
            OptionValue::Bool(value) => unsafe { self.set_text(key, &value.to_string()) },
            // SAFETY: passed on to the caller.
            OptionValue::Int(value) => unsafe { self.set_number(key, *value, self.int) },
            // SAFETY: passed on to the caller.
            OptionValue::Double(value) => unsafe { self.set_number(key, *value, self.double) },
        };
        done.map_err(|error| match error {
            // Few drivers name the option that they refuse.
            Error::Driver(error) if !error.message.contains(&*key.to_string_lossy()) => {
                let message = format!("option {}: {}", key.to_string_lossy(), error.message);
                Error::Driver(DriverError { message, ..error })
            }
            error => error,
        })
    }

    unsafe fn set_text(&self, key: &CStr, value: &str) -> Result<(), Error> {
        let value = text(value, "the value of an option")?;
        call(self.name, self.text, |set, error| {
            // SAFETY: by contract; the texts outlive the call.
            unsafe { set(self.object, key.as_ptr(), value.as_ptr(), error) }
        })?;
        Ok(())
    }

    unsafe fn set_number<N: Copy + ToString>(
        &self,
        key: &CStr,
        value: N,
        function: SetNumber<T, N>,
    ) -> Result<(), Error> {
        let done = call(self.name, function, |set, error| {
            // SAFETY: by contract; the key outlives the call.
            unsafe { set(self.object, key.as_ptr(), value, error) }
        });
        match done {
            // A driver of revision 1.0.0, or one that has this option as a text only.
            Err(error) if error.status == NOT_IMPLEMENTED => {
                // SAFETY: passed on to the caller.
                unsafe { self.set_text(key, &value.to_string()) }
            }
            done => Ok(done?),
        }
    }
}

/// A text for a driver.
pub(crate) fn text(text: &str, what: &str) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::Nul(what.to_owned()))
}

/// A text for a driver, or null.
pub(crate) fn optional(value: Option<&str>, what: &str) -> Result<Option<CString>, Error> {
    value.map(|value| text(value, what)).transpose()
}

/// The address of a text, or null.
pub(crate) fn pointer(text: &Option<CString>) -> *const std::ffi::c_char {
    text.as_deref().map_or(std::ptr::null(), CStr::as_ptr)
}
