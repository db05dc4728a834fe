//! The [safetensors](https://github.com/huggingface/safetensors) format: eight bytes with the length of a header, the
//! header as JSON, then the tensors' bytes one after the other, without gaps.

mod header;
mod shards;
mod write;

pub(crate) use header::{Dtype, Metadata, TensorInfo, read_header};
pub(crate) use shards::open_shards;
pub(crate) use write::SafetensorsSink;
