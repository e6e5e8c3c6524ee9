//! Blocks a node touched by itself. EXPLAIN counts those of everything below it too; they are totals over all loops and processes,
//! so only the inputs have to be taken out, by whoever paid for them ([`super::charge`]).

use super::charge::{self, Charges};
use crate::model::{Bytes, Millis};
use crate::plan::{Node, Plan};

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

const COLUMNS: usize = 11;

fn counters(node: &Node) -> [f64; COLUMNS] {
    let count = |property| node.number(property).unwrap_or(0.0);
    // Until 16 `I/O Read Time` covers shared and local blocks; since 17 each kind has its own.
    let read_time = count("I/O Read Time") + count("Shared I/O Read Time") + count("Local I/O Read Time");
    [
        count("Shared Hit Blocks"),
        count("Shared Read Blocks"),
        count("Shared Dirtied Blocks"),
        count("Shared Written Blocks"),
        count("Local Hit Blocks"),
        count("Local Read Blocks"),
        count("Local Dirtied Blocks"),
        count("Local Written Blocks"),
        count("Temp Read Blocks"),
        count("Temp Written Blocks"),
        read_time,
    ]
}

/// The blocks of every node; none without BUFFERS.
pub(super) fn own(plan: &Plan, charges: &Charges) -> Vec<Option<Buffers>> {
    let known = |node: &Node| node.properties.contains_key("Shared Hit Blocks");
    if !plan.nodes().iter().any(known) {
        return vec![None; plan.nodes().len()];
    }
    let all: Vec<[f64; COLUMNS]> = plan.nodes().iter().map(counters).collect();
    let columns: Vec<Vec<f64>> = (0..COLUMNS)
        .map(|column| {
            let inclusive: Vec<f64> = all.iter().map(|counters| counters[column]).collect();
            charge::own(plan, charges, &inclusive)
        })
        .collect();
    let buffers = plan.nodes().iter().map(|node| known(node).then(|| row(&columns, node.id.0)));
    buffers.collect()
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
