//! What a context counts, so that tests and users can see that nothing leaks and nothing is copied.

use std::mem::{offset_of, size_of};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a context has alive and has done. All numbers are whole.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BowStats {
    /// Set by the caller to `sizeof(struct bow_stats)`, so that the struct can grow.
    pub size: u32,
    /// Not used; written as 0.
    pub reserved: u32,
    /// Leases whose memory has not been freed, including those that only an exported table keeps alive.
    pub live_leases: f64,
    /// Jobs that have not been closed.
    pub live_jobs: f64,
    /// Stores that have not been closed.
    pub live_stores: f64,
    /// Bytes of native memory that live leases hold.
    pub bytes_viewed: f64,
    /// Bytes copied so far: blocks by `bow_lease_copy`, conversions, buffers that `bow_table_build` copied, offsets of
    /// tables that an engine read, and what the binding reported.
    pub bytes_copied: f64,
    /// Leases that were lost so far, as the binding reported.
    pub leaks: f64,
    /// Breaches of the rules of a lease so far, as the binding reported.
    pub violations: f64,
    /// Tables built with a token of which some struct has not been released.
    pub live_pins: f64,
    /// Streams given out that have not been closed.
    pub live_streams: f64,
    /// Connections to databases that have not been closed.
    pub live_connections: f64,
}

const _: () = {
    assert!(size_of::<BowStats>() == 88);
    assert!(offset_of!(BowStats, live_leases) == 8);
    assert!(offset_of!(BowStats, violations) == 56);
    assert!(offset_of!(BowStats, live_pins) == 64);
    assert!(offset_of!(BowStats, live_streams) == 72);
    assert!(offset_of!(BowStats, live_connections) == 80);
};

/// What a context has in its tables.
pub(crate) struct Live {
    pub jobs: usize,
    pub stores: usize,
    pub streams: usize,
    pub connections: usize,
    pub pins: u64,
}

/// The counters behind [`BowStats`] that outlive their context, because a lease may.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    leases: AtomicU64,
    bytes_viewed: AtomicU64,
    bytes_copied: AtomicU64,
    leaks: AtomicU64,
    violations: AtomicU64,
}

impl Counters {
    pub fn lease_made(&self, bytes: usize) {
        self.leases.fetch_add(1, Relaxed);
        self.bytes_viewed.fetch_add(bytes as u64, Relaxed);
    }

    pub fn lease_freed(&self, bytes: usize) {
        self.leases.fetch_sub(1, Relaxed);
        self.bytes_viewed.fetch_sub(bytes as u64, Relaxed);
    }

    pub fn copied(&self, bytes: u64) {
        self.bytes_copied.fetch_add(bytes, Relaxed);
    }

    pub fn reported(&self, leaks: u32, violations: u32) {
        self.leaks.fetch_add(leaks.into(), Relaxed);
        self.violations.fetch_add(violations.into(), Relaxed);
    }

    /// The counters, and how many of what the context itself counts are alive.
    pub fn read(&self, live: Live) -> BowStats {
        BowStats {
            size: size_of::<BowStats>() as u32,
            reserved: 0,
            live_leases: self.leases.load(Relaxed) as f64,
            live_jobs: live.jobs as f64,
            live_stores: live.stores as f64,
            bytes_viewed: self.bytes_viewed.load(Relaxed) as f64,
            bytes_copied: self.bytes_copied.load(Relaxed) as f64,
            leaks: self.leaks.load(Relaxed) as f64,
            violations: self.violations.load(Relaxed) as f64,
            live_pins: live.pins as f64,
            live_streams: live.streams as f64,
            live_connections: live.connections as f64,
        }
    }
}
