//! Several keys in the order a btree can use them: equalities first, then the order of the rows,
//! then one range (<https://www.postgresql.org/docs/current/indexes-multicolumn.html>).

use super::context::{CandidateContext, ascending};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind, OrderKey};

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let several = |keys: &Vec<IndexKey>| keys.len() > 1;
    key_lists(context, &[])
        .into_iter()
        .filter(several)
        .map(|keys| context.btree(keys))
        .collect()
}

/// The key lists that serve this use without some of its conditions (those in a partial index's
/// predicate). Lists of one key are included.
pub(super) fn key_lists(
    context: CandidateContext<'_>,
    left_out: &[&Condition],
) -> Vec<Vec<IndexKey>> {
    let equal = context.equality_keys(left_out);
    let ranges = context.keys_with(ConditionKind::Range, left_out);
    let members = context.keys_with(ConditionKind::Membership, left_out);
    let mut lists = vec![ascending(&equal)];
    lists.extend(
        context
            .relation
            .extremes
            .iter()
            .map(|extreme| followed_by(ascending(&equal), extreme)),
    );
    for order in &context.relation.orders {
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
            context,
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
    lists.extend(join_lists(context, &equal, &ranges));
    lists.retain(|keys| !keys.is_empty());
    lists.dedup();
    lists
}

/// For the first rows of an order: the order itself, then the filtered keys, which are checked in
/// the index before the table is read.
fn order_first(
    context: CandidateContext<'_>,
    order: &[OrderKey],
    filters: &[Key],
) -> Option<Vec<IndexKey>> {
    let ordered = followed_by_order(&[], order);
    let several = !filters.is_empty() && context.relation.limited;
    several.then(|| filters.iter().fold(ordered, followed_by))
}

/// For the inner side of a nested loop: the join key before and after the other equalities, and all
/// join keys together.
fn join_lists(context: CandidateContext<'_>, equal: &[Key], ranges: &[Key]) -> Vec<Vec<IndexKey>> {
    let joins: Vec<Key> = context
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
            context.relation.orders.iter().map(|order| {
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

/// A key that is equal to one value needs no place in the order. A btree can be read backwards, so
/// an order is reversed where that lets its first key be ascending.
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
