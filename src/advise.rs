//! The pipeline: capture → suggest → test → choose → verify → advice. Short enough to read as the picture in ARCHITECTURE.md.
//!
//! What decides is functions over values; only [`run::Run`] asks the planner. The same answers give the same advice, byte for byte.

use crate::planner::{Observer, Planner, PlannerError};
use crate::verdict::Limits;
use crate::workload::Workload;

pub mod advice;
mod assembly;
mod baseline;
mod build_refusal;
mod candidates;
mod capture;
pub mod compare_timings;
mod context;
pub mod drops;
mod existing;
pub mod explanation;
mod foreign_keys;
mod measure;
pub mod no_index_reason;
pub mod notices;
pub mod rejection;
mod remedies;
mod run;
mod selection;
mod superseded;
#[cfg(test)]
mod tests;
mod trials;
mod twin;
mod verification;
pub mod what_if;
mod write_cost;

pub use advice::{Advice, Benefit, Recommendation, Rejected, StatementAdvice, StatementStatus};
pub(crate) use build_refusal::build_refusal;
pub use existing::{ExistingFinding, Fix};

use context::Context;
use run::Run;
use twin::TwinView;

/// Advises on a workload.
///
/// # Errors
/// When the planner cannot be asked any more, or the user interrupts; whatever was built is rolled back by then.
pub fn advise(
    workload: &Workload,
    limits: &Limits,
    planner: &mut dyn Planner,
    observer: Observer<'_>,
) -> Result<Advice, PlannerError> {
    let mut run = Run::new(planner, observer);
    let captured = capture::workload(&mut run, workload)?;
    let candidates = candidates::suggest(&captured);
    let twin = TwinView::prepare(&mut run, limits, &captured, &candidates)?;
    let context = Context {
        workload: &captured.workload,
        limits,
        catalog: &captured.catalog,
        baseline: &captured.baseline,
        twin: &twin,
    };
    let trials = trials::test(&mut run, context, &candidates.to_try)?;
    let baseline = capture::again(&mut run, context)?;
    let context = Context {
        baseline: &baseline,
        ..context
    };
    let chosen = selection::choose_and_verify(&mut run, context, &trials)?;
    let verification = &chosen.verification;
    let drop_effects = drops::simulate(&mut run, context, &trials, verification)?;
    let fresh_sizes = existing::fresh_sizes(&mut run, context)?;
    let lower_page_cost = no_index_reason::ask(&mut run, context, &trials, verification)?;
    let remedies = remedies::test(&mut run, context, &trials, verification)?;
    let write_costs = write_cost::of_trials(&trials, context);
    Ok(assembly::Parts {
        context,
        candidates,
        trials,
        chosen,
        drop_effects,
        fresh_sizes,
        lower_page_cost,
        remedies,
        write_costs,
        summary: run.summary(),
    }
    .into_advice())
}
