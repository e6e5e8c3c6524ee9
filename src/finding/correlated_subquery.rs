//! A subquery that is run again for each row.

use super::index_proposal::{create_index, scan_use};
use super::not_in_subquery;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::metrics::cost::is_hashed_subplan;
use crate::plan::{Node, NodeType, Relationship};

/// The minimum number of repetitions.
const MIN_CALLS: f64 = 100.0;

pub(super) const RULE: Rule = Rule {
    name: "correlated-subquery",
    max_severity: Severity::Critical,
    looks_for: "a SubPlan that runs at least a hundred times",
    why: "it is run for each row of the outer query; a join computes all of them at once",
    source: "https://www.postgresql.org/docs/current/functions-subquery.html",
    check: Check::Node(&[], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let parent = subject
        .parent(node)
        .filter(|_| node.relationship() == Relationship::SubPlan)?;
    // NOT IN has a rule of its own.
    if is_hashed_subplan(parent, node) || not_in_subquery::applies(subject, node) {
        return None;
    }
    let calls = if subject.measured() {
        subject.of(node).loops?
    } else {
        parent.plan_rows()?
    };
    if calls < MIN_CALLS {
        return None;
    }
    let impact = subject.inclusive(node.id);
    let scan = subject
        .plan
        .input_below(
            node.id,
            &[NodeType::Aggregate, NodeType::Limit, NodeType::Sort],
        )
        .unwrap_or(node);
    let action = if *scan.node_type() == NodeType::SeqScan {
        scan_use(subject, scan, &["Filter"]).and_then(|wanted| create_index(subject, scan, &wanted))
    } else {
        None
    };
    let message = format!(
        "{} of {} runs {} times, once for each row ({}). Write it as a join, or as a LATERAL subquery that is aggregated once.",
        node.subplan_name().unwrap_or("the subquery"),
        parent.title(),
        count(calls),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(action))
}
