//! What is known when remedies are tested, and what tests of several kinds need.

use crate::advise::baseline::Baseline;
use crate::advise::context::Context;
use crate::advise::run::Run;
use crate::advise::verification::Verification;
use crate::plan::Plan;
use crate::planner::{Answer, Hypothesis, NamedIndex, PlanOutcome, PlannerError, Question, Target};
use crate::remedy::Effect;
use crate::search::Trials;
use crate::twin::agreement::Agreement;
use crate::workload::Statement;

/// What is known when remedies are tested.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub(super) context: Context<'a>,
    pub(super) verification: &'a Verification,
    pub(super) trials: &'a Trials,
}

impl Chosen<'_> {
    /// The verified indexes.
    pub(super) fn indexes(self) -> Vec<NamedIndex> {
        let verified = self.verification.verified.iter();
        self.trials
            .indexes(verified.map(|verified| &verified.trial))
    }
}

/// The server's plans of statements under a hypothesis; none where it could not be tested.
pub(super) fn plans(
    run: &mut Run<'_>,
    hypothesis: Hypothesis,
    statements: &[Statement],
) -> Result<Option<Baseline>, PlannerError> {
    let question = Question::plans(Target::Server, statements).under(hypothesis);
    Ok(match run.ask(&question)? {
        Answer::Planned(planned) => Some(planned.plans),
        Answer::Refused(_) => None,
    })
}

/// The effect of a remedy on a statement.
pub(super) fn effect(
    statement: &Statement,
    before: &Plan,
    after: &Plan,
    rows: Option<(f64, f64)>,
) -> Effect {
    Effect {
        statement: statement.id.clone(),
        cost: (before.total_cost(), after.total_cost()),
        rows,
        plan_changed: Agreement::between(before, after) == Agreement::Different,
    }
}

/// The plan of a statement among others.
pub(super) fn plan_of<'p>(plans: &'p Baseline, statement: &Statement) -> Option<&'p Plan> {
    plans.get(&statement.id).and_then(PlanOutcome::plan)
}
