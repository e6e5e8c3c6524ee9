//! Blocks a node touched by itself. EXPLAIN counts those of everything below it too; they are totals over all loops and processes,
//! so only the inputs have to be taken out, by whoever paid for them ([`super::charge`]).

use super::charge::{self, Charges};
use super::raw::Raw;
use crate::model::{Bytes, Millis};
use crate::plan::Plan;

/// Size of a block; servers can be built with another, but EXPLAIN does not say so.
pub const BLOCK_BYTES: f64 = 8192.0;

/// Blocks by kind, and the time spent waiting for them (with `track_io_timing`).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Buffers {
    /// Found in shared buffers.
    pub shared_hit: f64,
    /// Asked from the operating system.
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

/// How many kinds of blocks and times are counted, in the order of the fields of [`Buffers`].
pub(super) const COUNTERS: usize = 11;

/// The blocks of every node; none without BUFFERS.
pub(super) fn own(plan: &Plan, raw: &[Raw<'_>], charges: &Charges) -> Vec<Option<Buffers>> {
    if raw.iter().all(|node| node.counters.is_none()) {
        return vec![None; raw.len()];
    }
    let column = |column: usize| {
        let inclusive: Vec<f64> =
            raw.iter().map(|node| node.counters.map_or(0.0, |counters| counters[column])).collect();
        if inclusive.iter().all(|number| *number == 0.0) { inclusive } else { charge::own(plan, charges, &inclusive) }
    };
    let columns: Vec<Vec<f64>> = (0..COUNTERS).map(column).collect();
    raw.iter().enumerate().map(|(node, raw)| raw.counters.map(|_| row(&columns, node))).collect()
}

fn row(columns: &[Vec<f64>], node: usize) -> Buffers {
    let at = |column: usize| columns[column][node];
    Buffers {
        shared_hit: at(0),
        shared_read: at(1),
        shared_dirtied: at(2),
        shared_written: at(3),
        local_hit: at(4),
        local_read: at(5),
        local_dirtied: at(6),
        local_written: at(7),
        temp_read: at(8),
        temp_written: at(9),
        read_time: Millis(at(10)),
    }
}
