//! OR over different columns: a single index cannot be used, but one index for each side can,
//! combined as bitmaps. In a join, OR allows only a nested loop.

use super::index_proposal::{create_index, looks_up_columns, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::{MIN_REMOVED, waste};
use crate::index::Key;
use crate::plan::{Node, NodeType};
use crate::predicate::{Condition, ConditionKind, RelationUse};
use crate::sql::Shape;

pub(super) const RULE: Rule = Rule {
    name: "or-prevents-index",
    max_severity: Severity::Critical,
    looks_for: "a selective filter, or a join condition, that is an OR over different columns",
    why: "an index can only be searched for what all rows have in common; hash and merge joins need an equality",
    source: "https://www.postgresql.org/docs/current/indexes-bitmap-scans.html",
    check: Check::Node(&[NodeType::SeqScan, NodeType::NestedLoop], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    if *node.node_type() == NodeType::NestedLoop {
        of_join(subject, node)
    } else {
        of_scan(subject, node)
    }
}

fn of_scan(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let waste = waste(subject, node)?;
    let node = subject.node(node.id);
    let wanted = scan_use(subject, node, &["Filter"])?;
    if looks_up_columns(&wanted) {
        return None;
    }
    let sides = wanted
        .alternatives
        .iter()
        .find_map(|arms| sides(&wanted, arms))?;
    let mut missing: Vec<String> = Vec::new();
    for side in &sides {
        let action = create_index(subject, node, side);
        missing.extend(action.filter(|action| !missing.contains(action)));
    }
    let message = format!(
        "the filter on {} {}: its OR asks for different columns, which no single index serves; one index for each side \
         can be combined (BitmapOr), or write it as a UNION ({}).",
        subject.table_name(node)?,
        waste.text(),
        subject.impact_text(waste.impact)
    );
    Some(
        Draft::new(node, waste.impact, message)
            .action((!missing.is_empty()).then(|| missing.join(" "))),
    )
}

/// What each side of an OR asks for, when all sides look up columns and these differ.
fn sides(wanted: &RelationUse, arms: &[Vec<Condition>]) -> Option<Vec<RelationUse>> {
    let side = |arm: &Vec<Condition>| RelationUse {
        conditions: arm.clone(),
        ..RelationUse::new(wanted.node, wanted.table.clone(), wanted.alias.clone())
    };
    let sides: Vec<RelationUse> = arms.iter().map(side).collect();
    let keys = |side: &RelationUse| -> Vec<(Key, ConditionKind)> {
        let conditions = side.conditions.iter();
        conditions
            .map(|condition| (condition.key.clone(), condition.kind))
            .collect()
    };
    let differ = sides.iter().any(|side| keys(side) != keys(&sides[0]));
    (differ && sides.iter().all(looks_up_columns)).then_some(sides)
}

fn of_join(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let node = subject.node(node.id);
    let inner = subject.inputs(node).nth(1)?;
    let impact = subject.own(node.id) + subject.inclusive(inner.id);
    let removed = subject.of(node).removed.by_join_filter;
    if !subject.is_reportable(impact) || (subject.measured() && removed < MIN_REMOVED) {
        return None;
    }
    let filter = subject.condition(node, "Join Filter")?;
    let or = filter
        .conjuncts()
        .iter()
        .find(|conjunct| matches!(conjunct.shape, Shape::Or(_)))?;
    if or.relations.len() < 2 {
        return None;
    }
    let pairs = if removed > 0.0 {
        format!("; {} pairs of rows were compared in vain", count(removed))
    } else {
        String::new()
    };
    let message = format!(
        "the join condition {} is an OR, so every row is compared with every row{pairs} ({}). Join each side by itself and \
         combine the results with UNION.",
        or.text,
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}
