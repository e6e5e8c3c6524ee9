//! Two plans aligned node by node ([`crate::plan::alignment`] says which nodes correspond), as
//! lines to scroll through. Nodes that do the same for the query are side by side. Nodes that do
//! the same in another way, or with other numbers, are marked.

use super::plan_view::PlanView;
use crate::plan::NodeId;
use crate::plan::alignment::{AlignedNodes, align};

/// Costs count as different if they differ by more than this share.
const COUNTS_AS_CHANGED: f64 = 0.01;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The same node with the same numbers.
    Same,
    /// The same node with other numbers.
    Numbers,
    /// Different nodes.
    Different,
}

/// One side of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlignedCell {
    /// A node's headline, by position.
    Node(usize),
    /// A detail of a node, by position and number.
    Detail(usize, usize),
    /// Nothing.
    Empty,
}

/// One line of the two plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlignedRow {
    /// What it is.
    pub difference: Difference,
    /// The plan without the index.
    pub before: AlignedCell,
    /// The plan with the index.
    pub after: AlignedCell,
}

/// The two plans, line by line.
pub fn rows(before: &PlanView, after: &PlanView) -> Vec<AlignedRow> {
    let mut rows = Vec::new();
    for step in align(&before.plan, &after.plan).steps() {
        let (old, new) = match step {
            AlignedNodes::Both(NodeId(old), NodeId(new)) => (Some(old), Some(new)),
            AlignedNodes::Before(NodeId(old)) => (Some(old), None),
            AlignedNodes::After(NodeId(new)) => (None, Some(new)),
        };
        rows.extend(node_rows(
            before,
            old,
            after,
            new,
            difference_of(before, old, after, new),
        ));
    }
    rows
}

fn difference_of(
    before: &PlanView,
    old: Option<usize>,
    after: &PlanView,
    new: Option<usize>,
) -> Difference {
    let (Some(old), Some(new)) = (old, new) else {
        return Difference::Different;
    };
    if before.lines[old].identity != after.lines[new].identity {
        Difference::Different
    } else if numbers_differ(before, old, after, new) {
        Difference::Numbers
    } else {
        Difference::Same
    }
}

fn numbers_differ(before: &PlanView, old: usize, after: &PlanView, new: usize) -> bool {
    let (old, new) = (
        before.plan.nodes()[old].total_cost(),
        after.plan.nodes()[new].total_cost(),
    );
    old.saved_share(new).abs() > COUNTS_AS_CHANGED
}

fn node_rows(
    before: &PlanView,
    old: Option<usize>,
    after: &PlanView,
    new: Option<usize>,
    difference: Difference,
) -> Vec<AlignedRow> {
    let details = |view: &PlanView, node: Option<usize>| {
        node.map_or(0, |node| view.lines[node].details.len())
    };
    let (old_details, new_details) = (details(before, old), details(after, new));
    let headline = AlignedRow {
        difference,
        before: old.map_or(AlignedCell::Empty, AlignedCell::Node),
        after: new.map_or(AlignedCell::Empty, AlignedCell::Node),
    };
    let side = |node: Option<usize>, details: usize, number: usize| match node {
        Some(node) if number < details => AlignedCell::Detail(node, number),
        _ => AlignedCell::Empty,
    };
    let detail = |number| AlignedRow {
        difference: Difference::Same,
        before: side(old, old_details, number),
        after: side(new, new_details, number),
    };
    std::iter::once(headline)
        .chain((0..old_details.max(new_details)).map(detail))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::plan::Plan;

    fn view(plan: serde_json::Value) -> PlanView {
        PlanView::new(Arc::new(Plan::from_json(plan).unwrap()))
    }

    #[test]
    fn what_reads_the_same_table_stands_side_by_side() {
        let before = view(
            json!({"Plan": {"Node Type": "Limit", "Total Cost": 100.0, "Plans": [
            {"Node Type": "Sort", "Sort Key": ["a"], "Total Cost": 100.0, "Plans": [{"Node Type": "Seq Scan", "Relation Name": "t", "Total Cost": 90.0}]}]}}),
        );
        let after = view(
            json!({"Plan": {"Node Type": "Limit", "Total Cost": 1.0, "Plans": [
            {"Node Type": "Index Scan", "Index Name": "i", "Relation Name": "t", "Total Cost": 1.0}]}}),
        );
        let rows = rows(&before, &after);
        assert_eq!(
            rows[0],
            AlignedRow {
                difference: Difference::Numbers,
                before: AlignedCell::Node(0),
                after: AlignedCell::Node(0)
            }
        );
        assert_eq!(
            rows[1],
            AlignedRow {
                difference: Difference::Different,
                before: AlignedCell::Node(1),
                after: AlignedCell::Empty
            }
        );
        assert_eq!(
            rows[2],
            AlignedRow {
                difference: Difference::Same,
                before: AlignedCell::Detail(1, 0),
                after: AlignedCell::Empty
            }
        );
        assert_eq!(
            rows[3],
            AlignedRow {
                difference: Difference::Different,
                before: AlignedCell::Node(2),
                after: AlignedCell::Node(1)
            }
        );
    }
}
