//! Reports: types of their own for other programs to rely on, and one small writer for each format.
//!
//! The core's types may change; these may only gain fields. The JSON Schema in `schema/` is made from them.

pub mod diff;
pub mod json;
pub mod markdown;
pub mod review;
pub mod text;

use crate::plan::NodeId;
use crate::plan::metrics::Metrics;

/// Nodes that make up this share of a plan's cost are marked, up to [`MAX_MARKED`].
const MARKED_SHARE: f64 = 0.8;
const MAX_MARKED: usize = 3;

/// For each node: its share of the plan's time or cost, and whether it is among the costliest.
pub(crate) fn heat(metrics: &Metrics) -> Vec<(f64, bool)> {
    let marked = metrics.costliest(MARKED_SHARE, MAX_MARKED);
    let nodes = metrics.nodes.iter().enumerate();
    nodes
        .map(|(position, node)| (node.self_share, marked.contains(&NodeId(position))))
        .collect()
}
