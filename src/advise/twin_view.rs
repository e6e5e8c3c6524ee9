//! What is known about the planner twin before anything is tested in it: does it exist, and does it
//! plan as the server does?

use std::collections::BTreeMap;

use super::baseline::Baseline;
use crate::model::Gap;
use crate::planner::{PlanOutcome, Target, TwinOnly, TwinState};
use crate::twin::agreement::Agreement;
use crate::workload::StatementId;

/// A longer message of a server is cut.
const MAX_MESSAGE_CHARS: usize = 200;

/// What is known about the twin before anything is tested in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TwinView {
    pub(super) state: TwinState,
    /// What it is missing.
    pub(super) gaps: Vec<Gap>,
    /// Its plans without new indexes; the server's plans where it has none.
    before: Baseline,
    /// The statements that it cannot plan though the server can, with its message.
    failures: BTreeMap<StatementId, String>,
    /// How far each statement's plan is the server's.
    pub(super) agreements: BTreeMap<StatementId, Agreement>,
    /// The statements that only it plans, with the reason.
    pub(super) alone: BTreeMap<StatementId, TwinOnly>,
}

impl TwinView {
    /// There is none, or nothing is known of it yet.
    pub(super) fn without_plans(state: TwinState, gaps: Vec<Gap>) -> TwinView {
        TwinView {
            state,
            gaps,
            before: Baseline::new(),
            failures: BTreeMap::new(),
            agreements: BTreeMap::new(),
            alone: BTreeMap::new(),
        }
    }

    /// Of statements that only the twin plans there is nothing to compare.
    pub(super) fn planning_alone(mut self, twin_only: &BTreeMap<StatementId, TwinOnly>) -> Self {
        self.agreements.retain(|id, _| !twin_only.contains_key(id));
        self.alone.clone_from(twin_only);
        self
    }

    /// Without new indexes the server plans these, too: that was compared.
    pub(super) fn planning_with_indexes_alone(
        mut self,
        statements: BTreeMap<StatementId, TwinOnly>,
    ) -> Self {
        if self.state == TwinState::Ready {
            self.alone.extend(statements);
        }
        self
    }

    /// Stores the twin's plans, and the server's plans where the twin has none.
    pub(super) fn compare(&mut self, server: &Baseline, twin: Baseline) {
        self.agreements = agreements(server, &twin);
        self.failures = failures(&twin);
        self.before = twin;
        for id in self.failures.keys() {
            let servers = server.get(id);
            self.before
                .extend(servers.map(|outcome| (id.clone(), outcome.clone())));
        }
    }

    /// Takes these plans for the statements without new indexes.
    pub(super) fn restate(&mut self, plans: Baseline) {
        self.before.extend(plans);
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
        PlanOutcome::Plan(_)
        | PlanOutcome::Empty
        | PlanOutcome::NotExecuted(_)
        | PlanOutcome::TwinOnly(_) => None,
    };
    twin.iter().filter_map(failure).collect()
}

/// The first line, cut if it is too long.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
