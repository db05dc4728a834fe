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
    /// What was expected and what was found, with the index of the value where there is one.
    pub message: String,
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

impl LayerError {
    /// Which value the message is about, `weights[12]: ...`, if it is about one.
    pub fn index(&self) -> Option<usize> {
        let (name, rest) = self.message.split_once('[')?;
        let is_name = name.chars().all(|letter| letter.is_ascii_lowercase());
        let (index, _) = rest.split_once("]: ")?;
        is_name.then(|| index.parse().ok()).flatten()
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
