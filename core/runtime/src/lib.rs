//! What stands behind the C ABI's handles: contexts, leases, jobs, stores' threads, counters.
//!
//! Nothing here knows the engines: a job is any closure that hands out groups of tables, a worker any value with a
//! thread of its own. The shared library puts the two together.

mod call;
mod context;
mod counters;
mod error;
mod events;
mod handle;
mod job;
mod lease;
mod registry;
mod sync;
mod worker;

pub use call::BowCall;
pub use context::Context;
pub use counters::BowStats;
pub use error::{Kind, RuntimeError};
pub use events::Waker;
pub use handle::{Handle, HandleTable, Lookup};
pub use job::{BowJobState, Job, JobPhase, Monitor, Next, Outlet, Progress};
pub use lease::Lease;
pub use registry::{close_context, context, drop_token, open_context};
pub use worker::Worker;
