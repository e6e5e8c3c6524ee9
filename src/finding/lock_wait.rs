//! A change of rows that took long for the few blocks it touched: it waited for a lock.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::model::Millis;
use crate::plan::{Node, NodeType};

/// Shorter times are no finding.
const MIN_TIME: Millis = Millis(500.0);
/// The time for each block and row that no storage takes.
const MIN_TIME_EACH: Millis = Millis(50.0);

pub(super) const RULE: Rule = Rule {
    name: "lock-wait",
    max_severity: Severity::Critical,
    looks_for: "rows changed or locked in half a second or more, with hardly any blocks touched",
    why: "it waited for a transaction that holds the rows; no index and no setting makes that shorter",
    source: "https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS",
    check: Check::Node(&[NodeType::ModifyTable, NodeType::LockRows], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let metrics = subject.of(node);
    let triggers: f64 = subject
        .metrics
        .summary
        .triggers
        .iter()
        .map(|trigger| trigger.time.0)
        .sum();
    let reading = metrics.buffers.map_or(0.0, |buffers| buffers.read_time.0);
    let own = metrics.time?.own.0 - triggers - reading;
    let rows: f64 = subject
        .inputs(subject.node(node.id))
        .filter_map(|input| subject.of(input).rows_total())
        .sum();
    let blocks = metrics.buffers.map(|buffers| buffers.touched());
    let work = blocks.unwrap_or(0.0) + rows.max(1.0);
    if own < MIN_TIME.0 || own < MIN_TIME_EACH.0 * work {
        return None;
    }
    let touched = blocks.map_or_else(String::new, |blocks| {
        format!(" and {} blocks", count(blocks))
    });
    let node = subject.node(node.id);
    let message = format!(
        "{} took {} for {}{touched}: it waited, most likely for a lock of another transaction ({}). log_lock_waits and \
         pg_blocking_pids() tell for which.",
        node.title(),
        Millis(own),
        super::subject::rows(rows),
        subject.impact_text(own)
    );
    Some(Draft::new(node, own, message))
}
