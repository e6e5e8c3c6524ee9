//! THE SEAM: a planner that can be asked about indexes that do not exist yet.
//!
//! It is asked about a whole set of indexes and a batch of statements at once and answers with plans. The set is given whole
//! on every call, so there is no hidden state to get wrong, and a recording of the answers can stand in for a server.
//! That a trial could not be made (a lock was not to be had, a build failed) is an answer, not an error.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
pub use crate::index::NamedIndex;
use crate::model::Gap;
use crate::model::{Bytes, Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::verdict::Reason;
use crate::workload::{Statement, StatementId};
pub use hypothesis::Hypothesis;

pub mod costs;
pub mod counting;
pub mod hypothesis;
pub mod recording;
pub mod search;
pub mod upkeep;

/// Somebody who can be asked for plans: a server with a transaction that is rolled back, or a recording of one.
pub trait Planner {
    /// What the server knows about these tables and those they belong to.
    ///
    /// # Errors
    /// When the server cannot be asked any more.
    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError>;

    /// The plans of these statements if exactly these indexes were added. With no index: as things are.
    ///
    /// # Errors
    /// When the server cannot be asked any more; see [`Answer`] for trials that could not be made.
    fn plan(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError>;

    /// As [`Planners::execute`]; refused by whoever has no data.
    ///
    /// # Errors
    /// As [`Planner::plan`].
    fn execute(
        &mut self,
        _indexes: &[NamedIndex],
        _statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        Ok(Answer::Refused(Refusal::offline()))
    }

    /// As [`Planners::suppose`]; refused by whoever cannot tell.
    ///
    /// # Errors
    /// As [`Planner::plan`].
    fn suppose(
        &mut self,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        _statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        Ok(Answer::Refused(hypothesis.refused(indexes)))
    }
}

/// The planners of a run, as the pipeline asks them.
pub trait Planners {
    /// Is there time left to search? Asked before each step that could be done without; who has no clock has time.
    fn time_left(&mut self) -> bool {
        true
    }

    /// What the server knows about these tables and those they belong to.
    ///
    /// # Errors
    /// As [`Planner::catalog`].
    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError>;

    /// Makes the planner twin ready for statements on these tables.
    ///
    /// # Errors
    /// When the server cannot be asked any more. That there is no twin is not an error.
    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError>;

    /// As [`Planner::plan`].
    ///
    /// # Errors
    /// As [`Planner::plan`]; also when the twin is asked and is not ready.
    fn plan(
        &mut self,
        target: Target,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError>;

    /// These statements, executed on the server with exactly these indexes added (none: as things are), read-only: plans with what
    /// was seen (`Actual Rows`, `Execution Time`, buffers). Of several runs, the one of median time.
    ///
    /// # Errors
    /// As [`Planner::plan`].
    fn execute(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError>;

    /// The plans if these existing indexes were gone and these new ones there. Only the twin can tell without taking an index away
    /// from anybody.
    ///
    /// # Errors
    /// As [`Planner::plan`]; also when there is no twin.
    fn plan_without(
        &mut self,
        hidden: &[QualifiedName],
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError>;

    /// The plans if this were so, with exactly these indexes added. Refused where whoever is asked cannot suppose it.
    ///
    /// # Errors
    /// As [`Planners::plan`].
    fn suppose(
        &mut self,
        target: Target,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError>;

    /// How large these existing btrees would be if they were built anew, estimated as candidates are; those of which that cannot be said
    /// are left out. Only a twin can tell.
    ///
    /// # Errors
    /// When the twin cannot be asked any more.
    fn fresh_sizes(&mut self, indexes: &[NamedIndex]) -> Result<Vec<FreshSize>, PlannerError>;
}

/// An index that exists, as large as it would be if it were built anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshSize {
    /// The index.
    pub index: QualifiedName,
    /// The estimate.
    pub size: Bytes,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The server itself: indexes are built in a transaction that is rolled back.
    Server,
    /// Its planner twin.
    Twin,
}

/// Is there a planner twin?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwinState {
    /// It can be asked.
    Ready,
    /// Nobody asked for one.
    NotWanted,
    /// It could not be made, for this reason.
    Unavailable(String),
}

/// What came of making a twin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// Is there one?
    pub state: TwinState,
    /// What it is missing, for the tables that were asked for.
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

/// How a claim about a plan was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The index was built on the server, the plan was seen, and all was rolled back.
    RolledBackTransaction,
    /// The planner twin was seen to choose it, at its estimated size.
    PlannerTwin,
}

impl From<Target> for Evidence {
    fn from(target: Target) -> Evidence {
        match target {
            Target::Server => Evidence::RolledBackTransaction,
            Target::Twin => Evidence::PlannerTwin,
        }
    }
}

impl Evidence {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Evidence::RolledBackTransaction => "rolled_back_transaction",
            Evidence::PlannerTwin => "planner_twin",
        }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The indexes were there, and these are the plans.
    Planned(Planned),
    /// The indexes could not be had.
    Refused(Refusal),
}

/// Plans under a set of indexes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Planned {
    /// For each statement that was asked about: its plan, or the server's error.
    pub plans: BTreeMap<StatementId, PlanOutcome>,
    /// For each index that was asked about, in that order.
    pub builds: Vec<Build>,
    /// How long writers to the tables had to wait: from the first lock to the end of ROLLBACK.
    pub write_block: Millis,
}

/// The same statements without and with indexes, on the server in one state: the plans without are taken right after the build was
/// rolled back, because CREATE INDEX leaves more accurate row counts behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The plans as things are.
    pub before: BTreeMap<StatementId, PlanOutcome>,
    /// The plans with the indexes.
    pub after: Planned,
}

/// A plan, or the server's message why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanOutcome {
    /// The plan.
    Plan(Plan),
    /// The server's message.
    Failed(String),
    /// Not sent: there is nothing to plan.
    Empty,
}

impl PlanOutcome {
    /// The plan, if there is one.
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            PlanOutcome::Plan(plan) => Some(plan),
            _ => None,
        }
    }
}

/// One index as it was really built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// The names plans may show it under: its own and, on a partitioned table, its partitions' indexes.
    pub names: BTreeSet<String>,
    /// What stands behind the table's name in its definition, as the server writes it with every name qualified:
    /// `USING btree (state) WHERE (state = 'x'::text)`.
    pub body: String,
    /// Its size on disk.
    pub size: Bytes,
    /// How long CREATE INDEX (and ANALYZE, for an expression) took.
    pub build_time: Millis,
    /// False when `pg_index.indcheckxmin` keeps this transaction from using it: rows were HOT-updated and an older snapshot
    /// is still held by another session.
    pub usable: bool,
}

/// Why the indexes could not be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind of reason.
    pub reason: Reason,
    /// The server's words.
    pub detail: String,
    /// How long writers had to wait all the same.
    pub write_block: Millis,
    /// How many indexes were built before it came to that.
    #[serde(default)]
    pub built: usize,
}

impl Refusal {
    /// There is nobody who could build or run anything.
    pub fn offline() -> Refusal {
        let detail = "there is no server to build it on".to_owned();
        Refusal {
            reason: Reason::Offline,
            detail,
            write_block: Millis::default(),
            built: 0,
        }
    }
}

/// The server cannot be asked any more.
#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// The user asked to stop.
    #[error("interrupted; {rollback}")]
    Interrupted {
        /// What became of what was going on.
        rollback: Rollback,
    },
    /// The connection or a query of our own failed.
    #[error("{operation}: {message}")]
    Server {
        /// What was being done.
        operation: String,
        /// What the server or the network said.
        message: String,
    },
    /// The twin was asked before it was made ready.
    #[error("there is no planner twin to ask")]
    NoTwin,
    /// A recording does not hold the answer to this question.
    #[error("the recording holds no answer about {0}")]
    NotRecorded(String),
}

/// What is known of the end of a transaction that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// The server confirmed it, or there was none to make.
    Confirmed,
    /// The server did not answer in time; it rolls back by itself as soon as it notices that we are gone.
    Unconfirmed,
}

impl std::fmt::Display for Rollback {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Rollback::Confirmed => "everything was rolled back",
            Rollback::Unconfirmed => {
                "the server has not confirmed the rollback yet: look for its lock in pg_locks"
            }
        })
    }
}

/// What is going on, for a progress display.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Something with so many steps begins.
    Begin {
        /// What it is.
        what: &'a str,
        /// Its number of steps.
        steps: usize,
    },
    /// A step begins.
    Step(&'a str),
    /// It is over.
    End,
}

/// Told what is going on.
pub type Observer<'a> = &'a dyn Fn(Event<'_>);

/// One candidate, rehearsed by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What was tried.
    pub index: NamedIndex,
    /// What came of it.
    pub outcome: TrialOutcome,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialOutcome {
    /// It was there.
    Built {
        /// As it was built.
        build: Build,
        /// The cost of each statement on its table, and whether the plan used it.
        costs: BTreeMap<StatementId, TrialCost>,
    },
    /// It was not tried, or could not be built.
    Refused(Refusal),
}

/// A statement under one index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialCost {
    /// The plan's total cost.
    pub cost: Cost,
    /// Did the plan use the index?
    pub used: bool,
}

impl Trial {
    /// As it was built, and what the statements on its table cost with it.
    pub fn built(&self) -> Option<(&Build, &BTreeMap<StatementId, TrialCost>)> {
        match &self.outcome {
            TrialOutcome::Built { build, costs } => Some((build, costs)),
            TrialOutcome::Refused(_) => None,
        }
    }

    /// Sorts an answer about one index into what a search needs of it.
    pub fn from_answer(index: NamedIndex, answer: Answer) -> Trial {
        let outcome = match answer {
            Answer::Refused(refusal) => TrialOutcome::Refused(refusal),
            Answer::Planned(planned) => match planned.builds.into_iter().next() {
                Some(build) => {
                    let plans = planned
                        .plans
                        .into_iter()
                        .filter_map(|(id, outcome)| Some((id, outcome.plan()?.clone())));
                    let cost = |plan: &Plan| TrialCost {
                        cost: plan.total_cost(),
                        used: uses(plan, &build),
                    };
                    let costs = plans.map(|(id, plan)| (id, cost(&plan))).collect();
                    TrialOutcome::Built { build, costs }
                }
                None => TrialOutcome::Refused(Refusal {
                    reason: Reason::BuildFailed,
                    detail: "the answer does not hold the index".to_owned(),
                    write_block: Millis::default(),
                    built: 0,
                }),
            },
        };
        Trial { index, outcome }
    }
}

/// Does the plan read this index?
pub fn uses(plan: &Plan, build: &Build) -> bool {
    plan.index_names()
        .iter()
        .any(|name| build.names.contains(*name))
}
