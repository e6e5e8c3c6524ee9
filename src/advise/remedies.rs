//! Remedies that are not indexes, tested like indexes: a planner is asked about each proposal of the room [`crate::remedy`], and what
//! changes nothing is not recommended.

use super::baseline::Baseline;
use super::context::Context;
use super::run::Run;
use super::verification::Verification;
use crate::catalog::Catalog;
use crate::plan::Plan;
use crate::planner::{Answer, Hypothesis, NamedIndex, PlanOutcome, PlannerError, Question, Target};
use crate::remedy::{Ask, Effect, Remedy, wants_twin};
use crate::search::Trials;
use crate::twin::agreement::Agreement;
use crate::workload::{Statement, Workload};

mod rewrite;
mod statistics;
mod vacuum;
mod view;

/// What is known when remedies are tested.
#[derive(Debug, Clone, Copy)]
struct Chosen<'a> {
    context: Context<'a>,
    verification: &'a Verification,
    trials: &'a Trials,
}

impl Chosen<'_> {
    /// The verified indexes.
    fn indexes(self) -> Vec<NamedIndex> {
        let verified = self.verification.verified.iter();
        self.trials
            .indexes(verified.map(|verified| &verified.trial))
    }
}

/// Every remedy that changes something, numbered.
pub(super) fn test(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    verification: &Verification,
) -> Result<Vec<Remedy>, PlannerError> {
    let chosen = Chosen {
        context,
        verification,
        trials,
    };
    let plans = planned(context.workload, context.baseline);
    let ask = Ask {
        plans: &plans,
        catalog: context.catalog,
    };
    let mut remedies = statistics::test(run, chosen, ask)?;
    remedies.extend(vacuum::test(run, chosen, ask)?);
    remedies.extend(view::test(run, chosen, ask)?);
    remedies.extend(rewrite::test(run, chosen, ask)?);
    for (number, remedy) in remedies.iter_mut().enumerate() {
        remedy.id = format!("m{}", number + 1);
    }
    Ok(remedies)
}

/// Is the twin wanted for a remedy?
pub(super) fn want_twin(workload: &Workload, baseline: &Baseline, catalog: &Catalog) -> bool {
    wants_twin(Ask {
        plans: &planned(workload, baseline),
        catalog,
    })
}

/// The statements that have a plan, with it.
fn planned<'a>(workload: &'a Workload, baseline: &'a Baseline) -> Vec<(&'a Statement, &'a Plan)> {
    let plan = |statement: &'a Statement| Some((statement, baseline.get(&statement.id)?.plan()?));
    workload.statements().iter().filter_map(plan).collect()
}

/// The server's plans of statements under a hypothesis; none where it could not be tested.
fn plans(
    run: &mut Run<'_>,
    hypothesis: Hypothesis,
    statements: &[Statement],
) -> Result<Option<Baseline>, PlannerError> {
    let question = Question::plans(Target::Server, statements).under(hypothesis);
    Ok(match run.ask(&question)? {
        Answer::Planned(planned) => Some(planned.plans),
        Answer::Refused(_) => None,
    })
}

/// What becomes of a statement.
fn effect(statement: &Statement, before: &Plan, after: &Plan, rows: Option<(f64, f64)>) -> Effect {
    Effect {
        statement: statement.id.clone(),
        cost: (before.total_cost(), after.total_cost()),
        rows,
        plan_changed: Agreement::between(before, after) == Agreement::Different,
    }
}

/// The plan of a statement among others.
fn plan_of<'p>(plans: &'p Baseline, statement: &Statement) -> Option<&'p Plan> {
    plans.get(&statement.id).and_then(PlanOutcome::plan)
}
