//! What the drop of existing indexes would do.

use std::collections::BTreeSet;

use crate::model::{Bytes, Cost, QualifiedName};
use crate::planner::NamedIndex;
use crate::workload::StatementId;

/// An existing index, and what its drop would do.
#[derive(Debug, Clone, PartialEq)]
pub struct HypotheticalDrop {
    /// The index.
    pub index: QualifiedName,
    /// The table it is on.
    pub table: QualifiedName,
    /// Its size.
    pub size: Bytes,
    /// `idx_scan`: scans since the statistics were reset.
    pub scans: u64,
    /// The statements that get worse without it; none: this workload does not need it.
    pub worse: Vec<StatementRegression>,
}

/// A statement that gets worse without an index.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementRegression {
    /// The statement.
    pub statement: StatementId,
    /// The remedy that writes it as it is planned here (`m2`); none: as the workload has it.
    pub rewritten_by: Option<String>,
    /// Its cost with all indexes, the recommended ones included.
    pub with: Cost,
    /// Its cost without this one.
    pub without: Cost,
}

impl StatementRegression {
    /// The statement, and which remedy has rewritten it.
    pub fn name(&self) -> String {
        match &self.rewritten_by {
            Some(remedy) => format!("{} as {remedy} writes it", self.statement),
            None => self.statement.to_string(),
        }
    }
}

/// What drops would do.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct DropEffects {
    /// Every index that may be dropped at all, by itself.
    pub(super) drops: Vec<HypotheticalDrop>,
    /// What can go once the recommended indexes are there: all of it together.
    pub(super) replaced: Vec<Replaced>,
    /// What the catalog alone would let go, and without which some statement gets worse: a longer
    /// index is also a larger one.
    pub(super) needed: BTreeSet<QualifiedName>,
    /// Names of the indexes that some plan uses then, which had used one that is gone.
    pub(super) used: BTreeSet<String>,
}

/// An existing index that a recommended one makes redundant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replaced {
    /// The existing one.
    pub(super) index: QualifiedName,
    /// The recommended one.
    pub(super) by: NamedIndex,
}
