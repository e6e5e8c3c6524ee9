//! Remedies that are not indexes, tested like indexes: a planner is asked about each proposal of
//! the room [`crate::remedy`], and what changes nothing is not recommended.

use std::collections::BTreeSet;

use super::baseline::Baseline;
use super::context::Context;
use super::run::Run;
use super::verification::Verification;
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::planner::PlannerError;
use crate::remedy::rewrite as rewrite_proposals;
use crate::remedy::{Effect, Kind, Remedy, RemedyInput, wants_twin};
use crate::search::Trials;
use crate::workload::{Statement, StatementId, Workload};

mod chosen;
mod policy;
mod remote_estimates;
mod rewrite;
mod statistics;
mod vacuum;
mod view;
mod written;

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
    remedies.extend(remote_estimates::test(run, chosen, input)?);
    remedies.extend(vacuum::test(run, chosen, input)?);
    remedies.extend(policy::test(run, chosen, input)?);
    let rewritten = rewrite::test(run, chosen, input)?;
    remedies.extend(view::test(run, chosen, input, &rewritten)?);
    remedies.retain(|remedy| !only_of_rewritten(remedy, &rewritten));
    remedies.extend(rewritten);
    rank(&mut remedies, context.workload);
    for (number, remedy) in remedies.iter_mut().enumerate() {
        remedy.id = format!("m{}", number + 1);
    }
    Ok(remedies)
}

/// Are they statistics for statements alone that are better written another way, without what the
/// statistics are about?
fn only_of_rewritten(remedy: &Remedy, rewritten: &[Remedy]) -> bool {
    let is_rewritten = |effect: &Effect| {
        let mut others = rewritten.iter().flat_map(|remedy| &remedy.benefits);
        others.any(|other| other.statement == effect.statement)
    };
    remedy.kind == Kind::CreateStatistics && remedy.benefits.iter().all(is_rewritten)
}

/// The rewrites of these statements that help.
pub(super) fn rewrites(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    (verification, of): (&Verification, &BTreeSet<StatementId>),
) -> Result<Vec<Remedy>, PlannerError> {
    let chosen = Chosen {
        context,
        verification,
        trials,
    };
    let mut plans = planned(context.workload, context.baseline);
    let restated = run.restated();
    plans.retain(|(statement, _)| {
        of.contains(&statement.id) && !restated.contains_key(&statement.id)
    });
    let input = RemedyInput {
        plans: &plans,
        catalog: context.catalog,
    };
    rewrite::test(run, chosen, input)
}

/// ANALYZE first, since everything else rests on what it says; then by what they bring to the
/// workload. Of statistics only the estimates are known, so they come last.
fn rank(remedies: &mut [Remedy], workload: &Workload) {
    let calls = |effect: &Effect| {
        let statement = workload.statement(&effect.statement);
        statement.map_or(0.0, |statement| statement.calls)
    };
    let gain = |remedy: &Remedy| -> f64 {
        let gains = remedy.benefits.iter();
        gains
            .map(|effect| calls(effect) * (effect.cost.0.0 - effect.cost.1.0))
            .sum()
    };
    let place = |remedy: &Remedy| match remedy.kind {
        Kind::Analyze | Kind::RemoteEstimates => 0,
        Kind::Vacuum | Kind::MaterializedView | Kind::Rewrite | Kind::AlterPolicy => 1,
        Kind::CreateStatistics => 2,
    };
    // Of statistics, what matters is how much an estimate was wrong, in the order of before.
    let known = |remedy: &Remedy| match remedy.kind.is_about_statistics() {
        true => 0.0,
        false => gain(remedy),
    };
    remedies.sort_by(|a, b| place(a).cmp(&place(b)).then(known(b).total_cmp(&known(a))));
}

/// Is the twin wanted for a remedy?
pub(super) fn want_twin(workload: &Workload, baseline: &Baseline, catalog: &Catalog) -> bool {
    wants_twin(RemedyInput {
        plans: &planned(workload, baseline),
        catalog,
    })
}

/// The tables that the statements would read if they were rewritten.
pub(super) fn also_read(
    workload: &Workload,
    baseline: &Baseline,
    catalog: &Catalog,
) -> BTreeSet<QualifiedName> {
    rewrite_proposals::also_read(RemedyInput {
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
