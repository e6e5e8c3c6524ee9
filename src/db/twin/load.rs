//! From a snapshot to a twin: catalog rows, a few rows of data, indexes over them, and sparse
//! files.
//!
//! Tables come first, without the objects that depend on them (indexes, constraints, rules), so
//! that the two rows with their smallest and largest values can be inserted. Then the server builds
//! indexes over these rows. Everything else follows.

use std::collections::BTreeMap;

use tokio_postgres::types::{ToSql, Type};

use super::attempts::Attempt;
use super::{Heap, Measures, OPERATION, Twin};
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::model::quote_identifier;
use crate::twin::checks::Checked;
use crate::twin::foreign_options;
use crate::twin::page::{self, BLOCK_BYTES};
use crate::twin::snapshot::{Oid, RelationFile, Snapshot, SystemTable};

/// Rows that initdb made and production's rows replace.
const REPLACED: &[(&str, &str)] = &[
    ("pg_namespace", "nspname = 'public'"),
    ("pg_collation", "oid >= 12000"),
    ("pg_language", "oid >= 12000"),
    ("pg_proc", "oid >= 12000 AND probin IS NOT NULL"),
    ("pg_ts_parser", "oid >= 12000"),
    ("pg_ts_template", "oid >= 12000"),
    ("pg_ts_dict", "oid >= 12000"),
    ("pg_ts_config", "oid >= 12000"),
    ("pg_ts_config_map", "mapcfg >= 12000"),
    ("pg_extension", "true"),
];

/// Copied before the tables: what their columns and indexes depend on.
const FOUNDATIONS: &[&str] = &[
    "pg_tablespace",
    "pg_namespace",
    "pg_collation",
    "pg_language",
    "pg_proc",
    "pg_aggregate",
    "pg_type",
    "pg_enum",
    "pg_range",
    "pg_am",
    "pg_operator",
    "pg_opfamily",
    "pg_opclass",
    "pg_amop",
    "pg_amproc",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_ts_dict",
    "pg_ts_config",
    "pg_ts_config_map",
    "pg_extension",
];

/// Copied last: what depends on tables.
const FINISH: &[&str] = &[
    "pg_attrdef",
    "pg_constraint",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_rewrite",
    "pg_policy",
    "pg_trigger",
    "pg_statistic_ext",
    "pg_sequence",
    "pg_depend",
];

/// Copied once the twin has a handler of its own for them.
const FOREIGN: &[&str] = &[
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
];

/// The one wrapper whose tables are copied. Without `use_remote_estimate` it plans from the local
/// catalog alone (`estimate_path_cost_size`, contrib/postgres_fdw/postgres_fdw.c), and EXPLAIN without
/// ANALYZE does not connect (`postgresBeginForeignScan`).
const FOREIGN_HANDLER: &str = "\
CREATE FUNCTION pgrehearse_twin.foreign_tables() RETURNS fdw_handler LANGUAGE c AS '$libdir/postgres_fdw', 'postgres_fdw_handler';
REVOKE ALL ON FUNCTION pgrehearse_twin.foreign_tables FROM PUBLIC";

/// Copied once the superuser's statements no longer convert anything: it must not call what a cast
/// of the server calls.
const CASTS_OF_SERVER: &str = "pg_cast";

/// Columns of `pg_class` and their values for a table that nothing depends on.
const BARE_CLASS: &[(&str, &str)] = &[
    ("relchecks", "0"),
    ("relhasrules", "false"),
    ("relhastriggers", "false"),
    ("relispartition", "false"),
    ("relhassubclass", "false"),
    ("relhasindex", "false"),
];
/// The owner of a table plans without its policies, unless they are forced on it: that is done for a
/// question at a time (`toggles.sql`).
const UNFORCED: &[(&str, &str)] = &[("relforcerowsecurity", "false")];
const BARE_ATTRIBUTE: &[(&str, &str)] = &[
    ("attnotnull", "false"),
    ("atthasdef", "false"),
    ("attidentity", "''"),
    ("attgenerated", "''"),
];
const BARE_INDEX: &[(&str, &str)] = &[
    ("indisunique", "false"),
    ("indisprimary", "false"),
    ("indisexclusion", "false"),
    ("indimmediate", "true"),
    ("indisvalid", "true"),
    ("indisready", "true"),
    ("indislive", "true"),
    ("indisreplident", "false"),
    ("indisclustered", "false"),
];

/// Columns of a relation that the planner reads and that builds and VACUUM would change.
const MEASURES: &[&str] = &["relpages", "reltuples", "relallvisible", "relallfrozen"];

/// Maximum number of indexes in one transaction: each needs locks on itself and its table, and a
/// server with few connections has less than a thousand.
const INDEXES_AT_ONCE: usize = 100;

/// Reads values of types without input functions from text. OIDs that no release uses
/// (src/include/access/transam.h: 8000 to 9999 are for development).
pub(super) const CASTS: &str = "\
INSERT INTO pg_catalog.pg_cast (oid, castsource, casttarget, castfunc, castcontext, castmethod)
SELECT 9990 + number, source::regtype, target::regtype, 0, 'e', 'b'
FROM (VALUES (0, 'text', 'pg_node_tree'), (1, 'bytea', 'pg_ndistinct'), (2, 'bytea', 'pg_dependencies'), (3, 'bytea', 'pg_mcv_list'))
     AS casts (number, source, target)
WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_cast c WHERE c.castsource = source::regtype AND c.casttarget = target::regtype)";

impl Twin {
    pub(super) fn fill(&mut self, checked: &Checked<'_>) -> Result<(), DbError> {
        let snapshot = checked.snapshot();
        self.admin.set("allow_system_table_mods", "on")?;
        for session in [&self.admin, &self.session] {
            session.set("extra_float_digits", "3")?;
            // With wal_level = minimal, the server would read small new files into shared buffers
            // to log them (smgrDoPendingSyncs, src/backend/catalog/storage.c), and would not see
            // the files that replace them.
            session.set("wal_skip_threshold", "0")?;
        }
        let types = self.admin.column_types(snapshot)?;
        let copier = Copier {
            session: &self.admin,
            types: &types,
            checked,
            owner: self.role.oid,
        };
        self.directory
            .create_tablespaces(&self.admin, &checked.tablespaces)?;
        copier.tables(snapshot)?;
        copier.forget_other_modules()?;
        self.check_shapes()?;
        for sequence in &checked.sequences {
            self.directory.create_sequence(sequence.get())?;
        }
        for table in snapshot.files.iter().filter(|file| file.kind != "i") {
            self.directory.create_empty(table.oid)?;
        }
        self.add_rows(snapshot)?;
        copier.indexes(snapshot)?;
        self.check_shapes()?;
        self.build_indexes(snapshot)?;
        copier.finish(snapshot)?;
        copier.restore(snapshot)?;
        self.grant_rights()?;
        copier.foreign_tables()?;
        self.add_statistics(snapshot)?;
        copier.casts()?;
        self.check_shapes()?;
        self.admin.batch(OPERATION, "CHECKPOINT")?;
        self.grow(snapshot)
    }

    /// Builds btrees over the few rows; the planner does not read indexes of other methods. An
    /// index that cannot be built (a function fails, a library is missing) stays empty. Each gets
    /// its first file here.
    fn build_indexes(&self, snapshot: &Snapshot) -> Result<(), DbError> {
        let indexes: Vec<&RelationFile> = snapshot
            .files
            .iter()
            .filter(|file| file.method.as_deref() == Some("btree"))
            .collect();
        for indexes in indexes.chunks(INDEXES_AT_ONCE) {
            let reindex = |index: &&RelationFile| Attempt {
                sql: format!("REINDEX INDEX {}", index.name),
                otherwise: None,
            };
            self.attempt_all(&indexes.iter().map(reindex).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Runs a statement that may fail; returns whether it succeeded.
    pub(super) fn attempt(&self, sql: &str) -> Result<bool, DbError> {
        match self.session.batch(OPERATION, sql) {
            Ok(()) => Ok(true),
            Err(refused) if refused.is_refusal() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives every table and index a file of production's size.
    fn grow(&mut self, snapshot: &Snapshot) -> Result<(), DbError> {
        let oids: Vec<Oid> = snapshot.files.iter().map(|file| file.oid).collect();
        let places = self.places(&oids)?;
        let mut numbers: Vec<(Oid, Oid)> = Vec::with_capacity(oids.len());
        for file in &snapshot.files {
            let Some(place) = places.get(&file.oid) else {
                continue;
            };
            let beginning = self.beginning(file, &place.path, snapshot)?;
            if file.kind == "i" {
                // The server builds btrees without its shared buffers, and nothing has read this
                // one since.
                self.directory
                    .replace(place.number, &beginning, file.blocks)?;
                continue;
            }
            let long = self.directory.create(&beginning, file.blocks)?;
            numbers.push((file.oid, long));
            self.heaps.insert(
                file.oid,
                Heap {
                    short: place.number,
                    long,
                    pages: file.blocks,
                    measures: place.measures,
                },
            );
        }
        let (oids, numbers): (Vec<Oid>, Vec<Oid>) = numbers.into_iter().unzip();
        let sql = "UPDATE pg_catalog.pg_class c SET relfilenode = f.number \
                   FROM unnest($1::oid[], $2::oid[]) AS f (oid, number) WHERE c.oid = f.oid";
        let parameters: &[(&(dyn ToSql + Sync), Type)] =
            &[(&oids, Type::OID_ARRAY), (&numbers, Type::OID_ARRAY)];
        self.admin.query(OPERATION, sql, parameters)?;
        Ok(())
    }

    fn places(&self, oids: &[Oid]) -> Result<BTreeMap<Oid, PhysicalFile>, DbError> {
        let sql = "SELECT oid, relfilenode, pg_relation_filepath(oid) AS path, relpages, reltuples, relallvisible \
                   FROM pg_class WHERE oid = ANY ($1::oid[])";
        let mut places = BTreeMap::new();
        for row in self
            .admin
            .query(OPERATION, sql, &[(&oids, Type::OID_ARRAY)])?
        {
            let measures = Measures {
                pages: field(&row, "relpages")?,
                tuples: field(&row, "reltuples")?,
                all_visible_pages: field(&row, "relallvisible")?,
            };
            let place = PhysicalFile {
                number: field(&row, "relfilenode")?,
                path: field(&row, "path")?,
                measures,
            };
            places.insert(field(&row, "oid")?, place);
        }
        Ok(places)
    }

    /// The beginning of a file: a table's rows, or an index's metapage and the pages that lead to
    /// its ends; empty if the planner does not read it.
    fn beginning(
        &self,
        file: &RelationFile,
        path: &str,
        snapshot: &Snapshot,
    ) -> Result<Vec<u8>, DbError> {
        if file.blocks == 0 {
            return Ok(Vec::new());
        }
        match file.method.as_deref() {
            None => self.directory.read(path, BLOCK_BYTES),
            Some(method) => {
                let built = match method {
                    "btree" => self.directory.read(path, 2 * BLOCK_BYTES)?,
                    _ => Vec::new(),
                };
                let metapage = snapshot.metapage(file);
                Ok(metapage
                    .map(|page| page::first_blocks(&page, file.blocks, &built))
                    .unwrap_or_default())
            }
        }
    }
}

/// The path of a relation's file.
struct PhysicalFile {
    number: Oid,
    path: String,
    measures: Measures,
}

/// The types of the system catalogs' columns, by catalog and column.
type ColumnTypes = BTreeMap<(String, String), String>;

impl Session {
    fn column_types(&self, snapshot: &Snapshot) -> Result<ColumnTypes, DbError> {
        let names = snapshot.system_table_names();
        let sql = include_str!("../snapshot/catalog_columns.sql");
        let rows = self.query(OPERATION, sql, &[(&names, Type::TEXT_ARRAY)])?;
        let column = |row| {
            let key = (
                field::<String>(row, "catalog_name")?,
                field::<String>(row, "column_name")?,
            );
            Ok((key, field::<String>(row, "type_name")?))
        };
        rows.iter().map(column).collect()
    }
}

/// PostgreSQL's own functions in libraries are those that initdb made here, with other OIDs.
const OWN_FUNCTIONS: &str = "\
SELECT r.oid || ' ' || quote_literal(r.proname) AS function
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
     AS r (oid, proname, prosrc, probin, prolang, proargtypes)
WHERE r.oid::oid < 16384
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
                  WHERE p.oid >= 12000 AND p.proname = r.proname::name AND p.prosrc = r.prosrc AND p.probin = r.probin
                    AND p.prolang = r.prolang::oid AND p.proargtypes::text = r.proargtypes)
LIMIT 1";

/// Inserts catalog rows into a server.
struct Copier<'s> {
    session: &'s Session,
    types: &'s ColumnTypes,
    checked: &'s Checked<'s>,
    /// What is copied belongs to this role.
    owner: Oid,
}

impl Copier<'_> {
    fn tables(&self, snapshot: &Snapshot) -> Result<(), DbError> {
        self.session.batch(OPERATION, &format!("BEGIN; {CASTS}"))?;
        self.check_own_functions()?;
        for (name, rows) in REPLACED {
            self.session.batch(
                OPERATION,
                &format!("DELETE FROM pg_catalog.{name} WHERE {rows}"),
            )?;
        }
        let own = "DELETE FROM pg_catalog.pg_tablespace WHERE oid = ANY ($1::text[]::oid[])";
        if let Some(tablespaces) = snapshot.system_table("pg_tablespace") {
            self.session.query(
                OPERATION,
                own,
                &[(&tablespaces.column("oid"), Type::TEXT_ARRAY)],
            )?;
        }
        for table in FOUNDATIONS
            .iter()
            .filter_map(|name| self.checked.rows(name))
        {
            self.insert(&table, &[])?;
        }
        self.stop_functions()?;
        if let (Some(classes), Some(attributes)) = (
            snapshot.system_table("pg_class"),
            snapshot.system_table("pg_attribute"),
        ) {
            let indexes = index_oids(snapshot);
            let bare = [BARE_CLASS, UNFORCED].concat();
            self.insert(&classes.only("relkind", |kind| !is_index(kind)), &bare)?;
            self.insert(
                &attributes.only("attrelid", |oid| !indexes.contains(&oid)),
                BARE_ATTRIBUTE,
            )?;
        }
        self.session.batch(OPERATION, "COMMIT")
    }

    /// Fails if a function with the OID of one of PostgreSQL's own is another one.
    fn check_own_functions(&self) -> Result<(), DbError> {
        let Some(functions) = self.checked.rows("pg_proc") else {
            return Ok(());
        };
        let columns = [
            "oid",
            "proname",
            "prosrc",
            "probin",
            "prolang",
            "proargtypes",
        ];
        let values = columns.map(|column| functions.column(column));
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = values
            .iter()
            .map(|values| (values as &(dyn ToSql + Sync), Type::TEXT_ARRAY))
            .collect();
        let other = self.session.query(OPERATION, OWN_FUNCTIONS, &parameters)?;
        match other.first() {
            Some(row) => Err(DbError::Missing(format!(
                "no planner twin can be made from this: the function {} is none of PostgreSQL's own, as its OID says",
                field::<String>(row, "function")?
            ))),
            None => Ok(()),
        }
    }

    /// Removes functions of libraries that belong to no extension of this installation: other
    /// modules of the server do more when they are loaded than define functions.
    fn forget_other_modules(&self) -> Result<(), DbError> {
        let sql = "DELETE FROM pg_catalog.pg_proc WHERE oid >= 16384 AND probin = ANY ($1::text[])";
        let modules = super::libraries::other_modules(self.session, self.checked)?;
        self.session
            .query(OPERATION, sql, &[(&modules, Type::TEXT_ARRAY)])
            .map(|_| ())
    }

    fn indexes(&self, snapshot: &Snapshot) -> Result<(), DbError> {
        self.session.batch(OPERATION, "BEGIN")?;
        if let (Some(classes), Some(attributes)) = (
            snapshot.system_table("pg_class"),
            snapshot.system_table("pg_attribute"),
        ) {
            let indexes = index_oids(snapshot);
            self.insert(&classes.only("relkind", is_index), BARE_CLASS)?;
            self.insert(
                &attributes.only("attrelid", |oid| indexes.contains(&oid)),
                &[],
            )?;
            self.update(classes, &["oid"], &["relhasindex"])?;
        }
        if let Some(table) = snapshot.system_table("pg_index") {
            self.insert(table, BARE_INDEX)?;
        }
        self.session.batch(OPERATION, "COMMIT")
    }

    /// Functions that nothing may execute raise an error, and the owner may call the others.
    fn stop_functions(&self) -> Result<(), DbError> {
        self.session
            .batch(OPERATION, include_str!("not_executed.sql"))?;
        let open =
            "UPDATE pg_catalog.pg_proc SET proacl = NULL WHERE oid >= 12000 AND proacl IS NOT NULL";
        self.session.batch(OPERATION, open)
    }

    /// The server's casts, instead of ours.
    fn casts(&self) -> Result<(), DbError> {
        let ours = "DELETE FROM pg_catalog.pg_cast WHERE oid BETWEEN 9990 AND 9993";
        if let Some(casts) = self.checked.rows(CASTS_OF_SERVER) {
            self.insert(&casts, &[])?;
        }
        self.session.batch(OPERATION, ours)
    }

    /// Where foreign tables are. Nobody has a user mapping, and the servers belong to the superuser,
    /// so nothing in the twin can connect to one. Without the library they cannot be planned, which
    /// [`Twin::missing_libraries`] says.
    fn foreign_tables(&self) -> Result<(), DbError> {
        let tables: Vec<_> = FOREIGN
            .iter()
            .filter_map(|name| self.checked.rows(name))
            .filter(|table| !table.rows.is_empty())
            .collect();
        if tables.is_empty() {
            return Ok(());
        }
        match self.session.batch(OPERATION, FOREIGN_HANDLER) {
            Err(refused) if refused.is_refusal() => return Ok(()),
            created => created?,
        }
        self.session.batch(OPERATION, "BEGIN")?;
        for table in tables {
            self.insert(
                &table,
                &[
                    (
                        "fdwhandler",
                        "'pgrehearse_twin.foreign_tables'::pg_catalog.regproc::pg_catalog.oid",
                    ),
                    ("fdwvalidator", "0"),
                    ("fdwowner", "10"),
                    ("srvowner", "10"),
                ],
            )?;
        }
        self.session.batch(OPERATION, "COMMIT")
    }

    /// Everything that depends on tables, and the columns that were left out at first.
    fn finish(&self, snapshot: &Snapshot) -> Result<(), DbError> {
        self.session.batch(OPERATION, "BEGIN")?;
        for table in FINISH.iter().filter_map(|name| snapshot.system_table(name)) {
            self.insert(table, &[])?;
        }
        let names = |columns: &[(&'static str, &'static str)]| {
            columns.iter().map(|(name, _)| *name).collect::<Vec<_>>()
        };
        if let Some(attributes) = snapshot.system_table("pg_attribute") {
            self.update(attributes, &["attrelid", "attnum"], &names(BARE_ATTRIBUTE))?;
        }
        if let Some(indexes) = snapshot.system_table("pg_index") {
            self.update(indexes, &["indexrelid"], &names(BARE_INDEX))?;
        }
        if let Some(classes) = snapshot.system_table("pg_class") {
            self.update(classes, &["oid"], &names(BARE_CLASS))?;
        }
        self.session.batch(OPERATION, "COMMIT")
    }

    /// Restores row counts and the like, which the builds have changed.
    fn restore(&self, snapshot: &Snapshot) -> Result<(), DbError> {
        match snapshot.system_table("pg_class") {
            Some(classes) => self.update(classes, &["oid"], MEASURES),
            None => Ok(()),
        }
    }

    /// Inserts rows, some columns with other values.
    fn insert(&self, table: &SystemTable, instead: &[(&str, &str)]) -> Result<(), DbError> {
        if table.rows.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|name| quote_identifier(name).into_owned())
            .collect();
        let value = |name: &String| match instead.iter().find(|(column, _)| column == name) {
            Some((_, value)) => (*value).to_owned(),
            None => self.value_of(table, name),
        };
        let values: Vec<String> = table.columns.iter().map(value).collect();
        let sql = format!(
            "INSERT INTO pg_catalog.{} ({}) SELECT {} FROM {}",
            table.name,
            names.join(", "),
            values.join(", "),
            rows_of(&table.columns)
        );
        self.run(&sql, table, &table.columns)
    }

    /// Updates columns to the values of these rows.
    fn update(&self, table: &SystemTable, keys: &[&str], columns: &[&str]) -> Result<(), DbError> {
        let known = |name: &&&str| table.position(name).is_some();
        let columns: Vec<&str> = columns.iter().filter(known).copied().collect();
        let of_row = |name: &str| self.value_of(table, name);
        let set: Vec<String> = columns
            .iter()
            .map(|name| format!("{name} = {}", of_row(name)))
            .collect();
        let by: Vec<String> = keys
            .iter()
            .map(|name| format!("x.{name} = {}", of_row(name)))
            .collect();
        let changed: Vec<String> = columns
            .iter()
            .map(|name| format!("x.{name} IS DISTINCT FROM {}", of_row(name)))
            .collect();
        let all: Vec<String> = keys
            .iter()
            .chain(&columns)
            .map(|name| (*name).to_owned())
            .collect();
        let sql = format!(
            "UPDATE pg_catalog.{} x SET {} FROM {} WHERE {} AND ({})",
            table.name,
            set.join(", "),
            rows_of(&all),
            by.join(" AND "),
            changed.join(" OR ")
        );
        self.run(&sql, table, &all)
    }

    fn run(&self, sql: &str, table: &SystemTable, columns: &[String]) -> Result<(), DbError> {
        let values: Vec<Vec<Option<&str>>> =
            columns.iter().map(|column| table.column(column)).collect();
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = values
            .iter()
            .map(|values| (values as &(dyn ToSql + Sync), Type::TEXT_ARRAY))
            .collect();
        self.session.query(OPERATION, sql, &parameters).map(|_| ())
    }

    /// A column of `r`, cast to its type.
    fn value_of(&self, table: &SystemTable, column: &str) -> String {
        let quoted = quote_identifier(column);
        match self
            .types
            .get(&(table.name.clone(), column.to_owned()))
            .map(String::as_str)
        {
            None | Some("anyarray") => "NULL".to_owned(),
            // A file has the number of its relation, whatever the snapshot says.
            _ if (table.name.as_str(), column) == ("pg_class", "relfilenode") => {
                "CASE WHEN r.relkind IN ('r', 'm', 'i', 'S') THEN r.oid::pg_catalog.oid ELSE 0 END"
                    .to_owned()
            }
            // Names roles; of functions, only whether everybody may call them (see
            // `not_executed.sql`).
            Some("_aclitem") if column == "proacl" => {
                format!("CASE WHEN r.{quoted} IS NOT NULL THEN '{{}}'::pg_catalog.aclitem[] END")
            }
            Some("_aclitem") => "NULL".to_owned(),
            Some("_text") if foreign_options::COLUMNS.contains(&column) => {
                foreign_options::kept(&format!("r.{quoted}::pg_catalog._text"))
            }
            Some("oid") if column.ends_with("owner") => format!("{}::pg_catalog.oid", self.owner),
            Some(type_name) => format!("r.{quoted}::pg_catalog.{}", quote_identifier(type_name)),
        }
    }
}

/// `unnest($1, $2) AS r (a, b)`.
fn rows_of(columns: &[String]) -> String {
    let arrays: Vec<String> = (1..=columns.len())
        .map(|number| format!("${number}::text[]"))
        .collect();
    let names: Vec<String> = columns
        .iter()
        .map(|name| quote_identifier(name).into_owned())
        .collect();
    format!("unnest({}) AS r ({})", arrays.join(", "), names.join(", "))
}

fn is_index(kind: &str) -> bool {
    matches!(kind, "i" | "I")
}

fn index_oids(snapshot: &Snapshot) -> std::collections::BTreeSet<&str> {
    snapshot
        .system_table("pg_index")
        .map(|table| table.column("indexrelid"))
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect()
}
