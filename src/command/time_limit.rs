//! `--search-time`: planners with a clock. The core has none; it asks whether there is time left, and a recording keeps the answers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::catalog::Catalog;
use crate::model::{Millis, QualifiedName};
use crate::rehearsal::{
    Answer, FreshSize, Hypothesis, NamedIndex, PlannerError, Planners, Preparation, Target,
};
use crate::workload::Statement;

/// Passes questions on until time is up; only then says so, and still passes them on.
pub(super) struct TimeLimit<'p> {
    planners: &'p mut dyn Planners,
    limit: Option<Duration>,
    /// The first time that somebody asked how much is left.
    began: Option<Instant>,
}

impl<'p> TimeLimit<'p> {
    /// No limit, if there is none.
    pub(super) fn new(planners: &'p mut dyn Planners, limit: Option<Millis>) -> Self {
        let duration =
            |limit: Millis| Duration::try_from_secs_f64(limit.0 / 1_000.0).unwrap_or(Duration::MAX);
        TimeLimit {
            planners,
            limit: limit.map(duration),
            began: None,
        }
    }
}

impl Planners for TimeLimit<'_> {
    fn time_left(&mut self) -> bool {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.limit.is_none_or(|limit| began.elapsed() < limit)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.planners.catalog(tables)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.planners.prepare_twin(tables)
    }

    fn plan(
        &mut self,
        target: Target,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        self.planners.plan(target, indexes, statements)
    }

    fn execute(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        self.planners.execute(indexes, statements)
    }

    fn plan_without(
        &mut self,
        hidden: &[QualifiedName],
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        self.planners.plan_without(hidden, indexes, statements)
    }

    fn suppose(
        &mut self,
        target: Target,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        self.planners
            .suppose(target, hypothesis, indexes, statements)
    }

    fn fresh_sizes(&mut self, indexes: &[NamedIndex]) -> Result<Vec<FreshSize>, PlannerError> {
        self.planners.fresh_sizes(indexes)
    }
}
