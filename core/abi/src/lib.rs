//! The reusable half of Bowstring's boundary: what a shared library needs to exchange Arrow record batches through
//! the [Arrow C Data Interface](https://arrow.apache.org/docs/format/CDataInterface.html) without copying them and
//! without trusting the other side.
//!
//! - [`raw`]: the C structs, bit for bit, with their layout asserted.
//! - [`OwnedTable`]: a schema and an array that this side must release, exactly once.
//! - [`check`](check::check): the ladder of checks that stands between a foreign struct and code that reads it.
//! - [`export_batch`], [`export_array`], [`share_table`]: arrays out; [`import_table`], [`import_array`]: arrays in.
//! - [`SchemaTree`]: a schema as owned values, read from a struct or JSON and written as either.
//! - [`convert`](convert::convert()): what JavaScript's Arrow library cannot hold as what it can, and back.
//! - [`describe`](describe::describe): a group of tables as native blocks and places within them.
//! - [`Status`], [`Failure`], [`BowError`], [`guard`](guard::guard): how an `extern "C"` function reports, and how no
//!   panic leaves it.
//!
//! ```
//! use bowstring_abi::guard::guard;
//! use bowstring_abi::{BowError, BowTable, Failure, OwnedTable, Status, export_batch, import_table};
//!
//! /// Takes `table` over and gives its first rows back in its place.
//! ///
//! /// # Safety
//! /// `table` is the caller's own, `error` is null or a `bow_error`.
//! pub unsafe extern "C" fn example_head(table: *mut BowTable, rows: u32, error: *mut BowError) -> i32 {
//!     let body = || {
//!         // SAFETY: the caller gives the table up.
//!         let batch = import_table(unsafe { OwnedTable::take(table) })?.batch;
//!         let rows = rows as usize;
//!         if rows > batch.num_rows() {
//!             let message = format!("expected at most {} rows but found {rows}", batch.num_rows());
//!             return Err(Failure::invalid_argument(message));
//!         }
//!         // SAFETY: the caller's structs were moved from; they are overwritten with new ones.
//!         unsafe { table.write(export_batch(&batch.slice(0, rows))?.into_raw()) };
//!         Ok(Status::Ok)
//!     };
//!     // SAFETY: passed on to the caller.
//!     unsafe { guard(error, body) }
//! }
//!
//! # use arrow_array::{RecordBatch, UInt32Array};
//! # use std::sync::Arc;
//! let numbers = Arc::new(UInt32Array::from(vec![1, 2, 3])) as _;
//! let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
//! let (mut table, mut error) = (export_batch(&batch).unwrap().into_raw(), BowError::new());
//! // SAFETY: both are locals.
//! unsafe {
//!     assert_eq!(example_head(&mut table, 2, &mut error), Status::Ok as i32);
//!     assert_eq!(table.array.length, 2);
//!     assert_eq!(example_head(&mut table, 3, &mut error), Status::InvalidArgument as i32);
//! }
//! assert_eq!(error.message(), "expected at most 2 rows but found 3");
//! assert!(table.array.release.is_none(), "moved, although the call failed");
//! ```

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "Bowstring needs a 64-bit target: addresses cross the boundary as doubles and 64-bit layouts are asserted"
);

mod batches;
pub mod build;
pub mod call;
pub mod check;
pub mod convert;
pub mod describe;
mod error;
mod export;
pub mod guard;
mod import;
mod invalid;
mod layout;
mod metadata;
mod node;
mod owned;
mod path;
pub mod raw;
mod schema;
mod source;
mod status;
mod stream;
mod walk;

pub use batches::Batches;
pub use check::Level;
pub use error::{BowError, Failure};
pub use export::{ArrayParts, export_array, export_batch, no_bytes, share_table};
pub use import::{Imported, ImportedArray, import_array, import_table};
pub use invalid::{InvalidArrow, Problem};
pub use layout::{BufferKind, Children, Layout, layout_of};
pub use owned::OwnedTable;
pub use raw::{ArrowArray, ArrowArrayStream, ArrowSchema, BowTable};
pub use schema::{SchemaTree, fingerprint};
pub use source::StreamSource;
pub use status::Status;
pub use stream::{OwnedStream, StreamError};
pub use walk::Root;
