//! Remedies that are not indexes, tested like indexes: a planner is asked about each proposal of
//! the room [`crate::remedy`], and what changes nothing is not recommended.

use super::baseline::Baseline;
use super::context::Context;
use super::run::Run;
use super::verification::Verification;
use crate::catalog::Catalog;
use crate::plan::Plan;
use crate::planner::PlannerError;
use crate::remedy::{Remedy, RemedyInput, wants_twin};
use crate::search::Trials;
use crate::workload::{Statement, Workload};

mod chosen;
mod rewrite;
mod statistics;
mod vacuum;
mod view;

use chosen::Chosen;

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
    let mut plans = planned(context.workload, context.baseline);
    // A cost under statistics that are not there is no measure of what changes without them.
    let restated = run.restated();
    plans.retain(|(statement, _)| !restated.contains_key(&statement.id));
    let input = RemedyInput {
        plans: &plans,
        catalog: context.catalog,
    };
    let mut remedies = statistics::test(run, chosen, input)?;
    remedies.extend(vacuum::test(run, chosen, input)?);
    remedies.extend(view::test(run, chosen, input)?);
    remedies.extend(rewrite::test(run, chosen, input)?);
    for (number, remedy) in remedies.iter_mut().enumerate() {
        remedy.id = format!("m{}", number + 1);
    }
    Ok(remedies)
}

/// Is the twin wanted for a remedy?
pub(super) fn want_twin(workload: &Workload, baseline: &Baseline, catalog: &Catalog) -> bool {
    wants_twin(RemedyInput {
        plans: &planned(workload, baseline),
        catalog,
    })
}

/// The statements that have a plan, with it, without those with other values.
fn planned<'a>(workload: &'a Workload, baseline: &'a Baseline) -> Vec<(&'a Statement, &'a Plan)> {
    let plan = |statement: &'a Statement| Some((statement, baseline.get(&statement.id)?.plan()?));
    let statements = workload.statements().iter();
    let as_written = statements.filter(|statement| statement.value_class.is_none());
    as_written.filter_map(plan).collect()
}
