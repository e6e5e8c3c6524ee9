//! Merges the results of several groups, and those of the twin and the server.

use std::collections::BTreeMap;

use super::{Failure, Verification, VerifiedIndex};
use crate::advise::baseline::Baseline;
use crate::plan::Plan;
use crate::planner::{
    Evidence, PlanOutcome, Planned, Refusal, RefusalCause, Target, TestedIndex, uses,
};
use crate::search::TrialId;
use crate::verdict::{MinImprovement, Reason};
use crate::workload::StatementId;

impl Verification {
    /// Adds the results for indexes that existed together.
    pub(in crate::advise) fn take(
        &mut self,
        target: Target,
        group: &[TrialId],
        before: Baseline,
        with: Planned,
    ) {
        let write_block = with.write_block;
        let others = |trial: TrialId| {
            let others = group.iter().copied().filter(|other| *other != trial);
            match target {
                Target::Server => others.collect(),
                Target::Twin => Vec::new(),
            }
        };
        let verified = |(trial, index): (&TrialId, TestedIndex)| VerifiedIndex {
            trial: *trial,
            index,
            write_block,
            built_with: others(*trial),
            evidence: target.into(),
            not_built: None,
            predicted: None,
        };
        self.verified
            .extend(group.iter().zip(with.indexes).map(verified));
        self.take_plans(before, with.plans);
    }

    /// A statement that touches several groups keeps its best plan, with the one without them that
    /// was made with the same row counts: each was really seen.
    fn take_plans(&mut self, mut before: Baseline, plans: Baseline) {
        for (id, outcome) in plans {
            let PlanOutcome::Plan(plan) = outcome else {
                continue;
            };
            let known = self.after.get(&id);
            if known.is_none_or(|known| plan.total_cost() < known.total_cost()) {
                let without = before.remove(&id);
                self.before
                    .extend(without.map(|without| (id.clone(), without)));
                self.after.insert(id, plan);
            }
        }
        for (id, without) in before {
            self.before.entry(id).or_insert(without);
        }
    }

    /// Adds the results for indexes that existed together, apart from the others: what none of
    /// these plans uses fails.
    pub(in crate::advise) fn add_group(&mut self, mut group: Verification) {
        let members: Vec<TrialId> = group.verified.iter().map(|index| index.trial).collect();
        let failed = group.judge(&members, MinImprovement(0.0));
        group
            .verified
            .retain(|index| !failed.contains(&index.trial));
        self.verified.extend(group.verified);
        self.verified.sort_by_key(|verified| verified.trial);
        self.failed.extend(group.failed);
        let plans = group.after.into_iter();
        self.take_plans(
            group.before,
            plans
                .map(|(id, plan)| (id, PlanOutcome::Plan(plan)))
                .collect(),
        );
    }

    /// These indexes were not built, for this reason.
    pub(in crate::advise) fn refuse(&mut self, ids: &[TrialId], refusal: &Refusal) {
        let failures = ids
            .iter()
            .map(|id| (*id, Failure::Refused(refusal.clone())));
        self.failed.extend(failures);
    }

    /// Keeps what the twin predicted before it knew real sizes.
    pub(in crate::advise) fn predicted_by(&mut self, first: &Verification) {
        for verified in &mut self.verified {
            let mut predictions = first.verified.iter();
            let prediction = predictions.find(|predicted| predicted.trial == verified.trial);
            if let (Some(known), Some(predicted)) = (&mut verified.predicted, prediction) {
                *known = predicted.index.clone();
            }
        }
        for (id, (_, after)) in &mut self.predicted {
            if let Some(plan) = first.after.get(id) {
                *after = plan.total_cost();
            }
        }
    }

    /// Adds the results for more indexes; statements that already have a plan keep it.
    pub(in crate::advise) fn extend(&mut self, more: Verification) {
        self.verified.extend(more.verified);
        self.verified.sort_by_key(|verified| verified.trial);
        self.failed.extend(more.failed);
        if self.verified.is_empty() {
            return;
        }
        for (id, plan) in more.after {
            if !self.after.contains_key(&id) {
                let before = more.before.get(&id);
                self.before
                    .extend(before.map(|before| (id.clone(), before.clone())));
                self.after.insert(id, plan);
            }
        }
    }

    /// What the twin predicted, with what the server showed. An index that the server did not build
    /// stays as predicted; one that was built and not used fails. `not_built`: the indexes that
    /// could not be built, with the reason.
    pub(in crate::advise) fn confirmed_by(
        self,
        server: &Verification,
        mut not_built: BTreeMap<TrialId, Refusal>,
    ) -> Verification {
        let mut result = Verification {
            failed: self.failed.clone(),
            ..Verification::default()
        };
        for (id, failure) in &server.failed {
            match on_the_server(failure) {
                ServerFailure::Final => {
                    result.failed.insert(*id, failure.clone());
                }
                ServerFailure::NotBuilt(refusal) => {
                    not_built.insert(*id, refusal);
                }
            }
        }
        let (held, dropped): (Vec<VerifiedIndex>, Vec<VerifiedIndex>) = self
            .verified
            .iter()
            .cloned()
            .partition(|verified| !result.failed.contains_key(&verified.trial));
        for predicted in held {
            let built = server
                .verified
                .iter()
                .find(|verified| verified.trial == predicted.trial);
            result.verified.push(match built {
                Some(verified) => {
                    let mut verified = verified.clone();
                    // The twin's plan may stand for one that the server does not send, and the twin names
                    // the parts of a partitioned index its own way.
                    let names = predicted.index.names.iter().cloned();
                    verified.index.names.extend(names);
                    verified.predicted = Some(predicted.index);
                    verified
                }
                None => VerifiedIndex {
                    not_built: not_built.remove(&predicted.trial),
                    ..predicted
                },
            });
        }
        for (id, plan) in &self.after {
            result.take_confirmed(id, plan, (&self, server), &dropped);
        }
        result
    }

    /// The server's plan where it shows all that the twin predicted; the twin's where an index of
    /// it was not built; none where one of its indexes failed.
    fn take_confirmed(
        &mut self,
        id: &StatementId,
        predicted: &Plan,
        (twin, server): (&Verification, &Verification),
        dropped: &[VerifiedIndex],
    ) {
        let only_predicted = |verified: &VerifiedIndex| {
            verified.evidence == Evidence::PlannerTwin && uses(predicted, &verified.index)
        };
        let used = |verified: &&VerifiedIndex| {
            let index = verified.predicted.as_ref().unwrap_or(&verified.index);
            uses(predicted, index)
        };
        let used: Vec<&VerifiedIndex> = self.verified.iter().filter(used).collect();
        let shown = |plan: &Plan| used.iter().all(|verified| uses(plan, &verified.index));
        let needs_several = used.len() > 1 && !server.after.get(id).is_some_and(shown);
        let rests_on_the_twin = needs_several || self.verified.iter().any(only_predicted);
        let before = |of: &Verification| of.before.get(id).cloned();
        match server.after.get(id).filter(|_| !rests_on_the_twin) {
            Some(plan) => {
                let twin_before = twin.before.get(id).and_then(PlanOutcome::plan);
                self.predicted.extend(twin_before.map(|before| {
                    let costs = (before.total_cost(), predicted.total_cost());
                    (id.clone(), costs)
                }));
                self.before
                    .extend(before(server).map(|before| (id.clone(), before)));
                self.after.insert(id.clone(), plan.clone());
            }
            None if dropped.iter().any(|index| uses(predicted, &index.index)) => {}
            None => {
                self.before
                    .extend(before(twin).map(|before| (id.clone(), before)));
                self.after.insert(id.clone(), predicted.clone());
            }
        }
    }
}

/// What a failure on the server means for an index that holds in the twin.
enum ServerFailure {
    /// The index fails.
    Final,
    /// The server could not say: the twin's prediction stands.
    NotBuilt(Refusal),
}

fn on_the_server(failure: &Failure) -> ServerFailure {
    match failure {
        // The twin, which has no rows, cannot know that an index cannot be built.
        Failure::Refused(refusal) if refusal.reason() == Reason::BuildFailed => {
            ServerFailure::Final
        }
        Failure::Refused(refusal) => ServerFailure::NotBuilt(refusal.clone()),
        Failure::NotUsableNow => ServerFailure::NotBuilt(Refusal {
            built: 1,
            ..RefusalCause::NotUsableNow.into()
        }),
        Failure::NotUsed
        | Failure::GainTooSmall
        | Failure::Slower(..)
        | Failure::Faster(_)
        | Failure::OnlyAsWritten(_) => ServerFailure::Final,
    }
}
