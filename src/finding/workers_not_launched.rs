//! Fewer parallel workers than planned.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use crate::plan::{Node, NodeType};

pub(super) const RULE: Rule = Rule {
    name: "workers-not-launched",
    max_severity: Severity::Warning,
    looks_for: "a Gather that got fewer workers than it planned",
    why: "the plan was chosen for more processes than did the work; the pool of workers was exhausted",
    source: "https://www.postgresql.org/docs/current/when-can-parallel-query-be-used.html",
    check: Check::Node(&[NodeType::Gather, NodeType::GatherMerge], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let (planned, launched) = (node.workers_planned()?, node.number("Workers Launched")?);
    if launched >= planned || subject.of(node).executed() == Some(false) {
        return None;
    }
    let impact = subject.inclusive(node.id) * (1.0 - (launched + 1.0) / (planned + 1.0));
    let message = format!(
        "{launched} of {planned} planned workers were launched, so the leader did more of the work ({}). Other queries had taken the \
         workers, or max_parallel_workers or max_worker_processes is too low.",
        subject.impact_text(impact)
    );
    let action = "SHOW max_parallel_workers; SHOW max_worker_processes;".to_owned();
    Some(Draft::new(node, impact, message).action(action))
}
