//! The planner twin in a run: is there one, and does it plan as the server does?

use std::collections::BTreeMap;

use super::baseline::{Baseline, planned, tables_of};
use super::capture::Captured;
use super::run::Run;
use super::{existing, remedies};
use crate::candidate::Candidates;
use crate::model::Gap;
use crate::planner::{PlanOutcome, PlannerError, Preparation, Target, TwinState};
use crate::twin::agreement::Agreement;
use crate::verdict::{Limits, Rehearse};
use crate::workload::StatementId;

/// A longer message of a server is cut.
const MAX_MESSAGE_CHARS: usize = 200;

/// What is known of the twin before anything is tried in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TwinView {
    pub(super) state: TwinState,
    /// What it is missing.
    pub(super) gaps: Vec<Gap>,
    /// Its plans as things are; the server's, where it has none.
    before: Baseline,
    /// The statements that it cannot plan though the server can, with its message.
    failures: BTreeMap<StatementId, String>,
    /// How far each statement's plan is the server's.
    pub(super) agreements: BTreeMap<StatementId, Agreement>,
}

impl TwinView {
    /// Makes the twin ready where there is something to ask it, and compares its plans with the server's.
    pub(super) fn prepare(
        run: &mut Run<'_>,
        limits: &Limits,
        captured: &Captured,
        candidates: &Candidates,
    ) -> Result<TwinView, PlannerError> {
        let Captured {
            workload,
            baseline,
            catalog,
        } = captured;
        let wanted = !candidates.to_try.is_empty()
            || remedies::want_twin(workload, baseline, catalog)
            || !existing::bloated::candidates(catalog).is_empty();
        if !wanted || !matches!(limits.rehearse, Rehearse::Auto | Rehearse::Twin) {
            return Ok(TwinView::without_twin(TwinState::NotWanted));
        }
        run.begin("building the planner twin", 1);
        run.step("statistics, and files without content");
        let Preparation { state, gaps } = run.prepare_twin(&tables_of(baseline))?;
        run.end();
        let mut view = TwinView {
            gaps,
            ..TwinView::without_twin(state)
        };
        if view.state == TwinState::Ready {
            let twin = run.baseline(Target::Twin, &planned(workload, baseline))?;
            view.compare(baseline, twin);
        }
        Ok(view)
    }

    /// There is none, or nothing is known of it yet.
    fn without_twin(state: TwinState) -> TwinView {
        TwinView {
            state,
            gaps: Vec::new(),
            before: Baseline::new(),
            failures: BTreeMap::new(),
            agreements: BTreeMap::new(),
        }
    }

    /// Takes over the twin's plans; where it has none, the server's stand in.
    fn compare(&mut self, server: &Baseline, twin: Baseline) {
        self.agreements = agreements(server, &twin);
        self.failures = failures(&twin);
        self.before = twin;
        for id in self.failures.keys() {
            let servers = server.get(id);
            self.before
                .extend(servers.map(|outcome| (id.clone(), outcome.clone())));
        }
    }

    /// Why it has no plan for a statement that the server plans.
    pub(super) fn failure(&self, id: &StatementId) -> Option<&str> {
        self.failures.get(id).map(String::as_str)
    }

    /// Which planner is asked about candidates.
    pub(super) fn target(&self) -> Target {
        if self.state == TwinState::Ready {
            Target::Twin
        } else {
            Target::Server
        }
    }

    /// The twin's plans without any new index; without a twin, these.
    pub(super) fn baseline_or<'a>(&'a self, baseline: &'a Baseline) -> &'a Baseline {
        if self.state == TwinState::Ready {
            &self.before
        } else {
            baseline
        }
    }
}

fn agreements(server: &Baseline, twin: &Baseline) -> BTreeMap<StatementId, Agreement> {
    let agreement = |(id, outcome): (&StatementId, &PlanOutcome)| {
        let real = server.get(id)?.plan()?;
        let agreement = outcome
            .plan()
            .map_or(Agreement::Different, |copy| Agreement::between(real, copy));
        Some((id.clone(), agreement))
    };
    twin.iter().filter_map(agreement).collect()
}

fn failures(twin: &Baseline) -> BTreeMap<StatementId, String> {
    let failure = |(id, outcome): (&StatementId, &PlanOutcome)| match outcome {
        PlanOutcome::Failed(message) => Some((id.clone(), shortened(message))),
        PlanOutcome::Plan(_) | PlanOutcome::Empty => None,
    };
    twin.iter().filter_map(failure).collect()
}

/// The first line, if need be its beginning.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
