//! Fills a [`Catalog`] from the server's system catalogs.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use tokio_postgres::types::{Oid, Type};

use super::row::{field, unexpected};
use super::session::{TransactionMode, catalog_first};
use super::{DbError, Session};
use crate::catalog::{
    Catalog, Column, ColumnStatistics, Counters, CountersElsewhere, Enforcement, ExistingIndex,
    MissingPart, Partition, Server, Stage, Table, TableKind, Writes,
};
use crate::index::parse_index;
use crate::model::{Bytes, QualifiedName};
use crate::planner::OtherTables;

mod classes;
mod foreign;
mod policies;

const OPERATION: &str = "reading the catalog";

impl Session {
    /// The server, its settings, these tables and the partitioned tables they belong to.
    pub(super) fn catalog(&self, names: &BTreeSet<QualifiedName>) -> Result<Catalog, DbError> {
        self.catalog_as_shown_in(None, names)
    }

    /// The same, with definitions and types as this `search_path` shows them; without one, as the
    /// session's does.
    pub(super) fn catalog_as_shown_in(
        &self,
        path: Option<&str>,
        names: &BTreeSet<QualifiedName>,
    ) -> Result<Catalog, DbError> {
        self.within_users_names(OPERATION, TransactionMode::ReadSnapshot, |session| {
            let sessions = session.use_own_names(OPERATION)?;
            let path = path.map_or(sessions, str::to_owned);
            session.read_catalog(names, &catalog_first(path))
        })
    }

    /// All other tables of the database, with their indexes and foreign keys.
    pub(super) fn other_tables(
        &self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, DbError> {
        self.within_users_names(OPERATION, TransactionMode::ReadSnapshot, |session| {
            let path = catalog_first(session.use_own_names(OPERATION)?);
            session.read_other_tables(known, &path)
        })
    }

    /// What this server has counted, to be added to the counters of another one of its cluster.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn counters_elsewhere(&self) -> Result<CountersElsewhere, DbError> {
        self.within(OPERATION, TransactionMode::ReadSnapshot, |session| {
            let mut scans = BTreeMap::new();
            for row in session.query(OPERATION, include_str!("sql/index_scans.sql"), &[])? {
                let name = QualifiedName::new(
                    field::<String>(&row, "schema_name")?,
                    field::<String>(&row, "index_name")?,
                );
                scans.insert(name, field::<i64>(&row, "scans")?.unsigned_abs());
            }
            Ok(CountersElsewhere {
                counters: session.server()?.counters,
                scans,
            })
        })
    }

    /// Which cluster this server is one of: a standby has the number of its primary.
    ///
    /// # Errors
    /// When it cannot be asked, or the role may not know.
    pub fn system_identifier(&self) -> Result<i64, DbError> {
        let sql = "/* pgrehearse */ SELECT system_identifier FROM pg_catalog.pg_control_system()";
        self.within(OPERATION, TransactionMode::Read, |session| {
            let rows = session.query(OPERATION, sql, &[])?;
            let row = rows
                .first()
                .ok_or_else(|| unexpected("the server did not report its identifier"))?;
            field(row, "system_identifier")
        })
    }

    fn read_other_tables(
        &self,
        known: &BTreeSet<QualifiedName>,
        path: &str,
    ) -> Result<OtherTables, DbError> {
        let (mut locked, mut names) = (BTreeSet::new(), BTreeSet::new());
        for row in self.query(OPERATION, include_str!("sql/all_tables.sql"), &[])? {
            let name = QualifiedName::new(
                field::<String>(&row, "schema_name")?,
                field::<String>(&row, "table_name")?,
            );
            if known.contains(&name) {
                continue;
            }
            let kept = if field(&row, "is_locked")? {
                &mut locked
            } else {
                &mut names
            };
            kept.insert(name);
        }
        let mut tables = self.tables(&names)?;
        // What a partition belongs to comes with it.
        tables.retain(|_, table| names.contains(&table.name));
        let oids: Vec<Oid> = tables.keys().copied().collect();
        self.add_indexes(path, &oids, &mut tables)?;
        let mut tables: Vec<Table> = tables.into_values().collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        let lacks_parts = |table: &Table| {
            let mut indexes = table.indexes.iter();
            indexes.any(|index| !index.missing_parts.is_empty())
        };
        let catalog = Catalog {
            server: self.server()?,
            taken_names: match tables.iter().any(lacks_parts) {
                true => self.taken_names(&tables)?,
                false => BTreeSet::new(),
            },
            tables,
            foreign_keys: self.foreign_keys(&oids)?,
            ..Catalog::default()
        };
        Ok(OtherTables { catalog, locked })
    }

    /// `path`: the `search_path` in which definitions and types are printed.
    fn read_catalog(
        &self,
        names: &BTreeSet<QualifiedName>,
        path: &str,
    ) -> Result<Catalog, DbError> {
        let mut tables = self.tables(names)?;
        let oids: Vec<Oid> = tables.keys().copied().collect();
        self.add_columns(path, &oids, &mut tables)?;
        self.add_indexes(path, &oids, &mut tables)?;
        self.add_partitions(&oids, &mut tables)?;
        self.add_policies(&mut tables)?;
        self.add_unnamed_writers(&oids, &mut tables)?;
        let operator_classes = self.operator_classes(path, &oids)?;
        let mutable = self.mutable(path, &oids)?;
        let foreign_keys = self.foreign_keys(&oids)?;
        let foreign_tables = self.foreign_tables(&oids)?;
        let mut tables: Vec<Table> = tables.into_values().collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Catalog {
            server: self.server()?,
            settings: self.settings()?,
            taken_names: self.taken_names(&tables)?,
            tables,
            operator_classes,
            mutable,
            foreign_keys,
            foreign_tables,
        })
    }

    fn server(&self) -> Result<Server, DbError> {
        let rows = self.query(OPERATION, include_str!("sql/server.sql"), &[])?;
        let row = rows
            .first()
            .ok_or_else(|| unexpected("the server did not report its version"))?;
        Ok(Server {
            version_num: u32::try_from(field::<i32>(row, "version_num")?).unwrap_or(0),
            version: field(row, "version")?,
            database: field(row, "database")?,
            in_recovery: field(row, "in_recovery")?,
            counters: counters(row)?,
        })
    }

    fn settings(&self) -> Result<BTreeMap<String, String>, DbError> {
        let rows = self.query(OPERATION, include_str!("sql/settings.sql"), &[])?;
        rows.iter()
            .map(|row| Ok((field(row, "name")?, field(row, "value")?)))
            .collect()
    }

    fn tables(&self, names: &BTreeSet<QualifiedName>) -> Result<BTreeMap<Oid, Table>, DbError> {
        let schemas: Vec<&str> = names.iter().map(|name| name.schema.as_str()).collect();
        let tables: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
        let parameters: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)] =
            &[(&schemas, Type::TEXT_ARRAY), (&tables, Type::TEXT_ARRAY)];
        let rows = self.query(OPERATION, include_str!("sql/tables.sql"), parameters)?;
        rows.iter()
            .map(|row| Ok((field(row, "oid")?, table(row)?)))
            .collect()
    }

    fn add_columns(
        &self,
        path: &str,
        oids: &[Oid],
        tables: &mut BTreeMap<Oid, Table>,
    ) -> Result<(), DbError> {
        for row in self.query_as_shown_in(
            path,
            OPERATION,
            include_str!("sql/columns.sql"),
            &[(&oids, Type::OID_ARRAY)],
        )? {
            if let Some(table) = tables.get_mut(&field(&row, "table_oid")?) {
                table.columns.push(column(&row)?);
            }
        }
        Ok(())
    }

    fn add_indexes(
        &self,
        path: &str,
        oids: &[Oid],
        tables: &mut BTreeMap<Oid, Table>,
    ) -> Result<(), DbError> {
        for row in self.query_as_shown_in(
            path,
            OPERATION,
            include_str!("sql/indexes.sql"),
            &[(&oids, Type::OID_ARRAY)],
        )? {
            if let Some(table) = tables.get_mut(&field(&row, "table_oid")?) {
                table.indexes.push(existing_index(&row)?);
            }
        }
        let lacks_parts = |index: &ExistingIndex| index.partitioned && !index.valid;
        let mut indexes = tables.values().flat_map(|table| &table.indexes);
        if indexes.any(lacks_parts) {
            self.add_missing_parts(path, oids, tables)?;
        }
        Ok(())
    }

    fn add_missing_parts(
        &self,
        path: &str,
        oids: &[Oid],
        tables: &mut BTreeMap<Oid, Table>,
    ) -> Result<(), DbError> {
        let sql = include_str!("sql/missing_parts.sql");
        for row in self.query_as_shown_in(path, OPERATION, sql, &[(&oids, Type::OID_ARRAY)])? {
            let name = QualifiedName::new(
                field::<String>(&row, "index_schema")?,
                field::<String>(&row, "index_name")?,
            );
            let table = tables.get_mut(&field(&row, "table_oid")?);
            let index = table.and_then(|table| {
                let mut indexes = table.indexes.iter_mut();
                indexes.find(|index| index.name == name)
            });
            if let Some(index) = index {
                index.missing_parts.push(missing_part(&row)?);
            }
        }
        Ok(())
    }

    fn add_unnamed_writers(
        &self,
        oids: &[Oid],
        tables: &mut BTreeMap<Oid, Table>,
    ) -> Result<(), DbError> {
        let sql = include_str!("sql/written_by_functions.sql");
        for row in self.query(OPERATION, sql, &[(&oids, Type::OID_ARRAY)])? {
            let table = tables.get_mut(&field(&row, "table_oid")?);
            if let Some(writes) = table.and_then(|table| table.writes.as_mut()) {
                writes.by_functions = Some(field(&row, "by_functions")?);
            }
        }
        Ok(())
    }

    fn add_partitions(
        &self,
        oids: &[Oid],
        tables: &mut BTreeMap<Oid, Table>,
    ) -> Result<(), DbError> {
        for row in self.query(
            OPERATION,
            include_str!("sql/partitions.sql"),
            &[(&oids, Type::OID_ARRAY)],
        )? {
            if let Some(table) = tables
                .get_mut(&field(&row, "table_oid")?)
                .filter(|table| table.partition_of.is_none())
            {
                table.partitions.push(partition(&row)?);
            }
        }
        Ok(())
    }

    fn taken_names(&self, tables: &[Table]) -> Result<BTreeSet<QualifiedName>, DbError> {
        let own = tables.iter().map(|table| table.name.schema.as_str());
        let partitions = tables
            .iter()
            .flat_map(|table| &table.partitions)
            .map(|partition| partition.name.schema.as_str());
        let schemas: Vec<&str> = own.chain(partitions).collect();
        let rows = self.query(
            OPERATION,
            include_str!("sql/taken_names.sql"),
            &[(&schemas, Type::TEXT_ARRAY)],
        )?;
        let name = |row: &Row| {
            Ok(QualifiedName::new(
                field::<String>(row, "schema_name")?,
                field::<String>(row, "relation_name")?,
            ))
        };
        rows.iter().map(name).collect()
    }
}

fn table(row: &Row) -> Result<Table, DbError> {
    let root = match (
        field::<Option<String>>(row, "root_schema")?,
        field::<Option<String>>(row, "root_name")?,
    ) {
        (Some(schema), Some(name)) => Some(QualifiedName::new(schema, name)),
        _ => None,
    };
    Ok(Table {
        name: QualifiedName::new(
            field::<String>(row, "schema_name")?,
            field::<String>(row, "table_name")?,
        ),
        kind: match field::<String>(row, "kind")?.as_str() {
            "plain" => TableKind::Plain,
            "partitioned" => TableKind::Partitioned,
            _ => TableKind::Unsupported,
        },
        partition_of: root,
        partitions: Vec::new(),
        rows: field(row, "row_count")?,
        pages: field::<i64>(row, "pages")?.unsigned_abs(),
        all_visible_pages: field::<i64>(row, "all_visible_pages")?.unsigned_abs(),
        owned: field(row, "owned")?,
        lockable: field(row, "lockable")?,
        modified_rows: field::<i64>(row, "modified_rows")?.unsigned_abs(),
        row_security: field(row, "row_security")?,
        policies_of_others: None,
        policies: Vec::new(),
        writes: Some(writes(row)?),
        columns: Vec::new(),
        indexes: Vec::new(),
    })
}

fn writes(row: &Row) -> Result<Writes, DbError> {
    let count = |name| Ok::<u64, DbError>(field::<i64>(row, name)?.unsigned_abs());
    Ok(Writes {
        n_tup_ins: count("n_tup_ins")?,
        n_tup_upd: count("n_tup_upd")?,
        n_tup_hot_upd: count("n_tup_hot_upd")?,
        n_tup_del: count("n_tup_del")?,
        counted_for_s: field(row, "counted_for_s")?,
        by_functions: None,
    })
}

fn column(row: &Row) -> Result<Column, DbError> {
    Ok(Column {
        name: field(row, "column_name")?,
        type_name: field(row, "type_name")?,
        not_null: field(row, "not_null")?,
        c_collation: field(row, "c_collation")?,
        names_partition: field(row, "names_partition")?,
        collation: field(row, "collation")?,
        statistics: statistics(row)?,
    })
}

fn statistics(row: &Row) -> Result<Option<ColumnStatistics>, DbError> {
    let Some(null_fraction) = field(row, "null_fraction")? else {
        return Ok(None);
    };
    let values: Vec<String> = field::<Option<_>>(row, "most_common_values")?.unwrap_or_default();
    let shares: Vec<f64> = field::<Option<_>>(row, "most_common_shares")?.unwrap_or_default();
    let bounds: Vec<String> = field::<Option<_>>(row, "histogram_bounds")?.unwrap_or_default();
    Ok(Some(ColumnStatistics {
        histogram: tenths(&bounds),
        null_fraction,
        average_width_bytes: u32::try_from(field::<i32>(row, "average_width")?).unwrap_or(0),
        distinct: field(row, "distinct_values")?,
        most_common_values: values.into_iter().zip(shares).collect(),
        correlation: field(row, "correlation")?,
        elements: field(row, "elements")?,
    }))
}

/// Eleven of the bounds, at equal distances.
fn tenths(bounds: &[String]) -> Vec<String> {
    const PARTS: usize = 10;
    let last = bounds.len().saturating_sub(1);
    let places: BTreeSet<usize> = (0..=PARTS).map(|part| part * last / PARTS).collect();
    places
        .into_iter()
        .filter_map(|place| bounds.get(place).cloned())
        .collect()
}

fn counters(row: &Row) -> Result<Option<Counters>, DbError> {
    let Some(since) = field(row, "counted_since")? else {
        return Ok(None);
    };
    Ok(Some(Counters {
        since,
        counted_for_s: field(row, "counted_for_s")?,
        was_reset: field(row, "was_reset")?,
        standbys: u32::try_from(field::<i32>(row, "standbys")?).unwrap_or(0),
        standbys_counted: 0,
    }))
}

fn partition(row: &Row) -> Result<Partition, DbError> {
    Ok(Partition {
        name: QualifiedName::new(
            field::<String>(row, "schema_name")?,
            field::<String>(row, "table_name")?,
        ),
        parent: QualifiedName::new(
            field::<String>(row, "parent_schema")?,
            field::<String>(row, "parent_name")?,
        ),
        partitioned: field(row, "partitioned")?,
        foreign: field(row, "is_foreign")?,
    })
}

fn missing_part(row: &Row) -> Result<MissingPart, DbError> {
    let name = |schema, name| {
        let schema: Option<String> = field(row, schema)?;
        let name: Option<String> = field(row, name)?;
        let both = schema.zip(name);
        Ok::<_, DbError>(both.map(|(schema, name)| QualifiedName::new(schema, name)))
    };
    let texts = |column| field::<Option<Vec<String>>>(row, column);
    let schemas = texts("own_schemas")?.unwrap_or_default().into_iter();
    let names = schemas.zip(texts("own_names")?.unwrap_or_default());
    let names = names.map(|(schema, name)| QualifiedName::new(schema, name));
    let definitions = texts("own_definitions")?.unwrap_or_default();
    Ok(MissingPart {
        partition: partition(row)?,
        attach_to: name("part_schema", "part_name")?,
        invalid: name("attached_schema", "attached_name")?,
        own: names.zip(definitions).collect(),
    })
}

fn existing_index(row: &Row) -> Result<ExistingIndex, DbError> {
    let ddl: String = field(row, "definition")?;
    let part_of = field::<Option<String>>(row, "parent_schema")?
        .zip(field::<Option<String>>(row, "parent_name")?);
    Ok(ExistingIndex {
        name: QualifiedName::new(
            field::<String>(row, "schema_name")?,
            field::<String>(row, "index_name")?,
        ),
        index: parse_index(&ddl).ok(),
        ddl,
        unique: field(row, "is_unique")?,
        constraint: field(row, "has_constraint")?,
        enforcement: Enforcement {
            constraint: field(row, "constraint_name")?,
            primary_key: field(row, "is_primary")?,
            exclusion: field(row, "is_exclusion")?,
            deferrable: field(row, "is_deferrable")?,
            referenced: field(row, "is_referenced")?,
        },
        valid: field(row, "is_valid")?,
        stage: match (field(row, "is_live")?, field(row, "is_ready")?) {
            (false, _) => Stage::Dead,
            (true, false) => Stage::NotReady,
            (true, true) => Stage::Ready,
        },
        being_built: field(row, "being_built")?,
        partitioned: field(row, "partitioned")?,
        size: Bytes(field::<i64>(row, "size_bytes")?.unsigned_abs()),
        scans: field::<i64>(row, "scans")?.unsigned_abs(),
        replica_identity: field(row, "is_replica_identity")?,
        clustered: field(row, "is_clustered")?,
        part_of: part_of.map(|(schema, name)| QualifiedName::new(schema, name)),
        missing_parts: Vec::new(),
    })
}
