//! Choosing a set and verifying it, until what was chosen is what was verified.
//!
//! The planner twin knows sizes only as estimates, and may be wrong about a plan. The server's
//! results are used for the next choice: real sizes, and the indexes that its plans do not use.

use std::collections::BTreeMap;

use super::built_groups::BuiltGroups;
use super::compare_timings::{self, compare_timings};
use super::context::Context;
use super::measure::Measured;
use super::run::Run;
use super::verification::{Failure, Verification};
use super::verify::verify;
use super::{superseded, write_cost};
use crate::catalog::Catalog;
use crate::model::Bytes;
use crate::plan::Plan;
use crate::planner::{
    Answer, PlanOutcome, Planned, PlannerError, Question, RefusalCause, SearchStep, Target, uses,
};
use crate::search::costs::{Costs, Weighted};
use crate::search::known::{KnownCosts, SetAnswers, SetCost, SetPlanner, SetQuestion};
use crate::search::plans::Knowledge;
use crate::search::{
    self, Optimality, Selection, TrialId, TrialOutcome, TrialSet, Trials, Unpriced,
};
use crate::verdict::{Limits, Reason};
use crate::workload::{Statement, StatementId};

/// Maximum number of rounds of choosing and verifying.
const MAX_ROUNDS: usize = 3;

/// The set that pays, as far as it was verified.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) selection: Selection,
    pub(super) verification: Verification,
    /// What executing statements showed, where they were executed.
    pub(super) measured: Option<Measured>,
    /// What the server said of indexes that were built together.
    built_groups: BuiltGroups,
}

impl Chosen {
    /// Leaves these indexes out, and verifies the others without them.
    pub(super) fn leave_out(
        &mut self,
        run: &mut Run<'_>,
        context: Context<'_>,
        trials: &Trials,
        out: BTreeMap<TrialId, Failure>,
    ) -> Result<(), PlannerError> {
        let verified = std::mem::take(&mut self.verification.verified);
        let (gone, left): (Vec<_>, Vec<_>) = verified
            .into_iter()
            .partition(|verified| out.contains_key(&verified.trial));
        let left: Vec<TrialId> = left.iter().map(|verified| verified.trial).collect();
        let failed = std::mem::take(&mut self.verification.failed);
        self.verification = verify(run, context, trials, &left, &mut self.built_groups)?;
        self.verification.failed.extend(failed);
        self.verification.failed.extend(out);
        if let Some(measured) = &mut self.measured {
            let uses_one = |plan: &Plan| gone.iter().any(|gone| uses(plan, &gone.index));
            measured.after.retain(|_, plan| !uses_one(plan));
        }
        Ok(())
    }
}

/// Chooses and verifies until what was chosen is what was verified.
pub(super) fn choose_and_verify(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    built_groups: BuiltGroups,
    knowledge: Knowledge,
) -> Result<Chosen, PlannerError> {
    let mut rounds = Rounds {
        trials,
        considered: trials.clone(),
        failed: BTreeMap::new(),
        measured: context.limits.analyze.then(Measured::default),
        built_groups,
        knowledge,
        chosen_before: None,
    };
    let mut round = 1;
    loop {
        if let Some(chosen) = rounds.next(run, context, round)? {
            return Ok(chosen);
        }
        round += 1;
    }
}

/// What is known after some rounds.
struct Rounds<'t> {
    trials: &'t Trials,
    /// The trials with what the server showed.
    considered: Trials,
    failed: BTreeMap<TrialId, Failure>,
    measured: Option<Measured>,
    built_groups: BuiltGroups,
    /// What the twin said about sets of indexes.
    knowledge: Knowledge,
    /// What was verified of the set of the round before.
    chosen_before: Option<Vec<TrialId>>,
}

impl Rounds<'_> {
    /// One choice and its verification; none when it showed something that asks for another choice.
    fn next(
        &mut self,
        run: &mut Run<'_>,
        context: Context<'_>,
        round: usize,
    ) -> Result<Option<Chosen>, PlannerError> {
        let before = self.chosen_before.take();
        let knowledge = &mut self.knowledge;
        let mut selection = choose(run, context, &self.considered, knowledge, before)?;
        let chosen = &selection.chosen;
        let mut verification = verify(run, context, self.trials, chosen, &mut self.built_groups)?;
        let is_last = round == MAX_ROUNDS || run.search_is_over();
        self.measure(run, context, &mut verification, is_last)?;
        self.failed.extend(verification.failed.clone());
        let may_learn = context.target() == Target::Twin || context.limits.analyze;
        if !is_last && may_learn {
            let next = learn(&mut self.considered, &verification, context.limits);
            self.knowledge.resize(&next.resized);
            if next.is_needed {
                let is_left = |id: &&TrialId| self.considered[**id].tested().is_some();
                let left = selection.chosen.iter().filter(is_left).copied();
                self.chosen_before = Some(left.collect());
                return Ok(None);
            }
        }
        let left = within_budget(&selection, &verification, context.limits.budget);
        let given_up = given_up(&verification, &left);
        let slower = self.failed.values().any(Failure::is_measured);
        if slower || !given_up.is_empty() {
            verification = verify(run, context, self.trials, &left, &mut self.built_groups)?;
        }
        let over_budget = given_up.into_iter().map(|id| (id, Reason::OverBudget));
        selection.kept_out.extend(over_budget);
        let mut failed = std::mem::take(&mut self.failed);
        failed.retain(|id, _| !left.contains(id));
        verification.failed.extend(failed);
        Ok(Some(Chosen {
            selection,
            verification,
            measured: self.measured.take(),
            built_groups: std::mem::take(&mut self.built_groups),
        }))
    }

    /// With `--analyze`: executes the statements, and alternatives where costs mislead.
    fn measure(
        &mut self,
        run: &mut Run<'_>,
        context: Context<'_>,
        verification: &mut Verification,
        is_last: bool,
    ) -> Result<(), PlannerError> {
        let Some(measured) = &mut self.measured else {
            return Ok(());
        };
        measured.add(run, context, self.trials, verification)?;
        verification.fail(measured.failures(verification));
        if !is_last {
            let compared = compare_timings::Compared {
                verification,
                measured,
                trials: &self.considered,
            };
            let outcome = compare_timings(run, context, compared)?;
            self.failed.extend(outcome.not_faster);
            verification.fail(outcome.replaced);
        }
        Ok(())
    }
}

/// The verified set without the last picks, as far as real sizes exceed the budget.
fn within_budget(
    selection: &Selection,
    verification: &Verification,
    budget: Option<Bytes>,
) -> Vec<TrialId> {
    let size_of = |id: &TrialId| {
        let mut verified = verification.verified.iter();
        verified
            .find(|verified| verified.trial == *id)
            .map(|verified| verified.index.size)
    };
    let chosen = selection.chosen.iter().copied();
    let mut left: Vec<TrialId> = chosen.filter(|id| size_of(id).is_some()).collect();
    let size = |left: &[TrialId]| left.iter().filter_map(size_of).sum::<Bytes>();
    while budget.is_some_and(|budget| size(&left) > budget) {
        left.pop();
    }
    left
}

/// What was verified and is not left.
fn given_up(verification: &Verification, left: &[TrialId]) -> Vec<TrialId> {
    let verified = verification.verified.iter().map(|verified| verified.trial);
    verified.filter(|id| !left.contains(id)).collect()
}

/// What the verification says about the next choice.
struct NextChoice {
    /// Must the set be chosen again?
    is_needed: bool,
    /// The indexes whose real sizes are not the estimated ones: their shares of these.
    resized: BTreeMap<TrialId, f64>,
}

/// Stores the results of the verification.
fn learn(considered: &mut Trials, verification: &Verification, limits: &Limits) -> NextChoice {
    let mut again = false;
    for (id, failure) in &verification.failed {
        let wrong = match failure {
            Failure::NotUsed | Failure::GainTooSmall => true,
            Failure::Refused(refusal) => refusal.reason() == Reason::BuildFailed,
            other => other.is_measured(),
        };
        if let Some(trial) = considered
            .trial_mut(*id)
            .filter(|trial| wrong && trial.tested().is_some())
        {
            trial.refuse(RefusalCause::NotUsedByServer);
            again = true;
        }
    }
    let mut size = Bytes(0);
    let mut resized = BTreeMap::new();
    for verified in &verification.verified {
        size.0 += verified.index.size.0;
        if let Some(trial) = considered.trial_mut(verified.trial)
            && let TrialOutcome::Tested { index, .. } = &mut trial.outcome
            && index.size != verified.index.size
        {
            let share = verified.index.size.0 as f64 / index.size.0.max(1) as f64;
            resized.insert(verified.trial, share);
            index.size = verified.index.size;
        }
    }
    NextChoice {
        is_needed: again || limits.budget.is_some_and(|budget| size > budget),
        resized,
    }
}

/// Which set pays? With a twin, sets are planned as a whole; without one, each statement is
/// assumed to cost what it costs with the best single member.
fn choose(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    knowledge: &mut Knowledge,
    chosen_before: Option<Vec<TrialId>>,
) -> Result<Selection, PlannerError> {
    let baseline = weights(context);
    let write_costs = write_cost::of_trials(trials, context);
    if context.target() == Target::Server {
        let mut costs = KnownCosts::from_trials(trials, baseline)
            .with_classes(context.workload.statements_of_classes())
            .with_write_costs(write_costs);
        return search::choose(&mut costs, context.limits);
    }
    run.begin("choosing", 1);
    run.step("sets of indexes in the planner twin");
    let superseded = superseded::by_trials(run, context, trials)?;
    let mut twin = TwinSets {
        run,
        context,
        trials,
    };
    let mut costs = KnownCosts::asking(trials, baseline, &mut twin)
        .with_classes(context.workload.statements_of_classes())
        .with_write_costs(write_costs)
        .with_superseded(superseded)
        .remembering(std::mem::take(knowledge))
        .again(chosen_before);
    let chosen = search::choose(&mut costs, context.limits);
    *knowledge = costs.into_knowledge();
    run.end();
    chosen
}

/// The planner twin, asked about sets.
pub(super) struct TwinSets<'r, 'p, 'w> {
    pub(super) run: &'r mut Run<'p>,
    pub(super) context: Context<'w>,
    pub(super) trials: &'w Trials,
}

impl SetPlanner for TwinSets<'_, '_, '_> {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        let question = self.question(set, statements);
        let answer = self.run.ask(&question)?;
        Ok(answered(set, answer, self.context.catalog))
    }

    fn ask_all(&mut self, questions: &[SetQuestion]) -> Result<SetAnswers, PlannerError> {
        let asked = questions.iter();
        let asked: Vec<Question> = asked
            .map(|question| self.question(&question.set, &question.statements))
            .collect();
        let answers = questions.iter().zip(self.run.ask_all(&asked)?);
        Ok(answers
            .map(|(question, answer)| answered(&question.set, answer, self.context.catalog))
            .collect())
    }

    fn has_time(&mut self) -> Result<bool, PlannerError> {
        let answer = self.run.ask(&Question::is_there_time(SearchStep::Choice))?;
        Ok(matches!(answer, Answer::Planned(_)))
    }

    fn found(&mut self, so_far: &Optimality) {
        let gap = 100.0 * so_far.gap();
        let detail = format!(
            "sets of indexes: the best so far is at most {gap:.1} % above the best possible one"
        );
        self.run.detail(&detail);
    }
}

impl TwinSets<'_, '_, '_> {
    fn question(&self, set: &TrialSet, statements: &[StatementId]) -> Question {
        let find = |id: &StatementId| self.context.workload.statement(id).cloned();
        let statements: Vec<Statement> = statements.iter().filter_map(find).collect();
        Question::plans(Target::Twin, &statements)
            .with_indexes(&self.trials.indexes(set))
            .skippable(SearchStep::Choice)
    }
}

/// None when the time for the search is over.
fn answered(
    set: &TrialSet,
    answer: Answer,
    catalog: &Catalog,
) -> Option<BTreeMap<StatementId, SetCost>> {
    match answer {
        Answer::Planned(planned) => Some(set_costs(set, planned, catalog)),
        Answer::Refused(refusal) if refusal.cause.ends_the_search() => None,
        Answer::Refused(_) => Some(BTreeMap::new()),
    }
}

fn set_costs(
    set: &TrialSet,
    planned: Planned,
    catalog: &Catalog,
) -> BTreeMap<StatementId, SetCost> {
    let cost = |(id, outcome): (StatementId, PlanOutcome)| {
        let plan = outcome.plan()?;
        let indexes = set.iter().zip(&planned.indexes);
        let used = indexes.filter(|(_, index)| uses(plan, index));
        let set_cost = SetCost {
            cost: plan.total_cost(),
            unpriced: Unpriced::of(plan, &planned.indexes, &|table, index| {
                catalog.rows_indexed(table, index)
            }),
            used: used.map(|(id, _)| *id).collect(),
        };
        Some((id, set_cost))
    };
    planned.plans.into_iter().filter_map(cost).collect()
}

/// What the workload costs now, by the planner that is asked about candidates.
pub(super) fn weights(context: Context<'_>) -> Costs {
    let weight = |statement: &Statement| {
        let plan = context.trial_plan(&statement.id)?;
        let unpriced = Unpriced::of(plan, &[], &|table, index| {
            context.catalog.rows_indexed(table, index)
        });
        let weighted = Weighted {
            calls: statement.calls,
            cost: unpriced.priced(plan.total_cost()),
            unpriced,
        };
        Some((statement.id.clone(), weighted))
    };
    let statements = context.workload.statements().iter();
    statements.filter_map(weight).collect()
}
