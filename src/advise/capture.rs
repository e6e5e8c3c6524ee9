//! The workload as it is planned today.

use super::baseline::{Baseline, planned, tables_of};
use super::context::Context;
use super::foreign_keys;
use super::run::Run;
use crate::catalog::Catalog;
use crate::planner::{PlannerError, Target};
use crate::workload::{Statement, Workload};

/// What was captured of a workload.
#[derive(Debug)]
pub(super) struct Captured {
    /// The workload, with the lookups that its foreign keys make.
    pub(super) workload: Workload,
    pub(super) baseline: Baseline,
    pub(super) catalog: Catalog,
}

/// Plans the workload and reads the catalog of its tables.
pub(super) fn workload(run: &mut Run<'_>, workload: &Workload) -> Result<Captured, PlannerError> {
    let baseline = plans(run, workload.statements())?;
    let catalog = run.catalog(&tables_of(&baseline))?;
    let lookups = foreign_keys::lookups(workload, &baseline, &catalog);
    let captured = Captured {
        workload: workload.with(lookups.clone()),
        baseline,
        catalog,
    };
    if lookups.is_empty() {
        Ok(captured)
    } else {
        with_lookups(run, captured, &lookups)
    }
}

/// Lookups may read tables that no statement names.
fn with_lookups(
    run: &mut Run<'_>,
    captured: Captured,
    lookups: &[Statement],
) -> Result<Captured, PlannerError> {
    let mut baseline = captured.baseline;
    baseline.extend(plans(run, lookups)?);
    let catalog = run.catalog(&tables_of(&baseline))?;
    Ok(Captured {
        baseline,
        catalog,
        ..captured
    })
}

fn plans(run: &mut Run<'_>, statements: &[Statement]) -> Result<Baseline, PlannerError> {
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
