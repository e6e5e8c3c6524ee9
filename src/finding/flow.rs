//! What lies above each node, told once for all from the top down: does something stop it early, and which decision rests on its
//! rows? Asking upwards from each node would take time with the square of a deep plan.

use crate::plan::{Node, NodeId, Plan};

/// For each node what is above it.
pub(super) struct Flow {
    stopped_early: Vec<bool>,
    decision: Vec<Option<NodeId>>,
}

impl Flow {
    pub(super) fn of(plan: &Plan) -> Flow {
        let mut flow = Flow { stopped_early: Vec::new(), decision: Vec::new() };
        for node in plan.nodes() {
            let parent = node.parent.map(|parent| plan.node(parent));
            let above = |parent: &Node| (flow.stopped_early[parent.id.0], flow.decision[parent.id.0]);
            let (stopped, decision) = parent.map_or((false, None), above);
            let parent_stops = parent.is_some_and(stops_early) && !parent.is_some_and(reads_all);
            let subquery = matches!(node.text("Parent Relationship"), Some("SubPlan" | "InitPlan"));
            flow.stopped_early.push(subquery || parent_stops || (stopped && !parent.is_some_and(reads_all)));
            flow.decision.push(parent.filter(|parent| decides(parent)).map(|parent| parent.id).or(decision));
        }
        flow
    }

    /// May a node above have stopped asking? Then fewer rows than expected are no error.
    pub(super) fn stopped_early(&self, id: NodeId) -> bool {
        self.stopped_early[id.0]
    }

    /// The nearest join, sort or grouping above, which was chosen by the number of rows expected.
    pub(super) fn decision(&self, id: NodeId) -> Option<NodeId> {
        self.decision[id.0]
    }
}

fn stops_early(node: &Node) -> bool {
    matches!(node.node_type(), "Limit" | "Merge Join") || matches!(node.text("Join Type"), Some("Semi" | "Anti"))
}

/// Reads its input to the end before it delivers anything.
fn reads_all(node: &Node) -> bool {
    match node.node_type() {
        "Sort" | "Hash" => true,
        "Aggregate" => node.text("Strategy") != Some("Sorted"),
        _ => false,
    }
}

fn decides(node: &Node) -> bool {
    match node.node_type() {
        "Nested Loop" | "Hash Join" | "Merge Join" | "Sort" | "Incremental Sort" => true,
        "Aggregate" => node.properties.contains_key("Group Key"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sort_below_a_limit_reads_all_of_its_input() {
        let plan = Plan::from_json(json!({"Plan": {"Node Type": "Limit", "Plans": [
            {"Node Type": "Nested Loop", "Plans": [
                {"Node Type": "Seq Scan"},
                {"Node Type": "Sort", "Plans": [{"Node Type": "Seq Scan"}]}]}]}}))
        .unwrap();
        let flow = Flow::of(&plan);
        let stopped: Vec<bool> = (0..5).map(|node| flow.stopped_early(NodeId(node))).collect();
        assert_eq!(stopped, [false, true, true, true, false]);
        let decisions: Vec<Option<usize>> = (0..5).map(|node| flow.decision(NodeId(node)).map(|id| id.0)).collect();
        assert_eq!(decisions, [None, None, Some(1), Some(1), Some(3)]);
    }
}
