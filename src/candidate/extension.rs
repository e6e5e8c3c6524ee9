//! Existing indexes with more keys: where a statement compares the columns of one with single
//! values, its other columns can follow them. Then the new index replaces the old one, while an
//! index in another order would be an additional one.

use super::composite::key_lists;
use super::context::CandidateContext;
use crate::catalog::ExistingIndex;
use crate::index::{Index, IndexKey, Key, Method};

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let equal = context.equality_keys(&[]);
    let replaceable = context
        .table
        .indexes
        .iter()
        .filter(|existing| existing.valid && existing.may_be_dropped());
    replaceable
        .flat_map(|existing| extended(existing, &equal, context))
        .collect()
}

fn extended(existing: &ExistingIndex, equal: &[Key], context: CandidateContext<'_>) -> Vec<Index> {
    let Some(known) = existing
        .index
        .as_ref()
        .filter(|known| known.method == Method::Btree && known.predicate.is_none())
    else {
        return Vec::new();
    };
    let is_equal =
        |key: &IndexKey| *key == IndexKey::ascending(key.key.clone()) && equal.contains(&key.key);
    if !known.keys.iter().all(is_equal) {
        return Vec::new();
    }
    let begins_with_equal = |keys: &Vec<IndexKey>| {
        keys.len() > known.keys.len() && keys.iter().map(|key| &key.key).take(equal.len()).eq(equal)
    };
    let lists = key_lists(context, &[])
        .into_iter()
        .filter(begins_with_equal);
    let index = |keys: Vec<IndexKey>| {
        let others = keys.into_iter().filter(|key| !known.keys.contains(key));
        let keys: Vec<IndexKey> = known.keys.iter().cloned().chain(others).collect();
        let is_key = |column: &String| {
            keys.iter()
                .any(|key| key.key == Key::Column(column.clone()))
        };
        let include = known
            .include
            .iter()
            .filter(|column| !is_key(column))
            .cloned()
            .collect();
        Index {
            include,
            ..context.btree(keys)
        }
    };
    lists.map(index).collect()
}
