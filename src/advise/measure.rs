//! `--analyze`: cost is not time. The statements that the verified indexes help are executed
//! without and with them, read-only. An index with which all of them took longer is rejected,
//! whatever its costs.

use std::collections::{BTreeMap, BTreeSet};

use super::build_groups::build_groups;
use super::context::Context;
use super::run::Run;
use super::verification::{Failure, Verification, VerifiedIndex};
use crate::model::Millis;
use crate::plan::Plan;
use crate::planner::{
    Answer, Evidence, NotExecuted, PlanOutcome, PlannerError, Question, Target, uses,
};
use crate::search::{TrialId, Trials};
use crate::sql::split::highest_parameter;
use crate::workload::{Statement, StatementId};

/// The plans of executed statements, with times and buffers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Measured {
    /// Without new indexes.
    pub(super) before: BTreeMap<StatementId, Plan>,
    /// With the verified indexes.
    pub(super) after: BTreeMap<StatementId, Plan>,
    /// Why other statements were not executed, or not to their end.
    pub(super) not_executed: BTreeMap<StatementId, NotExecuted>,
}

/// Minimum share by which a time must be longer to count as longer: smaller differences come from
/// caches and clocks.
const MIN_LONGER_SHARE: f64 = 0.1;

/// Times below this vary too much to compare.
pub(super) const MIN_TIME: Millis = Millis(1.0);

impl Measured {
    /// Executes the statements that the verified indexes help, without and with them; what was
    /// executed without them before is not executed again.
    pub(super) fn add(
        &mut self,
        run: &mut Run<'_>,
        context: Context<'_>,
        trials: &Trials,
        verification: &Verification,
    ) -> Result<(), PlannerError> {
        self.after.clear();
        let built = verification
            .verified
            .iter()
            .filter(|verified| verified.evidence == Evidence::RolledBackTransaction);
        let built: Vec<TrialId> = built.map(|verified| verified.trial).collect();
        let groups = build_groups(&built, trials, context);
        run.begin("executing", groups.len());
        for group in groups {
            run.step("statements without and with the indexes");
            self.add_group(run, context, trials, (verification, &group))?;
        }
        run.end();
        Ok(())
    }

    fn add_group(
        &mut self,
        run: &mut Run<'_>,
        context: Context<'_>,
        trials: &Trials,
        (verification, group): (&Verification, &[TrialId]),
    ) -> Result<(), PlannerError> {
        let tables: BTreeSet<_> = group.iter().map(|id| trials[*id].table().clone()).collect();
        let mut statements = context.touching(&tables);
        statements.retain(|statement| verification.after.contains_key(&statement.id));
        for statement in &statements {
            let objection = objection(statement, context);
            self.not_executed
                .extend(objection.map(|objection| (statement.id.clone(), objection)));
        }
        statements.retain(|statement| !self.not_executed.contains_key(&statement.id));
        let is_new = |statement: &&Statement| !self.before.contains_key(&statement.id);
        let new: Vec<Statement> = statements.iter().filter(is_new).cloned().collect();
        if !new.is_empty() {
            let before = run.ask(&Question::plans(Target::Server, &new).executed())?;
            self.keep(before, |measured| &mut measured.before);
        }
        statements.retain(|statement| self.before.contains_key(&statement.id));
        if statements.is_empty() {
            return Ok(());
        }
        let question = Question::plans(Target::Server, &statements)
            .executed()
            .with_indexes(&trials.indexes(group));
        let after = run.ask(&question)?;
        self.keep(after, |measured| &mut measured.after);
        Ok(())
    }

    /// Of the statements that no verified index helps, why they would not be executed: a report that
    /// is silent about one would say that it is harmless.
    pub(super) fn check_others(
        &mut self,
        run: &mut Run<'_>,
        context: Context<'_>,
    ) -> Result<(), PlannerError> {
        let mut others: Vec<Statement> = Vec::new();
        for statement in context.workload.statements() {
            let id = &statement.id;
            let is_known = self.before.contains_key(id) || self.not_executed.contains_key(id);
            if is_known || context.plan(id).is_none() {
                continue;
            }
            match objection(statement, context) {
                Some(objection) => {
                    self.not_executed.insert(id.clone(), objection);
                }
                None => others.push(statement.clone()),
            }
        }
        if others.is_empty() {
            return Ok(());
        }
        let answer = run.ask(&Question::plans(Target::Server, &others).checked())?;
        self.keep(answer, |measured| &mut measured.before);
        Ok(())
    }

    pub(super) fn keep(
        &mut self,
        answer: Answer,
        of: impl Fn(&mut Measured) -> &mut BTreeMap<StatementId, Plan>,
    ) {
        let Answer::Planned(planned) = answer else {
            return;
        };
        for (id, outcome) in planned.plans {
            match outcome {
                PlanOutcome::Plan(plan) => {
                    of(self).insert(id, plan);
                }
                PlanOutcome::Failed(message) => {
                    self.not_executed.insert(id, NotExecuted::Failed(message));
                }
                PlanOutcome::NotExecuted(reason) => {
                    self.not_executed.insert(id, reason);
                }
                PlanOutcome::Empty | PlanOutcome::TwinOnly(_) => {}
            }
        }
    }

    /// How long a statement took without and with the indexes.
    pub(super) fn times(&self, id: &StatementId) -> Option<(Millis, Millis)> {
        Some((
            self.before.get(id)?.execution_time()?,
            self.after.get(id)?.execution_time()?,
        ))
    }

    /// The verified indexes with which everything took longer.
    pub(super) fn failures(&self, verification: &Verification) -> BTreeMap<TrialId, Failure> {
        let slower = |verified: &VerifiedIndex| {
            let (statement, before, after) = self.slower(verified)?;
            let failure = Failure::Slower(statement, before, after);
            Some((verified.trial, failure))
        };
        verification.verified.iter().filter_map(slower).collect()
    }

    /// Did every statement that uses this index take longer with it? Its worst times.
    fn slower(&self, verified: &VerifiedIndex) -> Option<(StatementId, Millis, Millis)> {
        let using = self
            .after
            .iter()
            .filter(|(_, plan)| uses(plan, &verified.index));
        let times: Vec<(StatementId, Millis, Millis)> = using
            .filter_map(|(id, _)| {
                self.times(id)
                    .map(|(before, after)| (id.clone(), before, after))
            })
            .collect();
        let longer = |(_, before, after): &(StatementId, Millis, Millis)| {
            *after > MIN_TIME && after.0 > before.0 * (1.0 + MIN_LONGER_SHARE)
        };
        let all = !times.is_empty() && times.iter().all(longer);
        times
            .into_iter()
            .filter(|_| all)
            .max_by(|a, b| (a.2.0 - a.1.0).total_cmp(&(b.2.0 - b.1.0)))
    }
}

/// What forbids executing a statement, as far as its text and its plan show it.
pub(super) fn objection(statement: &Statement, context: Context<'_>) -> Option<NotExecuted> {
    if !context.plan(&statement.id).is_some_and(Plan::only_reads) {
        return Some(NotExecuted::Writes);
    }
    (highest_parameter(&statement.sql) > 0).then_some(NotExecuted::HasParameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bytes;
    use crate::planner::TestedIndex;
    use serde_json::json;

    fn executed(index: &str, time_ms: f64) -> Plan {
        let scan = json!({"Node Type": "Index Scan", "Index Name": index, "Total Cost": 1.0});
        Plan::from_json(json!({"Plan": scan, "Execution Time": time_ms})).unwrap()
    }

    fn measured(times: &[(f64, f64)]) -> Measured {
        let id = |number: usize| StatementId(format!("s{number}"));
        let of = |pick: fn(&(f64, f64)) -> f64| {
            times
                .iter()
                .enumerate()
                .map(|(number, pair)| (id(number), executed("i", pick(pair))))
                .collect()
        };
        Measured {
            before: of(|pair| pair.0),
            after: of(|pair| pair.1),
            not_executed: BTreeMap::new(),
        }
    }

    #[test]
    fn an_index_is_slower_when_everything_that_uses_it_takes_longer() {
        let build = |name: &str| TestedIndex {
            names: [name.to_owned()].into(),
            body: String::new(),
            size: Bytes(1),
            build_time: Some(Millis(1.0)),
            usable: true,
        };
        let verified = |name| VerifiedIndex {
            trial: TrialId(0),
            index: build(name),
            write_block: None,
            built_with: Vec::new(),
            evidence: Evidence::RolledBackTransaction,
            not_built: None,
            predicted: None,
        };
        let slower = |times: &[(f64, f64)]| measured(times).slower(&verified("i"));
        assert_eq!(
            slower(&[(100.0, 150.0), (10.0, 20.0)]),
            Some((StatementId("s0".to_owned()), Millis(100.0), Millis(150.0)))
        );
        assert_eq!(slower(&[(100.0, 150.0), (10.0, 2.0)]), None, "one gains");
        assert_eq!(slower(&[(100.0, 105.0)]), None, "too little to tell");
        assert_eq!(slower(&[(0.2, 0.9)]), None, "too short to tell");
        assert_eq!(
            measured(&[(1.0, 9.0)]).slower(&verified("other")),
            None,
            "nothing uses it"
        );
    }
}
