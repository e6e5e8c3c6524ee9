//! Several keys in the order a btree can use them: equalities first, then the order of the rows,
//! then one range (<https://www.postgresql.org/docs/current/indexes-multicolumn.html>).

use super::context::{CandidateContext, ascending};
use super::partial_eligibility::{is_flag, is_usual_flag};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind, OrderKey};

/// Not behind a flag or IS NULL: a partial index holds the same rows in the same order. The planner takes
/// the correlation of the first key for that of the index (`btcostestimate`,
/// src/backend/utils/adt/selfuncs.c), and one value always correlates; so the larger index would seem
/// to be the better one. For the same reason a flag whose value most rows have comes last.
pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let keys_of = |is_meant: fn(&Condition, CandidateContext<'_>) -> bool| -> Vec<&Key> {
        if context.finds_one_row() {
            return Vec::new();
        }
        let conditions = context.conditions(|condition| is_meant(condition, context));
        let keys = conditions.into_iter();
        keys.map(|condition| &condition.key).collect()
    };
    let (flags, usual) = (keys_of(is_flag), keys_of(is_usual_flag));
    let begins_with_flag = |keys: &[IndexKey]| {
        keys.first()
            .is_some_and(|first| flags.contains(&&first.key))
    };
    let usual_last = |mut keys: Vec<IndexKey>| {
        keys.sort_by_key(|key| usual.contains(&&key.key));
        keys
    };
    key_lists(context, &[])
        .into_iter()
        .filter(|keys| keys.len() > 1 && !begins_with_flag(keys))
        .map(usual_last)
        .map(|keys| context.btree(keys))
        .collect()
}

/// The most ranges of a statement that are tried in pairs.
const MAX_RANGES_PAIRED: usize = 3;

/// The conditions of a use as keys, by what a btree can do with them.
struct Keys {
    /// Equalities, booleans among them: the rows of one value stay in the order of what follows.
    equal: Vec<Key>,
    /// `IS NULL`: one place of the index, but no constant to the planner, which sorts again
    /// (`match_pathkeys_to_index`, src/backend/optimizer/path/pathkeys.c, knows equalities only).
    null: Vec<Key>,
    /// Several places each: behind them nothing is in order.
    members: Vec<Key>,
    ranges: Vec<Key>,
}

impl Keys {
    fn of(context: CandidateContext<'_>, left_out: &[&Condition]) -> Keys {
        Keys {
            equal: context.equality_keys(left_out),
            null: context.keys_with(ConditionKind::Null, left_out),
            members: context.keys_with(ConditionKind::Membership, left_out),
            ranges: context.keys_with(ConditionKind::Range, left_out),
        }
    }

    /// What finds rows in one place of the index, where no order is wanted.
    fn single_places(&self) -> Vec<Key> {
        [self.equal.as_slice(), &self.null].concat()
    }

    /// What can be checked in the index behind an order.
    fn checked(&self) -> Vec<Key> {
        [self.members.as_slice(), &self.null].concat()
    }
}

/// The key lists that serve this use without some of its conditions (those in a partial index's
/// predicate); also without what names a partition, whose rows may all have that value. Lists of one
/// key are included.
pub(super) fn key_lists(
    context: CandidateContext<'_>,
    left_out: &[&Condition],
) -> Vec<Vec<IndexKey>> {
    let mut lists = lists_without(context, left_out);
    let of_partition = context.conditions(|condition| {
        condition.kind == ConditionKind::Equality && names_partition(condition, context)
    });
    if !of_partition.is_empty() {
        lists.extend(lists_without(context, &[left_out, &of_partition].concat()));
        lists.dedup();
    }
    lists
}

fn names_partition(condition: &Condition, context: CandidateContext<'_>) -> bool {
    let column = condition.key.column();
    let column = column.and_then(|name| context.table.column(name));
    column.is_some_and(|column| column.names_partition)
}

fn lists_without(context: CandidateContext<'_>, left_out: &[&Condition]) -> Vec<Vec<IndexKey>> {
    let keys = Keys::of(context, left_out);
    let places = keys.single_places();
    let mut lists = vec![ascending(&places)];
    lists.extend(
        context
            .relation
            .extremes
            .iter()
            .map(|extreme| followed_by(ascending(&keys.equal), extreme)),
    );
    for order in &context.relation.orders {
        lists.extend(ordered_lists(context, &keys, order));
    }
    lists.extend(
        keys.ranges
            .iter()
            .chain(&keys.members)
            .map(|key| followed_by(ascending(&places), key)),
    );
    for (member, range) in keys
        .members
        .iter()
        .flat_map(|member| keys.ranges.iter().map(move |range| (member, range)))
    {
        lists.push(followed_by(followed_by(ascending(&places), member), range));
    }
    lists.extend(range_pairs(&places, &keys.ranges));
    lists.extend(join_lists(context, &keys));
    lists.retain(|keys| !keys.is_empty());
    lists.dedup();
    lists
}

/// For rows in an order: behind all equalities, behind each of them alone (the rows of one owner
/// may be few today and many tomorrow), and first of all.
fn ordered_lists(
    context: CandidateContext<'_>,
    keys: &Keys,
    order: &[OrderKey],
) -> Vec<Vec<IndexKey>> {
    let ordered = followed_by_order(&keys.equal, order);
    let mut lists: Vec<Vec<IndexKey>> = keys
        .ranges
        .iter()
        .map(|range| followed_by(ordered.clone(), range))
        .collect();
    let checked = keys.checked();
    if !checked.is_empty() {
        lists.push(checked.iter().fold(ordered.clone(), followed_by));
    }
    lists.push(ordered);
    if keys.equal.len() > 1 {
        let alone = keys.equal.iter().map(std::slice::from_ref);
        lists.extend(alone.map(|key| followed_by_order(key, order)));
    }
    let filters = [keys.equal.as_slice(), &checked, &keys.ranges].concat();
    lists.extend(order_first(context, order, &filters));
    lists
}

/// Two ranges, such as a section of a map: the second is checked in the index.
fn range_pairs(places: &[Key], ranges: &[Key]) -> Vec<Vec<IndexKey>> {
    let some = &ranges[..ranges.len().min(MAX_RANGES_PAIRED)];
    let pairs = some
        .iter()
        .flat_map(|first| some.iter().map(move |second| (first, second)));
    pairs
        .filter(|(first, second)| first != second)
        .map(|(first, second)| followed_by(followed_by(ascending(places), first), second))
        .collect()
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
fn join_lists(context: CandidateContext<'_>, keys: &Keys) -> Vec<Vec<IndexKey>> {
    let places = keys.single_places();
    let joins: Vec<Key> = context
        .join_keys()
        .into_iter()
        .filter(|key| !places.contains(key))
        .collect();
    let mut lists = Vec::new();
    for join in &joins {
        let with_null = |lead: Vec<IndexKey>| keys.null.iter().fold(lead, followed_by);
        lists.push(with_null(followed_by(ascending(&keys.equal), join)));
        if !places.is_empty() {
            lists.push(
                places
                    .iter()
                    .fold(ascending(std::slice::from_ref(join)), followed_by),
            );
        }
        lists.extend(
            keys.ranges
                .iter()
                .map(|range| followed_by(followed_by(ascending(&keys.equal), join), range)),
        );
        // The largest of each: `(SELECT max(at) FROM photos p WHERE p.album = a.id)`.
        lists.extend(
            context
                .relation
                .extremes
                .iter()
                .map(|extreme| followed_by(followed_by(ascending(&keys.equal), join), extreme)),
        );
        lists.extend(context.relation.orders.iter().map(|order| {
            followed_by_order(
                &[keys.equal.as_slice(), std::slice::from_ref(join)].concat(),
                order,
            )
        }));
    }
    if joins.len() > 1 {
        lists.push(joins.iter().fold(ascending(&places), followed_by));
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
