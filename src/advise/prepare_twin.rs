//! Makes the planner twin ready.

use super::baseline::{planned, tables_of};
use super::capture::Captured;
use super::existing::bloated;
use super::remedies::{also_read, want_twin};
use super::run::Run;
use super::twin_view::TwinView;
use crate::candidate::Candidates;
use crate::planner::{PlannerError, Preparation, Target, TwinState};
use crate::verdict::{Limits, Rehearse};

/// Makes the twin ready where there is something to ask it, and compares its plans with the
/// server's.
pub(super) fn prepare_twin(
    run: &mut Run<'_>,
    limits: &Limits,
    captured: &Captured,
    candidates: &Candidates,
) -> Result<TwinView, PlannerError> {
    let Captured {
        workload,
        baseline,
        catalog,
        twin_only,
    } = captured;
    let wanted = !candidates.to_try.is_empty()
        || want_twin(workload, baseline, catalog)
        || !bloated::candidates(catalog).is_empty();
    if !wanted || !matches!(limits.rehearse, Rehearse::Auto | Rehearse::Twin) {
        let view = TwinView::without_plans(TwinState::NotWanted, Vec::new());
        return Ok(view.planning_alone(twin_only));
    }
    run.begin("building the planner twin", 1);
    run.step("statistics, and files without content");
    let mut tables = tables_of(baseline);
    tables.extend(also_read(workload, baseline, catalog));
    let Preparation { state, gaps } = run.prepare_twin(&tables)?;
    run.end();
    let mut view = TwinView::without_plans(state, gaps);
    if view.state == TwinState::Ready {
        let twin = run.baseline(Target::Twin, &planned(workload, baseline))?;
        view.compare(baseline, twin);
    }
    let view = view.planning_alone(twin_only);
    Ok(view.planning_with_indexes_alone(run.with_long_plans()))
}
