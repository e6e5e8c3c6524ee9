//! Finds which nodes of two plans of the same query correspond, also when the join order or an
//! access path changed.
//!
//! A textual diff of the titles does not match nodes that changed their method. Here nodes are
//! matched by their class (scan, join, sort, …) and by the relations below them:
//! 1. a scan matches the scan of the same table and alias, whatever the access path;
//! 2. a join matches the join of the same relations, whatever the method and the order of its
//!    inputs;
//! 3. sorts, aggregates and other nodes match those of their class over the same relations, in the
//!    order of the plan;
//! 4. nodes without a match were added or removed.
//!
//! The relations below a node are kept as the sum of their hashes, so the time is linear in the
//! number of nodes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Node, NodeId, NodeType, Plan};

/// Which nodes of two plans correspond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    before: Vec<Option<NodeId>>,
    after: Vec<Option<NodeId>>,
}

/// What a node does, whatever its method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class<'p> {
    /// Reads a relation, by whatever path.
    Scan,
    /// Joins two inputs, by whatever method.
    Join,
    /// Sorts, completely or in parts.
    Sort,
    /// Groups, by whatever strategy.
    Aggregate,
    /// Collects from workers.
    Gather,
    /// Anything else, by its type.
    Other(&'p NodeType),
}

/// The class of a node.
pub fn class(node: &Node) -> Class<'_> {
    match node.node_type() {
        scan if scan.is_table_scan() => Class::Scan,
        join if join.is_join() => Class::Join,
        sort if sort.is_sort() => Class::Sort,
        NodeType::Aggregate | NodeType::Group | NodeType::Unique => Class::Aggregate,
        gather if gather.is_gather() => Class::Gather,
        other => Class::Other(other),
    }
}

/// Corresponding nodes, or a node without a counterpart at this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlignedNodes {
    /// The same node in both.
    Both(NodeId, NodeId),
    /// A node of the first plan whose counterpart is missing or at another position.
    Before(NodeId),
    /// A node of the second plan whose counterpart is missing or at another position.
    After(NodeId),
}

/// Aligns two plans.
pub fn align(before: &Plan, after: &Plan) -> Alignment {
    let mut waiting: HashMap<(Class<'_>, u64), Vec<NodeId>> = HashMap::new();
    let relations_after = relations_below(after);
    for node in after.nodes().iter().rev() {
        waiting
            .entry((class(node), relations_after[node.id.0]))
            .or_default()
            .push(node.id);
    }
    let mut alignment = Alignment {
        before: vec![None; before.nodes().len()],
        after: vec![None; after.nodes().len()],
    };
    let relations_before = relations_below(before);
    for node in before.nodes() {
        let key = (class(node), relations_before[node.id.0]);
        if let Some(partner) = waiting.get_mut(&key).and_then(Vec::pop) {
            alignment.before[node.id.0] = Some(partner);
            alignment.after[partner.0] = Some(node.id);
        }
    }
    alignment
}

/// For each node a hash of the relations below it that does not depend on their order.
fn relations_below(plan: &Plan) -> Vec<u64> {
    let mut below = vec![0u64; plan.nodes().len()];
    for node in plan.nodes().iter().rev() {
        below[node.id.0] = below[node.id.0].wrapping_add(own_relation(node));
        if let Some(NodeId(parent)) = node.parent {
            below[parent] = below[parent].wrapping_add(below[node.id.0]);
        }
    }
    below
}

/// The hash of the relation a node reads, 0 when it reads none.
fn own_relation(node: &Node) -> u64 {
    let Some(name) = node.source_name() else {
        return 0;
    };
    if *node.node_type() == NodeType::ModifyTable {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    (name, node.alias()).hash(&mut hasher);
    hasher.finish()
}

impl Alignment {
    /// The node of the second plan that corresponds to this one of the first.
    pub fn in_after(&self, before: NodeId) -> Option<NodeId> {
        self.before.get(before.0).copied().flatten()
    }

    /// The node of the first plan that corresponds to this one of the second.
    pub fn in_before(&self, after: NodeId) -> Option<NodeId> {
        self.after.get(after.0).copied().flatten()
    }

    /// Both plans from top to bottom, with as many pairs as the order of both allows; other nodes
    /// come alone.
    pub fn steps(&self) -> Vec<AlignedNodes> {
        let pairs: Vec<(usize, usize)> = self
            .before
            .iter()
            .enumerate()
            .filter_map(|(before, after)| Some((before, (*after)?.0)))
            .collect();
        let mut steps = Vec::with_capacity(self.before.len() + self.after.len());
        let (mut left, mut right) = (0, 0);
        let end = (self.before.len(), self.after.len());
        for (before, after) in longest_rising(&pairs).into_iter().chain([end]) {
            steps.extend((left..before).map(|node| AlignedNodes::Before(NodeId(node))));
            steps.extend((right..after).map(|node| AlignedNodes::After(NodeId(node))));
            if (before, after) != end {
                steps.push(AlignedNodes::Both(NodeId(before), NodeId(after)));
            }
            (left, right) = (before + 1, after + 1);
        }
        steps
    }
}

/// The longest subsequence of pairs that rises in both positions; the pairs are sorted by the first
/// (patience sorting).
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut tails: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (position, (_, right)) in pairs.iter().enumerate() {
        let length = tails.partition_point(|tail| pairs[*tail].1 < *right);
        previous.push(length.checked_sub(1).map(|shorter| tails[shorter]));
        if length == tails.len() {
            tails.push(position);
        } else {
            tails[length] = position;
        }
    }
    let mut run: Vec<_> =
        std::iter::successors(tails.last().copied(), |position| previous[*position])
            .map(|position| pairs[position])
            .collect();
    run.reverse();
    run
}

/// The join order as `((a ⋈ b) ⋈ c)`, outer input first.
pub fn join_order(plan: &Plan) -> String {
    const MAX_TEXT_BYTES: usize = 2_000;
    let mut texts: Vec<String> = vec![String::new(); plan.nodes().len()];
    for node in plan.nodes().iter().rev() {
        let below: Vec<String> = plan
            .inputs(node.id)
            .map(|input| std::mem::take(&mut texts[input.id.0]))
            .filter(|text| !text.is_empty())
            .collect();
        let own = if own_relation(node) == 0 {
            None
        } else {
            node.alias().or_else(|| node.cte_name())
        };
        texts[node.id.0] = match (own, class(node)) {
            (Some(alias), _) => alias.to_owned(),
            (None, Class::Join) if below.len() == 2 => format!("({})", below.join(" ⋈ ")),
            _ => below.join(", "),
        };
        if texts[node.id.0].len() > MAX_TEXT_BYTES {
            texts[node.id.0] = "…".to_owned();
        }
    }
    texts.swap_remove(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn plan(node: &Value) -> Plan {
        Plan::from_json(json!({ "Plan": node })).unwrap()
    }

    fn scan(node_type: &str, alias: &str) -> Value {
        json!({"Node Type": node_type, "Relation Name": alias, "Alias": alias})
    }

    fn join(node_type: &str, outer: &Value, inner: &Value) -> Value {
        json!({"Node Type": node_type, "Plans": [outer, inner]})
    }

    #[test]
    fn scans_and_joins_find_each_other_whatever_method_and_order() {
        let (a, b, c) = (
            scan("Seq Scan", "a"),
            scan("Seq Scan", "b"),
            scan("Seq Scan", "c"),
        );
        let before = plan(&join("Hash Join", &join("Hash Join", &a, &b), &c));
        let after = plan(&join(
            "Nested Loop",
            &c,
            &join("Merge Join", &scan("Index Scan", "b"), &a),
        ));
        let alignment = align(&before, &after);
        let partner = |position| alignment.in_after(NodeId(position)).map(|id| id.0);
        // The whole join, the join of a and b, and the scans of a, b and c.
        assert_eq!(
            (0..5).map(partner).collect::<Vec<_>>(),
            [Some(0), Some(2), Some(4), Some(3), Some(1)]
        );
        assert_eq!(alignment.in_before(NodeId(4)), Some(NodeId(2)));
        assert_eq!(join_order(&before), "((a ⋈ b) ⋈ c)");
        assert_eq!(join_order(&after), "(c ⋈ (b ⋈ a))");
    }

    #[test]
    fn another_join_order_leaves_only_the_joins_that_are_not_there() {
        let (a, b, c) = (
            scan("Seq Scan", "a"),
            scan("Seq Scan", "b"),
            scan("Seq Scan", "c"),
        );
        let before = plan(&join("Hash Join", &join("Hash Join", &a, &b), &c));
        let after = plan(&join("Hash Join", &join("Hash Join", &a, &c), &b));
        let alignment = align(&before, &after);
        assert_eq!(alignment.in_after(NodeId(0)), Some(NodeId(0)));
        assert_eq!(alignment.in_after(NodeId(1)), None);
        assert_eq!(alignment.in_before(NodeId(1)), None);
        assert_eq!(alignment.in_after(NodeId(3)), Some(NodeId(4)));
    }

    #[test]
    fn steps_go_through_every_node_of_both_plans_once() {
        let (a, b, c) = (
            scan("Seq Scan", "a"),
            scan("Seq Scan", "b"),
            scan("Seq Scan", "c"),
        );
        let before = plan(
            &json!({"Node Type": "Sort", "Plans": [join("Hash Join", &join("Hash Join", &a, &b), &c)]}),
        );
        let after = plan(&join("Hash Join", &c, &join("Nested Loop", &b, &a)));
        let steps = align(&before, &after).steps();
        let left: Vec<usize> = steps
            .iter()
            .filter_map(|step| match step {
                AlignedNodes::Both(id, _) | AlignedNodes::Before(id) => Some(id.0),
                AlignedNodes::After(_) => None,
            })
            .collect();
        let right: Vec<usize> = steps
            .iter()
            .filter_map(|step| match step {
                AlignedNodes::Both(_, id) | AlignedNodes::After(id) => Some(id.0),
                AlignedNodes::Before(_) => None,
            })
            .collect();
        assert_eq!(left, (0..6).collect::<Vec<_>>());
        assert_eq!(right, (0..5).collect::<Vec<_>>());
    }
}
