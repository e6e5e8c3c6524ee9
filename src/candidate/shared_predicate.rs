//! One partial index for several statements: the predicate of another statement, where this one's
//! conditions imply it. It is weaker than this statement's own predicate, so the index is larger,
//! but one index serves both.

use super::composite::key_lists;
use super::context::CandidateContext;
use super::implication::implies;
use super::partial_eligibility::kept_share;
use crate::index::Index;
use crate::predicate::Condition;

/// A predicate that keeps more rows than this is not worth sharing.
const MAX_SHARE: f64 = 0.5;

/// Maximum number of other predicates that are combined with one use of a table, and of key lists
/// with each.
const MAX_PREDICATES: usize = 3;
const MAX_LISTS: usize = 3;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let own = &context.relation.conditions;
    let is_weaker = |other: &&Condition| {
        !own.contains(other)
            && own.iter().any(|condition| implies(condition, other))
            && kept_share(other, context).is_some_and(|share| share <= MAX_SHARE)
    };
    let weaker = context
        .profile
        .constants(&context.table.name)
        .iter()
        .filter(is_weaker)
        .take(MAX_PREDICATES);
    weaker
        .flat_map(|predicate| with_predicate(context, predicate))
        .collect()
}

/// With the conditions that imply it as keys, and without: they can be filtered.
fn with_predicate(context: CandidateContext<'_>, predicate: &Condition) -> Vec<Index> {
    let implying: Vec<&Condition> = context.conditions(|condition| implies(condition, predicate));
    let lists = [key_lists(context, &[]), key_lists(context, &implying)];
    let some = lists
        .into_iter()
        .flat_map(|lists| lists.into_iter().take(MAX_LISTS));
    some.map(|keys| context.btree(keys).partial(predicate.expression.clone()))
        .collect()
}
