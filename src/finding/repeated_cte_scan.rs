//! A CTE whose rows are read many times, because it has no index.

use std::collections::BTreeMap;

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType, Relationship};

/// The minimum number of rows read.
const MIN_READ: f64 = 10_000.0;
/// The minimum number of scans.
const MIN_TIMES: f64 = 10.0;

pub(super) const RULE: Rule = Rule {
    name: "repeated-cte-scan",
    max_severity: Severity::Critical,
    looks_for: "scans of a CTE that read its rows at least ten times over",
    why: "a materialized CTE has no index and no statistics: every look-up reads all of it",
    source: "https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-CTE-MATERIALIZATION",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    let mut scans: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    for node in subject
        .plan
        .nodes()
        .iter()
        .filter(|node| subject.of(node).is_cte_scan)
    {
        scans
            .entry(node.cte_name().unwrap_or_default())
            .or_default()
            .push(node);
    }
    scans
        .into_iter()
        .filter_map(|(name, scans)| of_cte(subject, name, &scans))
        .collect()
}

fn of_cte(subject: &Subject<'_>, name: &str, scans: &[&Node]) -> Option<Draft> {
    let rows = |node: &Node| {
        let metrics = subject.of(node);
        match metrics.rows_total() {
            Some(rows) => (
                rows + metrics.removed.by_filter,
                metrics.loops.unwrap_or(1.0),
            ),
            None => {
                let times = repetitions_expected(subject, node);
                (node.plan_rows().unwrap_or(0.0) * times, times)
            }
        }
    };
    let read: f64 = scans.iter().map(|scan| rows(scan).0).sum();
    let times: f64 = scans.iter().map(|scan| rows(scan).1).sum();
    let impact: f64 = scans.iter().map(|scan| subject.own(scan.id)).sum();
    if read < MIN_READ || times < MIN_TIMES {
        return None;
    }
    let costliest = scans
        .iter()
        .max_by(|a, b| subject.own(a.id).total_cmp(&subject.own(b.id)))?;
    let message = format!(
        "the CTE {name} is scanned {} times, {} rows in all ({}). Join it once, let it be inlined (WITH {name} AS NOT MATERIALIZED), \
         or put it into a temporary table with an index.",
        count(times),
        count(read),
        subject.impact_text(impact)
    );
    Some(Draft::new(costliest, impact, message))
}

/// How often the planner expects a scan to run: once, or for each row of the nested loop it is the
/// inner side of.
fn repetitions_expected(subject: &Subject<'_>, node: &Node) -> f64 {
    let parent = subject
        .parent(node)
        .filter(|parent| *parent.node_type() == NodeType::NestedLoop);
    let inner = node.relationship() == Relationship::Inner;
    let outer = parent
        .filter(|_| inner)
        .and_then(|parent| subject.inputs(parent).next());
    outer.and_then(Node::plan_rows).unwrap_or(1.0)
}
