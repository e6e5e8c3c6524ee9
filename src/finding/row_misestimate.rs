//! The node where an estimate error begins, not those above that inherit it.

use super::misestimate::origin;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, rows, times};
use super::{advice, correlated_columns, stale_statistics};
use crate::plan::Node;
use crate::plan::metrics::Direction;
use crate::sql::{Expression, Shape};

pub(super) const RULE: Rule = Rule {
    name: "row-misestimate",
    max_severity: Severity::Critical,
    looks_for: "the lowest node whose row estimate is ten times off, below a join, sort or aggregate that relies on it",
    why: "join order, join method and memory are chosen by the number of rows expected",
    source: "https://www.postgresql.org/docs/current/row-estimation-examples.html",
    check: Check::Plan(check),
};

fn check(subject: &Subject<'_>) -> Vec<Draft> {
    if !subject.measured() {
        return Vec::new();
    }
    subject
        .plan
        .nodes()
        .iter()
        .filter_map(|node| at(subject, node))
        .collect()
}

fn at(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let (factor, direction, impact) = origin(subject, node)?;
    if correlated_columns::columns(subject, node).is_some()
        || stale_statistics::applies(subject, node)
    {
        return None;
    }
    let estimate = subject.of(node).estimate?;
    let way = if direction == Direction::Under {
        "more"
    } else {
        "fewer"
    };
    let message = format!(
        "{} delivered {} where {} were expected: {} {way}, and what is above was planned with that ({}).",
        node.title(),
        rows(estimate.actual?),
        count(estimate.expected),
        times(factor),
        subject.impact_text(impact)
    );
    if is_guess(subject, node) {
        let message = format!(
            "{message} Its condition computes something, of which there are no statistics: the planner guesses."
        );
        return Some(Draft::new(node, impact, message));
    }
    Some(Draft::new(node, impact, message).action(advice::analyze(subject, node)))
}

/// ANALYZE helps where plain columns are compared with values; for anything computed the planner
/// has a fixed guess (src/include/utils/selfuncs.h, `DEFAULT_EQ_SEL` and its like).
fn is_guess(subject: &Subject<'_>, node: &Node) -> bool {
    let Some(filter) = subject.condition(subject.node(node.id), "Filter") else {
        return false;
    };
    !filter.conjuncts().iter().all(compares_columns)
}

fn compares_columns(conjunct: &Expression) -> bool {
    let column = |part: &Expression| match &part.shape {
        Shape::Cast { operand, .. } => matches!(operand.shape, Shape::Column(_)),
        shape => matches!(shape, Shape::Column(_)),
    };
    match &conjunct.shape {
        Shape::Binary { left, right, .. } => {
            let plain = |part: &Expression| column(part) || part.columns.is_empty();
            plain(left) && plain(right)
        }
        Shape::AnyOf { operand, .. } | Shape::NullTest { operand, .. } | Shape::Not(operand) => {
            column(operand)
        }
        Shape::Column(_) => true,
        _ => false,
    }
}
