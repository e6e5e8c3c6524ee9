//! OR over columns of both sides of a join: neither side can be narrowed before the join.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::{MAX_KEPT, MIN_REMOVED};
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, Shape};

pub(super) const RULE: Rule = Rule {
    name: "or-over-join",
    max_severity: Severity::Critical,
    looks_for: "a join whose filter is an OR over columns of different tables and throws away most of the joined rows",
    why: "each side has to be joined whole before the condition can be checked; a UNION lets each half use its own index",
    source: "https://www.postgresql.org/docs/current/queries-union.html",
    check: Check::Node(
        &[
            NodeType::HashJoin,
            NodeType::MergeJoin,
            NodeType::NestedLoop,
        ],
        check,
    ),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let metrics = subject.of(node);
    let kept = metrics.rows_total()?;
    let removed = metrics.removed.by_join_filter + metrics.removed.by_filter;
    if removed < MIN_REMOVED || kept > MAX_KEPT * (kept + removed) {
        return None;
    }
    let node = subject.node(node.id);
    let or = ["Join Filter", "Filter"].iter().find_map(|property| {
        let condition = subject.condition(node, property)?;
        condition
            .conjuncts()
            .iter()
            .find(|conjunct| is_over_tables(conjunct))
            .map(|conjunct| conjunct.text.clone())
    })?;
    let impact = subject.inclusive(node.id);
    let message = format!(
        "{} joins {} rows to keep {}, because {or} asks for columns of different tables ({}). Write it as a UNION of one query for each \
         side of the OR: each can then begin with an index on its own column.",
        node.title(),
        count(kept + removed),
        count(kept),
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}

/// An OR whose sides read one table each, and not all the same.
fn is_over_tables(conjunct: &Expression) -> bool {
    let Shape::Or(sides) = &conjunct.shape else {
        return false;
    };
    let single = |side: &Expression| side.relations.len() == 1;
    let first = sides.first().map(|side| &side.relations);
    sides.iter().all(single) && sides.iter().any(|side| Some(&side.relations) != first)
}
