//! An index scan that fetches many rows which its filter removes.

use super::conditions::{MIN_REMOVED, keys};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use super::{advice, wrong_order_index};
use crate::plan::{Node, NodeType};

/// The filter removes at least this share of the rows that the index returns.
const MIN_WASTE: f64 = 0.90;

pub(super) const RULE: Rule = Rule {
    name: "index-filter",
    max_severity: Severity::Critical,
    looks_for: "an index or bitmap scan whose filter throws away at least 90 % of the rows it fetched",
    why: "each row is fetched from the table only to be thrown away; with the filtered column in the index it would not be",
    source: "https://www.postgresql.org/docs/current/indexes-multicolumn.html",
    check: Check::Node(
        &[
            NodeType::IndexScan,
            NodeType::IndexOnlyScan,
            NodeType::BitmapHeapScan,
        ],
        check,
    ),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let metrics = subject.of(node);
    let (kept, removed) = (metrics.rows_total()?, metrics.removed.by_filter);
    if removed < MIN_REMOVED
        || removed < MIN_WASTE * (kept + removed)
        || wrong_order_index::applies(subject, node)
    {
        return None;
    }
    let node = subject.node(node.id);
    let share = removed / (kept + removed);
    let impact = subject.own(node.id) * share;
    let of_filter = keys(subject, node, &["Filter"]);
    let action = if of_filter.is_empty() {
        None
    } else {
        advice::create_index(
            subject,
            node,
            &keys(subject, node, &["Index Cond", "Recheck Cond", "Filter"]),
        )
    };
    let message = format!(
        "{} fetches {} rows and its filter throws away {} of them ({}).",
        node.title(),
        count(kept + removed),
        percent(share),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(action))
}
