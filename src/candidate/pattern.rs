//! `LIKE 'abc%'`: a range of a btree that compares bytes. In any collation but C that needs an
//! operator class that does (<https://www.postgresql.org/docs/current/indexes-opclass.html>).

use super::context::{CandidateContext, ascending};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, Operand};
use crate::sql::{Shape, literal_value};

const PATTERN_CLASS: &str = "text_pattern_ops";

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let equal = context.equality_keys(&[]);
    let mut indexes = Vec::new();
    for condition in context
        .special_conditions()
        .into_iter()
        .filter(|condition| prefix(condition).is_some() || begins_with_parameter(condition))
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

/// Does it ask for values that begin with a parameter: `name LIKE $1 || '%'`, `name ^@ $1`? The
/// planner makes a range of it once the value is known.
pub fn begins_with_parameter(condition: &Condition) -> bool {
    let Shape::Binary { right, .. } = &condition.expression.shape else {
        return false;
    };
    if condition.operand != Operand::RunTime {
        return false;
    }
    match condition.operator.as_str() {
        "^@" => is_parameter(&right.text),
        "~~" => right.text.split_once("||").is_some_and(|(first, rest)| {
            is_parameter(first) && rest.trim_start().starts_with("'%")
        }),
        _ => false,
    }
}

/// `$1`, with casts and parentheses, and within `lower()` and its like.
fn is_parameter(text: &str) -> bool {
    let text = text.trim_start_matches(['(', ' ']).to_ascii_lowercase();
    let inner = ["lower(", "upper("]
        .iter()
        .find_map(|function| text.strip_prefix(function));
    let text = inner.unwrap_or(&text).trim_start_matches('(');
    text.starts_with('$') && !text.contains('\'')
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
