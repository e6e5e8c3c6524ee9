//! `--search-time`: a planner with a clock. The core has no clock: it marks the questions that the search can do without, and these are
//! refused once the time is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::catalog::Catalog;
use crate::model::{Millis, QualifiedName};
use crate::planner::{Answer, Planner, PlannerError, Preparation, Question, RefusalCause};

/// Passes questions on; refuses those that can be skipped once the time is over.
pub(super) struct TimeLimit<'p> {
    planner: &'p mut dyn Planner,
    limit: Option<Duration>,
    /// When the first question was asked that can be skipped.
    started: Option<Instant>,
}

impl<'p> TimeLimit<'p> {
    /// Limits this planner, if there is a limit.
    pub(super) fn new(planner: &'p mut dyn Planner, limit: Option<Millis>) -> Self {
        let duration =
            |limit: Millis| Duration::try_from_secs_f64(limit.0 / 1_000.0).unwrap_or(Duration::MAX);
        TimeLimit {
            planner,
            limit: limit.map(duration),
            started: None,
        }
    }

    fn is_over(&mut self) -> bool {
        let started = *self.started.get_or_insert_with(Instant::now);
        self.limit.is_some_and(|limit| started.elapsed() >= limit)
    }
}

impl Planner for TimeLimit<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if question.skippable && self.is_over() {
            return Ok(Answer::Refused(RefusalCause::OutOfTime.into()));
        }
        self.planner.ask(question)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.planner.catalog(tables)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.planner.prepare_twin(tables)
    }
}
