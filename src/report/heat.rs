//! Which nodes of a plan are marked as its costliest.

use crate::plan::NodeId;
use crate::plan::metrics::Metrics;

/// Nodes that make up this share of a plan's cost are marked, up to [`MAX_MARKED`].
pub(crate) const MARKED_SHARE: f64 = 0.8;
pub(crate) const MAX_MARKED: usize = 3;

/// For each node: its share of the plan's time or cost, and whether it is among the costliest.
pub(crate) fn heat(metrics: &Metrics) -> Vec<(f64, bool)> {
    let marked = metrics.costliest(MARKED_SHARE, MAX_MARKED);
    let nodes = metrics.nodes.iter().enumerate();
    nodes
        .map(|(position, node)| (node.self_share, marked.contains(&NodeId(position))))
        .collect()
}
