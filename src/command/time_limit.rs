//! `--search-time`: a planner with a clock. The core has none: it says which questions are part of the search, and these are refused once
//! the time is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::catalog::Catalog;
use crate::model::{Millis, QualifiedName};
use crate::planner::{Answer, Planner, PlannerError, Preparation, Question, RefusalCause};

/// Passes questions on; refuses those that can be skipped once the time is over.
pub(super) struct TimeLimit<'p> {
    planner: &'p mut dyn Planner,
    limit: Option<Duration>,
    /// The first question of the search.
    began: Option<Instant>,
}

impl<'p> TimeLimit<'p> {
    /// No limit, if there is none.
    pub(super) fn new(planner: &'p mut dyn Planner, limit: Option<Millis>) -> Self {
        let duration =
            |limit: Millis| Duration::try_from_secs_f64(limit.0 / 1_000.0).unwrap_or(Duration::MAX);
        TimeLimit {
            planner,
            limit: limit.map(duration),
            began: None,
        }
    }

    fn is_over(&mut self) -> bool {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.limit.is_some_and(|limit| began.elapsed() >= limit)
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
