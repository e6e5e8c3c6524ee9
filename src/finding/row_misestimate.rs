//! The node where an estimate goes wrong, not those above that inherit the error.

use super::conditions::conjuncts;
use super::subject::{count, times};
use super::{Check, Draft, Rule, Severity, Subject, advice, correlated_columns, stale_statistics};
use crate::plan::metrics::Direction;
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, Shape};

/// Times off.
pub(super) const MIN_FACTOR: f64 = 10.0;
/// Rows (expected or seen, all loops) below which an error does no harm.
const MIN_ROWS: f64 = 1_000.0;
/// Nodes that hand on what they get, or whose numbers mean something else: a bitmap's index scan may count rows twice.
const NO_ORIGIN: &[NodeType] = &[
    NodeType::BitmapIndexScan,
    NodeType::BitmapAnd,
    NodeType::BitmapOr,
    NodeType::Hash,
    NodeType::Sort,
    NodeType::IncrementalSort,
    NodeType::Materialize,
    NodeType::Memoize,
    NodeType::Limit,
    NodeType::Gather,
    NodeType::GatherMerge,
    NodeType::Result,
    NodeType::SubqueryScan,
    NodeType::CteScan,
    NodeType::ModifyTable,
    NodeType::LockRows,
    NodeType::Append,
    NodeType::MergeAppend,
    NodeType::WindowAgg,
];

pub(super) const RULE: Rule = Rule {
    name: "row-misestimate",
    at_most: Severity::Critical,
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
        "{} delivered {} rows where {} were expected: {} {way}, and what is above was planned with that ({}).",
        node.title(),
        count(estimate.actual?),
        count(estimate.expected),
        times(factor),
        subject.amount(impact)
    );
    if is_guess(subject, node) {
        let message = format!(
            "{message} Its condition computes something, of which there are no statistics: the planner guesses."
        );
        return Some(Draft::new(node, impact, message));
    }
    Some(Draft::new(node, impact, message).action(advice::analyze(subject, node)))
}

/// ANALYZE helps where plain columns are compared with values; for anything computed the planner has a fixed guess
/// (src/include/utils/selfuncs.h, `DEFAULT_EQ_SEL` and its like).
fn is_guess(subject: &Subject<'_>, node: &Node) -> bool {
    let Some(filter) = subject.condition(subject.node(node.id), "Filter") else {
        return false;
    };
    !conjuncts(&filter).iter().all(compares_columns)
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

/// Does an error begin at this node, and what rests on it?
pub(super) fn origin(subject: &Subject<'_>, node: &Node) -> Option<(f64, Direction, f64)> {
    let (factor, direction) = error(subject, node)?;
    if NO_ORIGIN.contains(node.node_type())
        || (direction == Direction::Over && subject.flow.stopped_early(node.id))
    {
        return None;
    }
    let node = subject.node(node.id);
    let inherited = subject
        .inputs(node)
        .any(|input| inherits(subject, input, direction));
    let impact = resting_on(subject, node)?;
    (!inherited && subject.matters(impact)).then_some((factor, direction, impact))
}

/// Is there an error in what comes in? Past nodes that only hand it on.
fn inherits(subject: &Subject<'_>, input: &Node, direction: Direction) -> bool {
    let next = |node: &&Node| {
        let passing = NO_ORIGIN.contains(node.node_type());
        subject
            .inputs(subject.node(node.id))
            .next()
            .filter(|_| passing)
    };
    std::iter::successors(Some(subject.node(input.id)), next)
        .any(|node| error(subject, node).is_some_and(|(_, other)| other == direction))
}

fn error(subject: &Subject<'_>, node: &Node) -> Option<(f64, Direction)> {
    let metrics = subject.of(node);
    let estimate = metrics.estimate?;
    let loops = metrics.loops?;
    let factor = estimate.factor().filter(|factor| *factor >= MIN_FACTOR)?;
    let rows = estimate.actual?.max(estimate.expected) * loops;
    (rows >= MIN_ROWS).then_some((factor, estimate.direction()?))
}

/// What rests on the estimate: the nearest join, sort or grouping above, with everything below it.
pub(super) fn resting_on(subject: &Subject<'_>, node: &Node) -> Option<f64> {
    subject
        .flow
        .decision(node.id)
        .map(|above| subject.inclusive(above))
}
