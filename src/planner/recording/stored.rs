//! A recording as it is written to a file: each plan once, because most answers repeat plans of
//! earlier ones.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Exchange, FORMAT, Recording};
use crate::catalog::Catalog;
use crate::planner::{Answer, OtherTables, PlanOutcome, Preparation};
use crate::verdict::Limits;
use crate::workload::{StatementId, Workload};

/// What is wrong with the text of a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Another version of the program wrote it.
    #[error(
        "this is a recording in the format {found:?}, and this version of pgrehearse reads {FORMAT:?}: record the run again"
    )]
    Format {
        /// The format that it names.
        found: String,
    },
    /// It is no JSON, or not a recording's.
    #[error("the recording cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It refers to a plan that it does not hold.
    #[error("the recording refers to plan {0}, which it does not hold")]
    NoSuchPlan(usize),
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// When the text is no recording, or of another format.
    pub fn from_json(text: &str) -> Result<Recording, RecordingError> {
        let format: Named = serde_json::from_str(text)?;
        if format.format != FORMAT {
            return Err(RecordingError::Format {
                found: format.format,
            });
        }
        serde_json::from_str::<Stored>(text)?.try_into()
    }
}

#[derive(Deserialize)]
struct Named {
    format: String,
}

/// The file's structure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    format: String,
    workload: Workload,
    limits: Limits,
    catalog: Catalog,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    others: Option<OtherTables>,
    twin: Preparation,
    /// Each plan that occurs, once.
    plans: Vec<Value>,
    exchanges: Vec<StoredExchange>,
}

/// An exchange whose plans are positions in the list of plans.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredExchange {
    #[serde(flatten)]
    exchange: Exchange,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    plans: BTreeMap<StatementId, usize>,
}

impl From<Recording> for Stored {
    fn from(recording: Recording) -> Stored {
        let mut pool = Pool::default();
        let exchanges = recording
            .exchanges
            .into_iter()
            .map(|exchange| pool.take_plans(exchange))
            .collect();
        Stored {
            format: FORMAT.to_owned(),
            workload: recording.workload,
            limits: recording.limits,
            catalog: recording.catalog,
            others: recording.others,
            twin: recording.twin,
            plans: pool.plans,
            exchanges,
        }
    }
}

/// The plans seen so far.
#[derive(Default)]
struct Pool {
    plans: Vec<Value>,
    positions: HashMap<String, usize>,
}

impl Pool {
    /// Moves the plans of an answer into the pool.
    fn take_plans(&mut self, mut exchange: Exchange) -> StoredExchange {
        let mut plans = BTreeMap::new();
        if let Answer::Planned(planned) = &mut exchange.answer {
            for (id, outcome) in std::mem::take(&mut planned.plans) {
                match self.position(&outcome) {
                    Some(position) => {
                        plans.insert(id, position);
                    }
                    None => {
                        planned.plans.insert(id, outcome);
                    }
                }
            }
        }
        StoredExchange { exchange, plans }
    }

    /// Where the plan is in the pool; none for what is no plan, or cannot be written apart.
    fn position(&mut self, outcome: &PlanOutcome) -> Option<usize> {
        let value = serde_json::to_value(outcome.plan()?).ok()?;
        let next = self.plans.len();
        let position = *self.positions.entry(value.to_string()).or_insert(next);
        if position == next {
            self.plans.push(value);
        }
        Some(position)
    }
}

impl TryFrom<Stored> for Recording {
    type Error = RecordingError;

    fn try_from(stored: Stored) -> Result<Recording, RecordingError> {
        let plans: Vec<PlanOutcome> = stored
            .plans
            .into_iter()
            .map(|plan| serde_json::from_value(plan).map(PlanOutcome::Plan))
            .collect::<Result<_, _>>()?;
        let mut exchanges = Vec::with_capacity(stored.exchanges.len());
        for StoredExchange {
            mut exchange,
            plans: positions,
        } in stored.exchanges
        {
            if let Answer::Planned(planned) = &mut exchange.answer {
                for (id, position) in positions {
                    let plan = plans.get(position).cloned();
                    planned
                        .plans
                        .insert(id, plan.ok_or(RecordingError::NoSuchPlan(position))?);
                }
            }
            exchanges.push(exchange);
        }
        Ok(Recording {
            workload: stored.workload,
            limits: stored.limits,
            catalog: stored.catalog,
            others: stored.others,
            twin: stored.twin,
            exchanges,
        })
    }
}
