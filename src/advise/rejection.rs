//! Why a candidate is not recommended, as a value.

use super::benefit::Benefit;
use super::effort::SlowerThan;
use crate::model::{Bytes, Cost, Millis, QualifiedName};
use crate::planner::RefusalCause;
use crate::verdict::{MinImprovement, Reason};
use crate::workload::StatementId;

/// Why a candidate is not recommended, with its facts.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejection {
    /// It was not tested, or the server refused it.
    Refused(RefusalCause),
    /// No plan used it.
    NotUsed,
    /// Rows were updated in place while another session holds an older snapshot: the planner may
    /// not use a new index yet.
    NotUsableNow,
    /// No plan used it beside the other recommended indexes.
    NotUsedBesideOthers,
    /// It gains too little beside the other recommended indexes.
    GainTooSmallBesideOthers,
    /// Every statement that uses it took longer when it was executed; the worst, without and with
    /// it.
    Slower {
        /// The statement.
        statement: StatementId,
        /// Its time without the index.
        before: Millis,
        /// Its time with the index.
        after: Millis,
    },
    /// Another index was faster when both were executed.
    SlowerThan(SlowerThan),
    /// It gains too little.
    GainTooSmall {
        /// The statement it helps most.
        best: Benefit,
        /// What counts as a gain.
        min_improvement: MinImprovement,
    },
    /// Writes would pay more for it than reads gain.
    WriteCostTooHigh {
        /// The statement it helps most.
        best: Benefit,
        /// Σ calls × cost that all statements gain.
        gained: Cost,
        /// What writes pay.
        write_cost: Cost,
        /// The part of it that is paid because updates are not HOT any more.
        lost_hot_cost: Cost,
    },
    /// A limit of the user kept it out.
    OverLimit {
        /// Which limit.
        reason: Reason,
        /// The statement it helps most.
        best: Benefit,
    },
    /// A recommended index does its work.
    Redundant {
        /// The statement it helps most.
        best: Benefit,
        /// The recommended index that helps that statement, if there is one.
        other: Option<OtherIndex>,
    },
    /// Only statements that are better written another way use it.
    OnlyAsWritten {
        /// The statements.
        statements: Vec<StatementId>,
        /// What they cost without it and with it alone.
        benefits: Vec<Benefit>,
        /// The remedies that write them another way, by id.
        remedies: Vec<String>,
    },
    /// An existing index does its work.
    CoveredByExisting(QualifiedName),
    /// An index that is being built will do its work, or a part of it.
    BeingBuilt(QualifiedName),
    /// An index of a partitioned table will do its work, once the parts that it lacks are attached.
    Incomplete(QualifiedName),
}

/// A recommended index that helps the same statement.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherIndex {
    /// `r1`, …
    pub id: String,
    /// Its size.
    pub size: Bytes,
    /// The statement's cost with it.
    pub after: Cost,
}

impl Rejection {
    /// The kind of reason, as reports name it.
    pub fn reason(&self) -> Reason {
        match self {
            Rejection::Refused(cause) => cause.reason(),
            Rejection::NotUsed => Reason::NotChosen,
            Rejection::NotUsableNow => Reason::NotUsableNow,
            Rejection::GainTooSmallBesideOthers | Rejection::GainTooSmall { .. } => {
                Reason::GainTooSmall
            }
            Rejection::Slower { .. } | Rejection::SlowerThan(_) => Reason::Slower,
            Rejection::WriteCostTooHigh { .. } => Reason::UpkeepTooHigh,
            Rejection::OverLimit { reason, .. } => *reason,
            Rejection::OnlyAsWritten { .. } => Reason::BetterRewritten,
            Rejection::NotUsedBesideOthers
            | Rejection::Redundant { .. }
            | Rejection::CoveredByExisting(_)
            | Rejection::BeingBuilt(_)
            | Rejection::Incomplete(_) => Reason::Redundant,
        }
    }
}
