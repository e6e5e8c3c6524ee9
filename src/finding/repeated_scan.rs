//! A nested loop that reads a whole table again for each row of its other side.

use super::advice;
use super::index_proposal::{create_index, relation_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};

/// The minimum number of repetitions.
const MIN_REPETITIONS: f64 = 10.0;
/// With fewer rows an index is no faster than the scan; another join method may help.
const MIN_ROWS_FOR_AN_INDEX: f64 = 100.0;

pub(super) const RULE: Rule = Rule {
    name: "repeated-scan",
    max_severity: Severity::Critical,
    looks_for: "a sequential scan on the inner side of a nested loop, at least ten times over",
    why: "the table is read once for each outer row; an index would look up the matching rows, a hash join would read it once",
    source: "https://www.postgresql.org/docs/current/planner-optimizer.html",
    check: Check::Node(&[NodeType::NestedLoop], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let outer = subject.inputs(node).next()?;
    let inner = subject.inputs(node).nth(1)?;
    let scan = scan_below(subject, inner)?;
    let times = if subject.measured() {
        subject.repetitions(scan)?
    } else {
        outer.plan_rows()?
    };
    let impact = subject.inclusive(inner.id) + subject.own(node.id);
    if times < MIN_REPETITIONS || !subject.is_reportable(impact) {
        return None;
    }
    let wanted = relation_use(subject, scan, &[(node, "Join Filter"), (scan, "Filter")]);
    let metrics = subject.of(scan);
    let read = metrics
        .rows_total()
        .map(|rows| (rows + metrics.removed.by_filter) / metrics.loops.unwrap_or(1.0).max(1.0));
    let worth_an_index = read.is_none_or(|read| read >= MIN_ROWS_FOR_AN_INDEX);
    let all_of_it = read.map_or_else(String::new, |read| {
        format!(", {} rows each time", count(read))
    });
    let all = if subject.ancestry.stopped_early(scan.id) {
        "a part of"
    } else {
        "all of"
    };
    let message = format!(
        "the nested loop reads {all} {} {} times{all_of_it} ({}).",
        subject.table_name(scan)?,
        count(times),
        subject.impact_text(impact)
    );
    let action = if worth_an_index {
        wanted.and_then(|wanted| create_index(subject, scan, &wanted))
    } else {
        advice::analyze(subject, outer).filter(|_| is_misestimated(subject, outer))
    };
    Some(Draft::new(scan, impact, message).action(action))
}

/// Would ANALYZE change how many rows are expected of the outer side?
fn is_misestimated(subject: &Subject<'_>, outer: &Node) -> bool {
    const MIN_FACTOR: f64 = 3.0;
    let estimate = subject.of(outer).estimate;
    estimate
        .and_then(|estimate| estimate.factor())
        .is_some_and(|factor| factor >= MIN_FACTOR)
}

/// The sequential scan below the inner side of a join.
fn scan_below<'a>(subject: &Subject<'a>, inner: &'a Node) -> Option<&'a Node> {
    const SKIPPED: &[NodeType] = &[
        NodeType::Aggregate,
        NodeType::Limit,
        NodeType::SubqueryScan,
        NodeType::Result,
        NodeType::Sort,
        NodeType::Unique,
    ];
    let scan = if SKIPPED.contains(inner.node_type()) {
        subject.plan.input_below(inner.id, SKIPPED)?
    } else {
        inner
    };
    (*scan.node_type() == NodeType::SeqScan).then_some(scan)
}
