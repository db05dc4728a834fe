//! A client of [ADBC](https://arrow.apache.org/adbc/) drivers: shared libraries that take and give Arrow streams for one
//! database or another, all through the same C functions.
//!
//! - [`Driver`]: a library's functions, for revision 1.1.0 of ADBC or 1.0.0.
//! - [`Connection`], [`Statement`], [`QueryResult`]: owners of what a driver allocates. Each is released once, and none
//!   before what depends on it.
//! - [`Cancellation`]: stops an operation from another thread.
//! - [`DriverError`]: all that a driver says of a failure, copied and released.
//!
//! ```no_run
//! use bowstring_adbc::{Cancellation, Connection, Driver};
//!
//! # fn main() -> Result<(), bowstring_adbc::Error> {
//! // SAFETY: this is an ADBC driver.
//! let driver = unsafe { Driver::load("/usr/lib/libadbc_driver_sqlite.so", None) }?;
//! let options = [("uri".to_owned(), ":memory:".into())];
//! let mut connection = Connection::open(driver, &options, &[])?;
//!
//! let mut statement = connection.statement(&Cancellation::default().into())?;
//! statement.set_query("SELECT 1")?;
//! let mut rows = statement.query()?;
//! while let Ok(Some(array)) = rows.stream().next_array() {
//!     println!("{} rows", array.length);
//!     # // SAFETY: given to this side.
//!     # drop(unsafe { bowstring_abi::OwnedTable::from_raw(bowstring_abi::ArrowSchema::released(), array) });
//! }
//! # Ok(())
//! # }
//! ```

mod cancel;
mod connection;
mod driver;
mod error;
mod options;
pub mod raw;
mod statement;
mod watched;

pub use cancel::Cancellation;
pub use connection::{Connection, ObjectDepth, ObjectFilter, Options, Stream};
pub use driver::Driver;
pub use error::{DriverError, Error};
pub use options::OptionValue;
pub use statement::{IngestMode, IngestTarget, QueryResult, Statement};
