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
    SearchStep, Target, uses,
};
use crate::search::known::KnownCosts;
use crate::search::plans::Knowledge;
use crate::search::unpriced::RowsOf;
use crate::search::{Trial, TrialId, Trials};
use crate::verdict::{Reason, Rehearse, expected_build};
use crate::workload::{Statement, StatementId};

/// Up to so many plans of a statement with one candidate, each is made; beyond, what many candidates at
/// once show says which are.
const MAX_PAIRS_EACH: usize = 3_000;

/// So many candidates are tested at the same time; then a display hears how far it is.
const TRIALS_AT_ONCE: usize = 64;

/// What testing each candidate by itself showed.
pub(super) struct Tested {
    pub(super) trials: Trials,
    /// What the server said of each index that some plan uses: what would be asked again to verify
    /// it alone.
    pub(super) built: BuiltGroups,
    /// What the twin said about several indexes at once.
    pub(super) knowledge: Knowledge,
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
    if target == Target::Twin {
        tester.expect(&ordered)?;
        for part in ordered.chunks(TRIALS_AT_ONCE) {
            trials.extend(tester.simulate_all(part)?);
        }
    } else {
        let rows_of: RowsOf<'_> = &|table, index| context.catalog.rows_indexed(table, index);
        for (position, (index, asked_by)) in ordered {
            // What is built is verified by the same build: with everything on its table.
            let tables = BTreeSet::from([index.definition.table.clone()]);
            let answer = tester.build(TrialId(position), &index, &context.touching(&tables))?;
            trials.push((
                position,
                Trial::from_answer(index, asked_by, answer, rows_of),
            ));
        }
    }
    trials.sort_by_key(|(position, _)| *position);
    let mut trials = trials.into_iter().map(|(_, trial)| trial).collect();
    let knowledge = if tester.only_asked && target == Target::Twin {
        tester.test_for_others(&mut trials)?
    } else {
        Knowledge::default()
    };
    let built = tester.built;
    run.end();
    Ok(Tested {
        trials,
        built,
        knowledge,
    })
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
    /// All that the twin is asked about.
    fn expect(&mut self, candidates: &[(usize, Named)]) -> Result<(), PlannerError> {
        let asked = candidates.iter().map(|(_, named)| named);
        let asked = asked.filter(|(_, asked_by)| self.twin_cannot_plan(asked_by).is_none());
        let indexes: Vec<&NamedIndex> = asked.map(|(index, _)| index).collect();
        self.run.expect(&indexes)
    }

    /// Each on the twin, unless it cannot plan any statement that the candidate is for.
    fn simulate_all(
        &mut self,
        candidates: &[(usize, Named)],
    ) -> Result<Vec<(usize, Trial)>, PlannerError> {
        let mut outcomes: Vec<Option<RefusalCause>> = Vec::new();
        let mut questions: Vec<Question> = Vec::new();
        for (_, (index, asked_by)) in candidates {
            self.run.step(&index.name);
            let refused = self.twin_cannot_plan(asked_by);
            if refused.is_none() {
                questions.push(simulation(index, &self.tested_first(index, asked_by)));
            }
            outcomes.push(refused);
        }
        let mut answers = self.run.ask_all(&questions)?.into_iter();
        let catalog = self.context.catalog;
        let rows_of: RowsOf<'_> = &|table, index| catalog.rows_indexed(table, index);
        let trials = candidates.iter().zip(outcomes);
        let trial = |((position, (index, asked_by)), refused): (&(usize, Named), _)| {
            let answer = match refused {
                Some(cause) => Answer::Refused(RefusalCause::into(cause)),
                None => answers.next()?,
            };
            let trial = Trial::from_answer(index.clone(), asked_by.clone(), answer, rows_of);
            Some((*position, trial))
        };
        Ok(trials.filter_map(trial).collect())
    }

    /// The statements that a candidate is first tested for.
    fn tested_first(&self, index: &NamedIndex, asked_by: &BTreeSet<StatementId>) -> Vec<Statement> {
        let mut statements = self.serving.statements(&index.definition, asked_by);
        if self.only_asked {
            statements.retain(|statement| {
                let class = statement.value_class.as_ref();
                asked_by.contains(class.map_or(&statement.id, |class| &class.of))
            });
        }
        statements
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
    fn test_for_others(&mut self, trials: &mut Trials) -> Result<Knowledge, PlannerError> {
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
            context,
            trials,
        };
        let baseline = weights(context);
        let pairs = offered.iter().map(|(id, statement)| (*id, statement));
        let mut known = KnownCosts::asking(trials, baseline, &mut twin)
            .with_classes(context.workload.statements_of_classes())
            .offering(pairs);
        let worth_testing = known.worth_testing()?;
        let knowledge = known.into_knowledge();
        let find = |id: &StatementId| context.workload.statement(id).cloned();
        let question = |(id, statements): (&TrialId, &Vec<StatementId>)| {
            let statements: Vec<Statement> = statements.iter().filter_map(find).collect();
            simulation(&trials[*id].index, &statements)
        };
        let questions: Vec<Question> = worth_testing.iter().map(question).collect();
        let answers = self.run.ask_all(&questions)?;
        for (id, answer) in worth_testing.into_keys().zip(answers) {
            if let Some(trial) = trials.trial_mut(id) {
                trial.add(answer, &|table, index| {
                    context.catalog.rows_indexed(table, index)
                });
            }
        }
        Ok(knowledge)
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
        let answer = self
            .run
            .ask(&question.with_indexes(indexes).skippable(SearchStep::Trials))?;
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

/// The plans of these statements with this index, on the twin.
fn simulation(index: &NamedIndex, statements: &[Statement]) -> Question {
    let question = Question::plans(Target::Twin, statements);
    question
        .with_indexes(std::slice::from_ref(index))
        .skippable(SearchStep::Trials)
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
