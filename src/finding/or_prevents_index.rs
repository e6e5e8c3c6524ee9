//! OR over different columns: a single index cannot be used, but one index for each side can, combined as bitmaps. In a join, OR allows
//! only a nested loop.

use super::advice;
use super::conditions::{Keys, MIN_REMOVED, Relation, conjuncts, waste};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, Shape};

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
    let relation = Relation::of(subject, node);
    let filter = subject.condition(node, "Filter")?;
    if conjuncts(&filter)
        .iter()
        .any(|conjunct| relation.key_of(conjunct).is_some())
    {
        return None;
    }
    let sides = conjuncts(&filter)
        .iter()
        .find_map(|conjunct| sides(conjunct, &relation))?;
    let missing = sides
        .iter()
        .filter_map(|keys| advice::create_index(subject, node, keys));
    let missing: Vec<String> = missing.collect();
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

/// The keys of each side, when all sides have some and they differ.
fn sides(conjunct: &Expression, relation: &Relation<'_>) -> Option<Vec<Keys>> {
    let Shape::Or(parts) = &conjunct.shape else {
        return None;
    };
    let mut sides: Vec<Keys> = Vec::new();
    for part in parts {
        let mut keys = Keys::default();
        keys.add(part, relation);
        if keys.is_empty() {
            return None;
        }
        if !sides.contains(&keys) {
            sides.push(keys);
        }
    }
    (sides.len() > 1).then_some(sides)
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
    let or = conjuncts(&filter)
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
