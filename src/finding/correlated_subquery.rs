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
    looks_for: "a SubPlan, or an aggregate that is joined with LATERAL, that runs at least a hundred times",
    why: "it is run for each row of the outer query; a join computes all of them at once",
    source: "https://www.postgresql.org/docs/current/functions-subquery.html",
    check: Check::Node(&[], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    if *node.node_type() == NodeType::Aggregate && node.relationship() == Relationship::Inner {
        return lateral(subject, node);
    }
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

/// An aggregate on the inner side of a nested loop: were it the same for each row, it would be
/// materialized.
fn lateral(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let parent = subject
        .parent(node)
        .filter(|parent| *parent.node_type() == NodeType::NestedLoop)?;
    let calls = if subject.measured() {
        subject.of(node).loops?
    } else {
        subject.inputs(parent).next()?.plan_rows()?
    };
    let impact = subject.inclusive(node.id);
    if calls < MIN_CALLS || !subject.is_reportable(impact) {
        return None;
    }
    let message = format!(
        "the aggregate in {} runs {} times, once for each row ({}). Where most rows are wanted, group once in a subquery with \
         GROUP BY and join its result.",
        parent.title(),
        count(calls),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}
