//! Which system catalogs have rows in a snapshot, and which OIDs these rows may have.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::fault::{
    FIRST_INITDB_OID, FIRST_USER_OID, LAST_OID, PG_CATALOG, PG_DEFAULT, PUBLIC, SnapshotFault,
    fault, number, quoted,
};
use crate::twin::snapshot::{Oid, Snapshot, SystemTable};

/// A catalog, the column that identifies its rows' object, the first OID that it may have, and one
/// more OID.
struct Catalog {
    name: &'static str,
    oid: &'static str,
    first: Oid,
    also: Option<Oid>,
}

const fn user(name: &'static str, oid: &'static str) -> Catalog {
    Catalog {
        name,
        oid,
        first: FIRST_USER_OID,
        also: None,
    }
}

/// initdb assigns the OIDs of some rows.
const fn initdb(name: &'static str, oid: &'static str) -> Catalog {
    Catalog {
        first: FIRST_INITDB_OID,
        ..user(name, oid)
    }
}

const CATALOGS: &[Catalog] = &[
    Catalog {
        also: Some(PG_DEFAULT),
        ..user("pg_tablespace", "oid")
    },
    Catalog {
        also: Some(PUBLIC),
        ..user("pg_namespace", "oid")
    },
    initdb("pg_collation", "oid"),
    initdb("pg_language", "oid"),
    initdb("pg_proc", "oid"),
    user("pg_aggregate", "aggfnoid"),
    user("pg_type", "oid"),
    user("pg_enum", "oid"),
    user("pg_range", "rngtypid"),
    user("pg_am", "oid"),
    user("pg_operator", "oid"),
    user("pg_opfamily", "oid"),
    user("pg_opclass", "oid"),
    user("pg_amop", "oid"),
    user("pg_amproc", "oid"),
    user("pg_cast", "oid"),
    initdb("pg_ts_parser", "oid"),
    initdb("pg_ts_template", "oid"),
    initdb("pg_ts_dict", "oid"),
    initdb("pg_ts_config", "oid"),
    initdb("pg_ts_config_map", "mapcfg"),
    initdb("pg_extension", "oid"),
    user("pg_class", "oid"),
    user("pg_attribute", "attrelid"),
    user("pg_attrdef", "oid"),
    user("pg_index", "indexrelid"),
    user("pg_constraint", "oid"),
    user("pg_inherits", "inhrelid"),
    user("pg_partitioned_table", "partrelid"),
    user("pg_rewrite", "oid"),
    user("pg_trigger", "oid"),
    user("pg_policy", "oid"),
    user("pg_statistic_ext", "oid"),
    user("pg_sequence", "seqrelid"),
    user("pg_foreign_data_wrapper", "oid"),
    user("pg_foreign_server", "oid"),
    user("pg_foreign_table", "ftrelid"),
    user("pg_depend", "objid"),
];

pub(super) fn check(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    let mut seen = BTreeSet::new();
    for table in &snapshot.system_tables {
        let Some(catalog) = CATALOGS.iter().find(|catalog| catalog.name == table.name) else {
            return fault(format!(
                "it has rows of {}, which is not copied",
                quoted(&table.name)
            ));
        };
        if !seen.insert(catalog.name) {
            return fault(format!("{} is there twice", catalog.name));
        }
        check_shape(table)?;
        check_oids(table, catalog)?;
    }
    Ok(())
}

/// Every row has a value for each column.
fn check_shape(table: &SystemTable) -> Result<(), SnapshotFault> {
    let is_name = |name: &String| {
        let mut bytes = name.bytes();
        !name.is_empty()
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let names: BTreeSet<&String> = table.columns.iter().collect();
    if !table.columns.iter().all(is_name) || names.len() != table.columns.len() {
        return fault(format!("the columns of {} are invalid", table.name));
    }
    if table
        .rows
        .iter()
        .any(|row| row.len() != table.columns.len())
    {
        return fault(format!(
            "a row of {} has more or fewer values than columns",
            table.name
        ));
    }
    let has_nul = |value: &Option<String>| value.as_ref().is_some_and(|text| text.contains('\0'));
    if table.rows.iter().flatten().any(has_nul) {
        return fault(format!("a row of {} has a NUL", table.name));
    }
    Ok(())
}

/// No row replaces one of PostgreSQL's own.
fn check_oids(table: &SystemTable, catalog: &Catalog) -> Result<(), SnapshotFault> {
    if table.rows.is_empty() {
        return Ok(());
    }
    let allowed = |oid: Oid| {
        (catalog.first..LAST_OID).contains(&oid) || catalog.also.is_some_and(|also| also == oid)
    };
    let oids = table.column(catalog.oid);
    if oids.len() != table.rows.len() {
        return fault(format!(
            "the rows of {} have no {}",
            table.name, catalog.oid
        ));
    }
    let mut seen = BTreeSet::new();
    for text in oids {
        let oid = text.and_then(number).filter(|oid| allowed(*oid));
        let is_new = |oid: Oid| catalog.oid != "oid" || seen.insert(oid);
        if !oid.is_some_and(is_new) {
            return fault(format!(
                "{} {} of {} is invalid",
                catalog.oid,
                quoted(text.unwrap_or("NULL")),
                table.name
            ));
        }
    }
    Ok(())
}

/// `$libdir/postgis-3`
fn is_library_of_the_server(library: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
    library.strip_prefix("$libdir/").is_some_and(|name| {
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_plain)
    })
}

/// Without functions of a library that is not the server's, and without rows that would change what
/// other statements mean: functions and operators in `pg_catalog`, and casts between built-in types
/// that call a function. What needs them fails in the twin.
pub(super) fn copied_rows(table: &SystemTable) -> Cow<'_, SystemTable> {
    let value = |row: &[Option<String>], column: &str| -> Option<String> {
        row.get(table.position(column)?)?.clone()
    };
    let is_built_in = |text: Option<String>| {
        let oid = text.as_deref().and_then(number);
        oid.is_none_or(|oid| oid < FIRST_USER_OID)
    };
    let in_pg_catalog = |row: &[Option<String>], column: &str| {
        value(row, column).as_deref() == Some(PG_CATALOG) && !is_built_in(value(row, "oid"))
    };
    let overrides = |row: &Vec<Option<String>>| match table.name.as_str() {
        "pg_proc" => {
            let library = value(row, "probin");
            in_pg_catalog(row, "pronamespace")
                || library.is_some_and(|library| !is_library_of_the_server(&library))
        }
        "pg_operator" => in_pg_catalog(row, "oprnamespace"),
        "pg_cast" => {
            let between_built_in =
                is_built_in(value(row, "castsource")) && is_built_in(value(row, "casttarget"));
            between_built_in && value(row, "castfunc").as_deref() != Some("0")
        }
        _ => false,
    };
    if !table.rows.iter().any(overrides) {
        return Cow::Borrowed(table);
    }
    let rows = table.rows.iter().filter(|row| !overrides(row));
    Cow::Owned(SystemTable {
        name: table.name.clone(),
        columns: table.columns.clone(),
        rows: rows.cloned().collect(),
    })
}
