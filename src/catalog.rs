//! What the database knows about the workload's tables, as a value: columns, statistics, sizes, indexes, settings.
//!
//! Loaded from a server by `db`, or from a recording; nobody downstream can tell which. Numbers are the server's own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::index::Index;
use crate::model::{Bytes, QualifiedName};

pub mod selectivity;

/// A snapshot of everything advice is based on besides the plans.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Catalog {
    /// The server itself.
    pub server: Server,
    /// Planner settings that matter or differ from their defaults, as `SHOW` prints them.
    pub settings: BTreeMap<String, String>,
    /// The tables of the workload, by name.
    pub tables: Vec<Table>,
    /// Every relation name in their schemas: a new index may take none of them.
    pub taken_names: BTreeSet<QualifiedName>,
}

/// The server a catalog was read from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Server {
    /// `server_version_num`: 150018.
    pub version_num: u32,
    /// `server_version`: `15.18 (Debian …)`.
    pub version: String,
    /// The database connected to.
    pub database: String,
    /// A standby, where nothing can be built.
    pub in_recovery: bool,
}

/// One table (or partitioned table, or materialized view).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: QualifiedName,
    /// What kind of relation it is.
    pub kind: TableKind,
    /// The partitioned table an index would have to be created on instead, when this is one of its partitions.
    pub partition_of: Option<QualifiedName>,
    /// What it is partitioned into, a partition before its own partitions; empty for other tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// `pg_class.reltuples`; none when it was never analyzed.
    pub rows: Option<f64>,
    /// Its main fork's size in blocks; of a partitioned table, all partitions'.
    pub pages: u64,
    /// May the connected role create indexes on it (owner)?
    pub owned: bool,
    /// Can it be locked with LOCK TABLE, and may the connected role? (Not a materialized view.)
    #[serde(default)]
    pub lockable: bool,
    /// Rows changed since the last ANALYZE, as the statistics collector counts them.
    #[serde(default)]
    pub modified_rows: u64,
    /// What was written to it; none in recordings from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Writes>,
    /// Its columns in their order.
    pub columns: Vec<Column>,
    /// The indexes it has.
    pub indexes: Vec<ExistingIndex>,
}

/// Rows written, as `pg_stat_user_tables` counts them, rolled-back transactions included; of a partitioned table, in all its partitions
/// (<https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW>).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Writes {
    /// Rows inserted.
    pub n_tup_ins: u64,
    /// Rows updated.
    pub n_tup_upd: u64,
    /// Of the updated rows, those that needed no new entry in any index.
    pub n_tup_hot_upd: u64,
    /// Rows deleted.
    pub n_tup_del: u64,
    /// Seconds from the last reset of the database's statistics (`pg_stat_database.stats_reset`) until this was read; none when the
    /// server does not know of a reset.
    pub counted_for_s: Option<f64>,
}

/// One partition of a partitioned table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// Its name.
    pub name: QualifiedName,
    /// The table it is a partition of.
    pub parent: QualifiedName,
    /// Is it partitioned itself?
    pub partitioned: bool,
    /// Is it a foreign table, which can have no index?
    #[serde(default)]
    pub foreign: bool,
}

/// `pg_class.relkind`, as far as an index can be on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// An ordinary table or a materialized view.
    Plain,
    /// A partitioned table: its indexes are made of its partitions' indexes.
    Partitioned,
    /// Temporary, foreign or a system catalog: nothing is suggested for it.
    Unsupported,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// Its type as `format_type` prints it, domains resolved to what they are over.
    pub type_name: String,
    /// NOT NULL.
    pub not_null: bool,
    /// Its row of `pg_stats`; none before the first ANALYZE or without the right to read it.
    pub statistics: Option<ColumnStatistics>,
}

/// A row of `pg_stats` (<https://www.postgresql.org/docs/current/view-pg-stats.html>).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// Share of rows that are NULL.
    pub null_fraction: f64,
    /// Average width of a value.
    pub average_width_bytes: u32,
    /// Positive: the number of distinct values. Negative: their share of the rows. Zero: unknown.
    pub distinct: f64,
    /// `most_common_vals` as text, with the shares of rows.
    pub most_common_values: Vec<(String, f64)>,
    /// Physical order against logical order, -1 to 1.
    pub correlation: Option<f64>,
}

/// An index that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExistingIndex {
    /// Its name.
    pub name: QualifiedName,
    /// `pg_get_indexdef`.
    pub ddl: String,
    /// What that says, when it could be read.
    pub index: Option<Index>,
    /// It enforces uniqueness.
    pub unique: bool,
    /// A constraint needs it.
    pub constraint: bool,
    /// `pg_index.indisvalid`: false after a failed CREATE INDEX CONCURRENTLY.
    pub valid: bool,
    /// Somebody is building it right now.
    #[serde(default)]
    pub being_built: bool,
    /// It is made of its partitions' indexes.
    #[serde(default)]
    pub partitioned: bool,
    /// `pg_relation_size`.
    pub size: Bytes,
    /// `idx_scan`: scans since the statistics were reset.
    pub scans: u64,
}

impl Catalog {
    /// The table of that name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// The table an index for this one has to be created on: the topmost partitioned table, or the table itself.
    pub fn index_owner(&self, name: &QualifiedName) -> Option<&Table> {
        let table = self.table(name)?;
        match &table.partition_of {
            Some(root) => self.table(root),
            None => Some(table),
        }
    }
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Its size on disk without indexes and TOAST.
    pub fn size(&self) -> Bytes {
        Bytes(self.pages * 8192)
    }
}

impl Column {
    /// How many distinct values it is thought to have, of so many rows.
    pub fn distinct_values(&self, rows: f64) -> Option<f64> {
        match self.statistics.as_ref()?.distinct {
            0.0 => None,
            share if share < 0.0 => Some(-share * rows),
            number => Some(number),
        }
    }

    /// Is a cast to this type only a relabelling, so that an index on the column itself serves it?
    /// (varchar to text: src/include/catalog/pg_cast.dat, castmethod `b`, with text's operators.)
    pub fn is_relabelled_by(&self, type_name: &str) -> bool {
        let base = self.type_name.split('(').next().unwrap_or_default();
        type_name == base || (base == "character varying" && type_name == "text")
    }
}
