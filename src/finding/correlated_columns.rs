//! Correlated columns: the planner multiplies their selectivities as if they were independent.
//!
//! Extended statistics describe the correlation (dependencies and ndistinct since PostgreSQL 10,
//! most common combinations since 12).

use super::advice;
use super::index_proposal::{equal_columns, scan_use};
use super::misestimate::origin;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count, times};
use crate::plan::metrics::Direction;
use crate::plan::{Node, NodeType};
use crate::sql::{Shape, parse_expression};

pub(super) const RULE: Rule = Rule {
    name: "correlated-columns",
    max_severity: Severity::Critical,
    looks_for: "several columns of one table compared by equality, or grouped by, where the row estimate is ten times off",
    why: "without extended statistics the planner assumes that columns are independent",
    source: "https://www.postgresql.org/docs/current/planner-stats.html#PLANNER-STATS-EXTENDED",
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
    let (factor, _, impact) = origin(subject, node)?;
    let Columns {
        table,
        columns,
        kinds,
    } = columns(subject, node)?;
    let estimate = subject.of(node).estimate?;
    let message = format!(
        "{} expected {} rows and got {} ({} off): the planner assumes that {} are independent, which they are not ({} rest on it).",
        node.title(),
        count(estimate.expected),
        count(estimate.actual?),
        times(factor),
        columns.join(" and "),
        subject.impact_text(impact)
    );
    Some(
        Draft::new(node, impact, message)
            .action(advice::create_statistics(&table, kinds, &columns)),
    )
}

/// Columns that statistics could be made for.
pub(super) struct Columns {
    table: String,
    columns: Vec<String>,
    kinds: &'static str,
}

/// The columns of a misestimated node that may be correlated.
pub(super) fn columns(subject: &Subject<'_>, node: &Node) -> Option<Columns> {
    let (_, direction, _) = origin(subject, node)?;
    if *node.node_type() == NodeType::Aggregate {
        grouped(subject, node)
    } else {
        compared(subject, node, direction)
    }
}

/// Two or more equalities on one table, and more rows than the product of their selectivities.
fn compared(subject: &Subject<'_>, node: &Node, direction: Direction) -> Option<Columns> {
    if direction != Direction::Under || node.relation_name().is_none() {
        return None;
    }
    let compared = scan_use(subject, node, &["Filter", "Index Cond", "Recheck Cond"])?;
    let columns = equal_columns(&compared);
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let table = subject.table_name(node)?;
    (columns.len() > 1).then_some(Columns {
        table,
        columns,
        kinds: "dependencies, mcv",
    })
}

/// Two or more plain columns of one table that are grouped by.
fn grouped(subject: &Subject<'_>, node: &Node) -> Option<Columns> {
    let keys: Option<Vec<_>> = node
        .group_key()
        .into_iter()
        .map(|key| parse_expression(key).ok())
        .collect();
    let keys = keys.filter(|keys| keys.len() > 1)?;
    let plain = |key: &crate::sql::Expression| {
        matches!(key.shape, Shape::Column(_)).then(|| key.text.clone())
    };
    let columns: Vec<String> = keys.iter().map(plain).collect::<Option<_>>()?;
    let alias = keys.first()?.relations.iter().next();
    let one_table = keys.iter().all(|key| key.relations.iter().next() == alias);
    let scan = match alias {
        Some(alias) => subject.scan_of(alias)?,
        None => only_scan(subject)?,
    };
    one_table.then_some(Columns {
        table: subject.table_name(scan)?,
        columns,
        kinds: "ndistinct",
    })
}

/// Without qualifiers there is only one relation (src/backend/utils/adt/ruleutils.c,
/// `set_deparse_plan`).
fn only_scan<'a>(subject: &Subject<'a>) -> Option<&'a Node> {
    let mut scans = subject
        .plan
        .nodes()
        .iter()
        .filter(|node| node.relation_name().is_some());
    scans.next().filter(|_| scans.next().is_none())
}
