//! Converting the result for the client took most of the time (EXPLAIN's SERIALIZE, from 17 on).

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use crate::plan::metrics::Basis;

/// At least this share of the execution.
const MIN_SHARE: f64 = 0.30;
/// The minimum time in milliseconds.
const MIN_MS: f64 = 10.0;

pub(super) const RULE: Rule = Rule {
    name: "serialization-dominates",
    max_severity: Severity::Critical,
    looks_for: "serialization of the result that takes three tenths of the execution or more",
    why: "large values are fetched (from TOAST), decompressed and converted only to be sent; no plan makes that faster",
    source: "https://www.postgresql.org/docs/current/sql-explain.html",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    let (Some(serialization), Basis::Time(whole)) =
        (subject.metrics.summary.serialization, subject.metrics.basis)
    else {
        return Vec::new();
    };
    let time = serialization.time;
    if time.0 < MIN_MS || time.0 < MIN_SHARE * whole.0 {
        return Vec::new();
    }
    let message = format!(
        "converting the result took {time} of {whole} ({}), {} kB of it. Select fewer and smaller columns, or fewer rows; large values \
         are stored out of line and decompressed only for this.",
        percent((time.0 / whole.0).min(1.0)),
        count(serialization.kilobytes)
    );
    vec![Draft::new(subject.plan.root(), time.0, message)]
}
