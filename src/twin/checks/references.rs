//! What rows refer to: everything that hangs on a relation hangs on a relation of the snapshot, and
//! never on a catalog of the twin.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{FIRST_USER_OID, PG_CATALOG, SnapshotFault, fault, number, quoted};
use crate::model::QualifiedName;
use crate::twin::snapshot::{Oid, Snapshot};

/// A column that names a relation of the snapshot.
const RELATIONS: &[(&str, &str)] = &[
    ("pg_attribute", "attrelid"),
    ("pg_attrdef", "adrelid"),
    ("pg_index", "indexrelid"),
    ("pg_index", "indrelid"),
    ("pg_inherits", "inhrelid"),
    ("pg_inherits", "inhparent"),
    ("pg_partitioned_table", "partrelid"),
    ("pg_rewrite", "ev_class"),
    ("pg_policy", "polrelid"),
    ("pg_trigger", "tgrelid"),
    ("pg_statistic_ext", "stxrelid"),
    ("pg_sequence", "seqrelid"),
    ("pg_foreign_table", "ftrelid"),
];

/// The same, or 0.
const RELATIONS_IF_ANY: &[(&str, &str)] = &[
    ("pg_constraint", "conrelid"),
    ("pg_constraint", "confrelid"),
    ("pg_type", "typrelid"),
];

/// Kinds of relations that are copied, by `relkind`.
const KINDS: &[&str] = &["r", "p", "v", "m", "S", "i", "I", "c", "f"];

/// Lists with an entry for each column, and the number of columns.
const LISTS: &[(&str, &str, &str)] = &[
    ("pg_index", "indkey", "indnatts"),
    ("pg_index", "indclass", "indnkeyatts"),
    ("pg_index", "indcollation", "indnkeyatts"),
    ("pg_index", "indoption", "indnkeyatts"),
    ("pg_partitioned_table", "partattrs", "partnatts"),
    ("pg_partitioned_table", "partclass", "partnatts"),
    ("pg_partitioned_table", "partcollation", "partnatts"),
];

/// Btree and hash: their default operator classes decide how values are compared.
const COMPARING_METHODS: &[&str] = &["403", "405"];

pub(super) fn check(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    check_schemas(snapshot)?;
    check_relations(snapshot)?;
    let relations: BTreeSet<Oid> = names(snapshot).into_keys().collect();
    for (catalog, column) in RELATIONS {
        for [text] in snapshot.rows_of(catalog, [column]) {
            if !number(text).is_some_and(|oid| relations.contains(&oid)) {
                return no_relation(catalog, column, text);
            }
        }
    }
    for (catalog, column) in RELATIONS_IF_ANY {
        for [text] in snapshot.rows_of(catalog, [column]) {
            if text != "0" && !number(text).is_some_and(|oid| relations.contains(&oid)) {
                return no_relation(catalog, column, text);
            }
        }
    }
    for (catalog, list, length) in LISTS {
        for [list_text, length_text] in snapshot.rows_of(catalog, [list, length]) {
            let count = list_text.split_ascii_whitespace().count();
            if length_text.parse() != Ok(count) {
                return fault(format!("{list} of a row of {catalog} has {count} entries"));
            }
        }
    }
    check_objects(snapshot)
}

fn no_relation(catalog: &str, column: &str, text: &str) -> Result<(), SnapshotFault> {
    fault(format!(
        "{column} {} of {catalog} is not a relation of it",
        quoted(text)
    ))
}

/// Names that begin with `pg_` are the server's.
fn check_schemas(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    for [name] in snapshot.rows_of("pg_namespace", ["nspname"]) {
        if name.starts_with("pg_") || name == "information_schema" {
            return fault(format!("the schema {} is the server's own", quoted(name)));
        }
    }
    Ok(())
}

fn check_relations(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    let rows = snapshot.rows_of("pg_class", ["oid", "relname", "relnamespace", "relkind"]);
    let count = snapshot
        .system_table("pg_class")
        .map_or(0, |table| table.rows.len());
    if rows.len() != count {
        return fault("a row of pg_class is not complete");
    }
    let schemas = snapshot.rows_of("pg_namespace", ["oid"]);
    let schemas: BTreeSet<&str> = schemas.into_iter().map(|[oid]| oid).collect();
    for [_, name, schema, kind] in rows {
        let is_type_or_view = matches!(kind, "c" | "v") && number(schema).is_some();
        if !KINDS.contains(&kind) || !(schemas.contains(schema) || is_type_or_view) {
            return fault(format!(
                "the kind or the schema of the relation {} is invalid",
                quoted(name)
            ));
        }
    }
    Ok(())
}

/// Objects that hang on other objects: dependencies, triggers, operator classes.
fn check_objects(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    if let Some(unknown) = crate::twin::dependencies::unknown(snapshot) {
        return fault(unknown);
    }
    let names = names(snapshot);
    for [relation] in snapshot.rows_of("pg_trigger", ["tgrelid"]) {
        let kind = number(relation).and_then(|oid| names.get(&oid));
        if kind.is_none_or(|(kind, _)| *kind != "v") {
            return fault("a trigger is not on a view");
        }
    }
    let classes = snapshot.rows_of("pg_opclass", ["opcmethod", "opcdefault", "opcintype"]);
    for [method, is_default, input] in classes {
        let is_built_in = number(input).is_none_or(|oid| oid < FIRST_USER_OID);
        let is_default = matches!(is_default, "t" | "true");
        if is_default && is_built_in && COMPARING_METHODS.contains(&method) {
            return fault("a built-in type has another operator class by default");
        }
    }
    for [oid] in snapshot.rows_of("pg_enum", ["enumtypid"]) {
        if number(oid).is_none_or(|oid| oid < FIRST_USER_OID) {
            return fault(format!("the enum {} is built in", quoted(oid)));
        }
    }
    Ok(())
}

/// The relations of the snapshot: their kinds and names.
pub fn names<'s>(snapshot: &'s Snapshot) -> BTreeMap<Oid, (&'s str, QualifiedName)> {
    let schemas = snapshot.rows_of("pg_namespace", ["oid", "nspname"]);
    let schemas: BTreeMap<&str, &str> =
        schemas.into_iter().map(|[oid, name]| (oid, name)).collect();
    let rows = snapshot.rows_of("pg_class", ["oid", "relname", "relnamespace", "relkind"]);
    let relation = |[oid, name, schema, kind]: [&'s str; 4]| {
        let schema = schemas.get(schema).copied().unwrap_or(PG_CATALOG);
        Some((number(oid)?, (kind, QualifiedName::new(schema, name))))
    };
    rows.into_iter().filter_map(relation).collect()
}
