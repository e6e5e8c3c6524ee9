//! `LIKE 'abc%'`: a range of a btree that compares bytes. In any collation but C that needs an
//! operator class that does (<https://www.postgresql.org/docs/current/indexes-opclass.html>).

use super::context::{CandidateContext, ascending};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, Operand};
use crate::sql::literal_value;

const PATTERN_CLASS: &str = "text_pattern_ops";

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let equal = context.equality_keys(&[]);
    let mut indexes = Vec::new();
    for condition in context
        .special_conditions()
        .into_iter()
        .filter(|condition| prefix(condition).is_some())
    {
        let Some(key) = pattern_key(context, &condition.key) else {
            continue;
        };
        indexes.push(context.btree(vec![key.clone()]));
        if !equal.is_empty() && !equal.contains(&condition.key) {
            let mut keys = ascending(&equal);
            keys.push(key);
            indexes.push(context.btree(keys));
        }
    }
    indexes
}

/// The prefix that a condition requires.
pub(super) fn prefix(condition: &Condition) -> Option<String> {
    let Operand::Constant(literal) = &condition.operand else {
        return None;
    };
    let pattern = literal_value(literal);
    let prefix: String = match condition.operator.as_str() {
        "~~" => pattern
            .chars()
            .take_while(|c| !matches!(c, '%' | '_' | '\\'))
            .collect(),
        "~" => pattern
            .strip_prefix('^')?
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'))
            .collect(),
        "^@" => pattern,
        _ => return None,
    };
    (!prefix.is_empty()).then_some(prefix)
}

/// The key with the class it needs; none for types that have no such class.
fn pattern_key(context: CandidateContext<'_>, key: &Key) -> Option<IndexKey> {
    let collation_is_c = match key {
        Key::Column(name) => context.table.column(name)?.c_collation,
        Key::Expression(_) => false,
    };
    if super::expression_types::type_of_key(key, context.table)? != "text" {
        return None;
    }
    Some(match collation_is_c {
        true => IndexKey::ascending(key.clone()),
        false => IndexKey::with_class(key.clone(), PATTERN_CLASS.to_owned()),
    })
}
