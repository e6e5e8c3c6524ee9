//! What a planner answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{NotExecuted, Refusal, Target, TwinOnly, Waits};
use crate::model::{Bytes, Millis};
use crate::plan::Plan;
use crate::workload::StatementId;

/// The answer to a [`Question`](super::Question).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The conditions held, and these are the plans.
    Planned(Planned),
    /// The conditions could not be met.
    Refused(Refusal),
}

impl Answer {
    /// The plans by statement; empty where the conditions could not be met.
    pub fn into_plans(self) -> BTreeMap<StatementId, PlanOutcome> {
        match self {
            Answer::Planned(planned) => planned.plans,
            Answer::Refused(_) => BTreeMap::new(),
        }
    }
}

/// Plans under the conditions of a question.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Planned {
    /// For each statement: its plan, or the server's error.
    pub plans: BTreeMap<StatementId, PlanOutcome>,
    /// Statements that could only be planned with another text that means the same: with types for
    /// their parameters. Of a question about plans without any condition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<StatementId, String>,
    /// Statements whose plans are so long that they are not read while writers wait, with their bytes:
    /// what they are with new indexes, only the twin says. Of a question about plans without any condition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub long_plans: BTreeMap<StatementId, Bytes>,
    /// What existed for the question, in its order: the new indexes, or what the hypothesis
    /// created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<TestedIndex>,
    /// How long the tables were locked for writes: from the first lock to the end of ROLLBACK.
    /// Absent where no lock was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_block: Option<Millis>,
    /// What other sessions felt of the transaction; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
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
    /// Not executed, for this reason.
    NotExecuted(NotExecuted),
    /// Not sent to the server: only the twin plans it.
    TwinOnly(TwinOnly),
}

impl PlanOutcome {
    /// The plan, if there is one.
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            PlanOutcome::Plan(plan) => Some(plan),
            PlanOutcome::Failed(_)
            | PlanOutcome::Empty
            | PlanOutcome::NotExecuted(_)
            | PlanOutcome::TwinOnly(_) => None,
        }
    }
}

/// An index as it existed while statements were planned with it: built on the server, or simulated
/// in the twin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestedIndex {
    /// The names plans may show it under: its own and, on a partitioned table, its partitions'
    /// indexes.
    pub names: BTreeSet<String>,
    /// What stands behind the table's name in its definition, as the server writes it with every
    /// name qualified: `USING btree (state) WHERE (state = 'x'::text)`.
    pub body: String,
    /// Its size on disk, or its estimated size in the twin.
    pub size: Bytes,
    /// How long CREATE INDEX (and ANALYZE, for an expression) took; absent where nothing was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_time: Option<Millis>,
    /// False when `pg_index.indcheckxmin` keeps this transaction from using it: rows were
    /// HOT-updated and an older snapshot is still held by another session.
    pub usable: bool,
}

impl TestedIndex {
    /// Does it have a predicate?
    pub fn is_partial(&self) -> bool {
        self.body.contains(" WHERE ")
    }

    /// Where it existed.
    pub fn evidence(&self) -> Evidence {
        match self.build_time {
            Some(_) => Evidence::RolledBackTransaction,
            None => Evidence::PlannerTwin,
        }
    }
}

/// Does the plan read this index?
pub fn uses(plan: &Plan, index: &TestedIndex) -> bool {
    plan.index_names()
        .iter()
        .any(|name| index.names.contains(*name))
}

/// The same statements without and with indexes, on the server in one state: the plans without are
/// taken right after the build was rolled back, because CREATE INDEX leaves more accurate row
/// counts behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The plans without the indexes.
    pub before: BTreeMap<StatementId, PlanOutcome>,
    /// The plans with the indexes.
    pub after: Planned,
}

/// How a claim about a plan was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The index was built on the server, statements were planned with it, and it was rolled back.
    RolledBackTransaction,
    /// The planner twin chose it, at its estimated size.
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
