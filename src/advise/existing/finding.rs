//! A finding about an index that exists: the cause with its data. `src/sentences/existing.rs` says
//! it in words.

use crate::catalog::{Counters, ExistingIndex, Stage};
use crate::model::{Bytes, QualifiedName, quote_identifier};

/// Something about an index that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct ExistingFinding {
    /// The index.
    pub index: QualifiedName,
    /// What is wrong with it.
    pub cause: ExistingCause,
    /// Its size.
    pub size: Bytes,
    /// `idx_scan`: scans since the statistics were reset.
    pub scans: u64,
    /// The table is clustered on it: without it, CLUSTER needs the name of another index.
    pub clustered: bool,
    /// Why it cannot be fixed without blocking others or changing what is declared.
    pub bound: Option<Bound>,
}

/// Why DROP INDEX CONCURRENTLY does not remove an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// It belongs to a constraint.
    Constraint {
        /// The constraint.
        name: String,
        /// The table it is on.
        table: QualifiedName,
        /// A foreign key refers to it.
        referenced: bool,
    },
    /// A foreign key refers to it.
    Referenced,
    /// It is an index of a partitioned table, which locks all partitions when it is dropped.
    Partitioned {
        /// The table.
        table: QualifiedName,
    },
}

/// What left an index behind that is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftBy {
    /// CREATE INDEX CONCURRENTLY (or a DROP INDEX CONCURRENTLY that was stopped).
    Build,
    /// REINDEX CONCURRENTLY of this index, which is still the old one.
    Rebuild(QualifiedName),
    /// REINDEX CONCURRENTLY of this index, which is the new one.
    Replaced(QualifiedName),
}

/// How an index of a partitioned table becomes valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incomplete {
    /// By these statements, one after the other.
    Steps(Vec<String>),
    /// Not at all: one of the partitions is a foreign table, which can have no index.
    Foreign,
    /// It belongs to a constraint, which each partition needs first.
    Constraint,
    /// Its definition could not be read.
    Unknown,
}

/// What is wrong with an existing index.
#[derive(Debug, Clone, PartialEq)]
pub enum ExistingCause {
    /// Another index is the same.
    Duplicate {
        /// The other one.
        of: QualifiedName,
    },
    /// Its columns are the first of another index.
    Prefix {
        /// The other one.
        of: QualifiedName,
    },
    /// Another index has the same columns, in the other direction or carried in another order.
    Equivalent {
        /// The other one.
        of: QualifiedName,
    },
    /// A recommended index replaces it: the twin plans no statement worse without it.
    Replaced {
        /// The recommended index.
        by: String,
        /// The recommendation, by id.
        recommendation: String,
    },
    /// Left behind by a failed build.
    Invalid {
        /// It is unique and no valid index enforces the same: it is completed, not dropped.
        enforces: bool,
        /// Which command left it.
        left_by: LeftBy,
        /// What writes do with it.
        stage: Stage,
    },
    /// It is an index of a partitioned table, and some partitions have none that is attached to it.
    Unattached {
        /// These partitions.
        partitions: Vec<QualifiedName>,
        /// What is attached, and is not valid.
        invalid: Vec<QualifiedName>,
        /// What completes it.
        incomplete: Incomplete,
    },
    /// A command with CONCURRENTLY is building it now.
    BeingBuilt,
    /// Nothing has scanned it for long, and no plan of the workload uses it.
    Unused(Unused),
    /// It is much larger than it would be after REINDEX.
    Bloated {
        /// Its estimated size after REINDEX.
        rebuilt: Bytes,
    },
}

/// What makes an index unused, and what to check before it is dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Unused {
    /// The counters that show no scan.
    pub counters: Counters,
    /// The server's version, as `server_version_num`. Until 14 `stats_reset` is also the time at
    /// which a database's statistics began.
    pub version_num: u32,
    /// The server is a standby.
    pub in_recovery: bool,
    /// A foreign key that it supports.
    pub foreign_key: Option<SupportedForeignKey>,
}

/// A foreign key whose columns an index begins with: a DELETE of the parent looks rows up by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedForeignKey {
    /// The constraint.
    pub name: String,
    /// The table that has it.
    pub table: QualifiedName,
    /// The table that it refers to.
    pub parent: QualifiedName,
    /// Another index supports it, too.
    pub another_index: bool,
}

/// The kind of a finding about an existing index, as reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingKind {
    /// Another index is the same.
    Duplicate,
    /// Another index, existing or recommended, replaces it, too.
    Redundant,
    /// Left behind by a failed build.
    Invalid,
    /// Nothing has scanned it for long, and no plan of the workload uses it.
    Unused,
    /// It is much larger than it would be after REINDEX.
    Bloated,
    /// It is being built now.
    BeingBuilt,
}

/// How to fix it without blocking other sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// DROP INDEX CONCURRENTLY.
    Drop,
    /// REINDEX INDEX CONCURRENTLY.
    Reindex,
    /// CREATE INDEX CONCURRENTLY for partitions, and ALTER INDEX … ATTACH PARTITION.
    Attach,
}

impl ExistingKind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            ExistingKind::Duplicate => "duplicate",
            ExistingKind::Redundant => "redundant",
            ExistingKind::Invalid => "invalid",
            ExistingKind::Unused => "unused",
            ExistingKind::Bloated => "bloated",
            ExistingKind::BeingBuilt => "being_built",
        }
    }
}

impl ExistingFinding {
    pub(in crate::advise) fn new(index: &ExistingIndex, cause: ExistingCause) -> ExistingFinding {
        ExistingFinding {
            index: index.name.clone(),
            cause,
            size: index.size,
            scans: index.scans,
            clustered: index.clustered,
            bound: None,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ExistingKind {
        match self.cause {
            ExistingCause::Duplicate { .. } | ExistingCause::Equivalent { .. } => {
                ExistingKind::Duplicate
            }
            ExistingCause::Prefix { .. } | ExistingCause::Replaced { .. } => {
                ExistingKind::Redundant
            }
            ExistingCause::Invalid { .. } | ExistingCause::Unattached { .. } => {
                ExistingKind::Invalid
            }
            ExistingCause::Unused(_) => ExistingKind::Unused,
            ExistingCause::Bloated { .. } => ExistingKind::Bloated,
            ExistingCause::BeingBuilt => ExistingKind::BeingBuilt,
        }
    }

    /// What is proposed; none where nothing is to be done, or only by hand.
    pub fn fix(&self) -> Option<Fix> {
        match &self.cause {
            ExistingCause::BeingBuilt => None,
            ExistingCause::Unattached { incomplete, .. } => {
                matches!(incomplete, Incomplete::Steps(_)).then_some(Fix::Attach)
            }
            ExistingCause::Invalid { enforces: true, .. } | ExistingCause::Bloated { .. } => {
                Some(Fix::Reindex)
            }
            _ => self.bound.is_none().then_some(Fix::Drop),
        }
    }

    /// Its estimated size after REINDEX; only of a bloated one.
    pub fn expected_size(&self) -> Option<Bytes> {
        match self.cause {
            ExistingCause::Bloated { rebuilt } => Some(rebuilt),
            _ => None,
        }
    }

    /// Since when nothing scanned it, in UTC; only of an unused one.
    pub fn unused_since(&self) -> Option<&str> {
        match &self.cause {
            ExistingCause::Unused(unused) => Some(&unused.counters.since),
            _ => None,
        }
    }

    /// The recommendation that replaces it, by id.
    pub fn recommendation(&self) -> Option<&str> {
        match &self.cause {
            ExistingCause::Replaced { recommendation, .. } => Some(recommendation),
            _ => None,
        }
    }

    /// The complete statement that fixes it without blocking writers, where there is one; several
    /// ones have a line each.
    pub fn statement(&self) -> Option<String> {
        let statements = self.statements();
        (!statements.is_empty()).then(|| statements.join("\n"))
    }

    /// The same, one after the other.
    pub fn statements(&self) -> Vec<String> {
        if let ExistingCause::Unattached {
            incomplete: Incomplete::Steps(steps),
            ..
        } = &self.cause
        {
            return steps.clone();
        }
        let statement = self.fix().and_then(|fix| self.run_by(fix));
        statement.into_iter().collect()
    }

    fn run_by(&self, fix: Fix) -> Option<String> {
        Some(match fix {
            Fix::Attach => return None,
            Fix::Drop => format!("DROP INDEX CONCURRENTLY {};", self.index),
            Fix::Reindex => format!("REINDEX INDEX CONCURRENTLY {};", self.index),
        })
    }

    /// What that gives back, or what is done by hand.
    pub fn freed(&self) -> Bytes {
        match (&self.cause, self.expected_size()) {
            (
                ExistingCause::BeingBuilt
                | ExistingCause::Invalid { enforces: true, .. }
                | ExistingCause::Unattached { .. },
                _,
            ) => Bytes(0),
            (_, Some(expected)) => Bytes(self.size.0.saturating_sub(expected.0)),
            (_, None) => self.size,
        }
    }
}

impl Bound {
    /// What removes it all the same.
    pub fn by_hand(&self, index: &QualifiedName) -> Option<String> {
        match self {
            Bound::Constraint { name, table, .. } => Some(format!(
                "ALTER TABLE {table} DROP CONSTRAINT {}",
                quote_identifier(name)
            )),
            Bound::Referenced => None,
            Bound::Partitioned { .. } => Some(format!("DROP INDEX {index}")),
        }
    }
}
