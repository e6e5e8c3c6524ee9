//! Several keys in the order a btree can use them: what is equal first, then the order wanted, then one range
//! (<https://www.postgresql.org/docs/current/indexes-multicolumn.html>).

use super::{Ask, ascending};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind, OrderKey};

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let several = |keys: &Vec<IndexKey>| keys.len() > 1;
    key_lists(ask, &[])
        .into_iter()
        .filter(several)
        .map(|keys| ask.btree(keys))
        .collect()
}

/// The key lists that serve this use when some of its conditions are already taken care of (by a partial index's predicate).
/// Lists of one key are among them.
pub(super) fn key_lists(ask: Ask<'_>, left_out: &[&Condition]) -> Vec<Vec<IndexKey>> {
    let equal = ask.equality_keys(left_out);
    let ranges = ask.keys_of(ConditionKind::Range, left_out);
    let members = ask.keys_of(ConditionKind::Membership, left_out);
    let mut lists = vec![ascending(&equal)];
    lists.extend(
        ask.relation
            .extremes
            .iter()
            .map(|extreme| followed_by(ascending(&equal), extreme)),
    );
    for order in &ask.relation.orders {
        let ordered = followed_by_order(&equal, order);
        lists.extend(
            ranges
                .iter()
                .map(|range| followed_by(ordered.clone(), range)),
        );
        for member in &members {
            lists.push(followed_by_order(
                &[equal.as_slice(), std::slice::from_ref(member)].concat(),
                order,
            ));
        }
        lists.push(ordered);
        lists.extend(order_first(
            ask,
            order,
            &[equal.as_slice(), &members, &ranges].concat(),
        ));
    }
    lists.extend(
        ranges
            .iter()
            .chain(&members)
            .map(|key| followed_by(ascending(&equal), key)),
    );
    for (member, range) in members
        .iter()
        .flat_map(|member| ranges.iter().map(move |range| (member, range)))
    {
        lists.push(followed_by(followed_by(ascending(&equal), member), range));
    }
    lists.extend(join_lists(ask, &equal, &ranges));
    lists.retain(|keys| !keys.is_empty());
    lists.dedup();
    lists
}

/// For the first rows of an order: the order itself, then what filters, which is checked in the index before the table is looked at.
fn order_first(ask: Ask<'_>, order: &[OrderKey], filters: &[Key]) -> Option<Vec<IndexKey>> {
    let ordered = followed_by_order(&[], order);
    let several = !filters.is_empty() && ask.relation.limited;
    several.then(|| filters.iter().fold(ordered, followed_by))
}

/// For the inner side of a nested loop: the join key with what else is equal on either side of it, and all join keys together.
fn join_lists(ask: Ask<'_>, equal: &[Key], ranges: &[Key]) -> Vec<Vec<IndexKey>> {
    let joins: Vec<Key> = ask
        .join_keys()
        .into_iter()
        .filter(|key| !equal.contains(key))
        .collect();
    let mut lists = Vec::new();
    for join in &joins {
        lists.push(followed_by(ascending(equal), join));
        if !equal.is_empty() {
            lists.push(
                equal
                    .iter()
                    .fold(ascending(std::slice::from_ref(join)), followed_by),
            );
        }
        lists.extend(
            ranges
                .iter()
                .map(|range| followed_by(followed_by(ascending(equal), join), range)),
        );
        lists.extend(
            ask.relation.orders.iter().map(|order| {
                followed_by_order(&[equal, std::slice::from_ref(join)].concat(), order)
            }),
        );
    }
    if joins.len() > 1 {
        lists.push(joins.iter().fold(ascending(equal), followed_by));
    }
    lists
}

fn followed_by(mut keys: Vec<IndexKey>, key: &Key) -> Vec<IndexKey> {
    if keys.iter().all(|earlier| earlier.key != *key) {
        keys.push(IndexKey::ascending(key.clone()));
    }
    keys
}

/// A key that is equal to one value needs no place in the order. A btree can be read backwards, so an order is turned round
/// where that lets its first key be ascending.
fn followed_by_order(equal: &[Key], order: &[OrderKey]) -> Vec<IndexKey> {
    let mut keys = ascending(equal);
    let free: Vec<&OrderKey> = order
        .iter()
        .filter(|term| !equal.contains(&term.key))
        .collect();
    let backwards = free.first().is_some_and(|first| first.descending);
    for term in free {
        if keys.iter().all(|earlier| earlier.key != term.key) {
            let (descending, nulls_first) =
                (term.descending != backwards, term.nulls_first != backwards);
            keys.push(IndexKey {
                key: term.key.clone(),
                operator_class: None,
                descending,
                nulls_first,
            });
        }
    }
    keys
}
