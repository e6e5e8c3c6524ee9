//! Where a row estimate goes wrong, and what the planner chose by it.

use super::internal;
use super::subject::Subject;
use crate::plan::metrics::Direction;
use crate::plan::{Node, NodeType, Relationship};

/// An estimate that is off by a smaller factor is no error.
const MIN_FACTOR: f64 = 10.0;
/// With fewer rows (expected or actual, of all loops) an error does no harm.
const MIN_ROWS: f64 = 1_000.0;
/// Nodes whose estimate follows from that of their input, or whose row counts mean something else:
/// a bitmap's index scan may count rows twice.
const NEVER_ORIGIN: &[NodeType] = &[
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

/// The factor, direction and impact of an error that begins at this node and is not inherited from
/// an input.
pub(super) fn origin(subject: &Subject<'_>, node: &Node) -> Option<(f64, Direction, f64)> {
    let (factor, direction) = error(subject, node)?;
    if NEVER_ORIGIN.contains(node.node_type())
        || node.is_distributor()
        || internal::is_remote(subject, node)
        || (direction == Direction::Over && subject.ancestry.stopped_early(node.id))
    {
        return None;
    }
    let node = subject.node(node.id);
    // Fewer rows for each outer row than expected make a nested loop cheaper, not wrong.
    let is_looked_up = node.relationship() == Relationship::Inner
        && subject
            .parent(node)
            .is_some_and(|parent| *parent.node_type() == NodeType::NestedLoop);
    if direction == Direction::Over && is_looked_up {
        return None;
    }
    // The rows of bitmaps' scans are no finding of their own.
    let inherited = *node.node_type() != NodeType::BitmapHeapScan
        && subject
            .inputs(node)
            .any(|input| inherits(subject, input, direction));
    let impact = dependent_impact(subject, node)?;
    (!inherited && subject.is_reportable(impact)).then_some((factor, direction, impact))
}

/// Has an input such an error? Nodes that only pass rows on are skipped.
fn inherits(subject: &Subject<'_>, input: &Node, direction: Direction) -> bool {
    let next = |node: &&Node| {
        let passing = NEVER_ORIGIN.contains(node.node_type());
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

/// The impact of an estimate: what the nearest join, sort or grouping above takes, with everything
/// below it.
pub(super) fn dependent_impact(subject: &Subject<'_>, node: &Node) -> Option<f64> {
    subject
        .ancestry
        .dependent(node.id)
        .map(|above| subject.inclusive(above))
}
