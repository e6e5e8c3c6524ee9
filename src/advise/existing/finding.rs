//! A finding about an index that exists.

use crate::catalog::ExistingIndex;
use crate::model::{Bytes, QualifiedName};

/// Something about an index that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingFinding {
    /// The index.
    pub index: QualifiedName,
    /// What it is.
    pub kind: ExistingKind,
    /// What is proposed.
    pub fix: Fix,
    /// Its size.
    pub size: Bytes,
    /// Its estimated size if it were rebuilt; only of a bloated one.
    pub expected_size: Option<Bytes>,
    /// `idx_scan`: scans since the statistics were reset.
    pub scans: u64,
    /// Since when nothing scanned it, in UTC; only of an unused one.
    pub unused_since: Option<String>,
    /// The recommendation that does its work.
    pub recommendation: Option<String>,
    /// In a sentence or two.
    pub detail: String,
}

/// What can be wrong with an existing index.
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
}

/// How to fix it without blocking other sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// DROP INDEX CONCURRENTLY.
    Drop,
    /// REINDEX INDEX CONCURRENTLY.
    Reindex,
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
        }
    }
}

impl ExistingFinding {
    /// The complete statement that fixes it without blocking writers.
    pub fn statement(&self) -> String {
        match self.fix {
            Fix::Drop => format!("DROP INDEX CONCURRENTLY {};", self.index),
            Fix::Reindex => format!("REINDEX INDEX CONCURRENTLY {};", self.index),
        }
    }

    /// What that gives back.
    pub fn freed(&self) -> Bytes {
        match (self.fix, self.expected_size) {
            (Fix::Drop, _) => self.size,
            (Fix::Reindex, Some(expected)) => Bytes(self.size.0.saturating_sub(expected.0)),
            (Fix::Reindex, None) => Bytes(0),
        }
    }

    pub(in crate::advise) fn of(
        index: &ExistingIndex,
        kind: ExistingKind,
        detail: String,
    ) -> ExistingFinding {
        ExistingFinding {
            index: index.name.clone(),
            kind,
            fix: Fix::Drop,
            size: index.size,
            expected_size: None,
            scans: index.scans,
            unused_since: None,
            recommendation: None,
            detail,
        }
    }
}
