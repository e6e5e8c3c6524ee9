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
        Relation::Equivalent => ExistingCause::Equivalent { of },
        Relation::Longer => ExistingCause::Prefix { of },
    };
    Some(ExistingFinding::new(index, cause))
}

/// How a valid index that replaces another one compares with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// Each serves everything that the other one serves: one is read backwards, or they carry the same
    /// columns in another order.
    Equivalent,
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
    let subsuming = others.filter_map(|other| {
        let definition = other.index.as_ref()?;
        definition.subsumes(known).then_some((other, definition))
    });
    let (twins, longer): (Vec<_>, Vec<_>) =
        subsuming.partition(|(_, definition)| known.subsumes(definition));
    // One of each class stays: what enforces something, then what is in use, and the smaller one.
    let rank = |index: &'t ExistingIndex| {
        (
            index.may_be_dropped(),
            std::cmp::Reverse(index.scans),
            index.size,
            &index.name,
        )
    };
    let best = twins.into_iter().min_by_key(|(twin, _)| rank(twin));
    let own = (
        index.may_be_dropped(),
        std::cmp::Reverse(index.scans),
        index.size,
        &index.name,
    );
    if let Some((twin, definition)) = best.filter(|(twin, _)| rank(twin) < own) {
        let relation = if definition == known {
            Relation::Same
        } else {
            Relation::Equivalent
        };
        return Some((twin, relation));
    }
    // Of longer ones, one that stays itself.
    let stays = |other: &&ExistingIndex| replacement(other, table).is_none();
    let mut longer: Vec<&ExistingIndex> = longer.into_iter().map(|(other, _)| other).collect();
    longer.sort_by_key(|other| (!stays(other), rank(other)));
    Some((longer.into_iter().next()?, Relation::Longer))
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
