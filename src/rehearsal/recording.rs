//! Everything a run asked and was answered, as a value that can be saved and asked again: for `review`, for tests of the core,
//! and to look at a customer's run without their server.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Answer, NamedIndex, PlanOutcome, Planner, PlannerError};
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::verdict::Limits;
use crate::workload::{Statement, StatementId, Workload};

/// The `format` a recording names itself by.
pub const FORMAT: &str = "pgrehearse-recording-1";

/// A run, complete: replayed through the pipeline it gives the same report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// [`FORMAT`].
    pub format: String,
    /// What was advised on.
    pub workload: Workload,
    /// Within which limits.
    pub limits: Limits,
    /// What the server knew.
    pub catalog: Catalog,
    /// Every question with its answer, in order.
    pub exchanges: Vec<Exchange>,
}

impl Recording {
    /// What came of planning this statement as things were, before anything was tried.
    pub fn first_plan(&self, id: &StatementId) -> Option<&PlanOutcome> {
        self.exchanges.iter().filter(|exchange| exchange.indexes.is_empty()).find_map(|exchange| {
            match &exchange.answer {
                Answer::Planned(planned) => planned.plans.get(id),
                Answer::Refused(_) => None,
            }
        })
    }
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The indexes asked about.
    pub indexes: Vec<NamedIndex>,
    /// The statements asked about.
    pub statements: Vec<StatementId>,
    /// The answer.
    pub answer: Answer,
}

/// Passes questions on and keeps the answers.
pub struct Recorder<'a> {
    planner: &'a mut dyn Planner,
    catalog: Catalog,
    exchanges: Vec<Exchange>,
}

impl<'a> Recorder<'a> {
    /// Records what this planner answers.
    pub fn new(planner: &'a mut dyn Planner) -> Self {
        Recorder { planner, catalog: Catalog::default(), exchanges: Vec::new() }
    }

    /// All that was asked and answered.
    pub fn finish(self, workload: Workload, limits: Limits) -> Recording {
        Recording { format: FORMAT.to_owned(), workload, limits, catalog: self.catalog, exchanges: self.exchanges }
    }
}

impl Planner for Recorder<'_> {
    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.catalog = self.planner.catalog(tables)?;
        Ok(self.catalog.clone())
    }

    fn plan(&mut self, indexes: &[NamedIndex], statements: &[Statement]) -> Result<Answer, PlannerError> {
        let answer = self.planner.plan(indexes, statements)?;
        let statements = statements.iter().map(|statement| statement.id.clone()).collect();
        self.exchanges.push(Exchange { indexes: indexes.to_vec(), statements, answer: answer.clone() });
        Ok(answer)
    }
}

/// Answers from a recording. Each exchange is used once and in order, because the same question may have been answered
/// differently later (CREATE INDEX refreshes `pg_class.reltuples` for good).
pub struct Replay {
    catalog: Catalog,
    left: Vec<Exchange>,
}

impl Replay {
    /// Answers from this recording.
    pub fn new(recording: &Recording) -> Self {
        Replay { catalog: recording.catalog.clone(), left: recording.exchanges.clone() }
    }
}

impl Planner for Replay {
    fn catalog(&mut self, _tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        Ok(self.catalog.clone())
    }

    fn plan(&mut self, indexes: &[NamedIndex], statements: &[Statement]) -> Result<Answer, PlannerError> {
        let asked = |exchange: &Exchange| {
            exchange.indexes == indexes
                && exchange.statements.iter().eq(statements.iter().map(|statement| &statement.id))
        };
        match self.left.iter().position(asked) {
            Some(position) => Ok(self.left.remove(position).answer),
            None => {
                let names: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
                Err(PlannerError::NotRecorded(if names.is_empty() {
                    "the plans as they are".to_owned()
                } else {
                    names.join(", ")
                }))
            }
        }
    }
}
