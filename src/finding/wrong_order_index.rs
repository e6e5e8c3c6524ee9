//! ORDER BY … LIMIT that reads an index in the requested order and discards rows until enough pass
//! the filter.

use super::index_proposal::{create_index, equal_columns, keys_text, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::MIN_REMOVED;
use crate::plan::{Node, NodeType, Relationship};
use crate::predicate::OrderKey;

/// The minimum number of discarded rows for each row that passes.
const MIN_REMOVED_PER_ROW: f64 = 100.0;

pub(super) const RULE: Rule = Rule {
    name: "wrong-order-index",
    max_severity: Severity::Critical,
    looks_for: "a LIMIT over an index scan that throws away at least a hundred rows for each that passes its filter",
    why: "the planner expects matching rows to lie evenly along the index; when they lie at its end, all of it is read",
    source: "https://www.postgresql.org/docs/current/indexes-ordering.html",
    check: Check::Node(&[NodeType::IndexScan, NodeType::IndexOnlyScan], check),
};

/// Is this an index scan with a filter, under a LIMIT that needs the index's order?
pub(super) fn applies(subject: &Subject<'_>, node: &Node) -> bool {
    const SKIPPED: &[NodeType] = &[
        NodeType::NestedLoop,
        NodeType::Append,
        NodeType::MergeAppend,
        NodeType::Result,
        NodeType::SubqueryScan,
        NodeType::LockRows,
        NodeType::Memoize,
        NodeType::Gather,
        NodeType::GatherMerge,
    ];
    let above = subject
        .plan
        .ancestors(node.id)
        .find(|above| !SKIPPED.contains(above.node_type()));
    let inner = node.relationship() == Relationship::Inner;
    above.is_some_and(|above| *above.node_type() == NodeType::Limit)
        && !inner
        && node.filter().is_some()
}

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let metrics = subject.of(node);
    let (kept, removed) = (metrics.rows_total()?, metrics.removed.by_filter);
    if removed < MIN_REMOVED || removed < MIN_REMOVED_PER_ROW * kept || !applies(subject, node) {
        return None;
    }
    let node = subject.node(node.id);
    let impact = subject.own(node.id) * removed / (kept + removed);
    let mut wanted = scan_use(subject, node, &["Filter", "Index Cond"])?;
    let order = index_order(subject, node);
    let equal = equal_columns(&wanted);
    let known = !equal.is_empty();
    let unknown_order = match order.is_empty() {
        true if known => format!(
            " The plan does not tell the columns of {}: add them behind {}.",
            node.index_name().unwrap_or("the index"),
            keys_text(&equal)
        ),
        _ => String::new(),
    };
    if !order.is_empty() {
        wanted.orders = vec![order];
    }
    let message = format!(
        "to find {} rows in the order of {}, {} others were read and thrown away ({}). An index that begins with the filtered \
         columns and goes on with the order would find them at once.{unknown_order}",
        count(kept),
        node.index_name().unwrap_or("the index"),
        count(removed),
        subject.impact_text(impact)
    );
    let action = known
        .then(|| create_index(subject, node, &wanted))
        .flatten();
    Some(Draft::new(node, impact, message).action(action))
}

/// The order of the columns of the index that is read, from the catalog.
fn index_order(subject: &Subject<'_>, node: &Node) -> Vec<OrderKey> {
    let (Some(table), Some(name)) = (subject.table(node), node.index_name()) else {
        return Vec::new();
    };
    let existing = table
        .indexes
        .iter()
        .find(|existing| existing.name.name == name);
    let keys = existing
        .and_then(|existing| existing.index.as_ref())
        .map_or(&[][..], |index| &index.keys);
    let columns = keys.iter().filter(|key| key.key.column().is_some());
    columns
        .map(|key| OrderKey {
            key: key.key.clone(),
            descending: key.descending,
            nulls_first: key.nulls_first,
        })
        .collect()
}
