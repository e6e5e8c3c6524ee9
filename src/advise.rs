//! The pipeline: capture → suggest → test → choose → verify → advice. Short enough to read as the
//! picture in ARCHITECTURE.md.
//!
//! Decisions are functions over values; only [`run::Run`] queries the planner. The same answers
//! give the same advice, byte for byte.

use crate::planner::{Observer, Planner, PlannerError};
use crate::verdict::Limits;
use crate::workload::Workload;

pub mod advice;
mod assembly;
mod baseline;
mod benefit;
mod build_groups;
mod build_refusal;
mod built_groups;
mod candidates;
mod capture;
mod compare_timings;
mod context;
mod default_selectivity;
pub mod drop_effects;
mod drops;
mod effort;
mod existing;
pub mod explanation;
mod explanation_facts;
pub mod foreign;
mod foreign_keys;
mod foreign_servers;
mod measure;
pub mod no_index_helps;
mod no_index_reason;
pub mod notice;
mod notices;
mod parts;
mod prepare_twin;
mod recommendation;
mod recommendations;
pub mod rejection;
mod rejections;
mod remedies;
pub mod restated;
mod rewritten;
mod run;
pub mod selected;
mod selection;
mod serving;
mod summary;
mod superseded;
#[cfg(test)]
mod tests;
mod timed;
mod trials;
mod twin_view;
mod under_policies;
mod unproved;
mod value_classes;
mod verification;
mod verify;
pub mod what_if;
mod what_if_comparison;
mod write_cost;

pub use advice::{Advice, CheckedTables, Followed, Rejected, StatementAdvice, StatementStatus};
pub use benefit::Benefit;
pub(crate) use build_refusal::build_refusal;
pub use default_selectivity::is_probe;
pub use existing::finding::{
    Bound, ExistingCause, ExistingFinding, Fix, Incomplete, LeftBy, SupportedForeignKey, Unused,
};
pub use recommendation::Recommendation;
pub use summary::{Phase, RehearsalSummary};

use context::Context;
use prepare_twin::prepare_twin;
use run::Run;
use trials::Tested;

/// Advises on a workload.
///
/// # Errors
/// When the planner cannot be asked any more, or the user interrupts; whatever was built is rolled
/// back by then.
pub fn advise(
    workload: &Workload,
    limits: &Limits,
    planner: &mut dyn Planner,
    observer: Observer<'_>,
) -> Result<Advice, PlannerError> {
    let mut run = Run::new(planner, observer);
    let mut captured = capture::workload(&mut run, limits, workload)?;
    let candidates = candidates::suggest(&captured);
    let mut twin = prepare_twin(&mut run, limits, &captured, &candidates)?;
    default_selectivity::restate(&mut run, &mut captured, &candidates, &mut twin)?;
    let context = Context {
        workload: &captured.workload,
        limits,
        catalog: &captured.catalog,
        baseline: &captured.baseline,
        twin: &twin,
    };
    let Tested {
        trials,
        built,
        knowledge,
    } = trials::test(&mut run, context, &candidates.to_try)?;
    let baseline = capture::again(&mut run, context)?;
    let context = Context {
        baseline: &baseline,
        ..context
    };
    let mut chosen = selection::choose_and_verify(&mut run, context, &trials, built, knowledge)?;
    let remedies = rewritten::settle(&mut run, context, &trials, &mut chosen)?;
    timed::add(&mut run, context, &trials, &mut chosen)?;
    if let Some(measured) = &mut chosen.measured {
        measured.check_others(&mut run, context)?;
    }
    let verification = &chosen.verification;
    let drop_effects = drops::simulate(&mut run, context, &trials, verification, &remedies)?;
    let fresh_sizes = existing::fresh_sizes(&mut run, context)?;
    let other_tables = existing::other_tables(&mut run, context)?;
    let lower_page_cost = no_index_reason::ask(&mut run, context, &trials, verification)?;
    let write_costs = write_cost::of_trials(&trials, context);
    Ok(parts::Parts {
        context,
        restated: run.restated(),
        candidates,
        trials,
        chosen,
        drop_effects,
        fresh_sizes,
        other_tables,
        lower_page_cost,
        remedies,
        write_costs,
        unwatched: run.unwatched(),
        summary: run.summary(),
    }
    .into_advice())
}
