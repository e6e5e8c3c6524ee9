//! Each candidate, tested by itself.

use std::collections::BTreeSet;

use super::build_groups::build_plan;
use super::context::Context;
use super::run::Run;
use crate::candidate::Candidate;
use crate::index::{Index, naming};
use crate::model::QualifiedName;
use crate::planner::{Answer, NamedIndex, PlannerError, Question, RefusalCause, Target};
use crate::search::{Trial, Trials};
use crate::verdict::{Reason, Rehearse};
use crate::workload::{Statement, StatementId};

/// Tests every candidate by itself, in the order of [`trial_order`]; the result is in the order of
/// the candidates.
pub(super) fn test(
    run: &mut Run<'_>,
    context: Context<'_>,
    candidates: &[Candidate],
) -> Result<Trials, PlannerError> {
    let definitions = candidates.iter().map(|candidate| &candidate.index);
    let names = naming::names(definitions, &context.catalog.taken_names);
    let named = names.into_iter().zip(candidates).map(named);
    let ranks = trial_order(candidates, context);
    let mut ordered: Vec<_> = ranks.into_iter().zip(named.enumerate()).collect();
    ordered.sort_by_key(|(rank, _)| *rank);
    let phase = match context.target() {
        Target::Twin => "testing candidates in the planner twin",
        Target::Server => "testing candidates on the server",
    };
    if context.target() == Target::Server {
        let may_build = |index: &&Index| {
            let table = context.catalog.table(&index.table);
            table.is_some_and(|table| context.build_refusal(table).is_none())
        };
        let indexes = candidates.iter().map(|candidate| &candidate.index);
        run.announce(&build_plan(indexes.filter(may_build), context));
    }
    run.begin(phase, candidates.len());
    let mut trials = Vec::with_capacity(candidates.len());
    let mut tester = Tester {
        run,
        context,
        locked: BTreeSet::new(),
    };
    for (_, (position, (index, asked_by))) in ordered {
        tester.run.step(&index.name);
        let answer = tester.test_one(&index, &asked_by)?;
        trials.push((position, Trial::from_answer(index, asked_by, answer)));
    }
    run.end();
    trials.sort_by_key(|(position, _)| *position);
    Ok(trials.into_iter().map(|(_, trial)| trial).collect())
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
    /// Tables whose lock could not be acquired: waiting for it again and again would make writers
    /// queue behind us each time.
    locked: BTreeSet<QualifiedName>,
}

impl Tester<'_, '_, '_> {
    /// On the twin, unless it cannot plan any statement that the candidate is for; on the server
    /// only where no twin was wanted.
    fn test_one(
        &mut self,
        index: &NamedIndex,
        asked_by: &BTreeSet<StatementId>,
    ) -> Result<Answer, PlannerError> {
        let context = self.context;
        let statements = context.touching(&BTreeSet::from([index.definition.table.clone()]));
        if context.target() == Target::Server {
            return self.build(index, &statements);
        }
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
        index: &NamedIndex,
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let name = &index.definition.table;
        let table = self.context.catalog.table(name);
        if let Some(cause) = table.and_then(|table| self.context.build_refusal(table)) {
            return Ok(Answer::Refused(cause.into()));
        }
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
        Ok(answer)
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
