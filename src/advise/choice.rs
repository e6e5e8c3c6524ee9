//! Choosing a set and proving it, until what was chosen is what was borne out.
//!
//! The planner twin knows sizes only as estimates, and may be wrong about a plan. What the server shows goes back into the choice: real
//! sizes, and indexes that it did not use after all.

use std::collections::{BTreeMap, BTreeSet};

use super::measure::Measured;
use super::proof::{self, Disproof, Known, Proof, Seen};
use super::{Captured, Run, contest, upkeep};
use crate::model::{Bytes, Millis};
use crate::rehearsal::costs::{KnownCosts, SetCosts, UnderSet, Weighted};
use crate::rehearsal::search::{self, Selection};
use crate::rehearsal::{
    Answer, Event, NamedIndex, PlanOutcome, PlannerError, Refusal, Trial, TrialOutcome, Whom, uses,
};
use crate::verdict::Reason;
use crate::workload::{Statement, StatementId, Workload};

/// So often a choice is made again after its proof.
const MOST_ROUNDS: usize = 3;

/// The set that pays, as far as it was borne out.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) selection: Selection,
    pub(super) proof: Proof,
    pub(super) measured: Measured,
}

/// Chooses and proves until what was chosen is what was borne out.
pub(super) fn choose_and_prove(run: &mut Run<'_>, trials: &[Trial], known: Known<'_>) -> Result<Chosen, PlannerError> {
    let mut measured = Measured::default();
    let mut considered = trials.to_vec();
    let mut disproved: BTreeMap<usize, Disproof> = BTreeMap::new();
    let mut seen = Seen::default();
    for round in 1.. {
        let selection = run.choose(&considered, known)?;
        run.summary.out_of_time |= selection.cut_short;
        let mut proof = proof::prove(run, &selection.chosen, trials, known, &mut seen)?;
        if run.limits.analyze {
            measured.add(run, &proof, trials, known)?;
            proof.disprove_slower(&measured);
            if round < MOST_ROUNDS && !run.summary.out_of_time {
                let outcome = contest::hold(run, &proof, &measured, &considered, known)?;
                disproved.extend(outcome.held_off);
                proof.dethrone(outcome.dethroned);
            }
        }
        disproved.append(&mut proof.disproved.clone());
        let may_learn = known.twin.whom() == Whom::Twin || run.limits.analyze;
        if round == MOST_ROUNDS || run.summary.out_of_time || !may_learn || !learn(&mut considered, &proof, run) {
            let left = within_budget(&selection, &proof, run);
            let slower = proof.disproved.values().any(Disproof::is_measured);
            if slower || left.len() < proof.proved.len() {
                proof = proof::prove(run, &left, trials, known, &mut seen)?;
            }
            disproved.retain(|position, _| !left.contains(position));
            proof.disproved = disproved;
            return Ok(Chosen { selection, proof, measured });
        }
    }
    Ok(Chosen::default())
}

/// What was borne out, without the last picks that real sizes leave no room for.
fn within_budget(selection: &Selection, proof: &Proof, run: &Run<'_>) -> Vec<usize> {
    let size_of = |position: &usize| {
        proof.proved.iter().find(|proved| proved.trial == *position).map(|proved| proved.build.size.0)
    };
    let mut left: Vec<usize> =
        selection.chosen.iter().copied().filter(|position| size_of(position).is_some()).collect();
    let size = |left: &[usize]| left.iter().filter_map(size_of).sum::<u64>();
    while run.limits.budget.is_some_and(|budget| size(&left) > budget.0) {
        left.pop();
    }
    left
}

/// Takes over what the proof showed; says whether that asks for another choice.
fn learn(considered: &mut [Trial], proof: &Proof, run: &Run<'_>) -> bool {
    let mut again = false;
    for (position, disproof) in &proof.disproved {
        let wrong = match disproof {
            Disproof::NotUsed | Disproof::GainTooSmall => true,
            Disproof::Refused(refusal) => refusal.reason == Reason::BuildFailed,
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
    for proved in &proof.proved {
        size.0 += proved.build.size.0;
        if let TrialOutcome::Built { build, .. } = &mut considered[proved.trial].outcome {
            build.size = proved.build.size;
        }
    }
    again || run.limits.budget.is_some_and(|budget| size > budget)
}

impl Run<'_> {
    /// Which set pays? With a twin, sets are asked about; without one, they are taken to be as good as their members.
    fn choose(&mut self, trials: &[Trial], known: Known<'_>) -> Result<Selection, PlannerError> {
        let limits = self.limits;
        let at_first = weights(self.workload, known.twin.basis(known.captured));
        let upkeep = upkeep::of_trials(trials, self.workload, known);
        match known.twin.whom() {
            Whom::Server => search::choose(&mut KnownCosts::of_singles(trials, at_first).with_upkeep(upkeep), limits),
            Whom::Twin => {
                (self.observer)(Event::Begin { what: "choosing", steps: 1 });
                (self.observer)(Event::Step("sets of indexes in the planner twin"));
                let frees = self.frees(trials, known)?;
                let mut sets = TwinSets { run: self, trials };
                let mut costs = KnownCosts::asking(trials, at_first, &mut sets).with_upkeep(upkeep).with_frees(frees);
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
        let indexes: Vec<NamedIndex> = set.iter().map(|position| self.trials[*position].index.clone()).collect();
        let statements: Vec<Statement> =
            statements.iter().filter_map(|id| self.run.workload.statement(id).cloned()).collect();
        let Answer::Planned(planned) = self.run.ask(Whom::Twin, &indexes, &statements)? else {
            return Ok(BTreeMap::new());
        };
        let under = |(id, outcome): (StatementId, PlanOutcome)| {
            let plan = outcome.plan()?;
            let builds = set.iter().zip(&planned.builds);
            let used = builds.filter(|(_, build)| uses(plan, build)).map(|(position, _)| *position).collect();
            Some((id, UnderSet { cost: plan.total_cost(), used }))
        };
        Ok(planned.plans.into_iter().filter_map(under).collect())
    }
}

fn weights(workload: &Workload, captured: &Captured) -> BTreeMap<StatementId, Weighted> {
    let weight = |statement: &Statement| {
        let cost = captured.get(&statement.id)?.plan()?.total_cost();
        Some((statement.id.clone(), Weighted { calls: statement.calls, cost }))
    };
    workload.statements().iter().filter_map(weight).collect()
}
