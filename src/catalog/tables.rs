//! The types a catalog consists of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::foreign_table::ForeignTable;
use crate::index::{Extension, Index, Method};
use crate::model::{Bytes, QualifiedName};

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
    /// What the access methods can do with the types of the tables' columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operator_classes: Vec<OperatorClass>,
    /// What no index may hold, as far as it is on the types of the tables' columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutable: Vec<Mutable>,
    /// Foreign keys of the tables, and those that refer to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// What the foreign tables among the tables stand for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_tables: Vec<ForeignTable>,
}

/// An operator class, for one type that it takes
/// (<https://www.postgresql.org/docs/current/indexes-opclass.html>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorClass {
    /// The access method it is for.
    pub method: Method,
    /// Its name as CREATE INDEX has to write it: with a schema where that is not on the
    /// search_path.
    pub name: String,
    /// The type, as `format_type` prints it; a polymorphic class stands here once for each type.
    pub input_type: String,
    /// CREATE INDEX takes it when no class is named.
    pub default: bool,
    /// The operators with that type on the left that it answers in a WHERE clause
    /// (`pg_amop.amoppurpose = 's'`).
    pub searched: Vec<String>,
    /// Those by which it orders rows, such as distances (`'o'`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ordered: Vec<String>,
    /// The extension that would have to be installed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
}

/// A call whose result may change although its arguments do not (`pg_proc.provolatile` other than
/// `i`): no index may hold it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mutable {
    /// How it is written.
    pub kind: CallKind,
    /// The function, the operator, or the type that is cast to.
    pub called: String,
    /// The types of its arguments.
    pub arguments: Vec<String>,
    /// It was written for this database, so its owner could declare it IMMUTABLE if it is.
    #[serde(default)]
    pub own: bool,
    /// It is VOLATILE: evaluated for every row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub volatile: bool,
}

/// A way of calling a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// `f(a)`.
    Function,
    /// `a + b`.
    Operator,
    /// `a::text`.
    Cast,
}

/// A foreign key (`pg_constraint` with contype `f`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The constraint.
    pub name: String,
    /// The table that refers.
    pub table: QualifiedName,
    /// Its columns.
    pub columns: Vec<String>,
    /// The operators that compare each column with the parent's: `=`, and `&&` of a period
    /// (PostgreSQL 18); none where all are `=`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<String>,
    /// The table referred to.
    pub parent: QualifiedName,
    /// Its columns.
    pub parent_columns: Vec<String>,
    /// `confdeltype`: what follows a DELETE of the parent: `a` no action, `r` restrict, `c`
    /// cascade, `n` set null, `d` set default.
    pub on_delete: String,
    /// `confupdtype`: the same for an UPDATE of its key.
    pub on_update: String,
    /// An index of the table that refers begins with the columns, in whatever order.
    pub indexed: bool,
    /// Every value is in the parent for certain, once and seen by everybody: the constraint is
    /// validated and checked at once, no child table inherits, no policy hides rows of the parent,
    /// and types and collations are the same.
    #[serde(default)]
    pub certain: bool,
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
    /// Since when it counts; none in recordings from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
}

/// One table (or partitioned table, or materialized view).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: QualifiedName,
    /// What kind of relation it is.
    pub kind: TableKind,
    /// The partitioned table an index would have to be created on instead, when this is one of its
    /// partitions.
    pub partition_of: Option<QualifiedName>,
    /// What it is partitioned into, a partition before its own partitions; empty for other tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// `pg_class.reltuples`; none when it was never analyzed.
    pub rows: Option<f64>,
    /// Its main fork's size in blocks; of a partitioned table, all partitions'.
    pub pages: u64,
    /// `pg_class.relallvisible`, of a partitioned table all partitions': pages that an index-only
    /// scan need not look at.
    #[serde(default)]
    pub all_visible_pages: u64,
    /// May the connected role create indexes on it (owner)?
    pub owned: bool,
    /// Can it be locked with LOCK TABLE, and may the connected role? (Not a materialized view.)
    #[serde(default)]
    pub lockable: bool,
    /// Rows changed since the last ANALYZE, as the statistics collector counts them.
    #[serde(default)]
    pub modified_rows: u64,
    /// Row-level security: roles may see different rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub row_security: bool,
    /// The policies that apply to others than the role that asks; none where they apply to it, too,
    /// or there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies_of_others: Option<PoliciesOfOthers>,
    /// The policies that its statements are planned with: those that apply to the role that asks, or
    /// where none does those of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// What was written to it; none in recordings from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Writes>,
    /// Its columns in their order.
    pub columns: Vec<Column>,
    /// The indexes it has.
    pub indexes: Vec<ExistingIndex>,
}

/// A row-level security policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Which rows it shows (USING), with the schema of every name that is not in `pg_catalog`.
    pub condition: String,
}

/// Row-level security policies that do not apply to the role that asks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PoliciesOfOthers {
    /// The role that most of them are for; none: all are for PUBLIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Settings that they compare columns with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<PolicySetting>,
}

/// A setting that a policy compares a column with: `tenant = current_setting('app.tenant')::int`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicySetting {
    /// The column.
    pub column: String,
    /// The setting.
    pub setting: String,
    /// The setting is a JSON object, and this is the key whose value is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_key: Option<String>,
    /// Its value in the session that asks, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Rows written, as `pg_stat_user_tables` counts them, rolled-back transactions included; of a
/// partitioned table, in all its partitions
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
    /// Seconds from the last reset of the database's statistics (`pg_stat_database.stats_reset`)
    /// until this was read; none when the server does not know of a reset.
    pub counted_for_s: Option<f64>,
    /// Functions, rules or foreign keys may write its rows, without a statement that names it; none
    /// where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_functions: Option<bool>,
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
    /// Its collation compares bytes (`C`, `POSIX`), so that a plain btree finds what begins with
    /// something.
    #[serde(default)]
    pub c_collation: bool,
    /// Is it in the key that its table is partitioned by, by lists or ranges? One value of it is then
    /// often all that a partition has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_partition: bool,
    /// Its collation, where that is not its type's: plans then name it in sort keys
    /// (`show_sortorder_options`, src/backend/commands/explain.c).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
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
    /// Some of `histogram_bounds`, at equal distances, from the least to the greatest: between two of
    /// them are as many rows as between any others. The most common values are not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<String>,
    /// Physical order against logical order, -1 to 1.
    pub correlation: Option<f64>,
    /// Of an array: distinct elements of a value, on average (the last number of
    /// `elem_count_histogram`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<f64>,
}

/// An index that is there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExistingIndex {
    /// Its name.
    pub name: QualifiedName,
    /// `pg_get_indexdef`.
    pub ddl: String,
    /// The definition, when it could be parsed.
    pub index: Option<Index>,
    /// It enforces uniqueness.
    pub unique: bool,
    /// A constraint needs it.
    pub constraint: bool,
    /// What its constraint is, and who relies on it.
    #[serde(default, skip_serializing_if = "Enforcement::is_none")]
    pub enforcement: Enforcement,
    /// `pg_index.indisvalid`: false after a failed CREATE INDEX CONCURRENTLY.
    pub valid: bool,
    /// What writes do with it.
    #[serde(default, skip_serializing_if = "Stage::is_ready")]
    pub stage: Stage,
    /// A command with CONCURRENTLY is building it right now.
    #[serde(default)]
    pub being_built: bool,
    /// It is made of its partitions' indexes.
    #[serde(default)]
    pub partitioned: bool,
    /// `pg_relation_size`.
    pub size: Bytes,
    /// `idx_scan`: scans since the statistics were reset. The planner's reads of the ends of an
    /// index count, too.
    pub scans: u64,
    /// Logical replication tells rows apart by it (`pg_index.indisreplident`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replica_identity: bool,
    /// The table is clustered on it (`pg_index.indisclustered`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clustered: bool,
    /// The partitioned index that it is a part of (`pg_inherits`): it cannot be dropped by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<QualifiedName>,
    /// Of a partitioned index that is not valid: what it still lacks, a partition before its own
    /// partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_parts: Vec<MissingPart>,
}

/// A partition for which a partitioned index has no valid part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissingPart {
    /// The partition.
    pub partition: Partition,
    /// The index on its parent to which a part is attached; none where that is missing as well.
    pub attach_to: Option<QualifiedName>,
    /// What is attached, and is not valid.
    pub invalid: Option<QualifiedName>,
    /// The partition's valid indexes that are a part of none, with their definitions.
    pub own: Vec<(QualifiedName, String)>,
}

/// What an index enforces besides uniqueness, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Enforcement {
    /// The constraint that it is a part of.
    pub constraint: Option<String>,
    /// That constraint is the primary key.
    pub primary_key: bool,
    /// It is an exclusion constraint: the operators are not in the index's definition.
    pub exclusion: bool,
    /// The constraint is DEFERRABLE (`NOT pg_index.indimmediate`): checked only at the end of a
    /// statement or a transaction.
    pub deferrable: bool,
    /// A foreign key refers to it.
    pub referenced: bool,
}

/// How far a command with CONCURRENTLY came with an index (`pg_index.indisready`, `indislive`;
/// <https://www.postgresql.org/docs/current/catalog-pg-index.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Writes keep it up to date, as any finished one.
    #[default]
    Ready,
    /// Writes make no entries in it, but heed it for HOT.
    NotReady,
    /// It is being dropped, or such a command failed: it is ignored for all purposes.
    Dead,
}

impl Catalog {
    /// The table of that name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// How many rows of a table an index has that is on all of them; none of an existing partial one.
    pub fn rows_indexed(&self, table: &QualifiedName, index: &str) -> Option<f64> {
        let table = self.table(table)?;
        let mut existing = table.indexes.iter();
        let existing = existing.find(|existing| existing.name.name == index);
        let is_partial = |existing: &ExistingIndex| {
            let index = existing.index.as_ref();
            index.is_none_or(|index| index.predicate.is_some())
        };
        table.rows.filter(|_| !existing.is_some_and(is_partial))
    }

    /// What a foreign table stands for; none for other tables.
    pub fn foreign_table(&self, name: &QualifiedName) -> Option<&ForeignTable> {
        self.foreign_tables.iter().find(|table| table.name == *name)
    }

    /// The first VOLATILE function that a condition calls, as a plan prints it.
    pub fn volatile_call(&self, condition: &str) -> Option<&Mutable> {
        let is_called = |name: &str| {
            let call = format!("{name}(");
            let mut places = condition.match_indices(&call);
            places.any(|(at, _)| {
                let before = condition
                    .get(..at)
                    .and_then(|before| before.chars().next_back());
                before.is_none_or(|before| {
                    !before.is_alphanumeric() && !matches!(before, '_' | '$' | '"')
                })
            })
        };
        let mut volatile = self.mutable.iter().filter(|call| call.volatile);
        volatile.find(|call| call.kind == CallKind::Function && is_called(&call.called))
    }

    /// The table an index for this one has to be created on: the topmost partitioned table, or the
    /// table itself.
    pub fn index_owner(&self, name: &QualifiedName) -> Option<&Table> {
        let table = self.table(name)?;
        match &table.partition_of {
            Some(root) => self.table(root),
            None => Some(table),
        }
    }
}

impl Enforcement {
    fn is_none(&self) -> bool {
        *self == Enforcement::default()
    }
}

impl Stage {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_ready(&self) -> bool {
        *self == Stage::Ready
    }
}

impl ExistingIndex {
    /// Does only speed depend on it, and is it not being built? An index of a partitioned table
    /// cannot be dropped without blocking all other sessions, and may be waiting for its
    /// partitions' indexes, which cannot be dropped by themselves.
    pub fn may_be_dropped(&self) -> bool {
        let enforces = self.unique || self.constraint || self.replica_identity;
        !enforces && !self.being_built && !self.partitioned && self.part_of.is_none()
    }

    /// An index of a partitioned table that becomes valid once the missing parts are attached.
    pub fn may_be_completed(&self) -> bool {
        let mut missing = self.missing_parts.iter();
        let lacks_foreign = missing.any(|part| part.partition.foreign);
        !self.valid && !self.missing_parts.is_empty() && !lacks_foreign
    }

    /// Two NULLs are equal to a unique index (NULLS NOT DISTINCT, from 15 on).
    pub fn nulls_not_distinct(&self) -> bool {
        self.unique && self.ddl.contains(" NULLS NOT DISTINCT")
    }
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The share of its pages that an index-only scan need not look at, 0 to 1.
    pub fn all_visible_share(&self) -> f64 {
        if self.pages == 0 {
            0.0
        } else {
            (self.all_visible_pages as f64 / self.pages as f64).min(1.0)
        }
    }

    /// How much was written to it, to compare tables: the quietest first. What is not known is
    /// taken for busy.
    pub fn write_activity(&self) -> u64 {
        let rows = |writes: &Writes| {
            let changed = writes.n_tup_upd.saturating_add(writes.n_tup_del);
            changed.saturating_add(writes.n_tup_ins)
        };
        self.writes.as_ref().map_or(u64::MAX, rows)
    }

    /// Its size on disk without indexes and TOAST.
    pub fn size(&self) -> Bytes {
        Bytes(self.pages * 8192)
    }
}

impl Column {
    /// The estimated number of distinct values in this number of rows.
    pub fn distinct_values(&self, rows: f64) -> Option<f64> {
        match self.statistics.as_ref()?.distinct {
            0.0 => None,
            share if share < 0.0 => Some(-share * rows),
            number => Some(number),
        }
    }

    /// Is a cast to this type only a relabelling, so that an index on the column itself serves it?
    /// (varchar to text: src/include/catalog/pg_cast.dat, castmethod `b`, with text's operators.)
    /// Where the column's type is not known, a cast to text is assumed to be one.
    pub fn is_relabelled_by(&self, type_name: &str) -> bool {
        let base = self.type_name.split('(').next().unwrap_or_default();
        type_name == base || (matches!(base, "character varying" | "") && type_name == "text")
    }
}
