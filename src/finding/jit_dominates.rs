//! JIT compilation took a large part of the execution time.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use crate::model::Millis;
use crate::plan::metrics::Basis;

/// At least this share of the execution.
const MIN_JIT_SHARE: f64 = 0.20;
/// The minimum compilation time in milliseconds.
const MIN_JIT_MS: f64 = 10.0;

pub(super) const RULE: Rule = Rule {
    name: "jit-dominates",
    max_severity: Severity::Critical,
    looks_for: "JIT compilation that takes a fifth of the execution time or more",
    why: "compiling is decided by the plan's cost alone; many expressions or partitions make it take longer than it saves",
    source: "https://www.postgresql.org/docs/current/jit-decision.html",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    let summary = &subject.metrics.summary;
    let (Some(jit), Some(share), Basis::Time(_)) =
        (summary.jit, summary.jit_share(), subject.metrics.basis)
    else {
        return Vec::new();
    };
    // Each process compiles for itself, at the same time; EXPLAIN adds them up.
    let processes = processes(subject);
    let time = Millis(jit.time.0 / processes);
    let share = share / processes;
    if share < MIN_JIT_SHARE || time.0 < MIN_JIT_MS {
        return Vec::new();
    }
    let in_all = if processes > 1.0 {
        format!(" in each of {} processes", count(processes))
    } else {
        String::new()
    };
    let message = format!(
        "JIT compilation of {} functions took {}{in_all}, {} of the execution. Raise jit_above_cost above {} or switch it off for this \
         statement.",
        count(jit.functions),
        time,
        percent(share.min(1.0)),
        subject.plan.total_cost()
    );
    vec![Draft::new(subject.plan.root(), time.0, message).action("SET jit = off;".to_owned())]
}

/// The leader and its workers.
fn processes(subject: &Subject<'_>) -> f64 {
    let launched = subject
        .plan
        .nodes()
        .iter()
        .filter_map(|node| node.number("Workers Launched"));
    1.0 + launched.fold(0.0, f64::max)
}
