//! JIT compilation took a large part of the execution time.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
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
    if share < MIN_JIT_SHARE || jit.time.0 < MIN_JIT_MS {
        return Vec::new();
    }
    let message = format!(
        "JIT compilation of {} functions took {}, {} of the execution. Raise jit_above_cost above {} or switch it off for this \
         statement.",
        count(jit.functions),
        jit.time,
        percent(share.min(1.0)),
        subject.plan.total_cost()
    );
    vec![Draft::new(subject.plan.root(), jit.time.0, message).action("SET jit = off;".to_owned())]
}
