//! Reads a [`Snapshot`] from a server: one read-only transaction, nothing but SELECT on catalogs and a look at the ends of indexes.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, ToSql, Type};

use super::catalog::field;
use super::{DbError, Session};
use crate::model::QualifiedName;
use crate::twin::snapshot::{
    ExtendedStatistic, Extremes, Gap, Origin, RelationFile, Slot, Snapshot, Statistic, Values,
};

mod extremes;
mod metapages;
mod system_tables;

const OPERATION: &str = "reading the planner's catalogs";

/// Which relations a snapshot is of; what they depend on comes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All tables and views of the database.
    Everything,
    /// Those of these names, in whatever schema.
    Named(BTreeSet<String>),
}

impl Session {
    /// Reads what the planner knows. Takes no lock but the one that reading takes, and leaves nothing behind.
    ///
    /// # Errors
    /// When the server cannot be asked any more. What the role may not read is a [`Gap`], not an error.
    pub fn snapshot(&self, scope: &Scope) -> Result<Snapshot, DbError> {
        let settings = self.pairs(include_str!("snapshot/settings.sql"))?;
        self.query(OPERATION, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &[])?;
        let snapshot = self.read_snapshot(scope, settings);
        self.rollback();
        snapshot
    }

    fn read_snapshot(&self, scope: &Scope, settings: BTreeMap<String, String>) -> Result<Snapshot, DbError> {
        // Values as text have to mean the same to whoever reads them.
        for setting in ["SET LOCAL search_path = pg_catalog", "SET LOCAL extra_float_digits = 3"] {
            self.query(OPERATION, setting, &[])?;
        }
        let relations = self.relations(scope)?;
        let oids: Vec<Oid> = relations.iter().map(|relation| relation.file.oid).collect();
        let mut files: Vec<RelationFile> =
            relations.into_iter().filter(|relation| relation.has_file).map(|relation| relation.file).collect();
        let mut snapshot = Snapshot {
            origin: self.origin()?,
            settings,
            system_tables: self.system_tables(&oids)?,
            ..Snapshot::default()
        };
        self.add_statistics(&oids, &mut snapshot)?;
        self.add_metapages(&mut files)?;
        self.add_btree_levels(&mut files)?;
        snapshot.files = files;
        snapshot.extremes = self.extremes(&oids)?;
        Ok(snapshot)
    }

    fn pairs(&self, sql: &str) -> Result<BTreeMap<String, String>, DbError> {
        let rows = self.query(OPERATION, sql, &[])?;
        rows.iter().map(|row| Ok((field(row, "name")?, field(row, "value")?))).collect()
    }

    /// The server and its database's locale.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn origin(&self) -> Result<Origin, DbError> {
        let rows = self.query(OPERATION, include_str!("snapshot/origin.sql"), &[])?;
        let Some(row) = rows.first() else {
            return Err(DbError::Missing("the server did not say who it is".to_owned()));
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
        })
    }

    fn relations(&self, scope: &Scope) -> Result<Vec<Relation>, DbError> {
        let (everything, names) = match scope {
            Scope::Everything => (true, Vec::new()),
            Scope::Named(names) => (false, names.iter().map(String::as_str).collect()),
        };
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[(&everything, Type::BOOL), (&names, Type::TEXT_ARRAY)];
        let rows = self.query(OPERATION, include_str!("snapshot/relations.sql"), parameters)?;
        rows.iter().map(relation).collect()
    }

    /// Statistics need the right to read `pg_statistic`, which `pg_read_all_data` includes.
    fn add_statistics(&self, oids: &[Oid], snapshot: &mut Snapshot) -> Result<(), DbError> {
        let sql = concat!(
            include_str!("snapshot/statistics.sql"),
            " FROM pg_catalog.pg_statistic s WHERE s.starelid = ANY ($1::oid[]) ORDER BY 1, 2, 3"
        );
        self.query(OPERATION, "SAVEPOINT statistics", &[])?;
        match self.query(OPERATION, sql, &[(&oids, Type::OID_ARRAY)]) {
            Ok(rows) => {
                snapshot.statistics = rows.iter().map(statistic).collect::<Result<_, _>>()?;
                snapshot.extended_statistics = self.extended_statistics(oids, snapshot.origin.version_num)?;
            }
            Err(refused) if refused.is_refusal() => {
                self.query(OPERATION, "ROLLBACK TO SAVEPOINT statistics", &[])?;
                snapshot.gaps.push(Gap {
                    what: format!("the statistics could not be read ({refused})"),
                    remedy: Some("GRANT pg_read_all_data TO CURRENT_USER;".to_owned()),
                });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn extended_statistics(&self, oids: &[Oid], version_num: u32) -> Result<Vec<ExtendedStatistic>, DbError> {
        let inherited = if version_num >= 150_000 { "d.stxdinherit" } else { "false" };
        let sql = format!(
            "/* pgrehearse: extended statistics */ \
             SELECT d.stxoid AS oid, {inherited} AS inherited, encode(d.stxdndistinct::bytea, 'hex') AS ndistinct, \
                    encode(d.stxddependencies::bytea, 'hex') AS dependencies, encode(d.stxdmcv::bytea, 'hex') AS most_common \
             FROM pg_catalog.pg_statistic_ext_data d JOIN pg_catalog.pg_statistic_ext e ON e.oid = d.stxoid \
             WHERE e.stxrelid = ANY ($1::oid[]) ORDER BY 1, 2"
        );
        let rows = self.query(OPERATION, &sql, &[(&oids, Type::OID_ARRAY)])?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut extended = ExtendedStatistic {
                oid: field(row, "oid")?,
                inherited: field(row, "inherited")?,
                ndistinct: field(row, "ndistinct")?,
                dependencies: field(row, "dependencies")?,
                most_common: field(row, "most_common")?,
                expressions: Vec::new(),
            };
            let expressions = format!(
                "{} FROM pg_catalog.pg_statistic_ext_data d, unnest(d.stxdexpr) AS s WHERE d.stxoid = $1 AND {inherited} = $2",
                include_str!("snapshot/statistics.sql")
            );
            let parameters: &[(&(dyn ToSql + Sync), Type)] =
                &[(&extended.oid, Type::OID), (&extended.inherited, Type::BOOL)];
            let rows = self.query(OPERATION, &expressions, parameters)?;
            extended.expressions = rows.iter().map(statistic).collect::<Result<_, _>>()?;
            found.push(extended);
        }
        Ok(found)
    }
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
        name: QualifiedName::new(field::<String>(row, "schema_name")?, field::<String>(row, "relation_name")?),
        kind: field(row, "kind")?,
        method: field(row, "method")?,
        blocks: blocks.unwrap_or(0).unsigned_abs(),
        metapage: None,
    };
    Ok(Relation { file, has_file: blocks.is_some() })
}

fn statistic(row: &Row) -> Result<Statistic, DbError> {
    let kinds: Vec<i16> = field(row, "kinds")?;
    let operators: Vec<Oid> = field(row, "operators")?;
    let collations: Vec<Oid> = field(row, "collations")?;
    let literals: Vec<Option<String>> = field(row, "literals")?;
    let element_types: Vec<Option<Oid>> = field(row, "element_types")?;
    let mut slots = Vec::with_capacity(kinds.len());
    for (number, kind) in kinds.into_iter().enumerate() {
        let literal = literals.get(number).cloned().flatten();
        let element_type = element_types.get(number).copied().flatten();
        slots.push(Slot {
            kind,
            operator: operators.get(number).copied().unwrap_or(0),
            collation: collations.get(number).copied().unwrap_or(0),
            numbers: field(row, &format!("numbers_{}", number + 1))?,
            values: literal.zip(element_type).map(|(literal, element_type)| Values { element_type, literal }),
        });
    }
    Ok(Statistic {
        relation: field(row, "relation")?,
        attribute: field(row, "attribute")?,
        inherited: field(row, "inherited")?,
        null_fraction: field(row, "null_fraction")?,
        width_bytes: field(row, "width_bytes")?,
        distinct: field(row, "distinct_values")?,
        slots,
    })
}
