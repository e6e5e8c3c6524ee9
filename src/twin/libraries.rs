//! The libraries of functions, and the tables that need them.

use std::collections::{BTreeMap, BTreeSet};

use super::snapshot::{Snapshot, SystemTable};
use crate::model::QualifiedName;

/// Each library (`pg_proc.probin`) with its functions' OIDs.
pub fn libraries(snapshot: &Snapshot) -> BTreeMap<String, BTreeSet<String>> {
    let mut libraries: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (function, library) in pairs(snapshot, "pg_proc", "oid", "probin") {
        libraries
            .entry(library.to_owned())
            .or_default()
            .insert(function.to_owned());
    }
    libraries
}

/// The tables and materialized views that need one of these functions, for a column's type or an
/// index's operator class.
pub fn tables_with(snapshot: &Snapshot, functions: &BTreeSet<String>) -> BTreeSet<QualifiedName> {
    let among = |catalog: &str, column: &str, function: &str| -> BTreeSet<&str> {
        pairs(snapshot, catalog, column, function)
            .filter(|(_, oid)| functions.contains(*oid))
            .map(|(oid, _)| oid)
            .collect()
    };
    let mut types = among("pg_type", "oid", "typinput");
    for column in ["typelem", "typbasetype"] {
        let made_of: Vec<&str> = pairs(snapshot, "pg_type", "oid", column)
            .filter(|(_, of)| types.contains(of))
            .map(|(oid, _)| oid)
            .collect();
        types.extend(made_of);
    }
    let families = among("pg_amproc", "amprocfamily", "amproc");
    let methods = among("pg_am", "oid", "amhandler");
    let classes: BTreeSet<&str> = pairs(snapshot, "pg_opclass", "oid", "opcfamily")
        .filter(|(_, family)| families.contains(family))
        .map(|(class, _)| class)
        .collect();
    let mut relations: BTreeSet<&str> = pairs(snapshot, "pg_attribute", "attrelid", "atttypid")
        .filter(|(_, type_oid)| types.contains(type_oid))
        .map(|(relation, _)| relation)
        .collect();
    relations.extend(
        pairs(snapshot, "pg_class", "oid", "relam")
            .filter(|(_, method)| methods.contains(method))
            .map(|(oid, _)| oid),
    );
    let of_index = |(table, of_columns): &(&str, &str)| {
        of_columns
            .split(' ')
            .any(|class| classes.contains(class))
            .then(|| (*table).to_owned())
    };
    let indexed: BTreeSet<String> = pairs(snapshot, "pg_index", "indrelid", "indclass")
        .filter_map(|pair| of_index(&pair))
        .collect();
    let tables = snapshot.files.iter().filter(|file| file.kind != "i");
    let concerned = tables.filter(|file| {
        let oid = file.oid.to_string();
        relations.contains(oid.as_str()) || indexed.contains(&oid)
    });
    let mut concerned: BTreeSet<_> = concerned.map(|file| file.name.clone()).collect();
    concerned.extend(foreign_tables_with(snapshot, functions));
    concerned
}

/// The foreign tables whose wrapper's handler is one of these functions.
fn foreign_tables_with(
    snapshot: &Snapshot,
    functions: &BTreeSet<String>,
) -> BTreeSet<QualifiedName> {
    let of = |catalog, column, among: &BTreeSet<&str>| -> BTreeSet<&str> {
        let key = if catalog == "pg_foreign_table" {
            "ftrelid"
        } else {
            "oid"
        };
        pairs(snapshot, catalog, key, column)
            .filter(|(_, value)| among.contains(value))
            .map(|(key, _)| key)
            .collect()
    };
    let functions = functions.iter().map(String::as_str).collect();
    let wrappers = of("pg_foreign_data_wrapper", "fdwhandler", &functions);
    let servers = of("pg_foreign_server", "srvfdw", &wrappers);
    let tables = of("pg_foreign_table", "ftserver", &servers);
    let names = super::checks::names(snapshot);
    names
        .into_iter()
        .filter(|(oid, _)| tables.contains(oid.to_string().as_str()))
        .map(|(_, (_, name))| name)
        .collect()
}

/// Two columns of a catalog, of rows where both have a value.
fn pairs<'s>(
    snapshot: &'s Snapshot,
    catalog: &str,
    one: &str,
    other: &str,
) -> impl Iterator<Item = (&'s str, &'s str)> {
    let columns = snapshot
        .system_table(catalog)
        .map(|table| (column(table, one), column(table, other)));
    let (ones, others) = columns.unwrap_or_default();
    ones.into_iter()
        .zip(others)
        .filter_map(|(one, other)| Some((one?, other?)))
}

fn column<'s>(table: &'s SystemTable, name: &str) -> Vec<Option<&'s str>> {
    table.column(name)
}
