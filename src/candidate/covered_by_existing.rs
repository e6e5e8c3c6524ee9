//! Candidates that an existing index makes unnecessary.

use super::context::CandidateContext;
use crate::catalog::{Catalog, ExistingIndex};
use crate::index::{Index, IndexKey, Key, Method};
use crate::predicate::{Condition, ConditionKind};
use crate::sql::Expression;

/// An existing index that answers all that this one would, for any statement; or one that will, once
/// its missing parts are there; or one that is being built and will, or that this one would make
/// redundant: which of them is better can be said once plans use it.
pub(super) fn equivalent<'a>(index: &Index, catalog: &'a Catalog) -> Option<&'a ExistingIndex> {
    let related = |existing: &&ExistingIndex, known: &Index| {
        let does_it = existing.valid || existing.being_built || existing.may_be_completed();
        known.subsumes(index) && does_it || existing.being_built && index.subsumes(known)
    };
    let covers = |existing: &&ExistingIndex| {
        let known = existing.index.as_ref();
        known.is_some_and(|known| related(existing, known))
    };
    let indexes = &catalog.table(&index.table)?.indexes;
    let valid = indexes
        .iter()
        .filter(|existing| existing.valid)
        .find(covers);
    valid.or_else(|| indexes.iter().find(covers))
}

/// An existing index, perhaps still being built, that has the rows of this use in the same order after the keys that the use
/// compares with one value: `(shop, made)` finds those of a shop and a day where `(made)` would
/// find the day's. The planner may price it higher, because it assumes three quarters of the first
/// column's correlation for an index of several columns (`btcostestimate`,
/// src/backend/utils/adt/selfuncs.c), but it cannot read more.
pub(super) fn as_precise<'a>(
    index: &Index,
    context: CandidateContext<'a>,
) -> Option<&'a ExistingIndex> {
    // Behind `IS NULL` the planner does not see the order.
    let is_ordered = !context.relation.orders.is_empty() || !context.relation.extremes.is_empty();
    let fixed: Vec<&Condition> = context.conditions(|condition| match condition.kind {
        ConditionKind::Equality => !condition.is_join(),
        ConditionKind::Null => !is_ordered,
        _ => false,
    });
    let serves = |existing: &&ExistingIndex| {
        (existing.valid || existing.being_built)
            && existing
                .index
                .as_ref()
                .is_some_and(|known| finds(known, index, &fixed))
    };
    context.table.indexes.iter().find(serves)
}

/// Does the known index, after some leading keys that have one value each, have all that the other
/// one has?
fn finds(known: &Index, index: &Index, fixed: &[&Condition]) -> bool {
    let is_fixed = |key: &IndexKey| fixed.iter().any(|condition| condition.key == key.key);
    let leading = known.keys.iter().take_while(|key| is_fixed(key)).count();
    let plain =
        known.method == Method::Btree && index.method == Method::Btree && known.predicate.is_none();
    plain
        && (1..=leading).any(|number| {
            let (settled, rest) = known.keys.split_at(number);
            let settled: Vec<&Key> = settled.iter().map(|key| &key.key).collect();
            let left = |key: &&IndexKey| !settled.contains(&&key.key);
            let behind = Index {
                keys: rest.to_vec(),
                ..known.clone()
            };
            let wanted = Index {
                keys: index.keys.iter().filter(left).cloned().collect(),
                predicate: None,
                ..index.clone()
            };
            let carried = index.include.iter().all(|column| known.carries(column));
            let same_rows = index
                .predicate
                .as_ref()
                .is_none_or(|predicate| follows(predicate, fixed, &settled));
            carried
                && same_rows
                && behind.subsumes(&Index {
                    include: Vec::new(),
                    ..wanted
                })
        })
}

/// Is the predicate nothing but conditions on these keys?
fn follows(predicate: &Expression, fixed: &[&Condition], settled: &[&Key]) -> bool {
    let is_settled = |part: &Expression| {
        fixed
            .iter()
            .any(|condition| condition.expression == *part && settled.contains(&&condition.key))
    };
    predicate.conjuncts().iter().all(is_settled)
}
