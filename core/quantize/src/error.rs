//! Why a call failed, in sentences that name the layer and what was expected.

use std::fmt;

/// Why a call failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuantizeError {
    /// [`Control::cancel`](crate::Control::cancel) was called.
    Cancelled,
    /// An option is out of range or does not go with another. The message says which.
    InvalidOptions(String),
    /// The columns are not those that the call takes. The message lists every mismatch.
    InvalidSchema(String),
    /// A layer cannot be processed, and `continueOnError` is off.
    Layer(LayerError),
    /// The result would exceed a bound of the format, or there is no memory for it.
    TooLarge(String),
}

/// Why one layer was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerError {
    /// Its row in the batch.
    pub row: usize,
    /// Its name; empty where the name itself is null.
    pub layer: String,
    /// What it is about.
    pub kind: LayerErrorKind,
    /// What was expected and what was found, with the index of the value where there is one.
    pub message: String,
}

/// What the error of a layer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerErrorKind {
    /// The list of weights is null.
    NullWeights,
    /// The value of this index in the layer is null, NaN or infinite.
    InvalidValue(usize),
    /// The value of this index in the layer's row of another column, which the message names.
    InvalidElement(usize),
    /// Everything else: the name, the shape, options that do not fit the shape, scales beyond their type.
    Other,
}

impl LayerErrorKind {
    /// Whether this is what `onInvalid` is about.
    pub(crate) fn is_about_weights(self) -> bool {
        matches!(self, Self::NullWeights | Self::InvalidValue(_))
    }
}

impl LayerError {
    /// Which element the message is about, such as 12 in `weights[12]: ...`, if it is about one.
    pub fn index(&self) -> Option<usize> {
        match self.kind {
            LayerErrorKind::InvalidValue(index) | LayerErrorKind::InvalidElement(index) => {
                Some(index)
            }
            LayerErrorKind::NullWeights | LayerErrorKind::Other => None,
        }
    }
}

/// What is wrong with a layer, before it is known which one it is.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: LayerErrorKind,
    message: String,
}

impl Problem {
    pub(crate) fn null_weights() -> Self {
        Self {
            kind: LayerErrorKind::NullWeights,
            message: "expected weights but found null".to_owned(),
        }
    }

    /// About the `at`th weight, which is not a finite number but what `found` says.
    pub(crate) fn weight(at: usize, found: &str) -> Self {
        Self {
            kind: LayerErrorKind::InvalidValue(at),
            message: format!("weights[{at}]: expected a finite number but found {found}"),
        }
    }

    /// About the `at`th element of the column `name`.
    pub(crate) fn element(name: &str, at: usize, expected: &str, found: &str) -> Self {
        Self {
            kind: LayerErrorKind::InvalidElement(at),
            message: format!("{name}[{at}]: expected {expected} but found {found}"),
        }
    }

    /// The error of the layer of this row and name.
    pub(crate) fn of(self, row: usize, layer: &str) -> LayerError {
        LayerError {
            row,
            layer: layer.to_owned(),
            kind: self.kind,
            message: self.message,
        }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self {
            kind: LayerErrorKind::Other,
            message,
        }
    }
}

impl fmt::Display for LayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "layer {:?} (row {}): {}",
            self.layer, self.row, self.message
        )
    }
}

impl std::error::Error for LayerError {}

impl fmt::Display for QuantizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the call was cancelled"),
            Self::Layer(error) => error.fmt(f),
            Self::InvalidOptions(message)
            | Self::InvalidSchema(message)
            | Self::TooLarge(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for QuantizeError {}

impl From<LayerError> for QuantizeError {
    fn from(error: LayerError) -> Self {
        Self::Layer(error)
    }
}
