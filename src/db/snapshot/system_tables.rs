//! Which rows of which system catalogs make up a snapshot.

use tokio_postgres::types::{Oid, Type};

use super::OPERATION;
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::model::quote_identifier;
use crate::twin::foreign_options;
use crate::twin::snapshot::SystemTable;

/// The catalogs and the rows of each that are copied; `$1` are the relations. OIDs that initdb
/// assigns differ between machines, so those rows are copied as well (12000 is
/// `FirstUnpinnedObjectId`).
const SYSTEM_TABLES: &[(&str, &str)] = &[
    // For the page costs that they may have; 1664 is pg_global.
    ("pg_tablespace", "x.oid <> 1664"),
    (
        "pg_namespace",
        "(x.oid >= 16384 AND x.nspname !~ '^pg_(toast_)?temp_') OR x.nspname = 'public'",
    ),
    ("pg_collation", "x.oid >= 12000"),
    ("pg_language", "x.oid >= 12000"),
    (
        "pg_proc",
        "x.oid >= 16384 OR (x.oid >= 12000 AND x.probin IS NOT NULL)",
    ),
    ("pg_aggregate", "x.aggfnoid::oid >= 16384"),
    (
        "pg_type",
        "x.oid >= 16384 AND (x.typrelid = 0 OR x.typrelid = ANY ($1::oid[]))",
    ),
    ("pg_enum", "true"),
    ("pg_range", "x.rngtypid >= 16384"),
    ("pg_am", "x.oid >= 16384"),
    ("pg_operator", "x.oid >= 16384"),
    ("pg_opfamily", "x.oid >= 16384"),
    ("pg_opclass", "x.oid >= 16384"),
    ("pg_amop", "x.oid >= 16384"),
    ("pg_amproc", "x.oid >= 16384"),
    ("pg_cast", "x.oid >= 16384"),
    ("pg_ts_parser", "x.oid >= 12000"),
    ("pg_ts_template", "x.oid >= 12000"),
    ("pg_ts_dict", "x.oid >= 12000"),
    ("pg_ts_config", "x.oid >= 12000"),
    ("pg_ts_config_map", "x.mapcfg >= 12000"),
    ("pg_extension", "true"),
    ("pg_class", "x.oid = ANY ($1::oid[])"),
    ("pg_attribute", "x.attrelid = ANY ($1::oid[])"),
    ("pg_attrdef", "x.adrelid = ANY ($1::oid[])"),
    ("pg_index", "x.indexrelid = ANY ($1::oid[])"),
    (
        "pg_constraint",
        "(x.conrelid = ANY ($1::oid[]) AND (x.confrelid = 0 OR x.confrelid = ANY ($1::oid[]))) \
         OR (x.conrelid = 0 AND x.oid >= 16384)",
    ),
    (
        "pg_inherits",
        "x.inhrelid = ANY ($1::oid[]) AND x.inhparent = ANY ($1::oid[])",
    ),
    ("pg_partitioned_table", "x.partrelid = ANY ($1::oid[])"),
    ("pg_rewrite", "x.ev_class = ANY ($1::oid[])"),
    // Where none applies to the role that asks: those of another role, so that the twin can plan as
    // others do.
    (
        "pg_policy",
        concat!(
            "x.polrelid = ANY ($1::oid[]) AND EXISTS (SELECT FROM (",
            include_str!("../sql/policy_roles.sql"),
            ") AS subject WHERE subject.relation = x.polrelid AND (0 = ANY (x.polroles) OR EXISTS (\
             SELECT FROM unnest(x.polroles) AS named (oid) WHERE pg_catalog.pg_has_role(subject.role, named.oid, 'USAGE'))))"
        ),
    ),
    (
        "pg_trigger",
        "x.tgrelid = ANY ($1::oid[]) AND (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = x.tgrelid) = 'v'",
    ),
    ("pg_statistic_ext", "x.stxrelid = ANY ($1::oid[])"),
    ("pg_sequence", "x.seqrelid = ANY ($1::oid[])"),
    (
        "pg_foreign_data_wrapper",
        "x.oid IN (SELECT s.srvfdw FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_table t ON t.ftserver = s.oid \
         WHERE t.ftrelid = ANY ($1::oid[]))",
    ),
    (
        "pg_foreign_server",
        "x.oid IN (SELECT t.ftserver FROM pg_catalog.pg_foreign_table t WHERE t.ftrelid = ANY ($1::oid[]))",
    ),
    ("pg_foreign_table", "x.ftrelid = ANY ($1::oid[])"),
    // What is dropped or refused together; those of objects that are not copied are taken out later.
    ("pg_depend", include_str!("dependencies.sql")),
];

/// The bootstrap superuser, which every server has.
const BOOTSTRAP_SUPERUSER: &str = "'10'";

/// The privileges on a function: null if everybody may call it.
const PUBLIC_ONLY: &str =
    "CASE WHEN NOT pg_catalog.has_function_privilege('public', x.oid, 'EXECUTE') THEN '{}' END";

impl Session {
    pub(super) fn system_tables(&self, relations: &[Oid]) -> Result<Vec<SystemTable>, DbError> {
        let names: Vec<&str> = SYSTEM_TABLES.iter().map(|(name, _)| *name).collect();
        let columns = self.query(
            OPERATION,
            include_str!("catalog_columns.sql"),
            &[(&names, Type::TEXT_ARRAY)],
        )?;
        let columns = columns.iter().map(|row| {
            Ok(Column {
                catalog: field(row, "catalog_name")?,
                name: field(row, "column_name")?,
                type_name: field(row, "type_name")?,
            })
        });
        let columns: Vec<Column> = columns.collect::<Result<_, DbError>>()?;
        let own = |name: &str| {
            columns
                .iter()
                .filter(|column| column.catalog == name)
                .collect::<Vec<_>>()
        };
        SYSTEM_TABLES
            .iter()
            .map(|(name, rows)| self.system_table(name, rows, &own(name), relations))
            .collect()
    }

    fn system_table(
        &self,
        name: &str,
        filter: &str,
        columns: &[&Column],
        relations: &[Oid],
    ) -> Result<SystemTable, DbError> {
        let values: Vec<String> = columns.iter().map(|column| column.as_text()).collect();
        let sql = format!(
            "/* pgrehearse */ SELECT ARRAY[{}]::text[] AS fields FROM pg_catalog.{name} x WHERE ({filter}) \
             AND $1::oid[] IS NOT NULL ORDER BY 1",
            values.join(", ")
        );
        let rows = self.query(OPERATION, &sql, &[(&relations, Type::OID_ARRAY)])?;
        Ok(SystemTable {
            name: name.to_owned(),
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            rows: rows
                .iter()
                .map(|row| field(row, "fields"))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A column of a system catalog.
struct Column {
    catalog: String,
    name: String,
    type_name: String,
}

impl Column {
    /// Its value as text that another server can read: the owner is always the one role that exists
    /// there, privileges are left out, and so are references to production's files.
    fn as_text(&self) -> String {
        let column = format!("x.{}", quote_identifier(&self.name));
        if (self.catalog.as_str(), self.name.as_str()) == ("pg_proc", "proacl") {
            return PUBLIC_ONLY.to_owned();
        }
        if foreign_options::COLUMNS.contains(&self.name.as_str()) {
            return format!("({})::text", foreign_options::kept(&column));
        }
        let fixed = match (
            self.catalog.as_str(),
            self.name.as_str(),
            self.type_name.as_str(),
        ) {
            (_, _, "_aclitem") | (_, "attmissingval", _) => "NULL",
            (_, name, "oid") if name.ends_with("owner") => BOOTSTRAP_SUPERUSER,
            (_, "atthasmissing", _) => "'false'",
            // Without any policy others see no row, which says nothing about indexes.
            ("pg_class", "relrowsecurity", _) => {
                "x.relrowsecurity AND (pg_catalog.row_security_active(x.oid) \
                 OR EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = x.oid))"
            }
            // In the twin: the policies apply to the role that asks.
            ("pg_class", "relforcerowsecurity", _) => "pg_catalog.row_security_active(x.oid)",
            // Those that are copied are for the one role that plans.
            ("pg_policy", "polroles", _) => "'{0}'",
            // 0 is the database's default tablespace, which is pg_default in the twin.
            ("pg_class", "reltablespace", _) => {
                "CASE WHEN x.relkind IN ('r', 'm', 'i') THEN coalesce(nullif(coalesce(nullif(x.reltablespace, 0), \
                 (SELECT d.dattablespace FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())), \
                 1663), 0) ELSE 0 END"
            }
            ("pg_class", "reltoastrelid" | "relrewrite", _) => "'0'",
            ("pg_class", "relfilenode", _) => {
                "CASE WHEN x.relkind IN ('r', 'm', 'i', 'S') THEN x.oid ELSE 0 END"
            }
            ("pg_class", "relpersistence", _) => "'p'",
            ("pg_class", "relfrozenxid", _) => "'3'",
            ("pg_class", "relminmxid", _) => "'1'",
            ("pg_index", "indcheckxmin", _) => "'false'",
            (_, _, "regproc") => return format!("{column}::oid::text"),
            _ => return format!("{column}::text"),
        };
        format!("({fixed})::text")
    }
}
