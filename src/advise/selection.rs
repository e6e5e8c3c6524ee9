//! Choosing a set and proving it, until what was chosen is what was borne out.
//!
//! The planner twin knows sizes only as estimates, and may be wrong about a plan. What the server shows goes back into the choice: real
//! sizes, and indexes that it did not use after all.

use std::collections::{BTreeMap, BTreeSet};

use super::measure::Measured;
use super::verification::{self, Failure, Known, Seen, Verification};
use super::{Baseline, Run, compare_timings, upkeep};
use crate::model::{Bytes, Millis};
use crate::rehearsal::costs::{KnownCosts, SetCosts, UnderSet, Weighted};
use crate::rehearsal::search::{self, Selection};
use crate::rehearsal::{
    Answer, Event, NamedIndex, PlanOutcome, PlannerError, Refusal, Target, Trial, TrialOutcome,
    uses,
};
use crate::verdict::Reason;
use crate::workload::{Statement, StatementId, Workload};

/// So often a choice is made again after its proof.
const MAX_ROUNDS: usize = 3;

/// The set that pays, as far as it was borne out.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) selection: Selection,
    pub(super) verification: Verification,
    pub(super) measured: Measured,
}

/// Chooses and proves until what was chosen is what was borne out.
pub(super) fn choose_and_verify(
    run: &mut Run<'_>,
    trials: &[Trial],
    known: Known<'_>,
) -> Result<Chosen, PlannerError> {
    let mut measured = Measured::default();
    let mut considered = trials.to_vec();
    let mut failed: BTreeMap<usize, Failure> = BTreeMap::new();
    let mut seen = Seen::default();
    for round in 1.. {
        let selection = run.choose(&considered, known)?;
        run.summary.out_of_time |= selection.cut_short;
        let mut verification =
            verification::verify(run, &selection.chosen, trials, known, &mut seen)?;
        if run.limits.analyze {
            measured.add(run, &verification, trials, known)?;
            verification.fail_slower(&measured);
            if round < MAX_ROUNDS && !run.summary.out_of_time {
                let outcome =
                    compare_timings::compare(run, &verification, &measured, &considered, known)?;
                failed.extend(outcome.not_faster);
                verification.replace_by_faster(outcome.replaced);
            }
        }
        failed.append(&mut verification.failed.clone());
        let may_learn = known.twin.target() == Target::Twin || run.limits.analyze;
        if round == MAX_ROUNDS
            || run.summary.out_of_time
            || !may_learn
            || !learn(&mut considered, &verification, run)
        {
            let left = within_budget(&selection, &verification, run);
            let slower = verification.failed.values().any(Failure::is_measured);
            if slower || left.len() < verification.verified.len() {
                verification = verification::verify(run, &left, trials, known, &mut seen)?;
            }
            failed.retain(|position, _| !left.contains(position));
            verification.failed = failed;
            return Ok(Chosen {
                selection,
                verification,
                measured,
            });
        }
    }
    Ok(Chosen::default())
}

/// What was borne out, without the last picks that real sizes leave no room for.
fn within_budget(selection: &Selection, verification: &Verification, run: &Run<'_>) -> Vec<usize> {
    let size_of = |position: &usize| {
        verification
            .verified
            .iter()
            .find(|verified| verified.trial == *position)
            .map(|verified| verified.build.size.0)
    };
    let mut left: Vec<usize> = selection
        .chosen
        .iter()
        .copied()
        .filter(|position| size_of(position).is_some())
        .collect();
    let size = |left: &[usize]| left.iter().filter_map(size_of).sum::<u64>();
    while run
        .limits
        .budget
        .is_some_and(|budget| size(&left) > budget.0)
    {
        left.pop();
    }
    left
}

/// Takes over what the proof showed; says whether that asks for another choice.
fn learn(considered: &mut [Trial], verification: &Verification, run: &Run<'_>) -> bool {
    let mut again = false;
    for (position, failure) in &verification.failed {
        let wrong = match failure {
            Failure::NotUsed | Failure::GainTooSmall => true,
            Failure::Refused(refusal) => refusal.reason == Reason::BuildFailed,
            other => other.is_measured(),
        };
        if wrong && considered[*position].built().is_some() {
            considered[*position].outcome = TrialOutcome::Refused(Refusal {
                reason: Reason::NotChosen,
                detail: "the server did not use it".to_owned(),
                write_block: Millis::default(),
                built: 0,
            });
            again = true;
        }
    }
    let mut size = Bytes(0);
    for verified in &verification.verified {
        size.0 += verified.build.size.0;
        if let TrialOutcome::Built { build, .. } = &mut considered[verified.trial].outcome {
            build.size = verified.build.size;
        }
    }
    again || run.limits.budget.is_some_and(|budget| size > budget)
}

impl Run<'_> {
    /// Which set pays? With a twin, sets are asked about; without one, they are taken to be as good as their members.
    fn choose(&mut self, trials: &[Trial], known: Known<'_>) -> Result<Selection, PlannerError> {
        let limits = self.limits;
        let at_first = weights(self.workload, known.twin.basis(known.baseline));
        let upkeep = upkeep::of_trials(trials, self.workload, known);
        match known.twin.target() {
            Target::Server => search::choose(
                &mut KnownCosts::of_singles(trials, at_first).with_upkeep(upkeep),
                limits,
            ),
            Target::Twin => {
                (self.observer)(Event::Begin {
                    what: "choosing",
                    steps: 1,
                });
                (self.observer)(Event::Step("sets of indexes in the planner twin"));
                let superseded = self.superseded(trials, known)?;
                let mut sets = TwinSets { run: self, trials };
                let mut costs = KnownCosts::asking(trials, at_first, &mut sets)
                    .with_upkeep(upkeep)
                    .with_superseded(superseded);
                let chosen = search::choose(&mut costs, limits);
                (self.observer)(Event::End);
                chosen
            }
        }
    }
}

/// The planner twin, asked about sets.
struct TwinSets<'r, 'a> {
    run: &'r mut Run<'a>,
    trials: &'r [Trial],
}

impl SetCosts for TwinSets<'_, '_> {
    fn time_left(&mut self) -> bool {
        self.run.planners.time_left()
    }

    fn ask(
        &mut self,
        set: &BTreeSet<usize>,
        statements: &[StatementId],
    ) -> Result<BTreeMap<StatementId, UnderSet>, PlannerError> {
        let indexes: Vec<NamedIndex> = set
            .iter()
            .map(|position| self.trials[*position].index.clone())
            .collect();
        let statements: Vec<Statement> = statements
            .iter()
            .filter_map(|id| self.run.workload.statement(id).cloned())
            .collect();
        let Answer::Planned(planned) = self.run.ask(Target::Twin, &indexes, &statements)? else {
            return Ok(BTreeMap::new());
        };
        let under = |(id, outcome): (StatementId, PlanOutcome)| {
            let plan = outcome.plan()?;
            let builds = set.iter().zip(&planned.builds);
            let used = builds
                .filter(|(_, build)| uses(plan, build))
                .map(|(position, _)| *position)
                .collect();
            Some((
                id,
                UnderSet {
                    cost: plan.total_cost(),
                    used,
                },
            ))
        };
        Ok(planned.plans.into_iter().filter_map(under).collect())
    }
}

fn weights(workload: &Workload, baseline: &Baseline) -> BTreeMap<StatementId, Weighted> {
    let weight = |statement: &Statement| {
        let cost = baseline.get(&statement.id)?.plan()?.total_cost();
        Some((
            statement.id.clone(),
            Weighted {
                calls: statement.calls,
                cost,
            },
        ))
    };
    workload.statements().iter().filter_map(weight).collect()
}
