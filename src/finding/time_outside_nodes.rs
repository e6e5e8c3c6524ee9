//! Execution time that no node, trigger or serialization accounts for.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, percent};
use crate::plan::metrics::Basis;

/// At least this share of the execution.
const MIN_SHARE: f64 = 0.30;
/// The minimum time in milliseconds.
const MIN_MS: f64 = 50.0;

pub(super) const RULE: Rule = Rule {
    name: "time-outside-nodes",
    max_severity: Severity::Critical,
    looks_for: "an execution that took much longer than its nodes, triggers and serialization together",
    why: "it went into starting and ending the execution: locks on many partitions, JIT compilation, or a client that takes rows slowly",
    source: "https://www.postgresql.org/docs/current/using-explain.html#USING-EXPLAIN-CAVEATS",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    let (Some(outside), Basis::Time(whole)) =
        (subject.metrics.outside_nodes(), subject.metrics.basis)
    else {
        return Vec::new();
    };
    // Compilation has a rule of its own.
    let jit = subject.metrics.summary.jit.map_or(0.0, |jit| jit.time.0);
    let unexplained = outside.0 - jit;
    if unexplained < MIN_MS || unexplained < MIN_SHARE * whole.0 {
        return Vec::new();
    }
    let message = format!(
        "no node accounts for {outside} of {whole} ({}): starting or ending the execution took it, or waiting for the client to take \
         rows.",
        percent((outside.0 / whole.0).min(1.0))
    );
    vec![Draft::new(subject.plan.root(), unexplained, message)]
}
