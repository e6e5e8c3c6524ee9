//! Blocks a node touched by itself. EXPLAIN counts those of everything below it too; they are
//! totals over all loops and processes, so only the inputs have to be subtracted
//! ([`super::attribution`] says from which node).

use super::attribution::{self, Attributions};
use super::raw::{COUNTERS, RawNumbers};
use crate::model::{Bytes, Millis};
use crate::plan::Plan;

/// Size of a block; servers can be built with another, but EXPLAIN does not say so.
pub const BLOCK_BYTES: f64 = 8192.0;

/// Blocks by kind, and the time spent waiting for them (with `track_io_timing`).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Buffers {
    /// Found in shared buffers.
    pub shared_hit: f64,
    /// Read from the operating system.
    pub shared_read: f64,
    /// Changed for the first time since a checkpoint or a write.
    pub shared_dirtied: f64,
    /// Written out by this backend.
    pub shared_written: f64,
    /// Of temporary tables, found.
    pub local_hit: f64,
    /// Of temporary tables, read.
    pub local_read: f64,
    /// Of temporary tables, changed.
    pub local_dirtied: f64,
    /// Of temporary tables, written.
    pub local_written: f64,
    /// Of sorts, hashes and the like, read back.
    pub temp_read: f64,
    /// Of sorts, hashes and the like, written.
    pub temp_written: f64,
    /// Waiting for reads of tables and indexes, all processes together.
    pub read_time: Millis,
}

impl Buffers {
    /// Blocks of tables and indexes it looked at.
    pub fn touched(&self) -> f64 {
        self.shared_hit + self.shared_read + self.local_hit + self.local_read
    }

    /// What it wrote to temporary files.
    pub fn spilled(&self) -> Bytes {
        Bytes((self.temp_written * BLOCK_BYTES) as u64)
    }
}

/// The blocks of every node; none without BUFFERS.
pub(super) fn own(
    plan: &Plan,
    raw: &[RawNumbers<'_>],
    attributions: &Attributions,
) -> Vec<Option<Buffers>> {
    if raw.iter().all(|node| node.counters.is_none()) {
        return vec![None; raw.len()];
    }
    let inclusive: Vec<[f64; COUNTERS]> = raw
        .iter()
        .map(|node| node.counters.unwrap_or_default())
        .collect();
    let own = attribution::own(plan, attributions, &inclusive);
    own.into_iter()
        .zip(raw)
        .map(|(own, raw)| raw.counters.map(|_| buffers(own)))
        .collect()
}

fn buffers(counters: [f64; COUNTERS]) -> Buffers {
    let [
        shared_hit,
        shared_read,
        shared_dirtied,
        shared_written,
        local_hit,
        local_read,
        local_dirtied,
        local_written,
        temp_read,
        temp_written,
        read_time,
    ] = counters;
    Buffers {
        shared_hit,
        shared_read,
        shared_dirtied,
        shared_written,
        local_hit,
        local_read,
        local_dirtied,
        local_written,
        temp_read,
        temp_written,
        read_time: Millis(read_time),
    }
}
