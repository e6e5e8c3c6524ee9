//! Memory a node used, and what it wrote to disk because memory was short. EXPLAIN has other
//! property names for each node type.

use serde_json::Value;

use crate::model::Bytes;
use crate::plan::{Node, NodeType};

/// What a node used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// The peak of the process that used most.
    pub peak: Option<Bytes>,
    /// On disk, by the process that used most; none when everything fitted into memory or nothing
    /// is known.
    pub disk: Option<Bytes>,
    /// Batches of a hash table; 1 means that it fitted into memory.
    pub batches: Option<u64>,
}

pub(super) fn memory(node: &Node) -> Memory {
    match node.node_type() {
        NodeType::Sort => sort(node),
        NodeType::IncrementalSort => incremental_sort(node),
        NodeType::Hash => Memory {
            peak: kilobytes(node, "Peak Memory Usage"),
            disk: None,
            batches: count(node, "Hash Batches"),
        },
        NodeType::Aggregate => Memory {
            peak: kilobytes(node, "Peak Memory Usage"),
            disk: kilobytes(node, "Disk Usage").filter(|disk| disk.0 > 0),
            batches: count(node, "HashAgg Batches"),
        },
        NodeType::Memoize => Memory {
            peak: kilobytes(node, "Peak Memory Usage"),
            ..Memory::default()
        },
        NodeType::Materialize
        | NodeType::WindowAgg
        | NodeType::CteScan
        | NodeType::RecursiveUnion
        | NodeType::TableFunctionScan
        | NodeType::FunctionScan => storage(node),
        _ => Memory::default(),
    }
}

/// `Sort Space Used` of the leader, and of each worker under `Workers`.
fn sort(node: &Node) -> Memory {
    let own = (
        node.text("Sort Space Type"),
        kilobytes(node, "Sort Space Used"),
    );
    let workers = node
        .nested("Workers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let workers = workers.map(|worker| {
        let used = worker
            .get("Sort Space Used")
            .and_then(Value::as_f64)
            .map(from_kilobytes);
        (worker.get("Sort Space Type").and_then(Value::as_str), used)
    });
    let mut memory = Memory::default();
    for (kind, used) in std::iter::once(own).chain(workers) {
        match kind {
            Some("Disk") => memory.disk = memory.disk.max(used),
            Some(_) => memory.peak = memory.peak.max(used),
            None => {}
        }
    }
    memory
}

/// `{"Full-sort Groups": {"Sort Space Memory": {"Peak Sort Space Used": 29}, "Sort Space Disk": …}, "Pre-sorted Groups": …}`.
fn incremental_sort(node: &Node) -> Memory {
    let peak = |space: &str| {
        let groups = ["Full-sort Groups", "Pre-sorted Groups"]
            .into_iter()
            .filter_map(|group| node.nested(group));
        let used =
            groups.filter_map(|group| group.get(space)?.get("Peak Sort Space Used")?.as_f64());
        used.map(from_kilobytes).max()
    };
    Memory {
        peak: peak("Sort Space Memory"),
        disk: peak("Sort Space Disk"),
        batches: None,
    }
}

/// `Storage` and `Maximum Storage` of materializing nodes, since PostgreSQL 18.
fn storage(node: &Node) -> Memory {
    let Some(kind) = node.text("Storage") else {
        return Memory::default();
    };
    let used = kilobytes(node, "Maximum Storage");
    match kind {
        "Disk" => Memory {
            disk: used,
            ..Memory::default()
        },
        _ => Memory {
            peak: used,
            ..Memory::default()
        },
    }
}

fn kilobytes(node: &Node, property: &str) -> Option<Bytes> {
    node.number(property).map(from_kilobytes)
}

fn from_kilobytes(number: f64) -> Bytes {
    Bytes((number.max(0.0) * Bytes::KB as f64) as u64)
}

fn count(node: &Node, property: &str) -> Option<u64> {
    node.number(property).map(|number| number.max(0.0) as u64)
}
