//! Walks over the tree of a plan. None recurses, so plans may be of any depth.

use super::Plan;
use super::node::{Node, NodeId};
use super::node_type::NodeType;

impl Plan {
    /// The node above; none for the root.
    pub fn parent(&self, id: NodeId) -> Option<&Node> {
        self.node(id).parent.map(|parent| self.node(parent))
    }

    /// The nodes above, the nearest first.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.parent(id), |node| self.parent(node.id))
    }

    /// The nodes directly below, in the server's order: inputs and subqueries.
    pub fn children(&self, id: NodeId) -> impl DoubleEndedIterator<Item = &Node> {
        self.node(id).children.iter().map(|child| self.node(*child))
    }

    /// The inputs: children without InitPlans and SubPlans.
    pub fn inputs(&self, id: NodeId) -> impl DoubleEndedIterator<Item = &Node> {
        self.children(id)
            .filter(|child| !child.relationship().is_subquery())
    }

    /// The first input below that is of none of these types, going down by first inputs.
    pub fn input_below(&self, id: NodeId, skipped: &[NodeType]) -> Option<&Node> {
        let first_input = |node: &&Node| self.inputs(node.id).next();
        std::iter::successors(self.inputs(id).next(), first_input)
            .find(|node| !skipped.contains(node.node_type()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan() -> Plan {
        Plan::from_json(json!({"Plan": {"Node Type": "Limit", "Plans": [
            {"Node Type": "Result", "Parent Relationship": "InitPlan"},
            {"Node Type": "Sort", "Parent Relationship": "Outer", "Plans": [
                {"Node Type": "Nested Loop", "Parent Relationship": "Outer", "Plans": [
                    {"Node Type": "Seq Scan", "Parent Relationship": "Outer"},
                    {"Node Type": "Index Scan", "Parent Relationship": "Inner"},
                    {"Node Type": "Aggregate", "Parent Relationship": "SubPlan"}]}]}]}}))
        .unwrap()
    }

    fn ids<'p>(nodes: impl Iterator<Item = &'p Node>) -> Vec<usize> {
        nodes.map(|node| node.id.0).collect()
    }

    #[test]
    fn ancestors_begin_with_the_nearest() {
        let plan = plan();
        assert_eq!(ids(plan.ancestors(NodeId(4))), [3, 2, 0]);
        assert_eq!(ids(plan.ancestors(NodeId(0))), [] as [usize; 0]);
        assert_eq!(plan.parent(NodeId(2)).map(|node| node.id), Some(NodeId(0)));
        assert_eq!(plan.parent(NodeId(0)), None);
    }

    #[test]
    fn subqueries_are_children_and_no_inputs() {
        let plan = plan();
        assert_eq!(ids(plan.children(NodeId(3))), [4, 5, 6]);
        assert_eq!(ids(plan.inputs(NodeId(3))), [4, 5]);
        assert_eq!(ids(plan.children(NodeId(0)).rev()), [2, 1]);
        assert_eq!(ids(plan.inputs(NodeId(0))), [2]);
    }

    #[test]
    fn an_input_is_looked_for_below_the_types_that_are_skipped() {
        let plan = plan();
        let below =
            |skipped: &[NodeType]| plan.input_below(NodeId(0), skipped).map(|node| node.id.0);
        assert_eq!(below(&[]), Some(2));
        assert_eq!(below(&[NodeType::Sort]), Some(3));
        assert_eq!(below(&[NodeType::Sort, NodeType::NestedLoop]), Some(4));
        assert_eq!(
            below(&[NodeType::Sort, NodeType::NestedLoop, NodeType::SeqScan]),
            None
        );
    }
}
