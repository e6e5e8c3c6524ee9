//! A table whose size the planner does not know: it was filled or emptied since ANALYZE, or never
//! analyzed.

use super::advice;
use super::misestimate::dependent_impact;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, times};
use crate::plan::{Node, NodeType};

/// The number of rows in the table is at least this many times off. The planner scales it with the
/// table's size in pages, so less is normal.
const MIN_FACTOR: f64 = 3.0;
/// With fewer rows there is no finding.
const MIN_ROWS: f64 = 1_000.0;

pub(super) const RULE: Rule = Rule {
    name: "stale-statistics",
    max_severity: Severity::Critical,
    looks_for: "a whole table read with at least three times more or fewer rows than expected, or a table never analyzed",
    why: "all estimates about the table are based on its last ANALYZE",
    source: "https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-STATISTICS",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    // The numbers are checked first because they are cheaper than looking up names.
    let suspect = |node: &&Node| {
        let off = subject
            .of(node)
            .estimate
            .and_then(|estimate| estimate.factor())
            .is_some_and(|factor| factor >= MIN_FACTOR);
        (off || subject.catalog.is_some()) && subject.is_reportable(impact(subject, node))
    };
    let scans = subject
        .plan
        .nodes()
        .iter()
        .filter(suspect)
        .filter(|node| node.relation_name().is_some());
    let mut drafts: Vec<Draft> = Vec::new();
    for draft in scans.filter_map(|node| at(subject, node)) {
        if !drafts.iter().any(|known| known.action == draft.action) {
            drafts.push(draft);
        }
    }
    drafts
}

fn at(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    if !applies(subject, node) {
        return None;
    }
    let table = subject.table_name(node)?;
    let impact = impact(subject, node);
    let message = if never_analyzed(subject, node) {
        format!(
            "{table} was never analyzed: its part of the plan rests on guesses ({}).",
            subject.impact_text(impact)
        )
    } else {
        let factor = off_by(subject, node)?;
        let (seen, expected) = seen_and_expected(subject, node)?;
        format!(
            "{table} has {} rows, the planner expects {} ({} off): its statistics are out of date ({} rest on them).",
            count(seen),
            count(expected),
            times(factor),
            subject.impact_text(impact)
        )
    };
    Some(Draft::new(node, impact, message).action(advice::analyze(subject, node)))
}

/// The time or cost of what was planned by the table's statistics.
fn impact(subject: &Subject<'_>, node: &Node) -> f64 {
    dependent_impact(subject, node).unwrap_or_else(|| subject.inclusive(node.id))
}

/// Does this rule have a finding about the node?
pub(super) fn applies(subject: &Subject<'_>, node: &Node) -> bool {
    node.relation_name().is_some()
        && (never_analyzed(subject, node) || off_by(subject, node).is_some())
}

fn never_analyzed(subject: &Subject<'_>, node: &Node) -> bool {
    subject
        .table(node)
        .is_some_and(|table| table.rows.is_none() && table.pages > 0)
}

fn off_by(subject: &Subject<'_>, node: &Node) -> Option<f64> {
    let (seen, expected) = seen_and_expected(subject, node)?;
    let (seen, expected) = (seen.max(1.0), expected.max(1.0));
    let factor = (seen / expected).max(expected / seen);
    (factor >= MIN_FACTOR && seen.max(expected) >= MIN_ROWS).then_some(factor)
}

/// The actual and the expected rows of the whole table, when a scan read all of it. With a filter,
/// the expected rows are known only from the catalog.
fn seen_and_expected(subject: &Subject<'_>, node: &Node) -> Option<(f64, f64)> {
    let metrics = subject.of(node);
    let whole = *node.node_type() == NodeType::SeqScan && !subject.ancestry.stopped_early(node.id);
    let loops = metrics.loops.filter(|loops| whole && *loops > 0.0)?;
    let read = metrics.rows_total()? + metrics.removed.by_filter;
    let shared = node.is_parallel_aware();
    let seen = if shared {
        read / (loops / metrics.processes)
    } else {
        read / loops
    };
    match (
        node.filter(),
        subject.table(node).and_then(|table| table.rows),
    ) {
        (_, Some(rows)) => Some((seen, rows)),
        (None, None) if shared => Some((read / loops, node.plan_rows()?)),
        (None, None) => Some((seen, node.plan_rows()?)),
        (Some(_), None) => None,
    }
}
