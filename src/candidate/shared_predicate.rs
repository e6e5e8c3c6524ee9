//! One partial index for several statements: the predicate of another statement, where this one's conditions imply it. It is weaker
//! than this statement's own, so the index is larger; it saves having two.

use super::composite::key_lists;
use super::implication::implies;
use super::partial::{kept_share, predicate_text};
use super::{Ask, Index};
use crate::predicate::Condition;

/// A predicate that keeps more rows than this is not worth sharing.
const LARGEST_SHARE: f64 = 0.5;

/// So many predicates of others are tried with one use of a table, and so many key lists with each.
const MOST_PREDICATES: usize = 3;
const MOST_LISTS: usize = 4;

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let own = &ask.relation.conditions;
    let is_weaker = |other: &&Condition| {
        !own.contains(other)
            && own.iter().any(|condition| implies(condition, other))
            && kept_share(other, ask).is_some_and(|share| share <= LARGEST_SHARE)
    };
    let weaker = ask.habits.constants(&ask.table.name).iter().filter(is_weaker).take(MOST_PREDICATES);
    weaker
        .flat_map(|predicate| {
            let lists = key_lists(ask, &[]).into_iter().take(MOST_LISTS);
            lists.map(|keys| ask.btree(keys).partial(predicate_text(&[predicate]))).collect::<Vec<_>>()
        })
        .collect()
}
