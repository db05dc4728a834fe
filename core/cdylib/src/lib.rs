//! `libbowstring`: the C ABI over the engines, and the only place with exported functions.
//!
//! Each file holds the functions of one capability. A function checks its arguments, calls the runtime or an engine,
//! and reports; all of it inside the panic guard. The doc comments are the text of `include/bowstring.h`, written for
//! its readers.

pub mod adbc;
mod adbc_operations;
mod arguments;
pub mod call;
pub mod context;
pub mod extract;
pub mod job;
pub mod lease;
pub mod quantize;
mod quantize_options;
mod quantize_work;
pub mod schema;
pub mod store;
pub mod stream;
pub mod table;
pub mod version;
pub mod weights;
