//! A snapshot with a part of another one: to find out which part of a change changes a plan.
//!
//! Relations, columns and indexes correspond by their names, because the snapshots may be of different
//! databases, in which all OIDs differ.

use std::collections::{BTreeMap, BTreeSet};

use super::Snapshot;
use super::snapshot::{ColumnName, ExtendedStatistic, Oid, Statistic};
use crate::model::QualifiedName;

/// A part of a snapshot that can be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What ANALYZE found, and the ends of indexes.
    Statistics,
    /// The sizes of tables and indexes.
    Size,
    /// Settings of the planner.
    Settings,
}

/// Columns of `pg_class` that say how large a relation is.
const MEASURES: &[&str] = &["relpages", "reltuples", "relallvisible", "relallfrozen"];

/// `own` with these parts of `other`, as far as both have the relation or column.
pub fn exchanged(own: &Snapshot, other: &Snapshot, parts: &[Part]) -> Snapshot {
    let mut snapshot = own.clone();
    for part in parts {
        match part {
            Part::Settings => {
                snapshot.settings.clone_from(&other.settings);
                snapshot
                    .application_settings
                    .clone_from(&other.application_settings);
            }
            Part::Size => sizes(&mut snapshot, other),
            Part::Statistics => statistics(&mut snapshot, other),
        }
    }
    snapshot
}

/// The relations with files, by name.
fn by_name(snapshot: &Snapshot) -> BTreeMap<&QualifiedName, Oid> {
    let files = snapshot.files.iter();
    files.map(|file| (&file.name, file.oid)).collect()
}

fn sizes(snapshot: &mut Snapshot, other: &Snapshot) {
    let others: BTreeMap<&QualifiedName, _> =
        other.files.iter().map(|file| (&file.name, file)).collect();
    let mut corresponding: BTreeMap<String, String> = BTreeMap::new();
    for file in &mut snapshot.files {
        let same = others
            .get(&file.name)
            .filter(|same| same.kind == file.kind && same.method == file.method);
        if let Some(same) = same {
            corresponding.insert(file.oid.to_string(), same.oid.to_string());
            file.blocks = same.blocks;
            file.metapage.clone_from(&same.metapage);
        }
    }
    let (Some(classes), Some(own)) = (
        other.system_table("pg_class"),
        snapshot
            .system_tables
            .iter_mut()
            .find(|table| table.name == "pg_class"),
    ) else {
        return;
    };
    let (Some(other_oid), Some(own_oid)) = (classes.position("oid"), own.position("oid")) else {
        return;
    };
    let columns: Vec<(usize, usize)> = MEASURES
        .iter()
        .filter_map(|name| Some((own.position(name)?, classes.position(name)?)))
        .collect();
    let rows: BTreeMap<&str, &Vec<Option<String>>> = classes
        .rows
        .iter()
        .filter_map(|row| Some((row.get(other_oid)?.as_deref()?, row)))
        .collect();
    for row in &mut own.rows {
        let oid = row.get(own_oid).cloned().flatten().unwrap_or_default();
        let Some(same) = corresponding
            .get(&oid)
            .and_then(|oid| rows.get(oid.as_str()))
        else {
            continue;
        };
        for (to, from) in &columns {
            if let (Some(value), Some(new)) = (row.get_mut(*to), same.get(*from)) {
                value.clone_from(new);
            }
        }
    }
}

fn statistics(snapshot: &mut Snapshot, other: &Snapshot) {
    let own = snapshot.columns();
    let others = other.columns();
    let place: BTreeMap<&ColumnName, (Oid, i16)> =
        own.iter().map(|(place, key)| (key, *place)).collect();
    let there: BTreeSet<&ColumnName> = others.values().collect();
    let is_shared = |relation: Oid, attribute: i16| {
        let key = own.get(&(relation, attribute));
        key.is_some_and(|key| there.contains(key))
    };
    // Types of users have other OIDs in another database: their statistics stay.
    let is_built_in = |statistic: &Statistic| {
        let values = statistic
            .slots
            .iter()
            .filter_map(|slot| slot.values.as_ref());
        values
            .into_iter()
            .all(|values| values.element_type < FIRST_USER_OID)
    };
    let foreign = other.statistics.iter().filter_map(|statistic| {
        let key = others.get(&(statistic.relation, statistic.attribute))?;
        let (relation, attribute) = *place.get(key)?;
        Some(Statistic {
            relation,
            attribute,
            ..statistic.clone()
        })
    });
    let same_database = by_name(snapshot)
        .iter()
        .all(|(name, oid)| by_name(other).get(name).is_none_or(|there| there == oid));
    let foreign: Vec<Statistic> = foreign
        .filter(|statistic| same_database || is_built_in(statistic))
        .collect();
    snapshot.statistics.retain(|statistic| {
        !is_shared(statistic.relation, statistic.attribute)
            || !same_database && !is_built_in(statistic)
    });
    let known: BTreeSet<(Oid, i16, bool)> = snapshot
        .statistics
        .iter()
        .map(|one| (one.relation, one.attribute, one.inherited))
        .collect();
    snapshot.statistics.extend(
        foreign
            .into_iter()
            .filter(|one| !known.contains(&(one.relation, one.attribute, one.inherited))),
    );
    extremes(snapshot, other, &own, &others);
    if same_database {
        extended(snapshot, other);
    }
}

/// The smallest and the largest value of each column that both have: the other's.
fn extremes(
    snapshot: &mut Snapshot,
    other: &Snapshot,
    own: &BTreeMap<(Oid, i16), ColumnName>,
    others: &BTreeMap<(Oid, i16), ColumnName>,
) {
    for extremes in &mut snapshot.extremes {
        let key = own.get(&(extremes.relation, extremes.attribute));
        let same = other
            .extremes
            .iter()
            .find(|same| key.is_some() && others.get(&(same.relation, same.attribute)) == key);
        if let Some(same) = same {
            extremes.smallest.clone_from(&same.smallest);
            extremes.largest.clone_from(&same.largest);
        }
    }
}

/// Data of extended statistics that both have: the other's, or none where it has none. Those that only
/// one has are a matter of the schema.
fn extended(snapshot: &mut Snapshot, other: &Snapshot) {
    let objects = |snapshot: &Snapshot| -> BTreeSet<Oid> {
        let rows = snapshot.rows_of("pg_statistic_ext", ["oid"]).into_iter();
        rows.filter_map(|[oid]| oid.parse().ok()).collect()
    };
    let (own, others) = (objects(snapshot), objects(other));
    let is_shared = |one: &ExtendedStatistic| own.contains(&one.oid) && others.contains(&one.oid);
    let data = &mut snapshot.extended_statistics;
    data.retain(|one| !is_shared(one));
    data.extend(
        other
            .extended_statistics
            .iter()
            .filter(|one| is_shared(one))
            .cloned(),
    );
}

/// The first OID that is no object of PostgreSQL's own (`FirstNormalObjectId`,
/// src/include/access/transam.h).
const FIRST_USER_OID: Oid = 16384;
