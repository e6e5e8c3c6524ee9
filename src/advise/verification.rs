//! The planners' plans for a chosen set, as a value, and the conclusions from them.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Baseline;
use super::effort::SlowerThan;
use crate::model::{Cost, Millis};
use crate::plan::Plan;
use crate::planner::{Evidence, Refusal, TestedIndex};
use crate::search::TrialId;
use crate::workload::StatementId;

mod judgement;
mod merge;

/// The result of verifying the chosen set.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Verification {
    /// The indexes that some statement's plan uses and gains enough by.
    pub(super) verified: Vec<VerifiedIndex>,
    /// The plans without them, of the statements that touch their tables.
    pub(super) before: Baseline,
    /// The plans with the set.
    pub(super) after: BTreeMap<StatementId, Plan>,
    /// Chosen, but not verified.
    pub(super) failed: BTreeMap<TrialId, Failure>,
    /// What the twin predicted for each statement, where the server was asked, too: its cost before
    /// and after.
    pub(super) predicted: BTreeMap<StatementId, (Cost, Cost)>,
    /// The statements that an index is recommended for because they were executed and are much
    /// faster with it, whatever they cost.
    pub(super) faster: BTreeSet<StatementId>,
}

/// One index that was verified.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct VerifiedIndex {
    pub(super) trial: TrialId,
    /// As it was built, or as the twin has it.
    pub(super) index: TestedIndex,
    /// How long writers waited for the transaction that built it.
    pub(super) write_block: Option<Millis>,
    /// The others that the same transaction built.
    pub(super) built_with: Vec<TrialId>,
    /// Where it was verified.
    pub(super) evidence: Evidence,
    /// Why it was not built on the server, when only the twin was asked.
    pub(super) not_built: Option<Refusal>,
    /// As the twin had it, when the server was asked, too.
    pub(super) predicted: Option<TestedIndex>,
}

/// Why a chosen index was not verified.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Failure {
    /// No plan uses it beside the others.
    NotUsed,
    /// Used, but not for enough.
    GainTooSmall,
    /// Built, but an older snapshot of another session keeps the planner from using it.
    NotUsableNow,
    /// It could not be built again.
    Refused(Refusal),
    /// Every statement that uses it took longer when it was executed; the worst, without and with
    /// the index.
    Slower(StatementId, Millis, Millis),
    /// Another one was faster when both were executed.
    Faster(SlowerThan),
    /// Only these statements need it, and all of them are better written another way, for which it
    /// is of no use.
    OnlyAsWritten(BTreeSet<StatementId>),
}

impl Failure {
    /// Did executing statements show it?
    pub(super) fn is_measured(&self) -> bool {
        matches!(self, Failure::Slower(..) | Failure::Faster(_))
    }
}
