//! Which objects a DROP or a change of type reaches (`pg_depend`): indexes, constraints and defaults
//! of a column, views on it, the types of a table. Without them the twin would allow what the server
//! refuses, and would leave behind what the server drops.
//! (<https://www.postgresql.org/docs/current/catalog-pg-depend.html>)

use std::collections::{BTreeMap, BTreeSet};

use super::Snapshot;
use super::snapshot::SystemTable;

/// The catalogs whose objects depend on each other, with the OIDs that the catalogs themselves have
/// in every release (src/include/catalog). What belongs to an extension is not among them: a
/// migration does not drop it.
pub const CATALOGS: &[(&str, &str)] = &[
    ("1247", "pg_type"),
    ("1255", "pg_proc"),
    ("1259", "pg_class"),
    ("2604", "pg_attrdef"),
    ("2606", "pg_constraint"),
    ("2615", "pg_namespace"),
    ("2618", "pg_rewrite"),
    ("2620", "pg_trigger"),
    ("3256", "pg_policy"),
    ("3381", "pg_statistic_ext"),
];

/// Normal, automatic and internal dependencies, and those of a part of a partitioned table.
const KINDS: &[&str] = &["n", "a", "i", "P", "S"];

/// The objects of a snapshot, by catalog.
type Objects<'s> = BTreeMap<&'static str, BTreeSet<&'s str>>;

fn objects(snapshot: &Snapshot) -> Objects<'_> {
    CATALOGS
        .iter()
        .map(|(class, catalog)| {
            let rows = snapshot.rows_of(catalog, ["oid"]);
            (*class, rows.into_iter().map(|[oid]| oid).collect())
        })
        .collect()
}

/// Is the dependency between two different objects of the snapshot?
fn is_known(objects: &Objects<'_>, [class, object, other_class, other, kind]: [&str; 5]) -> bool {
    let has = |class: &str, object: &str| objects.get(class).is_some_and(|of| of.contains(object));
    has(class, object) && has(other_class, other) && KINDS.contains(&kind)
}

const COLUMNS: [&str; 5] = ["classid", "objid", "refclassid", "refobjid", "deptype"];

/// The first dependency of something that is not copied.
pub(super) fn unknown(snapshot: &Snapshot) -> Option<String> {
    let objects = objects(snapshot);
    let rows = snapshot.rows_of("pg_depend", COLUMNS);
    let count = snapshot
        .system_table("pg_depend")
        .map_or(0, |table| table.rows.len());
    if rows.len() != count {
        return Some("a row of pg_depend is not complete".to_owned());
    }
    let unknown = rows.into_iter().find(|row| !is_known(&objects, *row))?;
    let [class, object, other_class, other, kind] = unknown.map(|text| format!("{text:?}"));
    Some(format!(
        "pg_depend has a dependency ({kind}) of {object} in {class} on {other} in {other_class}, which are not both of it"
    ))
}

/// Forgets the dependencies of what is not copied.
pub fn forget_unknown(snapshot: &mut Snapshot) {
    let objects = objects(snapshot);
    let Some(table) = snapshot.system_table("pg_depend") else {
        return;
    };
    let Some(places) = places(table) else {
        return;
    };
    let is_kept = |row: &[Option<String>]| {
        let mut values = [""; 5];
        for (value, place) in values.iter_mut().zip(places) {
            *value = row
                .get(place)
                .and_then(Option::as_deref)
                .unwrap_or_default();
        }
        is_known(&objects, values)
    };
    let kept: Vec<Vec<Option<String>>> = table
        .rows
        .iter()
        .filter(|row| is_kept(row))
        .cloned()
        .collect();
    let tables = &mut snapshot.system_tables;
    if let Some(table) = tables.iter_mut().find(|table| table.name == "pg_depend") {
        table.rows = kept;
    }
}

fn places(table: &SystemTable) -> Option<[usize; 5]> {
    let mut places = [0; 5];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = table.position(column)?;
    }
    Some(places)
}
