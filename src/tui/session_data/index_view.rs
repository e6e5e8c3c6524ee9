//! An index as the screens show it: a candidate of the run, or one that the user wrote.

use crate::advise::Benefit;
use crate::catalog::entries_written::EntriesWritten;
use crate::model::{Bytes, Millis};
use crate::planner::{Evidence, NamedIndex};
use crate::search::TrialId;
use crate::verdict::Reason;

/// Statements that insert or update rows; a statement that only deletes leaves index entries to
/// VACUUM.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Writers {
    /// The number of statements.
    pub statements: usize,
    /// The total number of their calls.
    pub calls: f64,
}

/// A candidate, or an index that the user wrote.
#[derive(Debug, Clone)]
pub struct IndexView {
    /// The index under its name.
    pub named: NamedIndex,
    /// The DDL that creates it alone; for several indexes see [`super::SessionData::ddl`].
    pub ddl: Vec<String>,
    /// Its status.
    pub status: IndexStatus,
    /// Where it was tested, if it was.
    pub evidence: Option<Evidence>,
    /// Its size if it was built, else the planner twin's estimate.
    pub size: Option<Bytes>,
    /// How long building it took.
    pub build_time: Option<Millis>,
    /// How long writers waited for the transaction.
    pub write_block: Option<Millis>,
    /// The statements it helps.
    pub benefits: Vec<Benefit>,
    /// Its write cost by the server's counters, if they were read.
    pub entries_written: Option<EntriesWritten>,
    /// The statements of the workload that write to its table.
    pub writers: Writers,
    /// Its test alone, if there was one.
    pub(super) trial: Option<TrialId>,
}

/// The status of an index.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexStatus {
    /// Recommended: the planner uses it and a statement gains.
    Recommended {
        /// `r1`, …
        id: String,
        /// In two sentences.
        explanation: String,
    },
    /// Not recommended.
    Rejected {
        /// Why.
        reason: Reason,
        /// In a sentence.
        detail: String,
    },
    /// Tested, while the search goes on.
    Candidate,
    /// Written and tested by the user.
    UserDefined,
}

impl IndexView {
    /// Whether it was tested only in the planner twin.
    pub fn is_predicted(&self) -> bool {
        self.evidence == Some(Evidence::PlannerTwin)
    }

    /// Why it is not recommended; none when it is, and for those of the user.
    pub fn rejected(&self) -> Option<Reason> {
        match self.status {
            IndexStatus::Rejected { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// Its size for a column; `≈` before an estimate.
    pub fn size_text(&self) -> Option<String> {
        let is_estimate = self.is_predicted() && self.build_time.is_none();
        let about = if is_estimate { "≈" } else { "" };
        self.size.map(|size| format!("{about}{size}"))
    }

    /// Its id in the list: `r1`, `–` or `new`.
    pub fn id(&self) -> &str {
        match &self.status {
            IndexStatus::Recommended { id, .. } => id,
            IndexStatus::Rejected { .. } | IndexStatus::Candidate => "–",
            IndexStatus::UserDefined => "new",
        }
    }

    /// Whether it is recommended.
    pub fn is_recommended(&self) -> bool {
        matches!(self.status, IndexStatus::Recommended { .. })
    }

    /// Whether it was tested, so that its effect is known.
    pub fn is_tested(&self) -> bool {
        self.trial.is_some()
    }
}
