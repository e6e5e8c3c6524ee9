//! A materialized inner side that is read for every outer row: from memory instead of a table, but
//! still all pairs of rows.

use super::index_proposal::{create_index, relation_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, Shape};

/// The minimum number of compared pairs of rows.
const MIN_PAIRS: f64 = 100_000.0;
/// With fewer rows an index is no faster than reading them all.
const MIN_ROWS_FOR_AN_INDEX: f64 = 100.0;

pub(super) const RULE: Rule = Rule {
    name: "materialize-rescans",
    max_severity: Severity::Critical,
    looks_for: "a nested loop that goes through a materialized table for every outer row, 100,000 pairs or more",
    why: "every outer row is compared with every inner row; an equality would allow a hash join, an index a look-up",
    source: "https://www.postgresql.org/docs/current/planner-optimizer.html",
    check: Check::Node(&[NodeType::Materialize], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let join = subject
        .parent(node)
        .filter(|parent| *parent.node_type() == NodeType::NestedLoop)?;
    let outer = subject
        .inputs(join)
        .next()
        .filter(|outer| outer.id != node.id)?;
    let pairs = match subject.of(node).rows_total() {
        Some(rows) => rows,
        None => outer.plan_rows()? * node.plan_rows()?,
    };
    let delivered = subject.rows(join)?;
    // A cross join returns all pairs.
    if pairs < MIN_PAIRS || delivered * 2.0 > pairs {
        return None;
    }
    let impact = subject.own(join.id) + subject.own(node.id);
    let scan = subject.inputs(node).next()?;
    let filter = subject.condition(join, "Join Filter");
    // An OR allows no other join method; another rule reports it.
    let is_or = |conjunct: &Expression| matches!(conjunct.shape, Shape::Or(_));
    if subject.is_reportable(impact)
        && filter.is_some_and(|filter| filter.conjuncts().iter().any(is_or))
    {
        return None;
    }
    let wanted = relation_use(subject, scan, &[(join, "Join Filter")]);
    let times = subject.repetitions(node).or(outer.plan_rows())?;
    let message = format!(
        "the nested loop goes through {} materialized rows {} times: {} pairs for {} rows ({}).",
        count(pairs / times.max(1.0)),
        count(times),
        count(pairs),
        count(delivered),
        subject.impact_text(impact)
    );
    let worth_an_index =
        pairs / times.max(1.0) >= MIN_ROWS_FOR_AN_INDEX && scan.relation_name().is_some();
    let action = if worth_an_index {
        wanted.and_then(|wanted| create_index(subject, scan, &wanted))
    } else {
        None
    };
    Some(Draft::new(node, impact, message).action(action))
}
