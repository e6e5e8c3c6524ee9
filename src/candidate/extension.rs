//! Existing indexes made longer: where the columns of one are among those that a statement compares with single values, the other columns may
//! as well follow them. Then the old index is not needed any more, while an index in another order would come on top of it.

use super::Ask;
use super::composite::key_lists;
use crate::catalog::ExistingIndex;
use crate::index::{Index, IndexKey, Key, Method};

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let equal = ask.equality_keys(&[]);
    let replaceable = ask
        .table
        .indexes
        .iter()
        .filter(|existing| existing.valid && existing.may_be_dropped());
    replaceable
        .flat_map(|existing| extended(existing, &equal, ask))
        .collect()
}

fn extended(existing: &ExistingIndex, equal: &[Key], ask: Ask<'_>) -> Vec<Index> {
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
    let lists = key_lists(ask, &[]).into_iter().filter(begins_with_equal);
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
            ..ask.btree(keys)
        }
    };
    lists.map(index).collect()
}
