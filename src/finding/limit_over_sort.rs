//! LIMIT over a sort: all rows are read and sorted, and few are kept. With an index in that order,
//! the scan stops after these.

use super::distance;
use super::index_proposal::{create_index, order_text, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::MIN_REMOVED;
use crate::plan::{Node, NodeType};
use crate::predicate::OrderKey;
use crate::sql::parse_sort_term;

/// The minimum number of sorted rows for each row that is kept.
const MIN_SORTED_PER_ROW: f64 = 10.0;
/// Nodes between a LIMIT and a scan that do not prevent the use of an index's order.
pub(super) const ROW_PRESERVING: &[NodeType] = &[
    NodeType::GatherMerge,
    NodeType::Gather,
    NodeType::Result,
    NodeType::SubqueryScan,
];
/// Scans whose order a better index could replace.
pub(super) const SCANS: &[NodeType] = &[
    NodeType::SeqScan,
    NodeType::IndexScan,
    NodeType::IndexOnlyScan,
    NodeType::BitmapHeapScan,
];

pub(super) const RULE: Rule = Rule {
    name: "limit-over-sort",
    max_severity: Severity::Critical,
    looks_for: "a LIMIT over the sort of one table's rows, ten times as many as it keeps",
    why: "an index in that order delivers the first rows first, and nothing has to be sorted",
    source: "https://www.postgresql.org/docs/current/indexes-ordering.html",
    check: Check::Node(&[NodeType::Limit], check),
};

fn check(subject: &Subject<'_>, limit: &Node) -> Option<Draft> {
    let sort = subject
        .plan
        .input_below(limit.id, ROW_PRESERVING)
        .filter(|node| *node.node_type() == NodeType::Sort)?;
    let scan = subject
        .plan
        .input_below(sort.id, ROW_PRESERVING)
        .filter(|node| SCANS.contains(node.node_type()))?;
    let (sorted, kept) = (subject.rows(scan)?, subject.rows(limit)?);
    if sorted < MIN_REMOVED || sorted < MIN_SORTED_PER_ROW * kept {
        return None;
    }
    if let Some(call) = random_order(sort) {
        let impact = subject.inclusive(sort.id);
        let message = format!(
            "{} rows of {} are read and sorted by {call}() to keep {} ({}). No index delivers rows in random order: TABLESAMPLE reads a part \
             of the table, or take the rows behind a random value of an indexed column.",
            count(sorted),
            subject.table_name(scan)?,
            count(kept),
            subject.impact_text(impact)
        );
        return Some(Draft::new(sort, impact, message));
    }
    let order = order(subject, sort, scan)?;
    let impact = subject.inclusive(sort.id);
    let mut wanted = scan_use(subject, scan, &["Filter", "Index Cond", "Recheck Cond"])?;
    wanted.limited = true;
    wanted.orders = vec![order.clone()];
    let message = format!(
        "{} rows of {} are read and sorted by {} to keep the first {} ({}). An index in that order would stop there.",
        count(sorted),
        subject.table_name(scan)?,
        order_text(&order),
        count(kept),
        subject.impact_text(impact)
    );
    Some(Draft::new(sort, impact, message).action(create_index(subject, scan, &wanted)))
}

/// The function that makes the order a random one.
fn random_order(sort: &Node) -> Option<&'static str> {
    let key = sort.sort_key().first().copied()?;
    let name = key.trim_matches(['(', ')', ' ']);
    ["random", "gen_random_uuid", "uuid_generate_v4"]
        .into_iter()
        .find(|call| *call == name && key.contains("()"))
}

/// The sort keys as an index on the scanned table would have them; none when it cannot.
pub(super) fn order(subject: &Subject<'_>, sort: &Node, scan: &Node) -> Option<Vec<OrderKey>> {
    let relation = subject.relation(scan)?;
    let key = |text| {
        let term = parse_sort_term(text).ok()?;
        // An index in the order of the distance to one value serves no other.
        if distance::is_distance(&term.expression) {
            return None;
        }
        Some(OrderKey {
            key: relation.key(&term.expression)?,
            descending: term.descending,
            nulls_first: term.nulls_first,
        })
    };
    let keys: Option<Vec<OrderKey>> = sort.sort_key().into_iter().map(key).collect();
    keys.filter(|keys| !keys.is_empty())
}
