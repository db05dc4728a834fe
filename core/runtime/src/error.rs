//! What can go wrong with handles.

use std::fmt;

use bowstring_abi::{Failure, Status};

use crate::handle::Handle;

/// A kind of object that handles name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What belongs to one isolate.
    Context,
    /// Tables that JavaScript may look at.
    Lease,
    /// Work on a native thread.
    Job,
    /// An open database.
    Store,
    /// A schema that tables are built with.
    Schema,
    /// A stream that JavaScript feeds.
    Stream,
    /// A shared library.
    Library,
    /// A connection to a database.
    Connection,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Context => "context",
            Self::Lease => "lease",
            Self::Job => "job",
            Self::Store => "store",
            Self::Schema => "schema",
            Self::Stream => "stream",
            Self::Library => "library",
            Self::Connection => "connection",
        })
    }
}

/// Why a call on a handle fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeError {
    /// The handle names nothing: never given out, or what it named has been closed.
    Stale(Kind, Handle),
    /// The lease that the handle named has been released.
    LeaseReleased(Handle),
    /// All handles of this kind are in use or used up.
    NoHandles(Kind),
    /// The lease has as many references as can be counted.
    TooManyReferences(Handle),
    /// As much work of this store waits as may: how much.
    Busy(Handle, usize),
    /// The operating system gives no further thread.
    NoThread,
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale(kind, handle) => {
                write!(f, "there is no {kind} {handle:#x}, or it has been closed")
            }
            Self::LeaseReleased(handle) => write!(f, "lease {handle:#x} has been released"),
            Self::NoHandles(kind) => write!(f, "all {kind} handles are used up"),
            Self::TooManyReferences(handle) => {
                write!(
                    f,
                    "lease {handle:#x} has as many references as can be counted"
                )
            }
            Self::Busy(store, limit) => write!(
                f,
                "{limit} writes of store {store:#x} wait already: wait for one of them to end"
            ),
            Self::NoThread => f.write_str("the operating system gives no further thread"),
        }
    }
}

impl std::error::Error for RuntimeError {}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        let status = match error {
            RuntimeError::Stale(..) => Status::StaleHandle,
            RuntimeError::LeaseReleased(_) => Status::LeaseReleased,
            RuntimeError::Busy(..) => Status::Busy,
            RuntimeError::NoHandles(_)
            | RuntimeError::TooManyReferences(_)
            | RuntimeError::NoThread => Status::OutOfMemory,
        };
        Failure::new(status, error.to_string())
    }
}
