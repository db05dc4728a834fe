//! Tables of model weights in, exact and self-describing quantized tables out.
//!
//! [`quantize`] turns each row of a [`RecordBatch`](arrow_array::RecordBatch), a named tensor, into packed codes, scales and zero points, on all
//! cores, and measures the error as it goes; [`dequantize`] is the way back. [`quantize_with`] and
//! [`dequantize_with`] are the bare primitives, ONNX's QuantizeLinear and DequantizeLinear with any block size.
//! docs/quantization.md describes the formats.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow_array::{ListArray, RecordBatch, StringArray, types::Float32Type};
//! use bowstring_quantize::{Control, QuantizeOptions, dequantize, quantize};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let names = StringArray::from(vec!["embedding"]);
//! let weights = (0..256).map(|at| Some(at as f32 / 128.0 - 1.0)).collect::<Vec<_>>();
//! let weights = ListArray::from_iter_primitive::<Float32Type, _, _>([Some(weights)]);
//! let batch = RecordBatch::try_from_iter([
//!     ("layer_name", Arc::new(names) as _),
//!     ("weights", Arc::new(weights) as _),
//! ])?;
//!
//! let control = Control::default();
//! let quantized = quantize(&batch, &QuantizeOptions::default(), &control)?;
//! assert!(quantized.failures.is_empty());
//! let back = dequantize(&quantized.batch, &Default::default(), &control)?;
//! assert_eq!(back.num_rows(), 1);
//! # Ok(())
//! # }
//! ```

mod control;
mod dequantize;
mod engine;
mod error;
mod input;
mod job;
mod kernel;
mod options;
mod output;
mod packer;
mod parallel;
mod plan;
mod prepare;
mod primitive;
mod refine;
mod schema;
mod search;
mod statistics;
mod stored;
mod worker;

pub use control::{Control, Progress};
pub use dequantize::{DequantizeOptions, dequantize};
pub use engine::{Quantized, Quantizer, quantize};
pub use error::{LayerError, LayerErrorKind, QuantizeError};
pub use kernel::InstructionSet;
pub use options::{
    Granularity, Layout, OnInvalid, Override, QuantizeOptions, ScaleType, Scheme, Search,
};
pub use primitive::{CodeType, Target, dequantize_with, quantize_with};
pub use schema::{quantized_schema, validate_quantized_schema, validate_schema};
