//! Each candidate, tested by itself.

use std::collections::BTreeSet;

use super::build_groups::{busyness, step};
use super::built_groups::{BuiltGroups, GroupAnswer};
use super::context::Context;
use super::run::Run;
use super::selection::{TwinSets, weights};
use super::serving::Serving;
use crate::candidate::Candidate;
use crate::index::{Index, naming};
use crate::model::{Millis, QualifiedName};
use crate::planner::{
    Answer, BuildPlan, NamedIndex, PlanOutcome, Planned, PlannerError, Question, RefusalCause,
    Target, uses,
};
use crate::search::known::KnownCosts;
use crate::search::{Trial, TrialId, Trials};
use crate::verdict::{Reason, Rehearse, expected_build};
use crate::workload::{Statement, StatementId};

/// Up to so many plans of a statement with one candidate, each is made; beyond, what many candidates at
/// once show says which are.
const MAX_PAIRS_EACH: usize = 3_000;

/// What testing each candidate by itself showed.
pub(super) struct Tested {
    pub(super) trials: Trials,
    /// What the server said of each index that some plan uses: what would be asked again to verify
    /// it alone.
    pub(super) built: BuiltGroups,
}

/// Tests every candidate by itself, in the order of [`trial_order`], on the server quiet tables
/// first; the result is in the order of the candidates.
pub(super) fn test(
    run: &mut Run<'_>,
    context: Context<'_>,
    candidates: &[Candidate],
) -> Result<Tested, PlannerError> {
    let target = context.target();
    let ordered = in_order(candidates, context);
    let phase = match target {
        Target::Twin => "testing candidates in the planner twin",
        Target::Server => "testing candidates",
    };
    let mut left = Millis::default();
    if target == Target::Server {
        let indexes = candidates.iter().map(|candidate| &candidate.index);
        let indexes = indexes.filter(|index| may_build(index, context));
        let plan = BuildPlan::of(indexes, context.catalog);
        run.announce(&plan);
        left = plan.time;
    }
    run.begin(phase, candidates.len());
    let serving = Serving::of(context);
    let of_each = candidates.iter();
    let of_each = of_each.map(|one| serving.statements(&one.index, &one.asked_by).len());
    let only_asked = of_each.sum::<usize>() > MAX_PAIRS_EACH;
    let mut trials = Vec::with_capacity(candidates.len());
    let mut tester = Tester {
        run,
        context,
        serving,
        only_asked,
        locked: BTreeSet::new(),
        built: BuiltGroups::default(),
        left,
    };
    for (position, (index, asked_by)) in ordered {
        let answer = tester.test_one(TrialId(position), &index, &asked_by)?;
        trials.push((position, Trial::from_answer(index, asked_by, answer)));
    }
    trials.sort_by_key(|(position, _)| *position);
    let mut trials = trials.into_iter().map(|(_, trial)| trial).collect();
    if tester.only_asked && target == Target::Twin {
        tester.test_for_others(&mut trials)?;
    }
    let built = tester.built;
    run.end();
    Ok(Tested { trials, built })
}

/// The candidates under their names and with their positions, in the order in which they are
/// tested.
fn in_order(candidates: &[Candidate], context: Context<'_>) -> Vec<(usize, Named)> {
    let definitions = candidates.iter().map(|candidate| &candidate.index);
    let names = naming::names(definitions, &context.catalog.taken_names);
    let named = names.into_iter().zip(candidates).map(named);
    let ranks = trial_order(candidates, context);
    let mut ordered: Vec<_> = ranks.into_iter().zip(named.enumerate()).collect();
    ordered.sort_by_key(|(rank, _)| *rank);
    if context.target() == Target::Server {
        ordered.sort_by_key(|(_, (_, (index, _)))| busyness([&index.definition.table], context));
    }
    ordered.into_iter().map(|(_, named)| named).collect()
}

fn may_build(index: &Index, context: Context<'_>) -> bool {
    let table = context.catalog.table(&index.table);
    table.is_some_and(|table| context.build_refusal(table).is_none())
}

type Named = (NamedIndex, BTreeSet<StatementId>);

fn named((name, candidate): (String, &Candidate)) -> Named {
    let definition = candidate.index.clone();
    let asked_by = candidate.asked_by.iter().cloned().collect();
    (NamedIndex { name, definition }, asked_by)
}

/// Tests one candidate after the other.
struct Tester<'t, 'r, 'c> {
    run: &'t mut Run<'r>,
    context: Context<'c>,
    serving: Serving<'c>,
    /// At first each is tested for the statements that it was generated for.
    only_asked: bool,
    /// Tables whose lock could not be acquired: waiting for it again and again would make writers
    /// queue behind us each time.
    locked: BTreeSet<QualifiedName>,
    /// What the server said of indexes that some plan uses.
    built: BuiltGroups,
    /// How long the builds that are left are expected to take.
    left: Millis,
}

impl Tester<'_, '_, '_> {
    /// On the twin, unless it cannot plan any statement that the candidate is for; on the server
    /// only where no twin was wanted.
    fn test_one(
        &mut self,
        id: TrialId,
        index: &NamedIndex,
        asked_by: &BTreeSet<StatementId>,
    ) -> Result<Answer, PlannerError> {
        let context = self.context;
        if context.target() == Target::Server {
            // What is built is verified by the same build: with everything on its table.
            let tables = BTreeSet::from([index.definition.table.clone()]);
            return self.build(id, index, &context.touching(&tables));
        }
        let mut statements = self.serving.statements(&index.definition, asked_by);
        if self.only_asked {
            statements.retain(|statement| {
                let class = statement.value_class.as_ref();
                asked_by.contains(class.map_or(&statement.id, |class| &class.of))
            });
        }
        self.run.step(&index.name);
        match self.twin_cannot_plan(asked_by) {
            Some(cause) => Ok(Answer::Refused(cause.into())),
            None => self.simulate(index, &statements),
        }
    }

    /// Why the twin says nothing about a candidate for these statements: it plans none of them.
    fn twin_cannot_plan(&self, asked_by: &BTreeSet<StatementId>) -> Option<RefusalCause> {
        let context = self.context;
        let failure = |id| Some((id, context.twin.failure(id)?));
        let failures: Option<Vec<(&StatementId, &str)>> = asked_by.iter().map(failure).collect();
        let (statement, message) = failures?.first().copied()?;
        let not_built = match context.limits.rehearse {
            Rehearse::Auto => RefusalCause::NoTwin,
            other => RefusalCause::BuildingNotAllowed(other),
        };
        Some(RefusalCause::TwinCannotPlan {
            cause: Box::new(not_built),
            statement: statement.clone(),
            message: message.to_owned(),
        })
    }

    /// Tests candidates for statements that they were not generated for: those whose plans use them
    /// when many are there at once, or when better ones are not.
    fn test_for_others(&mut self, trials: &mut Trials) -> Result<(), PlannerError> {
        let context = self.context;
        let mut offered: Vec<(TrialId, StatementId)> = Vec::new();
        for (id, trial) in trials.iter() {
            if let Some(tested) = trial.costs() {
                let index = &trial.index.definition;
                let statements = self.serving.statements(index, &trial.asked_by);
                let others = statements.into_iter().map(|statement| statement.id);
                let others = others.filter(|statement| !tested.contains_key(statement));
                offered.extend(others.map(|statement| (id, statement)));
            }
        }
        let mut twin = TwinSets {
            run: &mut *self.run,
            workload: context.workload,
            trials,
        };
        let baseline = weights(context.workload, context.trial_baseline());
        let pairs = offered.iter().map(|(id, statement)| (*id, statement));
        let worth_testing = KnownCosts::asking(trials, baseline, &mut twin)
            .with_classes(context.workload.statements_of_classes())
            .offering(pairs)
            .worth_testing()?;
        for (id, statements) in worth_testing {
            let find = |id: &StatementId| context.workload.statement(id).cloned();
            let statements: Vec<Statement> = statements.iter().filter_map(find).collect();
            let index = trials[id].index.clone();
            let answer = self.simulate(&index, &statements)?;
            if let Some(trial) = trials.trial_mut(id) {
                trial.add(answer);
            }
        }
        Ok(())
    }

    fn simulate(
        &mut self,
        index: &NamedIndex,
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let question = Question::plans(Target::Twin, statements);
        let indexes = std::slice::from_ref(index);
        self.run.ask(&question.with_indexes(indexes).skippable())
    }

    /// On the server, if that is allowed and the table was not busy before.
    fn build(
        &mut self,
        id: TrialId,
        index: &NamedIndex,
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let name = &index.definition.table;
        let table = self.context.catalog.table(name);
        if let Some(cause) = table.and_then(|table| self.context.build_refusal(table)) {
            self.run.step(&index.name);
            return Ok(Answer::Refused(cause.into()));
        }
        self.run.step(&step(index, self.left));
        let rows = table.and_then(|table| table.rows).unwrap_or(0.0);
        self.left.0 = (self.left.0 - expected_build(rows).0).max(0.0);
        if self.locked.contains(name) {
            let cause = RefusalCause::TableLocked(name.clone());
            return Ok(Answer::Refused(cause.into()));
        }
        let question = Question::plans(Target::Server, statements);
        let indexes = std::slice::from_ref(index);
        let answer = self.run.ask(&question.with_indexes(indexes).skippable())?;
        if is_for_a_lock(&answer) {
            self.locked.insert(name.clone());
        }
        if let Answer::Planned(with) = &answer {
            self.keep(id, with, statements)?;
        }
        Ok(answer)
    }

    /// Keeps the plans with an index that may be chosen, and takes those without it right away:
    /// later builds change row counts.
    fn keep(
        &mut self,
        id: TrialId,
        with: &Planned,
        statements: &[Statement],
    ) -> Result<(), PlannerError> {
        let mut plans = with.plans.values().filter_map(PlanOutcome::plan);
        let is_used = plans.any(|plan| with.indexes.iter().any(|index| uses(plan, index)));
        if is_used {
            let before = self.run.baseline(Target::Server, statements)?;
            let with = with.clone();
            self.built.add(&[id], GroupAnswer::Planned { before, with });
        }
        Ok(())
    }
}

fn is_for_a_lock(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(refusal) if refusal.reason() == Reason::LockTimeout)
}

/// A rank for each candidate, so that little time goes to what matters most: each statement's first
/// candidate, the most expensive statement first, then each one's second.
fn trial_order(candidates: &[Candidate], context: Context<'_>) -> Vec<(usize, usize)> {
    let weight = |statement: &Statement| {
        let cost = context
            .plan(&statement.id)
            .map_or(0.0, |plan| plan.total_cost().0);
        statement.calls * cost
    };
    let mut statements: Vec<&Statement> = context.workload.statements().iter().collect();
    statements.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let mut ranks = vec![(usize::MAX, 0); candidates.len()];
    for (place, statement) in statements.into_iter().enumerate() {
        let own = ranks
            .iter_mut()
            .zip(candidates)
            .filter(|(_, candidate)| candidate.asked_by.contains(&statement.id));
        for (round, (rank, _)) in own.enumerate() {
            *rank = (*rank).min((round, place));
        }
    }
    ranks
}
