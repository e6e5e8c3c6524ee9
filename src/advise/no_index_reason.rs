//! Why no index helps: the reason for every statement for which no index is recommended.
//!
//! In this order, the first that holds: (1) an index would help, and a limit or its verification
//! kept it out; (2) what the plan and the catalog say ([`facts`]); (3) an index is used and gains
//! too little; (4) the planner would use one at a lower `random_page_cost` ([`page_cost`]); (5)
//! there is no candidate, because of the conditions; (6) candidates could not be tested; (7) only
//! that what was tested did not help.

use std::collections::BTreeMap;

use super::context::Context;
use super::no_index_helps::{LowerPageCost, NoIndexHelps};
use super::parts::Parts;
use super::recommendation::Recommendation;
use super::run::Run;
use super::verification::Verification;
use crate::index::Index;
use crate::model::Cost;
use crate::plan::Plan;
use crate::planner::{PlannerError, RefusalCause};
use crate::search::{Trial, TrialId, TrialOutcome, Trials};
use crate::workload::{Statement, StatementId};

mod facts;
mod page_cost;

use facts::Scan;

/// What a lower `random_page_cost` would bring the statements that no index helps, where nothing
/// else says why.
pub(super) fn ask(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    verification: &Verification,
) -> Result<BTreeMap<StatementId, LowerPageCost>, PlannerError> {
    let is_helped = |before: &Plan, after: &Plan| {
        let min_improvement = context.limits.min_improvement;
        min_improvement.reached(before.total_cost(), after.total_cost())
    };
    let is_undecided = |statement: &&Statement| {
        if statement.value_class.is_some() {
            return false;
        }
        let after = verification.after.get(&statement.id);
        context.plan(&statement.id).is_some_and(|plan| {
            !after.is_some_and(|after| is_helped(plan, after))
                && facts::volatile(plan, context.catalog).is_none()
                && facts::decided(plan, context.catalog).is_none()
        })
    };
    let statements = context.workload.statements().iter();
    let undecided: Vec<Statement> = statements.filter(is_undecided).cloned().collect();
    page_cost::ask(run, context, trials, &undecided)
}

impl Parts<'_> {
    /// Why no index helps a statement that none helps; none when it was not planned.
    pub(super) fn no_index(
        &self,
        statement: &Statement,
        recommendations: &[Recommendation],
    ) -> Option<NoIndexHelps> {
        let id = &statement.id;
        let plan = self.plan_before(id)?;
        if statement.value_class.is_some() {
            return None;
        }
        let candidates = self.candidates_of(id);
        let lower_page_cost = || self.lower_page_cost.get(id).cloned();
        let reason = self
            .kept_out(&candidates, recommendations)
            .or_else(|| self.being_built(id))
            .or_else(|| facts::volatile(plan, self.context.catalog))
            .or_else(|| facts::decided(plan, self.context.catalog))
            .or_else(|| self.gains_too_little(&candidates))
            .or_else(|| lower_page_cost().map(NoIndexHelps::LowerPageCost))
            .or_else(|| self.not_indexable(id, plan, &candidates))
            .or_else(|| not_tested(&candidates))
            .unwrap_or_else(|| no_candidate_helped(&candidates, plan.total_cost()));
        Some(reason)
    }

    /// The candidates of one statement.
    fn candidates_of(&self, id: &StatementId) -> Vec<CandidateOf<'_>> {
        let before = self.context.trial_plan(id).map(Plan::total_cost);
        let trials = self.trials.iter();
        let asked = trials.filter(|(_, trial)| trial.asked_by.contains(id));
        asked
            .map(|(trial_id, trial)| {
                let cost = trial.costs().and_then(|costs| costs.get(id));
                CandidateOf {
                    id: trial_id,
                    trial,
                    before,
                    after: cost.map(|cost| (cost.cost, cost.used)),
                }
            })
            .collect()
    }

    /// (1) The best of those that would gain enough.
    fn kept_out(
        &self,
        candidates: &[CandidateOf<'_>],
        recommendations: &[Recommendation],
    ) -> Option<NoIndexHelps> {
        let min_improvement = self.context.limits.min_improvement;
        let gains = |candidate: &&CandidateOf<'_>| {
            let used = candidate.used();
            used.is_some_and(|(before, after)| min_improvement.reached(before, after))
        };
        let best = cheapest(candidates.iter().filter(gains))?;
        let (before, after) = best.used()?;
        Some(NoIndexHelps::Candidate {
            index: best.definition(),
            before,
            after,
            rejection: self.rejection(best.id, recommendations),
        })
    }

    /// (2) An index that would serve it is not finished.
    fn being_built(&self, id: &StatementId) -> Option<NoIndexHelps> {
        let mut covered = self.candidates.covered.iter();
        let covered =
            covered.find(|covered| !covered.existing.valid && covered.asked_by.contains(id))?;
        let name = covered.existing.name.clone();
        Some(match covered.existing.being_built {
            true => NoIndexHelps::BeingBuilt(name),
            false => NoIndexHelps::Incomplete(name),
        })
    }

    /// (3)
    fn gains_too_little(&self, candidates: &[CandidateOf<'_>]) -> Option<NoIndexHelps> {
        let used = candidates
            .iter()
            .filter(|candidate| candidate.used().is_some());
        let best = cheapest(used)?;
        let (before, after) = best.used()?;
        Some(NoIndexHelps::GainsTooLittle {
            index: best.definition(),
            before,
            after,
            min_improvement: self.context.limits.min_improvement,
        })
    }

    /// (5) A generator makes an index of every condition that it can read.
    fn not_indexable(
        &self,
        id: &StatementId,
        plan: &Plan,
        candidates: &[CandidateOf<'_>],
    ) -> Option<NoIndexHelps> {
        if !candidates.is_empty() {
            return None;
        }
        let scan = Scan::costliest(plan, self.context.catalog)?;
        let mut notes = self.candidates.notes.iter();
        if let Some(note) = notes.find(|note| note.statement == *id) {
            return Some(NoIndexHelps::NotIndexable(note.clone()));
        }
        let filter = scan.filter().filter(|_| !scan.has_readable_condition())?;
        Some(NoIndexHelps::NotIndexableFilter {
            filter: filter.to_owned(),
            table: scan.name.clone(),
        })
    }
}

/// One candidate from one statement's point of view.
struct CandidateOf<'t> {
    id: TrialId,
    trial: &'t Trial,
    before: Option<Cost>,
    /// The statement's cost with it, and whether it was used; none where it was not tested.
    after: Option<(Cost, bool)>,
}

impl CandidateOf<'_> {
    /// The costs without and with it, if the plan used it.
    fn used(&self) -> Option<(Cost, Cost)> {
        let (after, _) = self.after.filter(|(_, used)| *used)?;
        Some((self.before?, after))
    }

    fn cost(&self) -> f64 {
        self.after.map_or(f64::INFINITY, |(cost, _)| cost.0)
    }

    fn definition(&self) -> Index {
        self.trial.index.definition.clone()
    }
}

fn cheapest<'c, 't: 'c>(
    candidates: impl Iterator<Item = &'c CandidateOf<'t>>,
) -> Option<&'c CandidateOf<'t>> {
    candidates.min_by(|a, b| a.cost().total_cmp(&b.cost()))
}

/// (6)
fn not_tested(candidates: &[CandidateOf<'_>]) -> Option<NoIndexHelps> {
    let refused = |candidate: &CandidateOf<'_>| match &candidate.trial.outcome {
        TrialOutcome::Refused(refusal) => Some(refusal.cause.clone()),
        TrialOutcome::Tested { .. } => None,
    };
    let causes: Vec<RefusalCause> = candidates.iter().filter_map(refused).collect();
    Some(NoIndexHelps::NotTested {
        refused: causes.len(),
        candidates: candidates.len(),
        cause: causes.into_iter().next()?,
    })
}

/// (7)
fn no_candidate_helped(candidates: &[CandidateOf<'_>], now: Cost) -> NoIndexHelps {
    let tested = candidates
        .iter()
        .filter(|candidate| candidate.after.is_some());
    NoIndexHelps::NoCandidateHelped {
        candidates: candidates.len(),
        best: cheapest(tested).map(|best| (best.definition(), Cost(best.cost()))),
        now,
    }
}
