//! What the ancestors of each node do: may one stop it early, and which one was chosen by its
//! number of rows? Computed for all nodes in one pass from the top down, because walking up from
//! each node would be quadratic in a deep plan.

use crate::plan::metrics::Metrics;
use crate::plan::{Node, NodeId, NodeType, Plan};

/// The effect of its ancestors on each node.
pub(super) struct Ancestry {
    stopped_early: Vec<bool>,
    dependent: Vec<Option<NodeId>>,
}

/// The effect of a node on the nodes below it.
#[derive(Debug, Clone, Copy, Default)]
struct EffectOnInputs {
    stops_early: bool,
    reads_all: bool,
    depends_on_rows: bool,
}

impl Ancestry {
    pub(super) fn of(plan: &Plan, metrics: &Metrics) -> Ancestry {
        let count = plan.nodes().len();
        let mut ancestry = Ancestry {
            stopped_early: vec![false; count],
            dependent: vec![None; count],
        };
        let effects: Vec<EffectOnInputs> = plan.nodes().iter().map(EffectOnInputs::of).collect();
        let without_partner = outer_inputs_without_partner(plan, metrics);
        for node in plan.nodes() {
            let subquery = metrics.node(node.id).relationship.is_subquery();
            let Some(NodeId(parent)) = node.parent else {
                continue;
            };
            let effect = effects[parent];
            let stopped =
                (ancestry.stopped_early[parent] || effect.stops_early) && !effect.reads_all;
            ancestry.stopped_early[node.id.0] =
                subquery || stopped || without_partner.contains(&node.id);
            ancestry.dependent[node.id.0] = if effect.depends_on_rows {
                Some(NodeId(parent))
            } else {
                ancestry.dependent[parent]
            };
        }
        ancestry
    }

    /// May a node above have stopped it before its end? Then fewer rows than expected are no error.
    pub(super) fn stopped_early(&self, id: NodeId) -> bool {
        self.stopped_early[id.0]
    }

    /// The nearest join, sort or grouping above, which was chosen by the number of rows expected.
    pub(super) fn dependent(&self, id: NodeId) -> Option<NodeId> {
        self.dependent[id.0]
    }
}

/// Inputs of hash joins whose other side was empty: after the first row the join is known to have no
/// rows. And inner inputs of nested loops that stop at the first match.
fn outer_inputs_without_partner(plan: &Plan, metrics: &Metrics) -> Vec<NodeId> {
    let joins = plan
        .nodes()
        .iter()
        .filter(|node| node.node_type().is_join());
    let mut stopped = Vec::new();
    for join in joins {
        let mut inputs = plan.inputs(join.id);
        let (Some(outer), Some(inner)) = (inputs.next(), inputs.next()) else {
            continue;
        };
        let is_empty = metrics.node(inner.id).rows_total() == Some(0.0);
        let keeps_outer = matches!(join.text("Join Type"), Some("Left" | "Full" | "Anti"));
        if *join.node_type() == NodeType::HashJoin && is_empty && !keeps_outer {
            stopped.push(outer.id);
        }
        if *join.node_type() == NodeType::NestedLoop && join.flag("Inner Unique") == Some(true) {
            stopped.push(inner.id);
        }
    }
    stopped
}

impl EffectOnInputs {
    fn of(node: &Node) -> EffectOnInputs {
        if node.children.is_empty() {
            return EffectOnInputs::default();
        }
        EffectOnInputs {
            stops_early: stops_early(node),
            reads_all: reads_all(node),
            depends_on_rows: depends_on_rows(node),
        }
    }
}

fn stops_early(node: &Node) -> bool {
    matches!(node.node_type(), NodeType::Limit | NodeType::MergeJoin)
        || matches!(node.text("Join Type"), Some("Semi" | "Anti"))
}

/// Reads its input to the end before it delivers anything.
fn reads_all(node: &Node) -> bool {
    match node.node_type() {
        NodeType::Sort | NodeType::Hash => true,
        NodeType::Aggregate => node.strategy() != Some("Sorted"),
        _ => false,
    }
}

fn depends_on_rows(node: &Node) -> bool {
    match node.node_type() {
        join_or_sort if join_or_sort.is_join() || join_or_sort.is_sort() => true,
        NodeType::Aggregate => node.properties.contains("Group Key"),
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
        let ancestry = Ancestry::of(&plan, &crate::plan::metrics::metrics(&plan));
        let stopped: Vec<bool> = (0..5)
            .map(|node| ancestry.stopped_early(NodeId(node)))
            .collect();
        assert_eq!(stopped, [false, true, true, true, false]);
        let decisions: Vec<Option<usize>> = (0..5)
            .map(|node| ancestry.dependent(NodeId(node)).map(|id| id.0))
            .collect();
        assert_eq!(decisions, [None, None, Some(1), Some(1), Some(3)]);
    }
}
