//! Why no index helps a statement, as a value.

use super::rejection::Rejection;
use crate::candidate::NotIndexable;
use crate::catalog::Mutable;
use crate::index::Index;
use crate::model::{Cost, QualifiedName};
use crate::planner::RefusalCause;
use crate::verdict::{MinImprovement, NoIndexReason, Reason};

/// Why no index helps a statement, with the facts.
#[derive(Debug, Clone, PartialEq)]
pub enum NoIndexHelps {
    /// It reads no table.
    ReadsNoTable,
    /// Most of its cost is for rows of this server, which it reads through foreign tables.
    OnForeignServer(String),
    /// Nothing filters, orders or groups the rows of this table.
    NoCondition(QualifiedName),
    /// The whole table costs less to read than one row through an index.
    TableTooSmall {
        /// The table.
        table: QualifiedName,
        /// Its pages.
        pages: u64,
        /// The cost of reading it whole.
        whole: Cost,
        /// The minimum cost of one row through an index.
        one_row: Cost,
    },
    /// An index answers all its conditions today.
    AlreadyIndexed {
        /// The table.
        table: QualifiedName,
        /// How it is read: `Index Scan`.
        scan: String,
        /// The indexes that are used.
        indexes: Vec<String>,
        /// The conditions that they answer; none where they bring the order.
        conditions: Vec<String>,
        /// A GiST index among them whose first column no condition is on: that one decides how much
        /// of the index is read, and the planner's cost does not know it
        /// (<https://www.postgresql.org/docs/current/indexes-multicolumn.html>).
        not_by_first: Option<String>,
    },
    /// Another session is building an index for it now.
    BeingBuilt(QualifiedName),
    /// An index of a partitioned table is for it, and lacks parts.
    Incomplete(QualifiedName),
    /// Most rows of the table are wanted.
    ReadsMost {
        /// The table.
        table: QualifiedName,
        /// The rows that are returned.
        returned: f64,
        /// The rows that there are.
        rows: f64,
    },
    /// An index would help, and is not recommended.
    Candidate {
        /// The candidate.
        index: Index,
        /// The statement's cost without it.
        before: Cost,
        /// The statement's cost with it.
        after: Cost,
        /// Why it is not recommended.
        rejection: Rejection,
    },
    /// The best candidate gains too little.
    GainsTooLittle {
        /// The candidate.
        index: Index,
        /// The statement's cost without it.
        before: Cost,
        /// The statement's cost with it.
        after: Cost,
        /// What counts as a gain.
        min_improvement: MinImprovement,
    },
    /// The planner would use an index if `random_page_cost` were lower.
    LowerPageCost(LowerPageCost),
    /// Its conditions are nothing that an index can answer: the reason that a generator gave.
    NotIndexable(NotIndexable),
    /// No index can serve this condition on this table.
    NotIndexableFilter {
        /// The condition.
        filter: String,
        /// The table.
        table: QualifiedName,
    },
    /// A VOLATILE function is evaluated for every row, so no index can answer this condition.
    Volatile {
        /// The table.
        table: QualifiedName,
        /// The condition.
        filter: String,
        /// The function.
        call: Mutable,
    },
    /// Candidates could not be tested.
    NotTested {
        /// How many could not be tested.
        refused: usize,
        /// How many there are.
        candidates: usize,
        /// Why the first of them was not tested.
        cause: RefusalCause,
    },
    /// Nothing else is known: what was tested did not help.
    NoCandidateHelped {
        /// How many candidates there are.
        candidates: usize,
        /// The cheapest of those that were tested, and the statement's cost with it.
        best: Option<(Index, Cost)>,
        /// The statement's cost today.
        now: Cost,
    },
}

impl NoIndexHelps {
    /// The kind of reason, as reports name it.
    pub fn reason(&self) -> NoIndexReason {
        match self {
            NoIndexHelps::ReadsNoTable | NoIndexHelps::NoCondition(_) => NoIndexReason::NoCondition,
            NoIndexHelps::OnForeignServer(_) => NoIndexReason::OnForeignServer,
            NoIndexHelps::TableTooSmall { .. } => NoIndexReason::TableTooSmall,
            NoIndexHelps::AlreadyIndexed { .. } => NoIndexReason::AlreadyIndexed,
            NoIndexHelps::BeingBuilt(_) => NoIndexReason::BeingBuilt,
            NoIndexHelps::Incomplete(_) => NoIndexReason::Incomplete,
            NoIndexHelps::ReadsMost { .. } => NoIndexReason::ReadsMostOfTheTable,
            NoIndexHelps::Candidate { rejection, .. } => {
                NoIndexReason::Candidate(rejection.reason())
            }
            NoIndexHelps::GainsTooLittle { .. } => NoIndexReason::Candidate(Reason::GainTooSmall),
            NoIndexHelps::LowerPageCost(_) => NoIndexReason::OnlyAtLowerRandomPageCost,
            NoIndexHelps::NotIndexable(_)
            | NoIndexHelps::NotIndexableFilter { .. }
            | NoIndexHelps::Volatile { .. } => NoIndexReason::NotIndexable,
            NoIndexHelps::NotTested { cause, .. } => NoIndexReason::Candidate(cause.reason()),
            NoIndexHelps::NoCandidateHelped { .. } => NoIndexReason::NoCandidateHelped,
        }
    }
}

/// An index that is used only below the present value.
#[derive(Debug, Clone, PartialEq)]
pub struct LowerPageCost {
    /// The index.
    pub index: IndexChoice,
    /// The present value.
    pub now: f64,
    /// The maximum value at which it is used, to one decimal place (two where the values differ by
    /// less than one).
    pub at: f64,
    /// The statement's cost there.
    pub cost: Cost,
}

/// An index that the planner would use.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexChoice {
    /// One that exists, by its name.
    Existing(String),
    /// A candidate.
    Candidate(Box<Index>),
}
