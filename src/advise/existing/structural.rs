//! What the catalog alone says of an existing index: unfinished ones, duplicates, prefixes of others.

use super::finding::{ExistingCause, ExistingFinding, LeftBy};
use super::relation::Relation;
use super::repeated::repeated;
use crate::catalog::{ExistingIndex, Table};

/// What the catalog alone says.
pub(in crate::advise) fn structural(
    index: &ExistingIndex,
    table: &Table,
) -> Option<ExistingFinding> {
    if !index.valid {
        return unfinished(index, table);
    }
    let (other, relation, bound) = match replacement(index, table) {
        Some((other, relation)) => (other, relation, None),
        None => repeated(index, table)?,
    };
    let of = other.name.clone();
    let cause = match relation {
        Relation::Same => ExistingCause::Duplicate { of },
        Relation::Equivalent => ExistingCause::Equivalent { of },
        Relation::Longer => ExistingCause::Prefix { of },
    };
    Some(ExistingFinding {
        bound,
        ..ExistingFinding::new(index, cause)
    })
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

/// A failed CREATE INDEX CONCURRENTLY leaves an index that is never used; so does a failed REINDEX,
/// beside the good one: `…_ccnew` where it could not be built, `…_ccold` where the old one could not
/// be dropped. A unique one may go on refusing duplicates: it is completed, unless a valid one does
/// the same, or it is the new version of another one, which is rebuilt again (<https://www.postgresql.org/docs/current/sql-createindex.html>, "Building Indexes
/// Concurrently"; <https://www.postgresql.org/docs/current/sql-reindex.html>, "Rebuilding Indexes
/// Concurrently").
fn unfinished(index: &ExistingIndex, table: &Table) -> Option<ExistingFinding> {
    if index.being_built {
        return Some(ExistingFinding::new(index, ExistingCause::BeingBuilt));
    }
    let bound = index.partitioned || index.part_of.is_some() || index.constraint;
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
    let left_by = left_by(index, table);
    let is_version = matches!(left_by, LeftBy::Rebuild(_));
    let cause = ExistingCause::Invalid {
        enforces: index.unique && !is_enforced && !is_version,
        left_by,
        stage: index.stage,
    };
    Some(ExistingFinding::new(index, cause))
}

/// The longest name of an object, and the longest character in UTF-8, in bytes: a name that is cut is
/// not shorter than their difference.
const LONGEST_NAME: usize = 63;
const LONGEST_CHARACTER: usize = 4;

/// What left it behind; the suffix counts only where the index that it belongs to is there and does
/// the same.
fn left_by(index: &ExistingIndex, table: &Table) -> LeftBy {
    let name = index
        .name
        .name
        .trim_end_matches(|c: char| c.is_ascii_digit());
    let is_cut = index.name.name.len() > LONGEST_NAME - LONGEST_CHARACTER;
    let rebuilt = |stem: &str| {
        let does_the_same = |other: &&ExistingIndex| {
            other.name != index.name
                && other.unique == index.unique
                && other.index.is_some()
                && other.index == index.index
        };
        let same: Vec<_> = table.indexes.iter().filter(does_the_same).collect();
        // A long name is cut before the suffix (ChooseRelationName, src/backend/commands/indexcmds.c).
        let named = same
            .iter()
            .find(|other| other.name.name == stem)
            .or_else(|| {
                same.iter()
                    .find(|other| is_cut && other.name.name.starts_with(stem))
            });
        named.map(|other| other.name.clone())
    };
    let new = name.strip_suffix("_ccnew").and_then(rebuilt);
    let old = || name.strip_suffix("_ccold").and_then(rebuilt);
    match new
        .map(LeftBy::Rebuild)
        .or_else(|| old().map(LeftBy::Replaced))
    {
        Some(left_by) => left_by,
        None => LeftBy::Build,
    }
}
