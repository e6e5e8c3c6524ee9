//! An index-only scan that visits the table, because its pages are not marked all-visible in the
//! visibility map.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use crate::plan::{Node, NodeType};

/// The minimum number of heap fetches.
const MIN_FETCHES: f64 = 1_000.0;
/// The minimum share of rows that are fetched from the heap.
const MIN_FETCHED: f64 = 0.10;

pub(super) const RULE: Rule = Rule {
    name: "heap-fetches",
    max_severity: Severity::Critical,
    looks_for: "an index-only scan that fetches at least a tenth of its rows from the table",
    why: "pages changed since the last VACUUM are not known to be visible to all, so their rows have to be looked at",
    source: "https://www.postgresql.org/docs/current/indexes-index-only-scans.html",
    check: Check::Node(&[NodeType::IndexOnlyScan], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    // A total, not an average over loops (src/backend/commands/explain.c,
    // `show_instrumentation_count` is not used for it).
    let fetches = node.number("Heap Fetches")?;
    let metrics = subject.of(node);
    let rows = (metrics.rows_total()? + metrics.removed.by_filter).max(1.0);
    let share = (fetches / rows).min(1.0);
    if fetches < MIN_FETCHES || share < MIN_FETCHED {
        return None;
    }
    let impact = subject.own(node.id) * share;
    let table = subject.table_name(node)?;
    let message = format!(
        "the index-only scan of {table} fetched {} rows ({}) from the table after all, because their pages changed since the last \
         VACUUM ({}).",
        count(fetches),
        percent(share),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(format!("VACUUM {table};")))
}
