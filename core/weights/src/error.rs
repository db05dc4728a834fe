//! Why a file could not be quantized.

use std::cell::Cell;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{fmt, io};

use bowstring_quantize::QuantizeError;

/// Why a file could not be quantized. Nothing was written then.
#[derive(Debug)]
pub enum WeightsError {
    /// The system refused something.
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        cause: io::Error,
    },
    /// A file breaks its format, or has what the other one cannot hold.
    Invalid {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        message: String,
    },
    /// The quantization failed.
    Quantize(QuantizeError),
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, cause } => write!(f, "{}: {cause}", path.display()),
            Self::Invalid { path, message } => write!(f, "{}: {message}", path.display()),
            Self::Quantize(error) => error.fmt(f),
        }
    }
}

impl Error for WeightsError {}

impl From<QuantizeError> for WeightsError {
    fn from(error: QuantizeError) -> Self {
        Self::Quantize(error)
    }
}

/// What a file cannot be called, for what is to be done with it.
pub(crate) fn misnamed(path: &Path, expected: &str) -> WeightsError {
    let message = format!("{}: expected {expected}", path.display());
    QuantizeError::InvalidOptions(message).into()
}

/// Says of an operation which file it was about.
pub(crate) trait About<T> {
    fn about(self, path: &Path) -> Result<T, WeightsError>;
}

impl<T> About<T> for io::Result<T> {
    fn about(self, path: &Path) -> Result<T, WeightsError> {
        self.map_err(|cause| WeightsError::Io {
            path: path.to_owned(),
            cause,
        })
    }
}

impl<T> About<T> for Result<T, String> {
    fn about(self, path: &Path) -> Result<T, WeightsError> {
        self.map_err(|message| WeightsError::Invalid {
            path: path.to_owned(),
            message,
        })
    }
}

/// What a writer of a format says, or the system through it.
pub(crate) fn written<T, E: Error + 'static>(
    path: &Path,
    result: Result<T, E>,
) -> Result<T, WeightsError> {
    result.map_err(|error| {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(found) = cause {
            if let Some(found) = found.downcast_ref::<io::Error>() {
                // The cause cannot be moved out from behind the reference; a code of the system's makes the same again.
                let cause = match found.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => io::Error::new(found.kind(), found.to_string()),
                };
                return WeightsError::Io {
                    path: path.to_owned(),
                    cause,
                };
            }
            cause = found.source();
        }
        WeightsError::Invalid {
            path: path.to_owned(),
            message: error.to_string(),
        }
    })
}

/// Sets the hook that says nothing of panics of decoders: the error that they become does.
static HOOK: Once = Once::new();

thread_local! {
    /// Whether this thread runs a decoder.
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder of a format. One that meets bytes it never expected, and panics, has failed.
pub(crate) fn decoded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, String>,
) -> Result<T, WeightsError> {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !DECODING.get() {
                before(panic);
            }
        }));
    });
    DECODING.set(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode));
    DECODING.set(false);
    result
        .unwrap_or_else(|_| Err("the file is damaged: its decoder gave up".to_owned()))
        .about(path)
}
