//! The workload as it is planned today.

use std::collections::BTreeMap;

use super::baseline::{Baseline, planned, tables_of};
use super::context::Context;
use super::foreign_keys;
use super::run::Run;
use super::{under_policies, value_classes};
use crate::catalog::Catalog;
use crate::planner::{PlanOutcome, PlannerError, Target, TwinOnly, TwinState};
use crate::verdict::{Limits, Rehearse};
use crate::workload::{Statement, StatementId, Workload};

/// What was captured of a workload.
#[derive(Debug)]
pub(super) struct Captured {
    /// The workload, with the lookups that its foreign keys make, and with classes of values.
    pub(super) workload: Workload,
    pub(super) baseline: Baseline,
    pub(super) catalog: Catalog,
    /// Statements that the server is not asked about, and why. Their plans are the twin's, if there
    /// is one.
    pub(super) twin_only: BTreeMap<StatementId, TwinOnly>,
}

/// Plans the workload and reads the catalog of its tables.
pub(super) fn workload(
    run: &mut Run<'_>,
    limits: &Limits,
    workload: &Workload,
) -> Result<Captured, PlannerError> {
    let mut baseline = plans(run, workload.statements())?;
    let mut twin_only = plan_withheld(run, limits, workload.statements(), &mut baseline)?;
    let workload = &run.settled(workload);
    let mut catalog = run.catalog(&tables_of(&baseline))?;
    let lookups = foreign_keys::lookups(workload, &baseline, &catalog);
    let mut classes = value_classes::of(workload, &baseline, &catalog);
    if matches!(limits.rehearse, Rehearse::Auto | Rehearse::Twin) {
        let others = under_policies::of(workload, &classes, &baseline, &catalog);
        classes.extend(others);
    }
    baseline.extend(plans(run, &classes)?);
    twin_only.extend(plan_withheld(run, limits, &classes, &mut baseline)?);
    let classes = under_policies::changed(classes, &baseline);
    if classes.iter().any(Statement::is_under_policies) {
        // Policies may read further tables.
        catalog = run.catalog(&tables_of(&baseline))?;
    }
    let workload = value_classes::added(workload, classes, &baseline);
    let captured = Captured {
        workload: workload.with(lookups.clone()),
        baseline,
        catalog,
        twin_only,
    };
    if lookups.is_empty() {
        Ok(captured)
    } else {
        with_lookups(run, limits, captured, &lookups)
    }
}

/// Those of these statements that were not sent to the server; if there can be a twin, it plans
/// them.
fn plan_withheld(
    run: &mut Run<'_>,
    limits: &Limits,
    statements: &[Statement],
    baseline: &mut Baseline,
) -> Result<BTreeMap<StatementId, TwinOnly>, PlannerError> {
    let twin_only = twin_only(baseline);
    let is_withheld = |statement: &&Statement| twin_only.contains_key(&statement.id);
    let withheld: Vec<Statement> = statements.iter().filter(is_withheld).cloned().collect();
    if !withheld.is_empty() && matches!(limits.rehearse, Rehearse::Auto | Rehearse::Twin) {
        plan_in_twin(run, &withheld, baseline)?;
    }
    Ok(twin_only)
}

/// The statements that were not sent to the server.
fn twin_only(baseline: &Baseline) -> BTreeMap<StatementId, TwinOnly> {
    let reason = |(id, outcome): (&StatementId, &PlanOutcome)| match outcome {
        PlanOutcome::TwinOnly(reason) => Some((id.clone(), reason.clone())),
        _ => None,
    };
    baseline.iter().filter_map(reason).collect()
}

/// Adds the twin's plans of statements that the server is not asked about, if there is a twin.
fn plan_in_twin(
    run: &mut Run<'_>,
    statements: &[Statement],
    baseline: &mut Baseline,
) -> Result<(), PlannerError> {
    run.begin("building the planner twin", 1);
    run.step("for statements of other users");
    let prepared = run.prepare_twin(&tables_of(baseline))?;
    run.end();
    if prepared.state == TwinState::Ready {
        baseline.extend(run.baseline(Target::Twin, statements)?);
    }
    Ok(())
}

/// Lookups may read tables that no statement names.
fn with_lookups(
    run: &mut Run<'_>,
    limits: &Limits,
    captured: Captured,
    lookups: &[Statement],
) -> Result<Captured, PlannerError> {
    let Captured {
        mut baseline,
        mut twin_only,
        ..
    } = captured;
    baseline.extend(plans(run, lookups)?);
    twin_only.extend(plan_withheld(run, limits, lookups, &mut baseline)?);
    let catalog = run.catalog(&tables_of(&baseline))?;
    Ok(Captured {
        baseline,
        catalog,
        twin_only,
        ..captured
    })
}

fn plans(run: &mut Run<'_>, statements: &[Statement]) -> Result<Baseline, PlannerError> {
    if statements.is_empty() {
        return Ok(Baseline::new());
    }
    run.begin("planning", statements.len());
    let mut baseline = Baseline::new();
    for statement in statements {
        run.step(&statement.id.0);
        baseline.extend(run.baseline(Target::Server, std::slice::from_ref(statement))?);
    }
    run.end();
    Ok(baseline)
}

/// The baseline after trials on the server: CREATE INDEX has refreshed row counts in place, and
/// what is compared with the trials has to rest on the same ones.
pub(super) fn again(run: &mut Run<'_>, context: Context<'_>) -> Result<Baseline, PlannerError> {
    let mut baseline = context.baseline.clone();
    if run.has_built() {
        let mut again = run.baseline(Target::Server, &planned(context.workload, &baseline))?;
        again.retain(|_, outcome| outcome.plan().is_some());
        baseline.extend(again);
    }
    Ok(baseline)
}
