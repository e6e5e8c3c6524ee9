//! A Memoize with few cache hits.

use super::advice;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use crate::model::Bytes;
use crate::plan::{Node, NodeType};

/// The minimum number of cache misses.
const MIN_MISSES: f64 = 1_000.0;
/// The minimum share of misses.
const MIN_MISSED: f64 = 0.80;

pub(super) const RULE: Rule = Rule {
    name: "memoize-misses",
    max_severity: Severity::Warning,
    looks_for: "a Memoize with at least 80 % misses, or one that had to throw entries away",
    why: "it caches rows that are never read again, or evicts them too early; the planner expected fewer distinct keys",
    source: "https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-ENABLE-MEMOIZE",
    check: Check::Node(&[NodeType::Memoize], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let number = |property| node.number(property).unwrap_or(0.0);
    let (hits, misses, evictions) = (
        number("Cache Hits"),
        number("Cache Misses"),
        number("Cache Evictions"),
    );
    let share = misses / (hits + misses).max(1.0);
    if misses < MIN_MISSES || share < MIN_MISSED {
        return None;
    }
    let looked_up = format!(
        "{} of {} look-ups missed",
        percent(share),
        count(hits + misses)
    );
    let (impact, why, action) = if evictions > 0.0 {
        let impact = subject.inclusive(node.id) * (evictions / misses).min(1.0);
        let peak = subject.of(node).memory.peak.unwrap_or_default();
        let wanted = Bytes((peak.0 as f64 * misses / (misses - evictions).max(1.0)) as u64);
        (
            impact,
            format!(
                "{} entries were thrown away for want of memory",
                count(evictions)
            ),
            advice::set_work_mem(wanted),
        )
    } else {
        (
            subject.own(node.id),
            "its keys hardly repeat".to_owned(),
            "SET enable_memoize = off;".to_owned(),
        )
    };
    let key = node.text("Cache Key").unwrap_or("its key");
    let message = format!(
        "Memoize by {key}: {looked_up}; {why} ({}).",
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(action))
}
