//! What a plan's time depends on though its cost says little about it.
//!
//! A cost is of one value, with the rows that the planner estimates for it. Of two indexes with about
//! the same cost the one is better whose plan does not depend on that estimate.

use crate::plan::{Node, NodeType, Plan};

/// Of a statement's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unpriced {
    /// It sorts rows of which a LIMIT takes the first ones: how long that takes depends on how many
    /// rows the next value has.
    pub sorts_for_limit: bool,
    /// It reads a range of an index and filters what it finds: how many rows a pattern or a range has
    /// is what the planner knows least about.
    pub filters_a_range: bool,
    /// It puts two bitmaps together by AND: the planner takes their conditions to be independent,
    /// whatever CREATE STATISTICS told it (`cost_bitmap_and_node`,
    /// src/backend/optimizer/path/costsize.c).
    pub ands_bitmaps: bool,
}

impl Unpriced {
    /// Of this plan.
    pub fn of(plan: &Plan) -> Unpriced {
        Unpriced {
            sorts_for_limit: sorts_for_limit(plan),
            ands_bitmaps: plan
                .nodes()
                .iter()
                .any(|node| *node.node_type() == NodeType::BitmapAnd),
            filters_a_range: plan.nodes().iter().any(|node| filters_a_range(plan, node)),
        }
    }
}

fn sorts_for_limit(plan: &Plan) -> bool {
    let is_sort = |node: &Node| {
        matches!(
            node.node_type(),
            NodeType::Sort | NodeType::IncrementalSort | NodeType::GatherMerge
        )
    };
    let limits = plan.nodes().iter();
    limits
        .filter(|node| *node.node_type() == NodeType::Limit)
        .any(|limit| plan.children(limit.id).any(is_sort))
}

/// The pattern itself is filtered again wherever an index answers it as a range; that costs nothing.
fn filters_a_range(plan: &Plan, node: &Node) -> bool {
    const RANGES: [&str; 8] = [
        " > ", " >= ", " < ", " <= ", " ~>~ ", " ~>=~ ", " ~<~ ", " ~<=~ ",
    ];
    let is_range = |condition: &str| RANGES.iter().any(|range| condition.contains(range));
    let reads_range = node.index_cond().is_some_and(is_range)
        || plan
            .children(node.id)
            .any(|child| child.index_cond().is_some_and(is_range));
    let filter = node.text("Filter");
    let is_equality = |filter: &str| filter.contains(" = ") || filter.contains(" IS NULL");
    reads_range && filter.is_some_and(is_equality)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(root: &serde_json::Value) -> Unpriced {
        Unpriced::of(&Plan::from_json(json!({ "Plan": root })).unwrap())
    }

    fn scan(condition: &str, filter: &str) -> serde_json::Value {
        json!({"Node Type": "Index Scan", "Index Name": "i", "Relation Name": "t", "Total Cost": 1.0,
            "Index Cond": condition, "Filter": filter})
    }

    #[test]
    fn an_equality_filtered_behind_a_range_is_said() {
        let pattern = "((path ~>=~ 'a/'::text) AND (path ~<~ 'a0'::text))";
        let found = [
            (pattern, "((path ~~ 'a/%'::text) AND (storage = 1))"),
            (pattern, "(path ~~ 'a/%'::text)"),
            ("(path_hash = 'c1'::text)", "(storage = 1)"),
        ]
        .map(|(condition, filter)| of(&scan(condition, filter)).filters_a_range);
        assert_eq!(found, [true, false, false]);
    }

    #[test]
    fn rows_sorted_for_a_limit_are_said() {
        let limit = |child: serde_json::Value| {
            of(&json!({"Node Type": "Limit", "Total Cost": 3.0, "Plans": [child]})).sorts_for_limit
        };
        let sort = json!({"Node Type": "Sort", "Total Cost": 2.0, "Plans": [scan("(a = 1)", "")]});
        assert_eq!((limit(sort), limit(scan("(a = 1)", ""))), (true, false));
    }
}
