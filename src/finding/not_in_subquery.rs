//! `NOT IN (SELECT …)` whose result did not fit into a hash table: it is searched again for each row.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::metrics::cost::is_hashed_subplan;
use crate::plan::{Node, NodeType, Relationship};

/// The minimum number of rows that are compared.
const MIN_CALLS: f64 = 100.0;

pub(super) const RULE: Rule = Rule {
    name: "not-in-subquery",
    max_severity: Severity::Critical,
    looks_for: "NOT IN with a subquery that is not hashed",
    why: "NOT IN cannot become a join, because of NULL; without a hash table each row is compared with the whole result of the subquery",
    source: "https://www.postgresql.org/docs/current/functions-subquery.html#FUNCTIONS-SUBQUERY-NOTIN",
    check: Check::Node(&[], check),
};

/// Is this node the subquery of such a condition?
pub(super) fn applies(subject: &Subject<'_>, node: &Node) -> bool {
    let node = subject.node(node.id);
    // A subquery that refers to the outer row has no Materialize.
    let is_kept = *node.node_type() == NodeType::Materialize;
    let Some(parent) = subject
        .parent(node)
        .filter(|_| is_kept && node.relationship() == Relationship::SubPlan)
    else {
        return false;
    };
    let Some(name) = node.subplan_name() else {
        return false;
    };
    let name = name.split(" (").next().unwrap_or(name);
    let is_negated = |text: &str| {
        text.contains(&format!("NOT ({name})"))
            || text.contains(&format!("<> ALL ({name}"))
            || (text.contains("NOT (ANY (") && text.contains(&format!("({name})")))
            || (text.contains("ALL (") && text.contains(&format!("({name})")))
    };
    let properties = ["Filter", "Join Filter", "One-Time Filter"];
    let mut texts = properties
        .iter()
        .filter_map(|property| parent.text(property));
    texts.any(is_negated) && !is_hashed_subplan(parent, node)
}

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    if !applies(subject, node) {
        return None;
    }
    let node = subject.node(node.id);
    let parent = subject.parent(node)?;
    let (calls, rows) = if subject.measured() {
        let metrics = subject.of(node);
        let input = subject.inputs(node).next()?;
        (metrics.loops?, subject.of(input).rows_total()?)
    } else {
        (parent.plan_rows()? * 2.0, node.plan_rows()?)
    };
    let impact = subject.inclusive(node.id).max(subject.own(parent.id));
    if calls < MIN_CALLS || !subject.is_reportable(impact) {
        return None;
    }
    let message = format!(
        "NOT IN compares each row of {} with the {} rows of {}, which did not fit into a hash table ({}). NOT EXISTS becomes an anti \
         join (and is what is meant where the subquery may return NULL); or work_mem large enough for the result makes it a hashed \
         subplan.",
        parent.title(),
        count(rows),
        node.subplan_name().unwrap_or("the subquery"),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}
