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
    /// A further line of a headline that is too long: the node and the line's number.
    Rest(usize, usize),
    /// A line of a detail: the node, the detail's number, the line's number.
    Detail(usize, usize, usize),
    /// Nothing.
    Empty,
}

impl AlignedCell {
    fn is_headline(self) -> bool {
        matches!(self, AlignedCell::Node(_) | AlignedCell::Rest(..))
    }
}

impl AlignedRow {
    /// Does a difference begin here?
    pub fn begins_difference(&self) -> bool {
        let is_node = |cell| matches!(cell, AlignedCell::Node(_));
        self.difference != Difference::Same && (is_node(self.before) || is_node(self.after))
    }
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

/// The room for the texts of one plan, in columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// For a headline.
    pub headline: usize,
    /// For a detail.
    pub detail: usize,
}

/// The columns of a plan's cost, and of the marks behind it, where two plans stand side by side.
pub const PLAN_COST_COLUMNS: usize = 12;

/// ` *!`: among the costliest, and there is a finding.
pub const PLAN_MARK_COLUMNS: usize = 3;

/// The columns of each of two plans side by side.
pub fn plan_columns(columns: usize) -> usize {
    (columns.saturating_sub(1) / 2).max(2 + PLAN_COST_COLUMNS + PLAN_MARK_COLUMNS)
}

/// The room for the texts of one of two plans that has so many columns.
pub fn plan_room(half: usize) -> Room {
    Room {
        headline: half.saturating_sub(2 + PLAN_COST_COLUMNS + PLAN_MARK_COLUMNS),
        detail: half.saturating_sub(2),
    }
}

/// The two plans, line by line.
pub fn rows(before: &PlanView, after: &PlanView, room: Room) -> Vec<AlignedRow> {
    let mut rows = Vec::new();
    for step in align(&before.plan, &after.plan).steps() {
        let (old, new) = match step {
            AlignedNodes::Both(NodeId(old), NodeId(new)) => (Some(old), Some(new)),
            AlignedNodes::Before(NodeId(old)) => (Some(old), None),
            AlignedNodes::After(NodeId(new)) => (None, Some(new)),
        };
        let difference = difference_of(before, old, after, new);
        rows.extend(node_rows((before, old), (after, new), difference, room));
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
    (before, old): (&PlanView, Option<usize>),
    (after, new): (&PlanView, Option<usize>),
    difference: Difference,
    room: Room,
) -> Vec<AlignedRow> {
    let (old, new) = (cells(before, old, room), cells(after, new, room));
    let cell = |cells: &[AlignedCell], number: usize| {
        let cell = cells.get(number).copied();
        cell.unwrap_or(AlignedCell::Empty)
    };
    let row = |number| {
        let (before, after) = (cell(&old, number), cell(&new, number));
        AlignedRow {
            difference: match before.is_headline() || after.is_headline() {
                true => difference,
                false => Difference::Same,
            },
            before,
            after,
        }
    };
    (0..old.len().max(new.len())).map(row).collect()
}

/// The lines of one node: its headline, wrapped, and its details, wrapped.
fn cells(view: &PlanView, node: Option<usize>, room: Room) -> Vec<AlignedCell> {
    let Some(node) = node else {
        return Vec::new();
    };
    let rest = 1..view.headline_lines(node, room.headline).len();
    let details = (0..view.lines[node].details.len()).flat_map(|number| {
        let lines = view.detail_lines(node, number, room.detail).len();
        (0..lines).map(move |line| AlignedCell::Detail(node, number, line))
    });
    std::iter::once(AlignedCell::Node(node))
        .chain(rest.map(|line| AlignedCell::Rest(node, line)))
        .chain(details)
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
        let room = Room {
            headline: 40,
            detail: 40,
        };
        let rows = rows(&before, &after, room);
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
                before: AlignedCell::Detail(1, 0, 0),
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

    #[test]
    fn what_is_too_long_goes_on_in_the_next_line_beside_the_other_plan() {
        let plan = |condition: &str| {
            view(
                json!({"Plan": {"Node Type": "Seq Scan", "Relation Name": "a_table_with_a_long_name", "Total Cost": 90.0, "Filter": condition}}),
            )
        };
        let room = Room {
            headline: 20,
            detail: 24,
        };
        let (before, after) = (plan("(a = 1)"), plan("(a = 1) AND (b = 'a longer text')"));
        let rows = rows(&before, &after, room);
        assert!(rows.iter().any(|row| row.before == AlignedCell::Rest(0, 1)));
        let last = rows.last().unwrap();
        assert_eq!(
            last.before,
            AlignedCell::Empty,
            "one side ends before the other"
        );
        assert!(matches!(last.after, AlignedCell::Detail(0, 0, line) if line > 0));
        for row in &rows {
            if let AlignedCell::Detail(node, number, line) = row.after {
                let text = &after.detail_lines(node, number, room.detail)[line];
                assert!(text.chars().count() <= 24, "{text}");
            }
        }
    }
}
