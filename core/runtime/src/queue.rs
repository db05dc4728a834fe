//! What waits in a job's queue, and how much of it may.

use std::fmt;

use bowstring_abi::{InvalidArrow, Level, OwnedTable};

use crate::import::Prepared;

/// How much waits for the consumer before the producer is made to wait. It goes on when half of it has been taken, so
/// that a producer of many small results is not woken for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    results: usize,
    bytes: usize,
}

impl Bound {
    /// Large results, each worth a turn.
    pub const RESULTS: Self = Self {
        results: 2,
        bytes: usize::MAX,
    };
    /// The batches of a stream, which may be small.
    pub const STREAM: Self = Self {
        results: 64,
        bytes: 64 << 20,
    };

    /// What a producer may queue that must not wait, because others wait for it.
    pub const HURRIED: Self = Self {
        results: usize::MAX,
        bytes: 1 << 30,
    };

    pub fn is_full(&self, results: usize, bytes: usize) -> bool {
        results >= self.results || bytes >= self.bytes
    }

    pub fn has_room(&self, results: usize, bytes: usize) -> bool {
        results <= self.results / 2 && bytes <= self.bytes / 2
    }
}

/// One result.
pub enum Group {
    /// Tables of this library's own making, to be described when they are leased.
    Tables(Vec<OwnedTable>),
    /// Tables that have been checked and described.
    Prepared(Prepared),
}

impl Group {
    /// How many tables there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Tables(tables) => tables.len(),
            Self::Prepared(prepared) => prepared.shown().len(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Tables(_) => 0,
            Self::Prepared(prepared) => prepared.description().total_bytes,
        }
    }

    /// The tables as they are shown.
    pub fn into_tables(self) -> Vec<OwnedTable> {
        match self {
            Self::Tables(tables) => tables,
            Self::Prepared(prepared) => prepared.into_shown(),
        }
    }

    /// The tables described.
    pub(crate) fn prepare(self) -> Result<Prepared, InvalidArrow> {
        match self {
            Self::Tables(tables) => Prepared::new(tables, Level::None.into()),
            Self::Prepared(prepared) => Ok(prepared),
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tables", self.len())
    }
}
