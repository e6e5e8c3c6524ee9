//! What the catalog alone says of an existing index: invalid leftovers, duplicates, prefixes of
//! others.

use super::finding::{ExistingCause, ExistingFinding};
use crate::catalog::{ExistingIndex, Table};

/// What the catalog alone says.
pub(in crate::advise) fn structural(
    index: &ExistingIndex,
    table: &Table,
) -> Option<ExistingFinding> {
    if !index.valid {
        return invalid(index, table);
    }
    let (other, relation) = replacement(index, table)?;
    let of = other.name.clone();
    let cause = match relation {
        Relation::Same => ExistingCause::Duplicate { of },
        Relation::Longer => ExistingCause::Prefix { of, worst: None },
    };
    Some(ExistingFinding::new(index, cause))
}

/// How a valid index that replaces another one compares with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    Longer,
}

/// Another valid index that serves everything that this one, which may be dropped, serves.
pub(super) fn replacement<'t>(
    index: &ExistingIndex,
    table: &'t Table,
) -> Option<(&'t ExistingIndex, Relation)> {
    let known = index
        .index
        .as_ref()
        .filter(|_| index.valid && index.may_be_dropped())?;
    let others = table
        .indexes
        .iter()
        .filter(|other| other.valid && other.name != index.name);
    let (twins, longer): (Vec<_>, Vec<_>) = others
        .filter(|other| {
            other
                .index
                .as_ref()
                .is_some_and(|other| other.subsumes(known))
        })
        .partition(|other| other.index.as_ref() == Some(known));
    // Of two equal ones, the one that enforces something or comes first by name stays.
    let twin = twins
        .into_iter()
        .find(|twin| !twin.may_be_dropped() || twin.name < index.name);
    let twin = twin.map(|twin| (twin, Relation::Same));
    twin.or_else(|| Some((longer.into_iter().next()?, Relation::Longer)))
}

/// A failed CREATE INDEX CONCURRENTLY leaves an index that is kept up to date and never used; so
/// does a failed REINDEX, beside the good one. A unique one goes on refusing duplicates all the
/// same: it is completed, unless a valid one does the same
/// (<https://www.postgresql.org/docs/current/sql-createindex.html>, "Building Indexes
/// Concurrently").
fn invalid(index: &ExistingIndex, table: &Table) -> Option<ExistingFinding> {
    let bound =
        index.being_built || index.partitioned || index.part_of.is_some() || index.constraint;
    if bound || index.replica_identity {
        return None;
    }
    let is_enforced = table.indexes.iter().any(|other| {
        other.valid
            && other.unique
            && other.name != index.name
            && other.index.is_some()
            && other.index == index.index
    });
    let enforces = index.unique && !is_enforced;
    Some(ExistingFinding::new(
        index,
        ExistingCause::Invalid { enforces },
    ))
}
