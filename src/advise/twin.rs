//! The planner twin in a run: is there one, and does it plan as the server does?

use std::collections::{BTreeMap, BTreeSet};

use super::{Baseline, Run};
use crate::model::Gap;
use crate::model::QualifiedName;
use crate::rehearsal::{Event, PlanOutcome, PlannerError, Preparation, Target, TwinState};
use crate::twin::agreement::Agreement;
use crate::verdict::Rehearse;
use crate::workload::{Statement, StatementId};

/// So many characters of a server's message are told.
const MAX_MESSAGE: usize = 200;

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
    /// Makes the twin ready, where one is wanted (there is something to try in it), and compares its plans with the server's.
    pub(super) fn prepare(
        run: &mut Run<'_>,
        tables: &BTreeSet<QualifiedName>,
        baseline: &Baseline,
        wanted: bool,
    ) -> Result<TwinView, PlannerError> {
        let mut view = TwinView {
            state: TwinState::NotWanted,
            gaps: Vec::new(),
            before: Baseline::new(),
            failures: BTreeMap::new(),
            agreements: BTreeMap::new(),
        };
        if !wanted || !matches!(run.limits.rehearse, Rehearse::Auto | Rehearse::Twin) {
            return Ok(view);
        }
        (run.observer)(Event::Begin {
            what: "building the planner twin",
            steps: 1,
        });
        (run.observer)(Event::Step("statistics, and files without content"));
        Preparation {
            state: view.state,
            gaps: view.gaps,
        } = run.planners.prepare_twin(tables)?;
        (run.observer)(Event::End);
        if view.state == TwinState::Ready {
            let planned = |statement: &&Statement| {
                baseline
                    .get(&statement.id)
                    .is_some_and(|plan| plan.plan().is_some())
            };
            let statements: Vec<Statement> = run
                .workload
                .statements()
                .iter()
                .filter(planned)
                .cloned()
                .collect();
            view.before = run.plan_baseline(Target::Twin, &statements)?;
            view.agreements = agreements(baseline, &view.before);
            view.failures = failures(&view.before);
            for id in view.failures.keys() {
                view.before.extend(
                    baseline
                        .get(id)
                        .map(|outcome| (id.clone(), outcome.clone())),
                );
            }
        }
        Ok(view)
    }

    /// Why it has no plan for a statement that the server plans.
    pub(super) fn failure(&self, id: &StatementId) -> Option<&str> {
        self.failures.get(id).map(String::as_str)
    }

    /// Who is asked about candidates.
    pub(super) fn target(&self) -> Target {
        if self.state == TwinState::Ready {
            Target::Twin
        } else {
            Target::Server
        }
    }

    /// What the trials are compared with: the plans of whoever was asked.
    pub(super) fn basis<'a>(&'a self, baseline: &'a Baseline) -> &'a Baseline {
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
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
