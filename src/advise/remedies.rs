//! Things that are not indexes, tried like indexes: each proposal of the room [`crate::remedy`] is put to a planner, and what changes
//! nothing is not recommended.

use super::verification::{Known, Verification};
use super::{Baseline, Run};
use crate::catalog::Catalog;
use crate::plan::Plan;
use crate::rehearsal::{Answer, Hypothesis, PlanOutcome, PlannerError, Target, Trial};
use crate::remedy::{Ask, Effect, Remedy, wants_twin};
use crate::twin::agreement::Agreement;
use crate::workload::{Statement, Workload};

mod rewrite;
mod statistics;
mod vacuum;
mod view;

/// What is known when remedies are tried.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    known: Known<'a>,
    verification: &'a Verification,
    trials: &'a [Trial],
}

/// Every remedy that was seen to change something, numbered.
pub(super) fn test(
    run: &mut Run<'_>,
    known: Known<'_>,
    verification: &Verification,
    trials: &[Trial],
) -> Result<Vec<Remedy>, PlannerError> {
    let seen = Seen {
        known,
        verification,
        trials,
    };
    let workload = run.workload;
    let plans = planned(workload, known.baseline);
    let ask = Ask {
        plans: &plans,
        catalog: known.catalog,
    };
    let mut remedies = statistics::test(run, seen, ask)?;
    remedies.extend(vacuum::test(run, seen, ask)?);
    remedies.extend(view::test(run, seen, ask)?);
    remedies.extend(rewrite::test(run, seen, ask)?);
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

/// Plans of statements under a supposition; none where it could not be tried.
fn plans(
    run: &mut Run<'_>,
    target: Target,
    hypothesis: &Hypothesis,
    statements: &[Statement],
) -> Result<Option<Baseline>, PlannerError> {
    Ok(match run.suppose(target, hypothesis, &[], statements)? {
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
