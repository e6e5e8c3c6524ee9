//! The verification of the chosen set: built together, planned together, rolled back; and the plans
//! without it are taken again right after, because CREATE INDEX updates the row counts, and both
//! plans must use the same ones.
//!
//! With a planner twin, the twin first plans with the whole set; the indexes that it confirms are
//! built on the server, where that is allowed.

use std::collections::BTreeMap;

use super::baseline::Baseline;
use super::build_groups::build_groups;
use super::context::Context;
use super::run::Run;
use super::verification::{Failure, Verification};
use crate::planner::{
    Answer, Planned, PlannerError, Question, Refusal, RefusalCause, Target, uses,
};
use crate::search::{TrialId, Trials};
use crate::verdict::Reason;

/// What the server said of indexes that were built together, or were to be. A set that is verified
/// again after another choice has most of them in common with the one before: these are not built
/// again, and no lock is waited for again.
#[derive(Debug, Default)]
pub(super) struct BuiltGroups(BTreeMap<Vec<TrialId>, GroupAnswer>);

/// The answer about indexes that exist together.
#[derive(Debug, Clone)]
enum GroupAnswer {
    /// The plans without and with them.
    Planned {
        before: Baseline,
        with: Planned,
    },
    Refused(Refusal),
}

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
    };
    if context.target() == Target::Server {
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
        .chain(built.iter().copied())
        .collect();
    allowed.sort_unstable();
    let mut confirmed = verifier.verify_on(Target::Server, &allowed)?;
    let never_predicted = confirmed.split_off(&built);
    let mut verification = predicted.confirmed_by(&confirmed, not_built);
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
                Target::Server => build_groups(&left, self.trials, self.context),
                Target::Twin => vec![left.clone()],
            };
            for group in groups {
                self.verify_group(target, &group, &mut attempt)?;
            }
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
        let known = self.built_groups.0.get(group);
        if let Some(known) = known.filter(|_| target == Target::Server) {
            return Ok(known.clone());
        }
        let answer = self.ask(target, group)?;
        if target == Target::Server {
            let group = group.to_vec();
            self.built_groups.0.insert(group, answer.clone());
        }
        Ok(answer)
    }

    fn ask(&mut self, target: Target, group: &[TrialId]) -> Result<GroupAnswer, PlannerError> {
        let indexes = self.trials.indexes(group);
        let tables = group
            .iter()
            .map(|id| self.trials[*id].table().clone())
            .collect();
        let statements = self.context.touching(&tables);
        for index in &indexes {
            self.run.step(&index.name);
        }
        let question = Question::plans(target, &statements).with_indexes(&indexes);
        Ok(match self.run.ask(&question)? {
            Answer::Planned(with) => {
                let before = match target {
                    Target::Twin => self.context.trial_baseline().clone(),
                    Target::Server => self.run.baseline(Target::Server, &statements)?,
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
