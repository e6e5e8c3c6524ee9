//! An index scan that fetches many rows which its filter removes.

use super::index_proposal::{create_index, looks_up_columns, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use super::waste::MIN_REMOVED;
use super::{wrapped_column, wrong_order_index};
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
        || wrapped_column::applies(subject, node)
    {
        return None;
    }
    let node = subject.node(node.id);
    let share = removed / (kept + removed);
    let impact = subject.own(node.id) * share;
    let is_lookup = scan_use(subject, node, &["Filter"]).filter(looks_up_columns);
    let wanted = scan_use(subject, node, &["Filter", "Index Cond", "Recheck Cond"]);
    let action = wanted
        .filter(|_| is_lookup.is_some())
        .and_then(|wanted| create_index(subject, node, &wanted));
    let message = format!(
        "{} fetches {} rows and its filter throws away {} of them ({}).",
        node.title(),
        count(kept + removed),
        percent(share),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(action))
}
