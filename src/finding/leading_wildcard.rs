//! `LIKE '%…'`: a btree cannot search for a suffix or a part of a text; a trigram index can.

use super::index_proposal::{IndexProposal, has_column_lookup, scan_use, substring_index};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use super::waste::waste;
use crate::model::quote_literal;
use crate::plan::{Node, NodeType};
use crate::predicate::{Condition, Operand};
use crate::sql::literal_value;

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
    let wanted = scan_use(subject, node, &["Filter"])?;
    let (condition, pattern) = wanted.conditions.iter().find_map(unanchored)?;
    let proposal = substring_index(subject, &wanted, condition);
    let other = match &proposal {
        Some(IndexProposal::Create(_)) => " A trigram index can (extension pg_trgm).".to_owned(),
        Some(IndexProposal::Existing(name)) => format!(" {name} can, and is not used."),
        None => String::new(),
    };
    let message = format!(
        "the filter on {} {}: the pattern {pattern} begins with a wildcard, which no btree index can search for ({}).{other}",
        subject.table_name(node)?,
        waste.text(),
        subject.impact_text(waste.impact)
    );
    let draft = Draft::new(node, waste.impact, message);
    Some(
        match proposal.and_then(|index| index.statement(subject, node)) {
            Some(statement) => draft.action(statement),
            None => draft,
        },
    )
}

/// A LIKE whose pattern begins with a wildcard, and the pattern as SQL.
fn unanchored(condition: &Condition) -> Option<(&Condition, String)> {
    let Operand::Constant(literal) = &condition.operand else {
        return None;
    };
    if !matches!(condition.operator.as_str(), "~~" | "~~*") {
        return None;
    }
    let pattern = literal_value(literal);
    pattern
        .starts_with(['%', '_'])
        .then(|| (condition, quote_literal(&pattern)))
}
