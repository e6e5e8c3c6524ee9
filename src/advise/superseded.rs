//! Which existing indexes a candidate could take the place of: those that it answers everything of, and without which, with it there, the planner
//! twin plans no statement worse. The search prefers such a candidate to one that would come on top.

use std::collections::BTreeMap;

use super::verification::Known;
use super::{Run, existing};
use crate::catalog::ExistingIndex;
use crate::rehearsal::costs::Superseded;
use crate::rehearsal::{Answer, PlanOutcome, PlannerError, Target, Trial};
use crate::verdict::WORSE_SHARE;
use crate::workload::{Statement, StatementId};

impl Run<'_> {
    /// For each trial, the existing indexes it could take the place of. Without a twin nobody knows.
    pub(super) fn superseded(
        &mut self,
        trials: &[Trial],
        known: Known<'_>,
    ) -> Result<Vec<Superseded>, PlannerError> {
        let mut superseded = vec![Superseded::new(); trials.len()];
        if known.twin.target() == Target::Server {
            return Ok(superseded);
        }
        for (trial, superseded) in trials.iter().zip(&mut superseded) {
            for existing in replaceable(trial, known) {
                if !self.planners.time_left() {
                    return Ok(Vec::new());
                }
                match self.is_not_missed(existing, trial, known) {
                    Ok(true) => {
                        superseded.insert(existing.name.clone(), existing.size);
                    }
                    Ok(false) => {}
                    // Recordings from before this was asked have no answer to it.
                    Err(PlannerError::NotRecorded(_)) => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(superseded)
    }

    /// With the trial's index there, is no statement that uses the existing one worse without it than it is now?
    fn is_not_missed(
        &mut self,
        existing: &ExistingIndex,
        trial: &Trial,
        known: Known<'_>,
    ) -> Result<bool, PlannerError> {
        let before = known.twin.basis(known.baseline);
        let plan_of = |id: &StatementId| before.get(id).and_then(PlanOutcome::plan);
        let uses = |statement: &&Statement| {
            plan_of(&statement.id)
                .is_some_and(|plan| plan.index_names().contains(existing.name.name.as_str()))
        };
        let using: Vec<Statement> = self
            .workload
            .statements()
            .iter()
            .filter(uses)
            .cloned()
            .collect();
        if using.is_empty() {
            return Ok(true);
        }
        self.summary.twin_questions += 1;
        let (hidden, indexes) = (
            std::slice::from_ref(&existing.name),
            std::slice::from_ref(&trial.index),
        );
        let Answer::Planned(planned) = self.planners.plan_without(hidden, indexes, &using)? else {
            return Ok(false);
        };
        let without: BTreeMap<StatementId, PlanOutcome> = planned.plans;
        let is_no_worse = |statement: &Statement| {
            let (now, then) = (
                plan_of(&statement.id),
                without.get(&statement.id).and_then(PlanOutcome::plan),
            );
            now.zip(then).is_some_and(|(now, then)| {
                now.total_cost().saved_share(then.total_cost()) >= -WORSE_SHARE
            })
        };
        Ok(using.iter().all(is_no_worse))
    }
}

fn replaceable<'c>(trial: &Trial, known: Known<'c>) -> Vec<&'c ExistingIndex> {
    let Some(table) = known
        .catalog
        .table(&trial.index.definition.table)
        .filter(|_| trial.built().is_some())
    else {
        return Vec::new();
    };
    let subsumed = |existing: &&ExistingIndex| {
        let is_known = existing
            .index
            .as_ref()
            .is_some_and(|known| trial.index.definition.subsumes(known));
        is_known
            && existing.valid
            && existing.may_be_dropped()
            && existing::structural(existing, table).is_none()
    };
    table.indexes.iter().filter(subsumed).collect()
}
