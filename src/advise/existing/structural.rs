//! What the catalog alone says of an existing index: invalid leftovers, duplicates, prefixes of
//! others.

use super::finding::{ExistingFinding, ExistingKind, Fix};
use crate::catalog::{ExistingIndex, Table};

/// What the catalog alone says.
pub(in crate::advise) fn structural(
    index: &ExistingIndex,
    table: &Table,
) -> Option<ExistingFinding> {
    if !index.valid {
        return invalid(index, table);
    }
    let (other, kind) = does_its_work(index, table)?;
    let detail = match kind {
        ExistingKind::Duplicate => format!("the same as {}", other.name),
        _ => format!("its columns are the first of {}", other.name),
    };
    Some(ExistingFinding::of(index, kind, detail))
}

/// Another valid index that does all that this one, which may be dropped, does.
pub(super) fn does_its_work<'t>(
    index: &ExistingIndex,
    table: &'t Table,
) -> Option<(&'t ExistingIndex, ExistingKind)> {
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
    let twin = twin.map(|twin| (twin, ExistingKind::Duplicate));
    twin.or_else(|| Some((longer.into_iter().next()?, ExistingKind::Redundant)))
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
    let detail = "left behind by a CREATE INDEX CONCURRENTLY that failed: it is kept up to date and never used";
    let is_enforced = table.indexes.iter().any(|other| {
        other.valid
            && other.unique
            && other.name != index.name
            && other.index.is_some()
            && other.index == index.index
    });
    let finding = ExistingFinding::of(index, ExistingKind::Invalid, detail.to_owned());
    if index.unique && !is_enforced {
        let detail = format!(
            "{detail}; it is unique, so it is completed rather than dropped (remove duplicate rows first)"
        );
        return Some(ExistingFinding {
            fix: Fix::Reindex,
            detail,
            ..finding
        });
    }
    Some(finding)
}
