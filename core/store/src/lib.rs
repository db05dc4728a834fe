//! Arrow tables of source code to SQLite, and queries back to Arrow.
//!
//! A [`Store`] is one database file. A writer calls [`begin`](Store::begin), then [`write`](Store::write) any number
//! of times, then [`commit`](Store::commit): all rows belong to a new *generation*, which replaces the committed one
//! in a single small transaction. Until then, and after a crash at any point, readers see the previous generation
//! whole. docs/store.md describes the database.
//!
//! ```
//! use bowstring_store::{Mode, Query, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("index.db");
//! # let batches: Vec<[arrow_array::RecordBatch; 5]> = Vec::new();
//! let mut store = Store::open(&path, Mode::Create)?;
//! store.begin("/home/me/project")?;
//! for batch in &batches {
//!     store.write(batch)?;
//! }
//! let summary = store.commit()?;
//! assert_eq!(summary.generation, 1);
//!
//! let mut reader = Store::open(&path, Mode::Read)?;
//! let answer = reader.query(&Query::Refs { name: "open".into(), limit: 20 })?;
//! assert_eq!(answer.num_rows(), 0);
//! # Ok(())
//! # }
//! ```

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
