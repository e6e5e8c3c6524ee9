//! Indexes that do the same as another one and enforce something or are partitioned. They are told;
//! where dropping one blocks others, or changes what is declared, it is left to the user.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::finding::Bound;
use super::relation::Relation;
use crate::catalog::{ExistingIndex, Table};
use crate::index::{Index, Key};

/// Another index that does the same and enforces the same, and what keeps this one from being
/// dropped with DROP INDEX CONCURRENTLY. One of each class stays: the one that most relies on.
pub(super) fn repeated<'t>(
    index: &ExistingIndex,
    table: &'t Table,
) -> Option<(&'t ExistingIndex, Relation, Option<Bound>)> {
    if !may_be_told(index) || index.replica_identity {
        return None;
    }
    let others = table.indexes.iter().filter(|other| {
        other.name != index.name && may_be_told(other) && other.partitioned == index.partitioned
    });
    let related = others.filter_map(|other| Some((other, relation(index, other)?)));
    let (longer, same): (Vec<_>, Vec<_>) =
        related.partition(|(_, relation)| *relation == Relation::Longer);
    let first = same.into_iter().min_by_key(|(other, _)| rank(other));
    let first = first.filter(|(other, _)| rank(other) < rank(index));
    let bound = bound(index, table);
    let (other, relation) = match first {
        Some(first) => first,
        // Where something has to be done by hand, it is not worth it for a few columns.
        None => longer
            .into_iter()
            .filter(|_| bound.is_none())
            .min_by_key(|(other, _)| rank(other))?,
    };
    Some((other, relation, bound))
}

fn may_be_told(index: &ExistingIndex) -> bool {
    let is_finished = index.valid && !index.being_built && index.part_of.is_none();
    is_finished && !index.enforcement.exclusion
}

/// What stays comes first.
fn rank(index: &ExistingIndex) -> impl Ord + use<'_> {
    let enforcement = &index.enforcement;
    (
        !index.replica_identity,
        !enforcement.primary_key,
        !enforcement.referenced,
        enforcement.constraint.is_none(),
        !index.unique,
        Reverse(index.scans),
        index.size,
        &index.name,
    )
}

/// Does the other index serve and enforce all that this one does?
fn relation(index: &ExistingIndex, other: &ExistingIndex) -> Option<Relation> {
    let (own, others) = (index.index.as_ref()?, other.index.as_ref()?);
    let enforces = !index.unique
        || (other.unique
            && keys(own) == keys(others)
            && other.nulls_not_distinct() == index.nulls_not_distinct()
            && other.enforcement.deferrable == index.enforcement.deferrable);
    if !enforces || !others.subsumes(own) {
        return None;
    }
    if own == others {
        Some(Relation::Same)
    } else if own.subsumes(others) {
        Some(Relation::Equivalent)
    } else {
        (index.unique && !index.partitioned).then_some(Relation::Longer)
    }
}

/// What is unique together, with the classes that say when two values are equal.
fn keys(index: &Index) -> BTreeSet<(&Key, Option<&str>)> {
    let keys = index.keys.iter();
    keys.map(|key| (&key.key, key.operator_class.as_deref()))
        .collect()
}

/// What keeps it from being dropped without blocking others.
fn bound(index: &ExistingIndex, table: &Table) -> Option<Bound> {
    let enforcement = &index.enforcement;
    if let Some(constraint) = &enforcement.constraint {
        return Some(Bound::Constraint {
            name: constraint.clone(),
            table: table.name.clone(),
            referenced: enforcement.referenced,
        });
    }
    if enforcement.referenced || index.constraint {
        return Some(Bound::Referenced);
    }
    index.partitioned.then(|| Bound::Partitioned {
        table: table.name.clone(),
    })
}
