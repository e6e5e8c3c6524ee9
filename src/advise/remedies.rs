//! Things that are not indexes, tried like indexes: each proposal of the room [`crate::remedy`] is put to a planner, and what changes
//! nothing is not recommended.

use super::Run;
use super::proof::{Known, Proof};
use crate::plan::Plan;
use crate::rehearsal::{Answer, PlanOutcome, PlannerError, Supposition, Trial, Whom};
use crate::remedy::{Ask, Effect, Remedy};
use crate::twin::agreement::Agreement;
use crate::workload::Statement;

mod statistics;

/// What is known when remedies are tried.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    known: Known<'a>,
    proof: &'a Proof,
    trials: &'a [Trial],
}

/// Every remedy that was seen to change something, numbered.
pub(super) fn test(
    run: &mut Run<'_>,
    known: Known<'_>,
    proof: &Proof,
    trials: &[Trial],
) -> Result<Vec<Remedy>, PlannerError> {
    let seen = Seen { known, proof, trials };
    let statements = run.workload.statements().to_vec();
    let plans: Vec<(&Statement, &Plan)> = statements
        .iter()
        .filter_map(|statement| Some((statement, known.captured.get(&statement.id)?.plan()?)))
        .collect();
    let ask = Ask { plans: &plans, catalog: known.catalog };
    let mut remedies = statistics::test(run, seen, ask)?;
    for (number, remedy) in remedies.iter_mut().enumerate() {
        remedy.id = format!("m{}", number + 1);
    }
    Ok(remedies)
}

/// Plans of statements under a supposition; none where it could not be tried.
fn plans(
    run: &mut Run<'_>,
    whom: Whom,
    supposition: &Supposition,
    statements: &[Statement],
) -> Result<Option<super::Captured>, PlannerError> {
    Ok(match run.suppose(whom, supposition, &[], statements)? {
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
fn plan_of<'p>(plans: &'p super::Captured, statement: &Statement) -> Option<&'p Plan> {
    plans.get(&statement.id).and_then(PlanOutcome::plan)
}
