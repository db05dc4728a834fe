//! The reusable half of Bowstring's boundary: what a shared library needs to exchange Arrow record batches through
//! the [Arrow C Data Interface](https://arrow.apache.org/docs/format/CDataInterface.html) without copying them and
//! without trusting the other side.
//!
//! - [`raw`]: the C structs, bit for bit, with their layout asserted.
//! - [`OwnedTable`]: a schema and an array that this side must release, exactly once.
//! - [`check`](check::check): the ladder of checks that stands between a foreign struct and code that reads it.
//! - [`export_batch`], [`share_table`]: record batches out; [`import_table`]: record batches in.
//! - [`describe`](describe::describe): a group of tables as native blocks and places within them.
//! - [`Status`], [`Failure`], [`BowError`], [`guard`](guard::guard): how an `extern "C"` function reports, and how no
//!   panic leaves it.

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "Bowstring needs a 64-bit target: addresses cross the boundary as doubles and 64-bit layouts are asserted"
);

pub mod check;
pub mod describe;
mod error;
mod export;
pub mod guard;
mod import;
mod invalid;
mod layout;
mod owned;
pub mod raw;
mod schema;
mod status;
mod walk;

pub use check::Level;
pub use error::{BowError, Failure};
pub use export::{export_batch, share_table};
pub use import::{Imported, import_table};
pub use invalid::{InvalidArrow, Problem};
pub use layout::{BufferKind, Layout, layout_of};
pub use owned::OwnedTable;
pub use raw::{ArrowArray, ArrowArrayStream, ArrowSchema, BowTable};
pub use schema::{SchemaTree, fingerprint};
pub use status::Status;
