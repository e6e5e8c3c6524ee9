//! Parallel processes that did very different amounts of work: the others wait for the slowest.

use serde_json::Value;

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, times};
use crate::model::Millis;
use crate::plan::Node;

/// The slowest process took at least this many times the mean of the others.
const MIN_FACTOR: f64 = 3.0;

pub(super) const RULE: Rule = Rule {
    name: "worker-skew",
    max_severity: Severity::Critical,
    looks_for: "a parallel node where one process took three times as long as the others (needs VERBOSE)",
    why: "the statement takes as long as its slowest process; the rows that are expensive lie together, or there are few blocks to share",
    source: "https://www.postgresql.org/docs/current/parallel-plans.html",
    check: Check::Node(&[], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let workers = node.nested("Workers")?.as_array()?;
    let loops = node.number("Actual Loops")?;
    let all = node.number("Actual Total Time")? * loops;
    let time = |worker: &Value| {
        Some(worker.get("Actual Total Time")?.as_f64()? * worker.get("Actual Loops")?.as_f64()?)
    };
    let mut processes: Vec<f64> = workers.iter().map(time).collect::<Option<_>>()?;
    let in_workers: f64 = processes.iter().sum();
    let worker_loops: f64 = workers
        .iter()
        .filter_map(|worker| worker.get("Actual Loops")?.as_f64())
        .sum();
    if loops > worker_loops {
        processes.push((all - in_workers).max(0.0));
    }
    let slowest = processes.iter().copied().fold(0.0, f64::max);
    let others = (processes.len() as f64 - 1.0).max(1.0);
    let mean_of_others = (processes.iter().sum::<f64>() - slowest) / others;
    if processes.len() < 2 || slowest < MIN_FACTOR * mean_of_others {
        return None;
    }
    // Of the children of a node the lowest one is the cause.
    let inherits = |input: &Node| check(subject, input).is_some();
    if subject.inputs(node).any(inherits) {
        return None;
    }
    let impact = slowest - processes.iter().sum::<f64>() / processes.len() as f64;
    if !subject.is_reportable(impact) {
        return None;
    }
    let message = format!(
        "one process took {} for {}, the {} others {} on average ({} as long): all wait for it ({}).",
        Millis(slowest),
        node.title(),
        processes.len() - 1,
        Millis(mean_of_others),
        times(slowest / mean_of_others.max(0.001)),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}
