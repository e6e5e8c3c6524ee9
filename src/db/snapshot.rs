//! Reads a [`Snapshot`] from a server in one read-only transaction. It only selects from catalogs
//! and reads the ends of indexes.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, ToSql, Type};

use super::row::{field, unexpected};
use super::session::TransactionMode;
use super::{DbError, Session};
use crate::model::QualifiedName;
use crate::sql::RelationName;
use crate::twin::dependencies;
use crate::twin::snapshot::{Extremes, Origin, RelationFile, Snapshot};

mod extremes;
mod gaps;
mod metapages;
mod statistics;
mod system_tables;

const OPERATION: &str = "reading the planner's catalogs";

/// The schemas where the statements' names are looked up, in this order; from then on, names are
/// those of `pg_catalog`.
const SEARCHED: &str = "/* pgrehearse */ SELECT pg_catalog.current_setting('search_path') AS setting, \
     pg_catalog.current_schemas(true)::pg_catalog.text[] AS path, \
     pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)";

/// The relations of a snapshot; objects they depend on are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All tables and views of the database.
    Everything,
    /// Those that these names mean in this session, with its `search_path`.
    Named(BTreeSet<RelationName>),
}

/// Names besides those of relations that the statements have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// In string literals: they may name sequences.
    pub sequences: BTreeSet<RelationName>,
    /// All identifiers: they may name functions.
    pub words: BTreeSet<String>,
}

/// The relations of a scope, resolved; as parameters of queries.
struct Resolved {
    everything: bool,
    oids: Vec<Oid>,
    /// Of these only sequences count.
    sequences: Vec<Oid>,
}

impl Session {
    /// Reads what the planner knows. Takes only the locks of reads, and leaves nothing behind.
    ///
    /// # Errors
    /// When the server cannot be asked any more. What the role may not read is a
    /// [`Gap`](crate::model::Gap), not an error.
    #[cfg(any(test, feature = "internals"))]
    pub fn snapshot(&self, scope: &Scope) -> Result<Snapshot, DbError> {
        self.snapshot_naming(scope, &Named::default())
    }

    /// The same, with the sequences of these names, and what functions of these names read.
    ///
    /// # Errors
    /// When the server cannot be asked any more.
    pub fn snapshot_naming(&self, scope: &Scope, named: &Named) -> Result<Snapshot, DbError> {
        match self.snapshot_once(scope, named) {
            // A table was locked meanwhile. The next attempt does not ask for its lock.
            Err(locked) if locked.is_lock_timeout() => self.snapshot_once(scope, named),
            other => other,
        }
    }

    fn snapshot_once(&self, scope: &Scope, named: &Named) -> Result<Snapshot, DbError> {
        self.within_users_names(OPERATION, TransactionMode::ReadSnapshot, |session| {
            let searched = session.query(OPERATION, SEARCHED, &[])?;
            let searched = searched
                .first()
                .ok_or_else(|| unexpected("the server did not report its search_path"))?;
            let path: Vec<String> = field(searched, "path")?;
            // Before anything below changes another one of them.
            let mut settings = session.pairs(include_str!("snapshot/settings.sql"))?;
            settings.insert("search_path".to_owned(), field(searched, "setting")?);
            session.read_snapshot((scope, &path), named, settings)
        })
    }

    fn read_snapshot(
        &self,
        (scope, path): (&Scope, &[String]),
        named: &Named,
        settings: BTreeMap<String, String>,
    ) -> Result<Snapshot, DbError> {
        // Decides how values are printed; the twin uses the same when it reads them.
        self.query(OPERATION, "SET LOCAL extra_float_digits = 3", &[])?;
        let mut scope = self.resolved(scope, &named.sequences, path)?;
        let mut relations = self.relations(&scope)?;
        let reached = self.reached(&relations, &named.words)?;
        if !reached.relations.is_empty() {
            scope.oids.extend(&reached.relations);
            relations = self.relations(&scope)?;
        }
        let scope = &scope;
        let oids: Vec<Oid> = relations.iter().map(|relation| relation.file.oid).collect();
        let mut files: Vec<RelationFile> = relations
            .into_iter()
            .filter(|relation| relation.has_file)
            .map(|relation| relation.file)
            .collect();
        let mut snapshot = Snapshot {
            origin: self.origin()?,
            settings,
            application_settings: reached.settings,
            system_tables: self.system_tables(&oids)?,
            read_by_functions: reached.relations,
            ..Snapshot::default()
        };
        dependencies::forget_unknown(&mut snapshot);
        let source = self.add_statistics(&oids, &mut snapshot)?;
        snapshot.gaps = self.gaps(&oids, &snapshot.origin.role, source)?;
        snapshot.gaps.extend(self.not_copied(scope, &oids)?);
        self.add_metapages(&mut files)?;
        let untrusted = self.untrusted_tables(&oids)?;
        self.add_btree_levels(&mut files, &untrusted)?;
        snapshot.files = files;
        snapshot.extremes = self.extremes(&oids, &untrusted)?;
        Ok(snapshot)
    }

    fn pairs(&self, sql: &str) -> Result<BTreeMap<String, String>, DbError> {
        let rows = self.query(OPERATION, sql, &[])?;
        rows.iter()
            .map(|row| Ok((field(row, "name")?, field(row, "value")?)))
            .collect()
    }

    /// The server and its database's locale.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn origin(&self) -> Result<Origin, DbError> {
        let rows = self.query(OPERATION, include_str!("snapshot/origin.sql"), &[])?;
        let Some(row) = rows.first() else {
            return Err(DbError::Missing(
                "the server did not report its version".to_owned(),
            ));
        };
        Ok(Origin {
            version_num: field::<i32>(row, "version_num")?.unsigned_abs(),
            encoding: field(row, "encoding")?,
            locale_provider: field(row, "locale_provider")?,
            collate: field(row, "collation")?,
            ctype: field(row, "ctype")?,
            provider_locale: field(row, "provider_locale")?,
            icu_rules: field(row, "icu_rules")?,
            block_size_bytes: field::<i32>(row, "block_size_bytes")?.unsigned_abs(),
            database: field(row, "database")?,
            in_recovery: field(row, "in_recovery")?,
            role: field(row, "role")?,
        })
    }

    /// Names that mean nothing are left out.
    fn resolved(
        &self,
        scope: &Scope,
        sequences: &BTreeSet<RelationName>,
        path: &[String],
    ) -> Result<Resolved, DbError> {
        let sequences = self.resolve(sequences, path)?;
        Ok(match scope {
            Scope::Everything => Resolved {
                everything: true,
                oids: Vec::new(),
                sequences,
            },
            Scope::Named(names) => Resolved {
                everything: false,
                oids: self.resolve(names, path)?,
                sequences,
            },
        })
    }

    fn resolve(
        &self,
        names: &BTreeSet<RelationName>,
        path: &[String],
    ) -> Result<Vec<Oid>, DbError> {
        let (schemas, relations): (Vec<Option<&str>>, Vec<&str>) = names
            .iter()
            .map(|name| (name.schema.as_deref(), name.name.as_str()))
            .unzip();
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
            (&schemas, Type::TEXT_ARRAY),
            (&relations, Type::TEXT_ARRAY),
            (&path, Type::TEXT_ARRAY),
        ];
        let rows = self.query(OPERATION, include_str!("snapshot/resolve.sql"), parameters)?;
        rows.iter().map(|row| field(row, "oid")).collect()
    }

    /// What the functions read that the policies of these relations and the statements call.
    fn reached(
        &self,
        relations: &[Relation],
        words: &BTreeSet<String>,
    ) -> Result<Reached, DbError> {
        let oids: Vec<Oid> = relations.iter().map(|relation| relation.file.oid).collect();
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let parameters: &[(&(dyn ToSql + Sync), Type)] =
            &[(&oids, Type::OID_ARRAY), (&words, Type::TEXT_ARRAY)];
        let mut reached = Reached::default();
        for row in self.query(OPERATION, include_str!("snapshot/reached.sql"), parameters)? {
            if let Some(relation) = field::<Option<Oid>>(&row, "relation")? {
                reached.relations.insert(relation);
            } else if let Some(name) = field::<Option<String>>(&row, "name")? {
                reached.settings.insert(name, field(&row, "value")?);
            }
        }
        Ok(reached)
    }

    fn relations(&self, scope: &Resolved) -> Result<Vec<Relation>, DbError> {
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
            (&scope.everything, Type::BOOL),
            (&scope.oids, Type::OID_ARRAY),
            (&scope.sequences, Type::OID_ARRAY),
        ];
        let rows = self.query(
            OPERATION,
            include_str!("snapshot/relations.sql"),
            parameters,
        )?;
        rows.iter().map(relation).collect()
    }
}

/// What functions read.
#[derive(Default)]
struct Reached {
    relations: BTreeSet<Oid>,
    /// Settings of applications, and the values they have in this session.
    settings: BTreeMap<String, String>,
}

/// A relation of the snapshot.
struct Relation {
    file: RelationFile,
    has_file: bool,
}

fn relation(row: &Row) -> Result<Relation, DbError> {
    let blocks: Option<i64> = field(row, "blocks")?;
    let file = RelationFile {
        oid: field(row, "oid")?,
        name: QualifiedName::new(
            field::<String>(row, "schema_name")?,
            field::<String>(row, "relation_name")?,
        ),
        kind: field(row, "kind")?,
        method: field(row, "method")?,
        blocks: blocks.unwrap_or(0).unsigned_abs(),
        metapage: None,
    };
    Ok(Relation {
        file,
        has_file: blocks.is_some(),
    })
}
