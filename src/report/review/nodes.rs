//! The derived numbers of a plan for other programs: what the text report shows beside the tree.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Bytes;
use crate::plan::metrics::{Direction, Metrics, NodeMetrics};
use crate::plan::{Node, Plan};

/// What was derived for one node; the server's own numbers are in `tree`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReviewedNode {
    /// The node's position in EXPLAIN's order, from 0.
    pub node_id: usize,
    /// As EXPLAIN writes it.
    pub title: String,
    /// Its own time, else its own cost, as a share of the plan, 0 to 1.
    pub self_share: f64,
    /// Wall clock, all loops, with everything below it.
    pub time_ms: Option<f64>,
    /// Wall clock, all loops, without the nodes below it.
    pub self_time_ms: Option<f64>,
    /// Its own part of the plan's cost.
    pub self_cost: f64,
    /// Processes that shared its loops.
    pub processes: f64,
    /// Rows of all loops.
    pub rows: Option<f64>,
    /// How many times the row estimate was off, at least 1.
    pub estimate_factor: Option<f64>,
    /// `under` when more rows came than expected, `over` when fewer did, `exact`.
    pub estimate_direction: Option<String>,
    /// Rows read and thrown away, all loops.
    pub rows_removed: Option<f64>,
    /// Blocks of tables and indexes it accessed, without the nodes below it.
    pub self_blocks: Option<f64>,
    /// Blocks it wrote to temporary files, without the nodes below it.
    pub self_temp_blocks: Option<f64>,
    /// Waiting for reads, all processes, without the nodes below it.
    pub self_read_ms: Option<f64>,
    /// Peak memory.
    pub memory_bytes: Option<u64>,
    /// What went to disk for want of it.
    pub disk_bytes: Option<u64>,
}

/// All nodes in EXPLAIN's order.
pub(super) fn nodes(plan: &Plan, metrics: &Metrics) -> Vec<ReviewedNode> {
    plan.nodes()
        .iter()
        .zip(&metrics.nodes)
        .map(|(node, metrics)| reviewed(node, metrics))
        .collect()
}

fn reviewed(node: &Node, metrics: &NodeMetrics) -> ReviewedNode {
    let removed = metrics.removed;
    let bytes = |Bytes(bytes): Bytes| bytes;
    ReviewedNode {
        node_id: node.id.0,
        title: node.title(),
        self_share: metrics.self_share,
        time_ms: metrics.time.map(|time| time.inclusive.0),
        self_time_ms: metrics.time.map(|time| time.own.0),
        self_cost: metrics.cost.own.0,
        processes: metrics.processes,
        rows: metrics.rows_total(),
        estimate_factor: metrics.estimate.and_then(|estimate| estimate.factor()),
        estimate_direction: metrics
            .estimate
            .and_then(|estimate| estimate.direction())
            .map(direction),
        rows_removed: metrics
            .loops
            .map(|_| removed.by_filter + removed.by_join_filter + removed.by_recheck),
        self_blocks: metrics.buffers.map(|buffers| buffers.touched()),
        self_temp_blocks: metrics.buffers.map(|buffers| buffers.temp_written),
        self_read_ms: metrics.buffers.map(|buffers| buffers.read_time.0),
        memory_bytes: metrics.memory.peak.map(bytes),
        disk_bytes: metrics.memory.disk.map(bytes),
    }
}

fn direction(direction: Direction) -> String {
    match direction {
        Direction::Under => "under",
        Direction::Over => "over",
        Direction::Exact => "exact",
    }
    .to_owned()
}
