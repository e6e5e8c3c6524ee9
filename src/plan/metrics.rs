//! Numbers derived from a plan, kept beside it.

use super::{Node, NodeId, Plan};
use crate::model::Cost;

/// What one node adds by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeMetrics {
    /// Its total cost less that of the nodes that feed it. InitPlans and SubPlans are charged to the node that uses them by
    /// the planner, so they are taken out like children; never below zero (a LIMIT costs less than what it reads from).
    pub self_cost: Cost,
    /// `self_cost` as a share of all self costs of the plan, 0 to 1.
    pub self_share: f64,
}

/// The metrics of every node, in the plan's order.
pub fn metrics(plan: &Plan) -> Vec<NodeMetrics> {
    let own: Vec<Cost> = plan.nodes().iter().map(|node| self_cost(plan, node)).collect();
    let all: f64 = own.iter().map(|cost| cost.0).sum();
    own.into_iter()
        .map(|self_cost| NodeMetrics { self_cost, self_share: if all > 0.0 { self_cost.0 / all } else { 0.0 } })
        .collect()
}

fn self_cost(plan: &Plan, node: &Node) -> Cost {
    let below: f64 = node.children.iter().map(|child| cost_paid_by_parent(plan, node, *child)).sum();
    Cost((node.total_cost().0 - below).max(0.0))
}

/// A LIMIT stops its input early, so it pays only its own cost's worth of it; a nested loop repeats its inner side.
fn cost_paid_by_parent(plan: &Plan, parent: &Node, child: NodeId) -> f64 {
    let child = plan.node(child);
    match parent.node_type() {
        "Limit" => child.total_cost().0.min(parent.total_cost().0),
        _ => child.total_cost().0,
    }
}

/// The costliest nodes by self cost: the fewest that make up `share` of the plan, at most `most`, costliest first.
pub fn costliest(plan: &Plan, share: f64, most: usize) -> Vec<NodeId> {
    let metrics = metrics(plan);
    let mut order: Vec<usize> = (0..metrics.len()).collect();
    order.sort_by(|a, b| metrics[*b].self_share.total_cmp(&metrics[*a].self_share).then(a.cmp(b)));
    let mut reached = 0.0;
    order
        .into_iter()
        .take(most)
        .take_while(|position| {
            let wanted = reached < share && metrics[*position].self_share > 0.0;
            reached += metrics[*position].self_share;
            wanted
        })
        .map(NodeId)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn self_cost_is_what_a_node_adds() {
        let plan = Plan::from_json(json!({"Plan": {"Node Type": "Aggregate", "Total Cost": 110.0, "Plans": [
            {"Node Type": "Hash Join", "Total Cost": 100.0, "Plans": [
                {"Node Type": "Seq Scan", "Total Cost": 60.0}, {"Node Type": "Hash", "Total Cost": 30.0}]}]}}))
        .unwrap();
        let own: Vec<f64> = metrics(&plan).iter().map(|node| node.self_cost.0).collect();
        assert_eq!(own, [10.0, 10.0, 60.0, 30.0]);
        assert_eq!(costliest(&plan, 0.5, 3), [NodeId(2)]);
        assert_eq!(costliest(&plan, 0.9, 3), [NodeId(2), NodeId(3), NodeId(0)]);
    }

    #[test]
    fn a_limit_is_not_charged_for_rows_it_never_reads() {
        let plan = Plan::from_json(json!({"Plan": {"Node Type": "Limit", "Total Cost": 5.0, "Plans": [
            {"Node Type": "Index Scan", "Total Cost": 5000.0}]}}))
        .unwrap();
        let metrics = metrics(&plan);
        assert_eq!(metrics[0].self_cost, Cost(0.0));
        assert_eq!(metrics[1].self_share, 1.0);
    }
}
