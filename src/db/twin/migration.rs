//! A migration in the twin: it is executed by the role without rights, over the few rows of each
//! table, and PostgreSQL itself says what it does. Afterwards tables and indexes get files of the
//! size that they would have on the server.
//!
//! The text is of a stranger, as is everything that was copied, and it is executed with the same
//! rights: those of the role that plans. Each statement is sent by itself (extended protocol). What
//! the role may not do is not done by anybody else, with two exceptions that take only a name from the
//! text: a schema, and an extension of a list.
//!
//! [`steps`] executes, [`observation`] sees what a statement did, [`afterwards`] gives sizes,
//! [`carried`] gives columns with another type the statistics that ANALYZE would find.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;

use super::{OWN_PATH, PATIENCE, Twin};
use crate::check::migration::{
    ChangedIndex, IndexChange, Migrated, SeenColumns, SeenValues, StepOutcome,
};
use crate::check::script::Step;
use crate::db::DbError;
use crate::db::row::field;
use crate::model::{QualifiedName, quote_identifier};
use crate::twin::Snapshot;
use crate::twin::checks::Checked;

mod afterwards;
mod carried;
mod observation;
mod state;
mod steps;

use carried::Lost;
use observation::{OPERATION, Relation, Relations};
use state::{Before, Indexes};
use steps::StepRunner;

/// The pages of a table without rows: as many as the few rows of any table have, because indexes still
/// lead there. A page of zeros has no rows (`PageIsNew`, src/include/storage/bufpage.h).
const EMPTY_PAGES: u64 = 1024;

/// A migration that was executed, and what is still to be assumed.
#[derive(Debug)]
pub struct Executed {
    /// What it did.
    pub migrated: Migrated,
    /// The statistics that it has removed.
    pub lost: Vec<Lost>,
}

impl Twin {
    /// Executes a migration for good. Nothing else may have been created in this twin.
    ///
    /// # Errors
    /// When the connection to the twin is lost. What the server refuses is an outcome.
    pub fn migrate(&mut self, snapshot: &Snapshot, steps: &[Step]) -> Result<Executed, DbError> {
        self.create_toast_tables()?;
        self.prepare_functions()?;
        let before = self.before()?;
        let empty = self.directory.create(&[], EMPTY_PAGES)?;
        let path = self.search_path.borrow().clone();
        self.session.set("search_path", &path)?;
        let ran = StepRunner::new(self, &before.relations, empty).run(steps);
        let (outcomes, left_open) = ran?;
        self.renew_session(snapshot)?;
        let migrated = self.afterwards(&before, outcomes, left_open)?;
        let lost = carried::lost(&before.shapes, &self.shapes()?, snapshot);
        Ok(Executed {
            migrated: Migrated {
                without_statistics: lost.iter().map(Lost::column).collect(),
                seen: seen_columns(snapshot),
                ..migrated
            },
            lost,
        })
    }

    /// Tables were copied without their TOAST tables. ALTER TABLE creates one where it is missing, and
    /// refuses to do so with a weak lock (`CheckAndCreateToastTable`, src/backend/catalog/toasting.c).
    /// So it is done before, by a command that does nothing else.
    fn create_toast_tables(&self) -> Result<(), DbError> {
        let sql = "SELECT n.nspname::text AS schema_name, c.relname::text AS relation_name \
                   FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.relowner = $1 AND c.relkind = 'r' AND c.reltoastrelid = 0 ORDER BY c.oid";
        let rows = self
            .admin
            .query(OPERATION, sql, &[(&self.role.oid, Type::OID)])?;
        let alter = |row| {
            let table = QualifiedName::new(
                field::<String>(row, "schema_name")?,
                field::<String>(row, "relation_name")?,
            );
            Ok(format!("ALTER TABLE {table} SET WITHOUT OIDS"))
        };
        let statements: Vec<String> = rows.iter().map(alter).collect::<Result<_, DbError>>()?;
        self.session.batch(OPERATION, &statements.join("; "))
    }

    /// The functions that the role needs while it executes a migration, and all tables with few rows.
    fn prepare_functions(&self) -> Result<(), DbError> {
        let role = quote_identifier(&self.role.name).into_owned();
        let functions = include_str!("migration/functions.sql")
            .replace("{role}", &role)
            .replace("{role_oid}", &self.role.oid.to_string())
            .replace("{first_file}", &super::files::FIRST_FILE.to_string());
        self.admin.batch(OPERATION, &functions)?;
        if self.heaps.is_empty() {
            return Ok(());
        }
        let rows: Vec<String> = self
            .heaps
            .iter()
            .map(|(oid, heap)| format!("({oid}, {}, {})", heap.short, heap.long))
            .collect();
        let rows = rows.join(", ");
        self.admin.batch(
            OPERATION,
            &format!(
                "INSERT INTO pgrehearse_twin.large_files VALUES {rows}; \
                 UPDATE pg_catalog.pg_class c SET relfilenode = f.few_rows \
                 FROM pgrehearse_twin.large_files f WHERE c.oid = f.relation"
            ),
        )
    }

    /// Forgets what the migration did to the session: settings, temporary tables, an open
    /// transaction.
    fn renew_session(&mut self, snapshot: &Snapshot) -> Result<(), DbError> {
        self.session.renew()?;
        self.session.set("search_path", OWN_PATH)?;
        self.session.set("extra_float_digits", "3")?;
        self.session.set("wal_skip_threshold", "0")?;
        self.apply(&Checked::of(snapshot)?)?;
        self.session.set("statement_timeout", PATIENCE)?;
        self.admin.batch(OPERATION, "CHECKPOINT")
    }

    /// Everything that is different afterwards, with sizes in the twin.
    fn afterwards(
        &mut self,
        before: &Before,
        steps: Vec<StepOutcome>,
        left_open: bool,
    ) -> Result<Migrated, DbError> {
        let after = self.relations_of_role()?;
        self.forget_tables();
        let new_tables = self.resize_tables(before, &after)?;
        self.resize_indexes(before, &after)?;
        let new_columns = self.new_columns(before)?;
        let indexes_after = self.all_indexes(IndexChange::Added)?;
        let indexes = changed_indexes(&before.indexes, &indexes_after);
        let mut renamed = renamed(&before.relations, &after);
        renamed.extend(replaced(&indexes));
        let tables_of_changed: BTreeSet<&QualifiedName> =
            indexes.iter().map(|index| &index.table).collect();
        let indexes_after = indexes_after
            .values()
            .filter(|index| tables_of_changed.contains(&index.table))
            .map(|index| (index.name.clone(), index.definition.clone()))
            .collect();
        Ok(Migrated {
            steps,
            tables: before.tables.clone(),
            indexes,
            indexes_after,
            without_statistics: Vec::new(),
            new_tables,
            seen: SeenColumns::new(),
            new_columns,
            renamed,
            left_open,
        })
    }
}

/// What ANALYZE saw in the columns of each table by itself.
fn seen_columns(snapshot: &Snapshot) -> SeenColumns {
    let columns = snapshot.columns();
    let statistics = snapshot.statistics.iter().filter(|one| !one.inherited);
    let seen = statistics.filter_map(|one| {
        let column = columns.get(&(one.relation, one.attribute))?.clone();
        Some((column, SeenValues::new(one.null_fraction, one.distinct)))
    });
    seen.collect()
}

/// Relations that have another name now, by that name.
fn renamed(before: &Relations, after: &Relations) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    for (oid, relation) in after {
        let old = before.get(oid).map(|old: &Relation| &old.name.name);
        if let Some(old) = old.filter(|old| **old != relation.name.name) {
            renamed.insert(relation.name.name.clone(), old.clone());
        }
    }
    renamed
}

/// New indexes in the place of dropped ones with the same definition.
fn replaced(indexes: &[ChangedIndex]) -> BTreeMap<String, String> {
    let body = |index: &ChangedIndex| {
        let (_, body) = index.definition.split_once(" ON ")?;
        Some((index.table.clone(), body.to_owned()))
    };
    let of = |change: IndexChange| indexes.iter().filter(move |index| index.change == change);
    let mut replaced = BTreeMap::new();
    for new in of(IndexChange::Added) {
        let old = of(IndexChange::Dropped).find(|old| body(old) == body(new));
        if let Some(old) = old {
            replaced.insert(new.name.name.clone(), old.name.name.clone());
        }
    }
    replaced
}

/// Indexes that are in one list only. One that was renamed keeps its OID, and one that PostgreSQL
/// itself made anew, because a column has another type, keeps its name.
fn changed_indexes(before: &Indexes, after: &Indexes) -> Vec<ChangedIndex> {
    let only = |of: &Indexes, others: &Indexes| {
        let has_same_name = |index: &ChangedIndex| {
            let is_same =
                |other: &ChangedIndex| other.name == index.name && other.table == index.table;
            others.values().any(is_same)
        };
        of.iter()
            .filter(|(oid, index)| !others.contains_key(*oid) && !has_same_name(index))
            .map(|(_, index)| index.clone())
            .collect::<Vec<_>>()
    };
    let mut changed = only(after, before);
    changed.extend(only(before, after));
    changed
}
