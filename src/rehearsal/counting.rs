//! Planners that count what they were asked to plan: the price of a search, beside its wall time.

use std::collections::BTreeSet;

use super::{
    Answer, FreshSize, Hypothesis, NamedIndex, PlannerError, Planners, Preparation, Target,
};
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::workload::Statement;

/// How many plans were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Explained {
    /// Of the server.
    pub server: usize,
    /// Of its planner twin.
    pub twin: usize,
}

/// Passes questions on and counts their statements.
pub struct Counting<'a> {
    planners: &'a mut dyn Planners,
    explained: Explained,
}

impl<'a> Counting<'a> {
    /// Counts what these planners are asked.
    pub fn new(planners: &'a mut dyn Planners) -> Self {
        Counting {
            planners,
            explained: Explained::default(),
        }
    }

    /// What they were asked so far.
    pub fn explained(&self) -> Explained {
        self.explained
    }

    fn count(&mut self, target: Target, answer: &Answer) {
        match target {
            Target::Server => self.explained.server += plans(answer),
            Target::Twin => self.explained.twin += plans(answer),
        }
    }
}

/// The plans that were made: what was refused was not planned.
fn plans(answer: &Answer) -> usize {
    match answer {
        Answer::Planned(planned) => planned.plans.len(),
        Answer::Refused(_) => 0,
    }
}

impl Planners for Counting<'_> {
    fn time_left(&mut self) -> bool {
        self.planners.time_left()
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
        let answer = self.planners.plan(target, indexes, statements)?;
        self.count(target, &answer);
        Ok(answer)
    }

    fn execute(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self.planners.execute(indexes, statements)?;
        self.explained.server += plans(&answer);
        Ok(answer)
    }

    fn plan_without(
        &mut self,
        hidden: &[QualifiedName],
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self.planners.plan_without(hidden, indexes, statements)?;
        self.count(Target::Twin, &answer);
        Ok(answer)
    }

    fn suppose(
        &mut self,
        target: Target,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self
            .planners
            .suppose(target, hypothesis, indexes, statements)?;
        self.count(target, &answer);
        Ok(answer)
    }

    fn fresh_sizes(&mut self, indexes: &[NamedIndex]) -> Result<Vec<FreshSize>, PlannerError> {
        self.planners.fresh_sizes(indexes)
    }
}
