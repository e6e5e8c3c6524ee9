//! One partial index for several statements: the predicate of another statement, where this one's conditions imply it. It is weaker
//! than this statement's own, so the index is larger; it saves having two.

use super::composite::key_lists;
use super::implication::implies;
use super::partial_eligibility::kept_share;
use super::{Ask, Index};
use crate::predicate::Condition;

/// A predicate that keeps more rows than this is not worth sharing.
const MAX_SHARE: f64 = 0.5;

/// So many predicates of others are tried with one use of a table, and so many key lists with each.
const MAX_PREDICATES: usize = 3;
const MAX_LISTS: usize = 3;

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let own = &ask.relation.conditions;
    let is_weaker = |other: &&Condition| {
        !own.contains(other)
            && own.iter().any(|condition| implies(condition, other))
            && kept_share(other, ask).is_some_and(|share| share <= MAX_SHARE)
    };
    let weaker = ask
        .profile
        .constants(&ask.table.name)
        .iter()
        .filter(is_weaker)
        .take(MAX_PREDICATES);
    weaker
        .flat_map(|predicate| with_predicate(ask, predicate))
        .collect()
}

/// With the conditions that imply it as keys, and without: they can be filtered.
fn with_predicate(ask: Ask<'_>, predicate: &Condition) -> Vec<Index> {
    let implying: Vec<&Condition> = ask.conditions(|condition| implies(condition, predicate));
    let lists = [key_lists(ask, &[]), key_lists(ask, &implying)];
    let some = lists
        .into_iter()
        .flat_map(|lists| lists.into_iter().take(MAX_LISTS));
    some.map(|keys| ask.btree(keys).partial(predicate.expression.clone()))
        .collect()
}
