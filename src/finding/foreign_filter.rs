//! A foreign scan that fetches rows from the other server and discards them here.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, percent};
use super::waste::MIN_REMOVED;
use crate::plan::{Node, NodeType};

/// At least this share of the fetched rows is discarded.
const MIN_WASTE: f64 = 0.50;

pub(super) const RULE: Rule = Rule {
    name: "foreign-filter",
    max_severity: Severity::Critical,
    looks_for: "a foreign scan that throws away at least half of the rows it fetched",
    why: "only built-in, immutable operators and functions (or those of listed extensions) are sent to the other server",
    source: "https://www.postgresql.org/docs/current/postgres-fdw.html#POSTGRES-FDW-REMOTE-QUERY-OPTIMIZATION",
    check: Check::Node(&[NodeType::ForeignScan], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let filter = node.filter()?;
    let metrics = subject.of(node);
    let (kept, removed) = (metrics.rows_total()?, metrics.removed.by_filter);
    let share = removed / (kept + removed).max(1.0);
    if removed < MIN_REMOVED || share < MIN_WASTE {
        return None;
    }
    let impact = subject.own(node.id) * share;
    let message = format!(
        "{} rows were fetched from the other server, and {} of them thrown away here by {filter} ({}). Write the condition so that it \
         can be sent: built-in immutable operators, or the server's option extensions.",
        count(kept + removed),
        percent(share),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}
