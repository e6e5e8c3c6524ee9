//! A planner that plans statements with indexes that do not exist yet: one question, one answer.
//!
//! A [`Question`] says everything: which planner is asked, which indexes it has to see, what else
//! is assumed, and which statements. A planner keeps no state between questions, so that recording,
//! counting and limiting are a few lines around [`Planner::ask`], and a
//! [recording](recording::Recording) is a list of questions with their answers. That an index could
//! not be built (a lock could not be acquired, a build failed) is an answer, not an error.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::model::Gap;
use crate::model::QualifiedName;

mod answer;
pub mod counted;
mod error;
pub mod hypothesis;
mod progress;
mod question;
pub mod recording;
mod refusal;
mod rollback;
mod silence;
#[cfg(test)]
pub mod test_planner;
mod waits;
mod withheld;

pub use crate::index::NamedIndex;
pub use answer::{Answer, Comparison, Evidence, PlanOutcome, Planned, TestedIndex, uses};
pub use error::PlannerError;
pub use hypothesis::Hypothesis;
pub use progress::{BuildPlan, Event, Observer};
pub use question::{Mode, Question, SearchStep, Target};
pub use refusal::{LockHolders, Refusal, RefusalCause};
pub use rollback::Rollback;
pub use silence::Silence;
pub use waits::Waits;
pub use withheld::{NotExecuted, TwinOnly, TwinOnlyReason};

/// Answers questions about plans: a server with transactions that are rolled back, its planner
/// twin, both, or a recording of them.
pub trait Planner {
    /// The plans of statements under the conditions of the question.
    ///
    /// # Errors
    /// When the planner cannot be asked any more, or has no answer on record. Indexes that could
    /// not be built are an [`Answer::Refused`].
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError>;

    /// The answers to several questions, in their order; a planner of several processes answers them
    /// at the same time.
    ///
    /// # Errors
    /// As [`Planner::ask`]: there is no answer to any of them then.
    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        one_by_one(self, questions)
    }

    /// Each of these indexes will be asked about: what their estimates need can be fetched at once.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    fn expect(&mut self, _indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        Ok(())
    }

    /// What the server knows about these tables and those they belong to.
    ///
    /// # Errors
    /// When the server cannot be asked any more.
    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError>;

    /// The other tables of the database, with their indexes and foreign keys only.
    ///
    /// # Errors
    /// When the server cannot be asked any more.
    fn other_tables(
        &mut self,
        _known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        Ok(OtherTables::default())
    }

    /// Makes the planner twin ready for statements on these tables, where there can be one.
    ///
    /// # Errors
    /// When the server cannot be asked any more. That there is no twin is not an error.
    fn prepare_twin(
        &mut self,
        _tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        Ok(TwinState::NotWanted.into())
    }
}

/// The tables of a database that no statement of the workload reads.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OtherTables {
    /// The tables, with their indexes and foreign keys only.
    pub catalog: Catalog,
    /// Those that another session had locked: their indexes were not read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub locked: BTreeSet<QualifiedName>,
}

/// The answers of a planner that answers one question at a time.
///
/// # Errors
/// When the planner cannot be asked any more.
pub fn one_by_one<P: Planner + ?Sized>(
    planner: &mut P,
    questions: &[Question],
) -> Result<Vec<Answer>, PlannerError> {
    let answers = questions.iter().map(|question| planner.ask(question));
    answers.collect()
}

/// Is there a planner twin?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwinState {
    /// It answers questions.
    Ready,
    /// No twin was requested.
    NotWanted,
    /// It could not be made, for this reason.
    Unavailable(String),
}

/// The result of making a twin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// Is there one?
    pub state: TwinState,
    /// What it is missing, for the tables that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

impl From<TwinState> for Preparation {
    fn from(state: TwinState) -> Preparation {
        Preparation {
            state,
            gaps: Vec::new(),
        }
    }
}
