//! The kinds of reasons why no index helps a statement.

use super::Reason;

/// The kind of reason why no index helps a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoIndexReason {
    /// Most rows of the table are wanted: reading them all one after the other is cheapest.
    ReadsMostOfTheTable,
    /// The planner would use an index if `random_page_cost` were lower.
    OnlyAtLowerRandomPageCost,
    /// An index answers all its conditions today.
    AlreadyIndexed,
    /// Another session is building an index for it now.
    BeingBuilt,
    /// An index of a partitioned table is for it, and lacks parts.
    Incomplete,
    /// The whole table costs less to read than one row through an index.
    TableTooSmall,
    /// Nothing filters, orders or groups.
    NoCondition,
    /// Its rows are those of another server.
    OnForeignServer,
    /// Its conditions are nothing that an index can answer.
    NotIndexable,
    /// An index would help, or might: this is why it is not recommended.
    Candidate(Reason),
    /// Nothing else is known: the tested candidates did not help.
    NoCandidateHelped,
}

impl NoIndexReason {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            NoIndexReason::ReadsMostOfTheTable => "reads_most_of_the_table",
            NoIndexReason::OnlyAtLowerRandomPageCost => "only_at_lower_random_page_cost",
            NoIndexReason::AlreadyIndexed => "already_indexed",
            NoIndexReason::BeingBuilt => "being_built",
            NoIndexReason::Incomplete => "incomplete",
            NoIndexReason::TableTooSmall => "table_too_small",
            NoIndexReason::NoCondition => "no_condition",
            NoIndexReason::OnForeignServer => "on_foreign_server",
            NoIndexReason::NotIndexable => "not_indexable",
            NoIndexReason::Candidate(reason) => reason.name(),
            NoIndexReason::NoCandidateHelped => "no_candidate_helped",
        }
    }
}
