//! What stands behind the C ABI's handles: contexts, leases, jobs, stores' threads, counters.
//!
//! Nothing here knows the engines: a job is any closure that hands out groups of tables, a worker any value with a
//! thread of its own. The shared library puts the two together.

mod build;
mod call;
mod connection;
mod context;
mod counters;
mod error;
mod events;
mod feed;
mod handle;
mod import;
mod job;
mod lease;
mod library;
mod pull;
mod queue;
mod registry;
mod release;
mod sync;
mod worker;

pub use build::BOW_BUILD_RESTORE;
pub use call::{BowCall, Call};
pub use context::{Context, NextLease};
pub use counters::BowStats;
pub use error::{Kind, RuntimeError};
pub use events::Waker;
pub use feed::Demand;
pub use handle::{Handle, HandleTable, Lookup};
pub use import::{
    BOW_IMPORT_ANY, BOW_IMPORT_CONVERT, BOW_IMPORT_STRICT, BOW_VALIDATE_DEFAULT, BOW_VALIDATE_FULL,
    BOW_VALIDATE_MINIMAL, BOW_VALIDATE_NONE, ImportOptions, Prepared, shown_schema,
};
pub use job::{BowJobState, Job, JobPhase, Monitor, Next, Outlet, Progress};
pub use lease::Lease;
pub use library::{open_library, symbol};
pub use queue::Group;
pub use registry::{close_context, context, drop_token, open_context};
pub use worker::Worker;
