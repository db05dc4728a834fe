//! What became of a file's layers.

/// What became of one tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was quantized.
    Quantized,
    /// It is in the result as it was: it is not of floats that can be quantized, or has less than two axes.
    Copied,
    /// It is not in the result, which can only hold quantized tensors.
    LeftOut,
    /// It could not be quantized, and is not in the result; why.
    Failed(String),
}

impl Outcome {
    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Quantized => "quantized",
            Self::Copied => "copied",
            Self::LeftOut => "left out",
            Self::Failed(_) => "failed",
        }
    }
}

/// What became of one tensor, and how well.
#[derive(Debug, Clone)]
pub struct LayerReport {
    /// Its name.
    pub name: String,
    /// The type of its values, in the words of its file.
    pub dtype: String,
    /// Its shape. Empty for a layer of a table that failed.
    pub shape: Vec<u64>,
    /// What became of it.
    pub outcome: Outcome,
    /// Its bytes in the input. 0 for a layer of a table that failed.
    pub bytes_in: u64,
    /// Its bytes in the result, with scales, zero points and biases.
    pub bytes_out: u64,
    /// Bits of a code, if it was quantized.
    pub bit_width: Option<u8>,
    /// The root of the mean squared error, if it was quantized and statistics were asked for.
    pub rmse: Option<f32>,
    /// The cosine similarity of the values with what they come back as, as above.
    pub cosine: Option<f32>,
}

/// What became of a file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// Its tensors, in the order of the file.
    pub layers: Vec<LayerReport>,
    /// The size of the input, in bytes: of all files.
    pub bytes_in: u64,
    /// The size of the result.
    pub bytes_out: u64,
}
