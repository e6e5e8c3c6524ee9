//! Data in a schema: constants, which are kept, and defaults and function bodies, which are not.

use std::collections::BTreeSet;

use super::RedactionReport;
use super::constants;
use super::kinds::{ValueKind, ValueKinds};
use crate::twin::Snapshot;
use crate::twin::snapshot::SystemTable;

/// `internal`, `C` and `SQL` (src/include/catalog/pg_language.dat): names of functions, and bodies
/// that the planner inlines.
const LANGUAGES_KEPT: [&str; 3] = ["12", "13", "14"];
const SQL_LANGUAGE: &str = "14";

/// All constants of stored expressions and of functions in SQL.
pub(super) fn constants(snapshot: &Snapshot) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // Defaults with constants are dropped.
    for table in snapshot
        .system_tables
        .iter()
        .filter(|table| table.name != "pg_attrdef")
    {
        let trees = table
            .rows
            .iter()
            .flatten()
            .flatten()
            .filter(|value| value.contains("{CONST "));
        found.extend(
            trees
                .flat_map(|tree| constants::constants(tree))
                .map(|(_, value)| value),
        );
    }
    for [language, body] in snapshot.rows_of("pg_proc", ["prolang", "prosrc"]) {
        if language == SQL_LANGUAGE {
            found.extend(crate::sql::literals(body).unwrap_or_default());
        }
    }
    found
}

/// Drops bodies of functions and defaults with constants, and reports what was dropped and kept.
pub(super) fn redact(
    snapshot: &mut Snapshot,
    kinds: &ValueKinds<'_>,
    report: &mut RedactionReport,
) {
    let (bodies, sql_bodies) = empty_bodies(snapshot);
    if bodies > 0 {
        report.dropped.push(format!(
            "the bodies of {bodies} functions (a statement that calls one with constants cannot be planned)"
        ));
    }
    if sql_bodies > 0 {
        report.kept.push(format!(
            "the bodies of {sql_bodies} functions in SQL, which the planner inlines"
        ));
    }
    let defaults = drop_defaults(snapshot, kinds);
    if defaults > 0 {
        crate::twin::dependencies::forget_unknown(snapshot);
        report.dropped.push(format!(
            "{defaults} defaults of columns that hold constants"
        ));
    }
    report.kept.push(
        "names, types, enum values, and the constants of predicates, CHECK constraints, partitions, policies and views"
            .to_owned(),
    );
}

fn empty_bodies(snapshot: &mut Snapshot) -> (usize, usize) {
    let mut counts = (0, 0);
    let Some(functions) = snapshot
        .system_tables
        .iter_mut()
        .find(|table| table.name == "pg_proc")
    else {
        return counts;
    };
    let (Some(language), Some(body)) =
        (functions.position("prolang"), functions.position("prosrc"))
    else {
        return counts;
    };
    for row in &mut functions.rows {
        let language = row
            .get(language)
            .and_then(Option::as_deref)
            .unwrap_or_default();
        counts.1 += usize::from(language == SQL_LANGUAGE);
        let can_go = !LANGUAGES_KEPT.contains(&language);
        if let Some(body) = row.get_mut(body).filter(|_| can_go) {
            *body = Some(String::new());
            counts.0 += 1;
        }
    }
    counts
}

/// Defaults that contain a value as a table might; the generation expressions of columns stay.
fn drop_defaults(snapshot: &mut Snapshot, kinds: &ValueKinds<'_>) -> usize {
    let is_data = |tree: &str| {
        let mut constants = constants::constants(tree).into_iter();
        constants.any(|(type_oid, _)| {
            !matches!(
                kinds.kind(type_oid, 0),
                ValueKind::NotSensitive | ValueKind::Unknown
            )
        })
    };
    let generated: BTreeSet<(String, String)> = snapshot
        .rows_of("pg_attribute", ["attrelid", "attnum", "attgenerated"])
        .into_iter()
        .filter(|[_, _, generated]| !generated.is_empty())
        .map(|[table, column, _]| (table.to_owned(), column.to_owned()))
        .collect();
    let dropped: BTreeSet<(String, String)> = snapshot
        .rows_of("pg_attrdef", ["adrelid", "adnum", "adbin"])
        .into_iter()
        .filter(|[_, _, tree]| is_data(tree))
        .map(|[table, column, _]| (table.to_owned(), column.to_owned()))
        .filter(|column| !generated.contains(column))
        .collect();
    for table in &mut snapshot.system_tables {
        let place = |table: &SystemTable, relation: &str, column: &str| {
            Some((table.position(relation)?, table.position(column)?))
        };
        let is_dropped = |row: &[Option<String>], (relation, column): (usize, usize)| {
            let value = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
            dropped.contains(&(value(relation), value(column)))
        };
        match table.name.as_str() {
            "pg_attrdef" => {
                if let Some(place) = place(table, "adrelid", "adnum") {
                    table.rows.retain(|row| !is_dropped(row, place));
                }
            }
            "pg_attribute" => {
                let (Some(place), Some(flag)) = (
                    place(table, "attrelid", "attnum"),
                    table.position("atthasdef"),
                ) else {
                    continue;
                };
                for row in table.rows.iter_mut().filter(|row| is_dropped(row, place)) {
                    if let Some(flag) = row.get_mut(flag) {
                        *flag = Some("false".to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    dropped.len()
}
