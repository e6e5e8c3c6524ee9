//! `LIKE 'abc%'`: a stretch of a btree, if that compares bytes. In any collation but C it takes a class that does
//! (<https://www.postgresql.org/docs/current/indexes-opclass.html>).

use super::{Ask, ascending};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, Operand};
use crate::sql::literal_value;

const PATTERN_CLASS: &str = "text_pattern_ops";

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let equal = ask.equality_keys(&[]);
    let mut indexes = Vec::new();
    for condition in ask
        .special_conditions()
        .into_iter()
        .filter(|condition| prefix(condition).is_some())
    {
        let Some(key) = pattern_key(ask, &condition.key) else {
            continue;
        };
        indexes.push(ask.btree(vec![key.clone()]));
        if !equal.is_empty() && !equal.contains(&condition.key) {
            let mut keys = ascending(&equal);
            keys.push(key);
            indexes.push(ask.btree(keys));
        }
    }
    indexes
}

/// What the value has to begin with, where the condition says so.
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
fn pattern_key(ask: Ask<'_>, key: &Key) -> Option<IndexKey> {
    let collation_is_c = match key {
        Key::Column(name) => ask.table.column(name)?.c_collation,
        Key::Expression(_) => false,
    };
    if super::types::type_of_key(key, ask.table)? != "text" {
        return None;
    }
    Some(match collation_is_c {
        true => IndexKey::ascending(key.clone()),
        false => IndexKey::with_class(key.clone(), PATTERN_CLASS.to_owned()),
    })
}
