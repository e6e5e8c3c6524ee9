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
    let is_theirs = |table: &SystemTable| table.name == "pg_depend";
    let Some(at) = snapshot.system_tables.iter().position(is_theirs) else {
        return;
    };
    let mut table = snapshot.system_tables.swap_remove(at);
    let objects = objects(snapshot);
    let places = COLUMNS.map(|column| table.position(column));
    table.rows.retain(|row| {
        let value = |place: Option<usize>| row.get(place?)?.as_deref();
        is_known(
            &objects,
            places.map(|place| value(place).unwrap_or_default()),
        )
    });
    snapshot.system_tables.push(table);
    let last = snapshot.system_tables.len() - 1;
    snapshot.system_tables.swap(at, last);
}
