//! Planning took longer than the execution.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use crate::plan::metrics::Basis;

/// The minimum planning time in milliseconds.
const MIN_PLANNING_MS: f64 = 10.0;

pub(super) const RULE: Rule = Rule {
    name: "planning-dominates",
    max_severity: Severity::Warning,
    looks_for: "planning that takes longer than the execution, and 10 ms or more",
    why: "many partitions, joins or indexes make planning slow; a prepared statement is planned once (after five executions)",
    source: "https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    let summary = &subject.metrics.summary;
    let (Some(planning), Some(execution), Basis::Time(_)) =
        (summary.planning, summary.execution, subject.metrics.basis)
    else {
        return Vec::new();
    };
    if planning.0 < MIN_PLANNING_MS || planning.0 <= execution.0 {
        return Vec::new();
    }
    let message = format!(
        "planning took {planning}, running {execution}. A prepared statement with a generic plan is planned once; fewer partitions, joins \
         or indexes make planning itself faster."
    );
    vec![
        Draft::new(subject.plan.root(), planning.0, message)
            .action("SET plan_cache_mode = force_generic_plan;".to_owned()),
    ]
}
