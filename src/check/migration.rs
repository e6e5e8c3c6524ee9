//! What a migration did in the planner twin.

use std::collections::BTreeMap;

use super::lock::LockMode;
use super::script::{LeftOut, Step};
use super::shape::Renamed;
use crate::model::{Bytes, QualifiedName};

/// A migration that was executed in a twin, as far as it could be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Migrated {
    /// What each statement did, in the order of the steps.
    pub steps: Vec<StepOutcome>,
    /// The tables before the migration.
    pub tables: BTreeMap<QualifiedName, TableSize>,
    /// Indexes that were added or dropped.
    pub indexes: Vec<ChangedIndex>,
    /// The indexes of the tables of changed indexes, afterwards: names and definitions.
    pub indexes_after: Vec<(QualifiedName, String)>,
    /// Columns that have lost their statistics, and get them back with the next ANALYZE.
    pub without_statistics: Vec<(QualifiedName, String)>,
    /// Tables and materialized views that are new: nothing is known of their rows.
    pub new_tables: Vec<QualifiedName>,
    /// What ANALYZE saw in the columns before.
    pub seen: SeenColumns,
    /// Columns that are new.
    pub new_columns: Vec<(QualifiedName, String)>,
    /// Relations and indexes that have another name, or that were replaced by one with the same
    /// definition.
    pub renamed: Renamed,
    /// The transaction that was open at the end was taken back.
    pub left_open: bool,
}

/// What ANALYZE has seen in a column.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SeenValues {
    /// The share of rows in which it is NULL (`stanullfrac`).
    pub null_share: f32,
    /// Was a value seen in more than one row (`stadistinct`)?
    pub repeat: bool,
}

impl SeenValues {
    /// From `stanullfrac` and `stadistinct`: of values that are all different, the latter is minus the
    /// share of rows that have one (`compute_scalar_stats`, src/backend/commands/analyze.c).
    pub fn new(null_share: f32, distinct: f32) -> SeenValues {
        const ROUNDING: f32 = 0.001;
        SeenValues {
            null_share,
            repeat: distinct > 0.0 || -distinct < 1.0 - null_share - ROUNDING,
        }
    }
}

/// The columns of all tables that were analyzed.
pub type SeenColumns = BTreeMap<(QualifiedName, String), SeenValues>;

/// A statement with what it did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// The statement.
    pub step: Step,
    /// How it ended.
    pub status: StepStatus,
    /// The strongest lock on each relation that it acquired and that existed before it.
    pub locks: Vec<HeldLock>,
    /// Tables whose rows it wrote anew.
    pub rewrites: Vec<QualifiedName>,
    /// Tables whose rows it read, and did not write anew.
    pub scans: Vec<QualifiedName>,
    /// The tables of indexes that it built; a table stands here as often as it had one.
    pub builds: Vec<QualifiedName>,
    /// The server's error with the smallest and largest values of the columns, as far as statistics
    /// have them. Without rows it succeeded.
    pub fails_on_values: Option<String>,
    /// In a transaction block, or by itself?
    pub in_block: bool,
}

impl StepOutcome {
    /// An outcome of a statement that did nothing.
    pub fn new(step: &Step, status: StepStatus) -> StepOutcome {
        StepOutcome {
            step: step.clone(),
            status,
            locks: Vec::new(),
            rewrites: Vec::new(),
            scans: Vec::new(),
            builds: Vec::new(),
            fails_on_values: None,
            in_block: false,
        }
    }
}

/// How a statement of a migration ended.
#[derive(Debug, Clone, PartialEq)]
pub enum StepStatus {
    /// It was executed.
    Done,
    /// It was planned: how many rows the planner expects it to write or return.
    Planned {
        /// The expected rows.
        rows: f64,
    },
    /// It was not executed.
    LeftOut(LeftOut),
    /// The twin does not let anybody do this; the server's message.
    NotPossible(String),
    /// The server refused it; its message.
    Failed(String),
    /// A statement before it failed.
    NotReached,
}

/// A lock on a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    /// The relation.
    pub relation: QualifiedName,
    /// Its mode.
    pub mode: LockMode,
    /// Was it seen in `pg_locks`? Else it is what the documentation says: of statements that run in
    /// transactions of their own.
    pub is_seen: bool,
}

/// The size of a table.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TableSize {
    /// Rows.
    pub rows: f64,
    /// Without its indexes.
    pub size: Bytes,
}

/// An index that the migration added or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedIndex {
    /// Its name.
    pub name: QualifiedName,
    /// The names that plans may show it under: its own and, on a partitioned table, its partitions'
    /// indexes.
    pub names: Vec<String>,
    /// Its table.
    pub table: QualifiedName,
    /// `CREATE INDEX …`, as the server prints it.
    pub definition: String,
    /// Added, or dropped.
    pub change: IndexChange,
    /// It enforces a constraint, so it has a use whatever the plans say.
    pub enforces: bool,
    /// Its size with its parts, an estimate for a new one.
    pub size: Bytes,
}

/// What happened to an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexChange {
    /// It is new.
    Added,
    /// It is gone.
    Dropped,
}
