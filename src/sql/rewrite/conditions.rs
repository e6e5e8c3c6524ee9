//! Conditions of WHERE clauses, each replaced by another one.

use super::from_tables::{Rewriting, Schema};
use super::select::{Condition, SelectBlock, Span, select_blocks};
use crate::sql::tokens::Tokens;

/// A condition among the others of its statement.
pub(super) struct Place<'p, 's> {
    pub(super) tokens: &'p Tokens<'s>,
    pub(super) block: &'p SelectBlock,
    pub(super) schema: &'p Schema<'p>,
    pub(super) span: Span,
    /// All that are connected with it by AND, itself included.
    pub(super) conjunction: Vec<Span>,
}

/// What stands in the place of a condition.
pub(super) struct Replacement {
    pub(super) text: String,
    /// The column that it is about, as the statement names it.
    pub(super) column: String,
}

/// The statement with all conditions replaced that a rule replaces.
pub(super) fn replaced(
    sql: &str,
    schema: &Schema<'_>,
    rule: impl Fn(&Place<'_, '_>) -> Option<Replacement>,
) -> Option<Rewriting> {
    let tokens = Tokens::read(sql)?;
    let mut replacements = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    for block in select_blocks(&tokens) {
        let conditions = block.conditions(&tokens);
        for condition in &conditions {
            let place = Place {
                tokens: &tokens,
                block: &block,
                schema,
                span: condition.span,
                conjunction: connected(&conditions, condition),
            };
            if let Some(replacement) = rule(&place) {
                replacements.push((condition.span.0, condition.span.1, replacement.text));
                if !columns.contains(&replacement.column) {
                    columns.push(replacement.column);
                }
            }
        }
    }
    // The conditions of a subquery stand within one of the statement around it.
    replacements.sort_unstable();
    let sql = tokens
        .replaced(&replacements)
        .filter(|_| !replacements.is_empty())?;
    Some(Rewriting { sql, columns })
}

fn connected(conditions: &[Condition], with: &Condition) -> Vec<Span> {
    let same = conditions
        .iter()
        .filter(|condition| condition.conjunction == with.conjunction);
    same.map(|condition| condition.span).collect()
}
