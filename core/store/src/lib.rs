//! Arrow tables of source code to SQLite, and queries back to Arrow.
//!
//! A [`Store`] is one database file. A writer calls [`begin`](Store::begin), then [`write`](Store::write) any number
//! of times, then [`commit`](Store::commit): all rows belong to a new *generation*, which replaces the committed one
//! in a single small transaction. Until then, and after a crash at any point, readers see the previous generation
//! whole.

mod cancel;
mod connection;
mod contract;
mod encode;
mod error;
mod image;
mod lock;
mod query;
mod schema;
mod store;
mod summary;

pub use cancel::Canceller;
pub use error::StoreError;
pub use query::{DEFAULT_LIMIT, Query};
pub use store::{Mode, Store};
pub use summary::Summary;
