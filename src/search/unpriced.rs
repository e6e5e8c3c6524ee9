//! What a plan's time depends on though its cost says little about it.
//!
//! A cost is of one value, with the rows that the planner estimates for it. Of two indexes with about
//! the same cost the one is better whose plan does not depend on that estimate.

use crate::model::{Cost, QualifiedName};
use crate::plan::{Node, NodeType, Plan};
use crate::planner::TestedIndex;
use crate::sql::{Expression, Shape, parse_expression};

/// How many rows of a table an index has, by their names; none where that is not known, as of a partial
/// one.
pub type RowsOf<'a> = &'a dyn Fn(&QualifiedName, &str) -> Option<f64>;

/// Of so few of the rows that it passes, a walk says little about when they come.
const FEW_OF_WALKED: f64 = 0.1;

/// A share of the calls whose walk goes to its end: for a value that no row has, or whose rows are
/// all at the other end of the order, as of somebody who was active years ago.
const SHARE_TO_THE_END: f64 = 0.1;

/// Of a statement's plan.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
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
    /// It reads an index in its order until enough rows satisfy a condition that the planner knows
    /// nothing of: it takes half of the rows to satisfy a boolean expression, and nearly all of them
    /// `<>` (`boolvarsel`, `neqsel`, src/backend/utils/adt/selfuncs.c).
    pub walks_blindly: bool,
    /// How much more it costs if it reads an index in its order to the end, until enough of a few rows
    /// are found. The planner takes them to be evenly spread over the order (`adjust_limit_rows_costs`,
    /// src/backend/optimizer/util/pathnode.c).
    pub to_its_end: Cost,
}

impl Unpriced {
    /// A plan's cost, with what is to be added to it.
    pub fn priced(&self, cost: Cost) -> Cost {
        Cost(cost.0 + SHARE_TO_THE_END * self.to_its_end.0)
    }

    /// The planner's cost of what costs so much with what was added.
    pub(super) fn planned(&self, priced: Cost) -> Cost {
        Cost(priced.0 - SHARE_TO_THE_END * self.to_its_end.0)
    }

    /// Of this plan, which may use these new indexes.
    pub fn of(plan: &Plan, new: &[TestedIndex], rows_of: RowsOf<'_>) -> Unpriced {
        let is_partial = |name: &str| {
            let mut named = new.iter().filter(|index| index.names.contains(name));
            named.any(TestedIndex::is_partial)
        };
        let rows_of: RowsOf<'_> =
            &|table, index| rows_of(table, index).filter(|_| !is_partial(index));
        let limits = plan.nodes().iter();
        let limits = limits.filter(|node| *node.node_type() == NodeType::Limit);
        let more = limits.map(|limit| to_its_end(plan, limit, rows_of)).sum();
        Unpriced {
            to_its_end: Cost(more),
            sorts_for_limit: sorts_for_limit(plan),
            ands_bitmaps: plan
                .nodes()
                .iter()
                .any(|node| *node.node_type() == NodeType::BitmapAnd),
            walks_blindly: plan.nodes().iter().any(|node| walks_blindly(plan, node)),
            filters_a_range: plan.nodes().iter().any(|node| filters_a_range(plan, node)),
        }
    }
}

/// Of what is below a LIMIT.
fn to_its_end(plan: &Plan, limit: &Node, rows_of: RowsOf<'_>) -> f64 {
    let below = |node: &Node| plan.inputs(node.id).next();
    let Some(whole) = below(limit) else {
        return 0.0;
    };
    let mut node = Some(whole);
    let walked = loop {
        match node.map(|node| (node, node.node_type())) {
            Some((scan, NodeType::IndexScan | NodeType::IndexOnlyScan)) => break scan,
            Some((
                passing,
                NodeType::NestedLoop
                | NodeType::GatherMerge
                | NodeType::LockRows
                | NodeType::Result
                | NodeType::SubqueryScan,
            )) => node = below(passing),
            _ => return 0.0,
        }
    };
    let filters = walked.text("Filter").is_some() && walked.index_cond().is_none();
    let index = walked.table().zip(walked.index_name());
    let rows = index.and_then(|(table, index)| rows_of(&table, index));
    let Some(rows) = rows.filter(|_| filters) else {
        return 0.0;
    };
    let passed = walked.plan_rows().unwrap_or(0.0).max(1.0);
    let share = passed / rows.max(1.0);
    let more = whole.total_cost().0 - limit.total_cost().0;
    if share < FEW_OF_WALKED {
        more.max(0.0)
    } else {
        0.0
    }
}

fn sorts_for_limit(plan: &Plan) -> bool {
    let is_sort = |node: &Node| {
        matches!(
            node.node_type(),
            NodeType::Sort | NodeType::IncrementalSort | NodeType::GatherMerge
        )
    };
    // `FOR UPDATE SKIP LOCKED` locks the rows in the order in which they come.
    let passes_on = |node: &Node| {
        matches!(
            node.node_type(),
            NodeType::LockRows | NodeType::Result | NodeType::SubqueryScan
        )
    };
    let takes_the_first = |sort: &Node| {
        let mut above = plan.ancestors(sort.id);
        let until = above.find(|node| !passes_on(node));
        until.is_some_and(|node| *node.node_type() == NodeType::Limit)
    };
    let mut nodes = plan.nodes().iter();
    nodes.any(|node| is_sort(node) && takes_the_first(node))
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

fn walks_blindly(plan: &Plan, node: &Node) -> bool {
    let is_walk = matches!(
        node.node_type(),
        NodeType::IndexScan | NodeType::IndexOnlyScan
    ) && node.index_cond().is_none();
    let mut above = plan.ancestors(node.id);
    let until_found =
        above.find(|node| !matches!(node.node_type(), NodeType::GatherMerge | NodeType::LockRows));
    is_walk
        && until_found.is_some_and(|node| *node.node_type() == NodeType::Limit)
        && node
            .text("Filter")
            .and_then(|filter| parse_expression(filter).ok())
            .is_some_and(|filter| is_unknown(&filter))
}

/// Is a part of the condition a boolean expression of which there can be no statistics of values?
fn is_unknown(condition: &Expression) -> bool {
    let is_column = |side: &Expression| {
        let bare = match &side.shape {
            Shape::Cast { operand, .. } => operand,
            _ => side,
        };
        matches!(bare.shape, Shape::Column(_))
    };
    match &condition.shape {
        Shape::And(parts) => parts.iter().any(is_unknown),
        Shape::Or(parts) => parts.iter().all(is_unknown),
        Shape::Not(part) => is_unknown(part),
        Shape::TruthTest { operand, .. } => !is_column(operand),
        Shape::Binary {
            operator,
            left,
            right,
        } => operator == "<>" && !is_column(left) && !is_column(right),
        Shape::Cast { .. } | Shape::Call { .. } => !is_column(condition),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(root: &serde_json::Value) -> Unpriced {
        Unpriced::of(
            &Plan::from_json(json!({ "Plan": root })).unwrap(),
            &[],
            &|_, _| Some(100_000.0),
        )
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
    fn an_order_read_for_a_condition_without_statistics_is_said() {
        let blind = |filter: &str| {
            let walk = json!({"Node Type": "Index Scan", "Index Name": "i", "Relation Name": "t", "Total Cost": 1.0, "Filter": filter});
            of(&json!({"Node Type": "Limit", "Total Cost": 1.0, "Plans": [walk]})).walks_blindly
        };
        for unknown in [
            "((t.flags & 4) <> 0)",
            "COALESCE(t.bounced, false)",
            "(t.a = 1) AND (NOT ((t.props ->> 'urgent'::text))::boolean)",
        ] {
            assert!(blind(unknown), "{unknown}");
        }
        for known in [
            "(NOT t.done)",
            "(t.state = 'x'::text)",
            "(t.state <> 'x'::text)",
        ] {
            assert!(!blind(known), "{known}");
        }
    }

    #[test]
    fn rows_sorted_for_a_limit_are_said() {
        let limit = |child: serde_json::Value| {
            of(&json!({"Node Type": "Limit", "Total Cost": 3.0, "Plans": [child]})).sorts_for_limit
        };
        let sort = json!({"Node Type": "Sort", "Total Cost": 2.0, "Plans": [scan("(a = 1)", "")]});
        let locked = json!({"Node Type": "LockRows", "Total Cost": 2.5, "Plans": [sort]});
        assert!(limit(locked), "FOR UPDATE SKIP LOCKED");
        let count = json!({"Node Type": "Aggregate", "Total Cost": 2.5, "Plans": [sort]});
        assert!(!limit(count), "it needs all rows");
        assert_eq!((limit(sort), limit(scan("(a = 1)", ""))), (true, false));
    }

    /// An index on 100,000 rows, of which so many pass the filter.
    fn page(rows: f64, condition: Option<&str>) -> serde_json::Value {
        let mut scan = json!({"Node Type": "Index Scan", "Index Name": "made_idx", "Schema": "public",
            "Relation Name": "t", "Plan Rows": rows, "Total Cost": 9_000.0, "Filter": "(owner = 4)"});
        if let Some(condition) = condition {
            scan["Index Cond"] = json!(condition);
        }
        json!({"Node Type": "Limit", "Total Cost": 30.0, "Plans": [scan]})
    }

    #[test]
    fn an_index_read_until_a_few_rows_are_found_may_be_read_to_its_end() {
        let few = of(&page(900.0, None));
        assert_eq!(few.to_its_end, Cost(8_970.0));
        assert_eq!(few.priced(Cost(30.0)), Cost(927.0));
        assert_eq!(few.planned(few.priced(Cost(30.0))), Cost(30.0));
        for one in [page(60_000.0, None), page(900.0, Some("(owner = 4)"))] {
            assert_eq!(of(&one).to_its_end, Cost(0.0), "{one}");
        }
    }

    #[test]
    fn a_partial_index_has_only_the_rows_that_are_wanted() {
        let plan = Plan::from_json(json!({ "Plan": page(900.0, None) })).unwrap();
        let new = |body: &str| TestedIndex {
            names: ["made_idx".to_owned()].into(),
            body: body.to_owned(),
            size: crate::model::Bytes(0),
            build_time: None,
            usable: true,
        };
        let rows_of: RowsOf<'_> = &|_, _| Some(100_000.0);
        let end = |body| Unpriced::of(&plan, &[new(body)], rows_of).to_its_end;
        assert_eq!(end("USING btree (made) WHERE (owner = 4)"), Cost(0.0));
        assert_eq!(end("USING btree (made)"), Cost(8_970.0));
    }
}
