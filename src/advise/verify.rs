//! The verification of the chosen set: built together, planned together, rolled back; and the plans
//! without it are taken again right after, because CREATE INDEX updates the row counts, and both
//! plans must use the same ones.
//!
//! With a planner twin, the twin first plans with the whole set; the indexes that it confirms are
//! built on the server, where that is allowed: together where that is quick, otherwise one by one.
//! With the sizes that they really have, the twin then judges the set.

use std::collections::{BTreeMap, BTreeSet};

use super::build_groups::{expected_time, groups_after_trials, judged_groups, step};
use super::built_groups::{BuiltGroups, GroupAnswer};
use super::context::Context;
use super::run::Run;
use super::verification::{Failure, Verification, VerifiedIndex};
use crate::index::Index;
use crate::model::{Millis, QualifiedName};
use crate::plan::Plan;
use crate::planner::{
    Answer, BuildPlan, PlannerError, Question, Refusal, RefusalCause, Target, uses,
};
use crate::search::{TrialId, Trials};
use crate::verdict::Reason;
use crate::workload::Statement;

/// Verifies the chosen set in the twin and on the server, and drops the indexes that they do not
/// confirm.
pub(super) fn verify(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    chosen: &[TrialId],
    built_groups: &mut BuiltGroups,
) -> Result<Verification, PlannerError> {
    let mut verifier = Verifier {
        run,
        context,
        trials,
        built_groups,
        time_left: None,
        speed: BuildSpeed::default(),
    };
    if context.target() == Target::Server {
        verifier.announce(&verifier.left_to_build(chosen));
        return verifier.verify_on(Target::Server, chosen);
    }
    let (built, simulated): (Vec<TrialId>, Vec<TrialId>) =
        chosen.iter().partition(|id| trials[**id].was_built());
    let predicted = verifier.verify_on(Target::Twin, &simulated)?;
    let not_built = refused_builds(&predicted, context, trials);
    let mut allowed: Vec<TrialId> = predicted
        .verified
        .iter()
        .map(|verified| verified.trial)
        .filter(|id| !not_built.contains_key(id))
        .collect();
    allowed.sort_unstable();
    verifier.announce(allowed.iter().chain(&built));
    let never_predicted = verifier.verify_on(Target::Server, &built)?;
    let groups = judged_groups(&allowed, trials, &predicted, context);
    let confirmed = verifier.build_each(&groups)?;
    let judged = verifier.judge_resized(&predicted, &confirmed, &groups)?;
    let mut verification = judged.confirmed_by(&confirmed, not_built);
    verification.predicted_by(&predicted);
    verification.extend(never_predicted);
    verification.drop_unhelpful(context.limits.min_improvement);
    Ok(verification)
}

/// The indexes that hold in the twin and may not be built, with the rule that forbids it.
fn refused_builds(
    predicted: &Verification,
    context: Context<'_>,
    trials: &Trials,
) -> BTreeMap<TrialId, Refusal> {
    let refusal = |id: TrialId| {
        let table = context.catalog.table(trials[id].table())?;
        let cause = context
            .build_refusal(table)
            .or_else(|| only_for_the_twin(id, predicted, context))?;
        Some((id, cause.into()))
    };
    let ids = predicted.verified.iter().map(|verified| verified.trial);
    ids.filter_map(refusal).collect()
}

/// The server is not asked about some statements: that it does not use an index for the others says
/// nothing about one that is for these.
fn only_for_the_twin(
    id: TrialId,
    predicted: &Verification,
    context: Context<'_>,
) -> Option<RefusalCause> {
    let mut verified = predicted.verified.iter();
    let index = &verified.find(|verified| verified.trial == id)?.index;
    let mut using = predicted
        .after
        .iter()
        .filter(|(_, plan)| uses(plan, index))
        .map(|(id, _)| id)
        .peekable();
    let first = (*using.peek()?).clone();
    using
        .all(|id| context.twin.alone.contains_key(id))
        .then_some(RefusalCause::PlannedInTwinOnly(first))
}

/// Verifies sets until all remaining indexes are confirmed.
struct Verifier<'v, 'r, 'c> {
    run: &'v mut Run<'r>,
    context: Context<'c>,
    trials: &'v Trials,
    built_groups: &'v mut BuiltGroups,
    /// How long the builds that are left are expected to take.
    time_left: Option<Millis>,
    speed: BuildSpeed,
}

/// What builds took in this run, beside what they were expected to take.
#[derive(Debug, Clone, Copy, Default)]
struct BuildSpeed {
    expected: Millis,
    took: Millis,
}

impl BuildSpeed {
    fn add(&mut self, expected: Millis, took: Millis) {
        self.expected.0 += expected.0;
        self.took.0 += took.0;
    }

    /// How long builds will take that are expected to take so long.
    fn predict(self, expected: Millis) -> Millis {
        if self.expected.0 > 0.0 && self.took.0 > 0.0 {
            Millis(expected.0 * self.took.0 / self.expected.0)
        } else {
            expected
        }
    }
}

impl Verifier<'_, '_, '_> {
    /// Drops unconfirmed indexes until all remaining ones are confirmed.
    fn verify_on(
        &mut self,
        target: Target,
        chosen: &[TrialId],
    ) -> Result<Verification, PlannerError> {
        let mut verification = Verification::default();
        let mut left: Vec<TrialId> = chosen.to_vec();
        let phase = match target {
            Target::Twin => "checking the set in the planner twin",
            Target::Server => "verifying the set",
        };
        self.run.begin(phase, left.len());
        while !left.is_empty() {
            let mut attempt = Verification {
                failed: std::mem::take(&mut verification.failed),
                ..Verification::default()
            };
            let groups = match target {
                Target::Server => groups_after_trials(&left, self.trials, self.context),
                Target::Twin => vec![left.clone()],
            };
            let mut time = match target {
                Target::Server => self.build_time(&self.left_to_build(&left)),
                Target::Twin => Millis::default(),
            };
            for group in groups {
                let left = self.speed.predict(time);
                self.time_left = (target == Target::Server).then_some(left);
                if !self.is_known(&group) {
                    time.0 -= self.build_time(&group).0;
                }
                self.verify_group(target, &group, &mut attempt)?;
            }
            self.time_left = None;
            let failed = attempt.judge(&left, self.context.limits.min_improvement);
            verification = attempt;
            if failed.is_empty() {
                break;
            }
            left.retain(|id| !failed.contains(id));
        }
        self.run.end();
        if left.is_empty() {
            let failed = verification.failed;
            verification = Verification {
                failed,
                ..Verification::default()
            };
        }
        Ok(verification)
    }

    fn announce<'i>(&self, ids: impl IntoIterator<Item = &'i TrialId>) {
        let ids = ids.into_iter();
        let indexes = ids.map(|id| &self.trials[*id].index.definition);
        let may_build = |index: &&Index| {
            let table = self.context.catalog.table(&index.table);
            table.is_some_and(|table| self.context.build_refusal(table).is_none())
        };
        let indexes = indexes.filter(may_build);
        self.run
            .announce(&BuildPlan::of(indexes, self.context.catalog));
    }

    /// How long building these is expected to take.
    fn build_time(&self, ids: &[TrialId]) -> Millis {
        let time = |id: &TrialId| expected_time(*id, self.trials, self.context).0;
        Millis(ids.iter().map(time).sum())
    }

    /// Builds indexes that the twin confirms, quiet tables first. The set is the twin's to judge;
    /// the server says which indexes its plans do not use.
    fn build_each(&mut self, groups: &[Vec<TrialId>]) -> Result<Verification, PlannerError> {
        let mut confirmed = Verification::default();
        let mut busy: BTreeMap<QualifiedName, Refusal> = BTreeMap::new();
        self.run.begin("verifying the set", groups.concat().len());
        let mut left = self.build_time(&groups.concat());
        for group in groups {
            self.time_left = Some(self.speed.predict(left));
            left.0 -= self.build_time(group).0;
            let tables = group.iter().map(|id| self.trials[*id].table());
            if let Some(refusal) = tables.clone().find_map(|table| busy.get(table)) {
                confirmed.refuse(group, refusal);
                continue;
            }
            let mut built = Verification::default();
            self.verify_group(Target::Server, group, &mut built)?;
            let waits_for_lock = |failure: &&Failure| matches!(failure, Failure::Refused(refusal) if refusal.reason() == Reason::LockTimeout);
            if let Some(Failure::Refused(refusal)) = built.failed.values().find(waits_for_lock) {
                busy.extend(tables.map(|table| (table.clone(), refusal.cause.clone().into())));
            }
            confirmed.add_group(built);
        }
        self.time_left = None;
        self.run.end();
        Ok(confirmed)
    }

    /// The twin's judgement of the set once it knows the real sizes: where they are not as it
    /// estimated, and a plan needs indexes that the server did not have together.
    fn judge_resized(
        &mut self,
        predicted: &Verification,
        confirmed: &Verification,
        groups: &[Vec<TrialId>],
    ) -> Result<Verification, PlannerError> {
        let is_shown = |plan: &Plan| {
            let used = predicted.verified.iter();
            let used = used.filter(|index| uses(plan, &index.index));
            let used: BTreeSet<TrialId> = used.map(|index| index.trial).collect();
            let touched = groups.iter();
            touched
                .filter(|group| group.iter().any(|id| used.contains(id)))
                .count()
                <= 1
        };
        let is_as_estimated = |built: &VerifiedIndex| {
            let mut estimates = predicted.verified.iter();
            estimates.any(|one| one.trial == built.trial && one.index.size == built.index.size)
        };
        let is_judged = predicted.after.values().all(is_shown);
        if is_judged || confirmed.verified.iter().all(is_as_estimated) {
            return Ok(predicted.clone());
        }
        let verified = predicted.verified.iter().map(|verified| verified.trial);
        let held: Vec<TrialId> = verified.collect();
        let mut judged = self.verify_on(Target::Twin, &held)?;
        judged.failed.extend(predicted.failed.clone());
        Ok(judged)
    }

    fn verify_group(
        &mut self,
        target: Target,
        group: &[TrialId],
        attempt: &mut Verification,
    ) -> Result<(), PlannerError> {
        match self.answer(target, group)? {
            GroupAnswer::Planned { before, with } => {
                attempt.take(target, group, before, with);
                Ok(())
            }
            GroupAnswer::Refused(refusal) if group.len() > 1 && may_be_of_one(&refusal) => {
                let (one, other) = group.split_at(group.len() / 2);
                self.verify_group(target, one, attempt)?;
                self.verify_group(target, other, attempt)
            }
            GroupAnswer::Refused(refusal) => {
                let failures = group
                    .iter()
                    .map(|id| (*id, Failure::Refused(refusal.clone())));
                attempt.failed.extend(failures);
                Ok(())
            }
        }
    }

    /// The server is asked about a group once.
    fn answer(&mut self, target: Target, group: &[TrialId]) -> Result<GroupAnswer, PlannerError> {
        let statements = self.statements(group);
        let known = self.built_groups.known(group, &statements);
        if let Some(known) = known.filter(|_| target == Target::Server) {
            return Ok(known.clone());
        }
        let answer = self.ask(target, group, &statements)?;
        if target == Target::Server {
            self.built_groups.add(group, answer.clone());
        }
        Ok(answer)
    }

    /// Of these indexes, those that the server must build to verify them.
    fn left_to_build(&self, ids: &[TrialId]) -> Vec<TrialId> {
        let groups = groups_after_trials(ids, self.trials, self.context).into_iter();
        groups
            .filter(|group| !self.is_known(group))
            .flatten()
            .collect()
    }

    fn is_known(&self, group: &[TrialId]) -> bool {
        let statements = self.statements(group);
        self.built_groups.known(group, &statements).is_some()
    }

    /// What is planned with these indexes.
    fn statements(&self, group: &[TrialId]) -> Vec<Statement> {
        let tables = group.iter().map(|id| self.trials[*id].table().clone());
        self.context.touching(&tables.collect())
    }

    fn ask(
        &mut self,
        target: Target,
        group: &[TrialId],
        statements: &[Statement],
    ) -> Result<GroupAnswer, PlannerError> {
        let indexes = self.trials.indexes(group);
        for index in &indexes {
            match self.time_left {
                Some(left) => self.run.step(&step(index, left)),
                None => self.run.step(&index.name),
            }
        }
        let question = Question::plans(target, statements).with_indexes(&indexes);
        Ok(match self.run.ask(&question)? {
            Answer::Planned(with) => {
                if target == Target::Server {
                    let took = with.indexes.iter().filter_map(|index| index.build_time);
                    let took = took.map(|time| time.0).sum();
                    self.speed.add(self.build_time(group), Millis(took));
                }
                let before = match target {
                    Target::Twin => self.context.trial_baseline().clone(),
                    Target::Server => self.run.baseline(Target::Server, statements)?,
                };
                GroupAnswer::Planned { before, with }
            }
            Answer::Refused(refusal) => GroupAnswer::Refused(refusal),
        })
    }
}

/// Together, but perhaps not one by one: it takes too long, or one of them fails and the others
/// need not.
fn may_be_of_one(refusal: &Refusal) -> bool {
    matches!(
        refusal.reason(),
        Reason::WriteBlockTooLong | Reason::StatementTimeout | Reason::BuildFailed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_was_built() {
        let mut speed = BuildSpeed::default();
        assert_eq!(
            speed.predict(Millis(600.0)),
            Millis(600.0),
            "nothing was built"
        );
        speed.add(Millis(100.0), Millis(20.0));
        speed.add(Millis(300.0), Millis(180.0));
        assert_eq!(speed.predict(Millis(600.0)), Millis(300.0));
    }
}
