//! Reports: types of their own for other programs to rely on, and one small writer for each format.
//!
//! The core's types may change; these may only gain fields. The JSON Schema in `schema/` is made from them.

pub mod json;
pub mod markdown;
pub mod review;
pub mod text;

use crate::plan::Plan;
use crate::plan::metrics::{costliest, metrics};

/// Nodes that make up this share of a plan's cost are marked, up to [`MOST_MARKED`].
const MARKED_SHARE: f64 = 0.8;
const MOST_MARKED: usize = 3;

/// For each node: its share of the plan's cost, and whether it is among the costliest.
pub(crate) fn heat(plan: &Plan) -> Vec<(f64, bool)> {
    let marked = costliest(plan, MARKED_SHARE, MOST_MARKED);
    let share = metrics(plan).into_iter().zip(plan.nodes());
    share.map(|(metrics, node)| (metrics.self_share, marked.contains(&node.id))).collect()
}
