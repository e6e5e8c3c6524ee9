//! A sequential scan that keeps few of the rows it reads, where a plain column index would find them.

use super::advice;
use super::conditions::{keys, waste};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use crate::plan::{Node, NodeType};

pub(super) const RULE: Rule = Rule {
    name: "selective-seq-scan",
    max_severity: Severity::Critical,
    looks_for: "a sequential scan whose filter on plain columns keeps at most a tenth of the rows",
    why: "the whole table is read for rows that an index would lead to",
    source: "https://www.postgresql.org/docs/current/indexes-intro.html",
    check: Check::Node(&[NodeType::SeqScan], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    // Repeated scans have a rule of their own.
    if subject.repetitions(node).is_some_and(|loops| loops > 1.0) {
        return None;
    }
    let waste = waste(subject, node)?;
    let keys = keys(subject, subject.node(node.id), &["Filter"]);
    if keys.is_empty() {
        return None;
    }
    let table = subject.table_name(node)?;
    let existing = advice::existing_index(subject, node, &keys.in_order());
    let there = existing.map_or_else(String::new, |index| {
        format!(" The index {index} is there and was not chosen: its columns may be too unselective, or the statistics too old.")
    });
    let message = format!(
        "the sequential scan of {table} {} ({}).{there}",
        waste.text(),
        subject.impact_text(waste.impact)
    );
    let node = subject.node(node.id);
    Some(Draft::new(node, waste.impact, message).action(advice::create_index(subject, node, &keys)))
}
