//! A sort of one table's filtered rows that one index could both find and deliver in order.
//!
//! Only where the rows are looked up by an equality: a whole table is sorted faster than it is read
//! in an index's order.

use super::index_proposal::{create_index, equal_columns, keys_text, order_text, scan_use};
use super::limit_over_sort::{ROW_PRESERVING, SCANS, order};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};

pub(super) const RULE: Rule = Rule {
    name: "sort-by-index",
    max_severity: Severity::Warning,
    looks_for: "a sort over the rows of one table that an equality selects",
    why: "an index on the compared columns followed by the sort columns delivers them in order",
    source: "https://www.postgresql.org/docs/current/indexes-ordering.html",
    check: Check::Node(&[NodeType::Sort], check),
};

fn check(subject: &Subject<'_>, sort: &Node) -> Option<Draft> {
    let below_limit = subject
        .plan
        .ancestors(sort.id)
        .find(|above| !ROW_PRESERVING.contains(above.node_type()));
    if below_limit.is_some_and(|above| *above.node_type() == NodeType::Limit) {
        return None;
    }
    let impact = subject.own(sort.id);
    if !subject.is_reportable(impact) {
        return None;
    }
    let scan = subject
        .plan
        .input_below(sort.id, ROW_PRESERVING)
        .filter(|node| SCANS.contains(node.node_type()))?;
    let mut wanted = scan_use(subject, scan, &["Filter", "Index Cond", "Recheck Cond"])?;
    let equal = equal_columns(&wanted);
    if equal.is_empty() {
        return None;
    }
    let order = order(subject, sort, scan)?;
    wanted.orders = vec![order.clone()];
    let message = format!(
        "{} rows of {} are sorted by {}; an index that begins with {} could deliver them in that order ({}).",
        count(subject.rows(sort)?),
        subject.table_name(scan)?,
        order_text(&order),
        keys_text(&equal),
        subject.impact_text(impact)
    );
    Some(Draft::new(sort, impact, message).action(create_index(subject, scan, &wanted)))
}
