//! Why a file could not be quantized.

use std::fmt;
use std::path::{Path, PathBuf};

use bowstring_quantize::QuantizeError;

/// Why a file could not be quantized. Nothing was written then.
#[derive(Debug)]
pub enum WeightsError {
    /// The system refused something.
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        cause: std::io::Error,
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

impl std::error::Error for WeightsError {}

impl From<QuantizeError> for WeightsError {
    fn from(error: QuantizeError) -> Self {
        Self::Quantize(error)
    }
}

/// Says of an operation which file it was about.
pub(crate) trait About<T> {
    fn about(self, path: &Path) -> Result<T, WeightsError>;
}

impl<T> About<T> for std::io::Result<T> {
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

/// Runs a decoder of a format. One that meets bytes it never expected, and panics, has failed.
pub(crate) fn decoded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, String>,
) -> Result<T, WeightsError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("the file is damaged: its decoder gave up".to_owned()))
        .about(path)
}
