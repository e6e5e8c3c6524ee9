//! `LIKE '%…'`: a btree cannot search for a suffix or a part of a text; a trigram index can.

use super::index_proposal::has_column_lookup;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use super::waste::waste;
use crate::model::quote_identifier;
use crate::plan::{Node, NodeType};
use crate::predicate::Relation;
use crate::sql::{Expression, Shape, literal_value};

pub(super) const RULE: Rule = Rule {
    name: "leading-wildcard",
    max_severity: Severity::Critical,
    looks_for: "a filter that throws away most rows with LIKE or ILIKE and a pattern that begins with % or _",
    why: "a btree is searched from the first character on; trigrams (pg_trgm) find a text anywhere",
    source: "https://www.postgresql.org/docs/current/pgtrgm.html#PGTRGM-INDEX",
    check: Check::Node(
        &[
            NodeType::SeqScan,
            NodeType::IndexScan,
            NodeType::BitmapHeapScan,
        ],
        check,
    ),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let waste = waste(subject, node)?;
    let node = subject.node(node.id);
    let relation = subject.relation(node)?;
    let filter = subject.condition(node, "Filter")?;
    if has_column_lookup(&filter, relation, node) {
        return None;
    }
    let (column, pattern) = filter
        .conjuncts()
        .iter()
        .find_map(|conjunct| unanchored(conjunct, relation))?;
    let message = format!(
        "the filter on {} {}: the pattern {pattern} begins with a wildcard, which no btree index can search for ({}). \
         A trigram index can (extension pg_trgm).",
        subject.table_name(node)?,
        waste.text(),
        subject.impact_text(waste.impact)
    );
    let action = format!(
        "{} USING gin ({column} gin_trgm_ops);",
        subject.create_index_on(node)?
    );
    Some(Draft::new(node, waste.impact, message).action(action))
}

/// The column and the pattern of an unanchored LIKE.
fn unanchored(conjunct: &Expression, relation: Relation<'_>) -> Option<(String, String)> {
    let Shape::Binary {
        operator,
        left,
        right,
    } = &conjunct.shape
    else {
        return None;
    };
    if !matches!(operator.as_str(), "~~" | "~~*") || !matches!(right.shape, Shape::Constant) {
        return None;
    }
    let column = relation.column(left)?;
    let pattern = literal_value(&right.text);
    pattern.starts_with(['%', '_']).then(|| {
        (
            quote_identifier(&column.name).into_owned(),
            format!("'{pattern}'"),
        )
    })
}
