//! A hash join that reads a whole table to match few rows: with an index on the joined column a nested
//! loop would look them up.

use super::index_proposal::{create_index, relation_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};

/// With fewer rows reading all of them is no waste.
const MIN_READ: f64 = 10_000.0;
/// The other side, and the result, have at most this share of the table's rows: fetching a row by an
/// index costs as much as reading some dozens of them in order.
const MAX_MATCHED: f64 = 0.01;

pub(super) const RULE: Rule = Rule {
    name: "join-reads-all",
    max_severity: Severity::Critical,
    looks_for: "a hash join that reads a whole table, 10,000 rows or more, to match at most one per cent of them",
    why: "without an index on the joined column the table has to be read in whole, however few rows are looked for",
    source: "https://www.postgresql.org/docs/current/planner-optimizer.html",
    check: Check::Node(&[NodeType::HashJoin, NodeType::MergeJoin], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let join = subject.node(node.id);
    let mut inputs = subject.inputs(join);
    let (outer, inner) = (inputs.next()?, inputs.next()?);
    of_side(subject, join, outer, inner).or_else(|| of_side(subject, join, inner, outer))
}

/// The table of one side, when the other side asks for few of its rows.
fn of_side(subject: &Subject<'_>, join: &Node, side: &Node, other: &Node) -> Option<Draft> {
    const PASSING: &[NodeType] = &[
        NodeType::Hash,
        NodeType::Sort,
        NodeType::Gather,
        NodeType::GatherMerge,
    ];
    // All rows of an outer join's side are wanted.
    let keeps = join.text("Join Type").unwrap_or("Inner");
    if matches!(keeps, "Full" | "Anti" | "Right Anti") {
        return None;
    }
    let scan = if PASSING.contains(side.node_type()) {
        subject.plan.input_below(side.id, PASSING)?
    } else {
        side
    };
    let scan = Some(scan).filter(|scan| *scan.node_type() == NodeType::SeqScan)?;
    let read = subject.rows(scan)?;
    let (wanted, joined) = (subject.rows(other)?, subject.rows(join)?);
    if read < MIN_READ
        || wanted > MAX_MATCHED * read
        || joined > MAX_MATCHED * read
        || subject.repetitions(join).is_some_and(|times| times > 1.0)
    {
        return None;
    }
    // Comparing the rows, and the table in memory, are not needed either.
    let of_side = if scan.id == side.id {
        0.0
    } else {
        subject.own(side.id)
    };
    let impact = subject.own(scan.id) + subject.own(join.id) + of_side;
    let property = match *join.node_type() {
        NodeType::HashJoin => "Hash Cond",
        _ => "Merge Cond",
    };
    let conditions = [(join, property), (scan, "Filter")];
    let action = relation_use(subject, scan, &conditions)
        .and_then(|wanted| create_index(subject, scan, &wanted));
    let message = format!(
        "{} reads all {} rows of {} to match {} of the other side with {} ({}). An index on the joined column would look them up in a nested \
         loop.",
        join.title(),
        count(read),
        subject.table_name(scan)?,
        super::subject::rows(wanted),
        count(joined),
        subject.impact_text(impact)
    );
    Some(Draft::new(scan, impact, message).action(action))
}
