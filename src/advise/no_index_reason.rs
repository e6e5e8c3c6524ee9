//! Why no index helps: for every statement that ends without one, the reason that was seen.
//!
//! In this order, the first that holds: (1) an index would help, and a limit or its proof kept it out; (2) what the plan and the
//! catalog say ([`facts`]); (3) an index is used and gains too little; (4) the planner would use one at a lower `random_page_cost`
//! ([`page_cost`]); (5) no candidate was thought of, because of the conditions; (6) candidates could not be tried; (7) only that what
//! was tried did not help.

use std::collections::BTreeMap;

use super::advice::{Parts, Recommendation};
use super::verification::{Known, Verification};
use super::{Baseline, Run};
use crate::candidate::Candidates;
use crate::model::Cost;
use crate::plan::Plan;
use crate::rehearsal::{PlanOutcome, PlannerError, Trial, TrialOutcome};
use crate::verdict::{NoIndexHelps, NoIndexReason, Reason};
use crate::workload::{Statement, StatementId};

mod facts;
mod page_cost;

use facts::Scan;
pub(super) use page_cost::LowerPageCost;

/// What a lower `random_page_cost` would bring the statements that no index helps, where nothing else says why.
pub(super) fn ask(
    run: &mut Run<'_>,
    known: Known<'_>,
    (candidates, trials): (&Candidates, &[Trial]),
    verification: &Verification,
) -> Result<BTreeMap<StatementId, LowerPageCost>, PlannerError> {
    let undecided = |statement: &&Statement| {
        let plan = known
            .baseline
            .get(&statement.id)
            .and_then(PlanOutcome::plan);
        let helped = verification.after.get(&statement.id).is_some_and(|after| {
            plan.is_some_and(|before| {
                run.limits
                    .min_improvement
                    .reached(before.total_cost(), after.total_cost())
            })
        });
        plan.is_some_and(|plan| !helped && facts::decided(plan, known.catalog).is_none())
    };
    let undecided: Vec<Statement> = run
        .workload
        .statements()
        .iter()
        .filter(undecided)
        .cloned()
        .collect();
    page_cost::ask(run, known, (&candidates.to_try, trials), &undecided)
}

impl Parts<'_> {
    /// Why no index helps a statement; none when one does, and when it was not planned.
    pub(super) fn no_index(
        &self,
        statement: &Statement,
        recommendations: &[Recommendation],
    ) -> Option<NoIndexHelps> {
        let id = &statement.id;
        let plan = self.plan_before(id)?;
        let helps = |recommendation: &Recommendation| {
            recommendation
                .benefits
                .iter()
                .any(|benefit| benefit.statement == *id)
        };
        if recommendations.iter().any(helps) {
            return None;
        }
        let because = |(reason, detail)| NoIndexHelps { reason, detail };
        let tried = self.tried_for(id);
        let found = self
            .kept_out(&tried, recommendations)
            .or_else(|| {
                facts::decided(plan, &self.catalog).map(|facts| (facts.reason, facts.detail))
            })
            .or_else(|| self.gains_too_little(&tried))
            .or_else(|| self.at_lower_page_cost(id))
            .or_else(|| self.not_indexable(id, plan, &tried))
            .or_else(|| not_tried(&tried))
            .unwrap_or_else(|| no_candidate_helped(&tried, plan.total_cost()));
        Some(because(found))
    }

    /// The candidates of one statement, each with its position.
    fn tried_for(&self, id: &StatementId) -> Vec<Tried<'_>> {
        let basis = self.basis_cost(id);
        let asked = self.candidates.to_try.iter().zip(&self.trials).enumerate();
        let asked = asked.filter(|(_, (candidate, _))| candidate.asked_by.contains(id));
        let tried = asked.map(|(position, (_, trial))| {
            let seen = trial.built().and_then(|(_, costs)| costs.get(id));
            Tried {
                position,
                trial,
                before: basis,
                after: seen.map(|seen| (seen.cost, seen.used)),
            }
        });
        tried.collect()
    }

    fn basis_cost(&self, id: &StatementId) -> Option<Cost> {
        let basis: &Baseline = self.twin.basis(&self.baseline);
        Some(basis.get(id)?.plan()?.total_cost())
    }

    /// (1) The best of those that would gain enough.
    fn kept_out(&self, tried: &[Tried<'_>], recommendations: &[Recommendation]) -> Found {
        let gains = |tried: &&Tried<'_>| {
            tried
                .used()
                .is_some_and(|(before, after)| self.limits.min_improvement.reached(before, after))
        };
        let best = tried
            .iter()
            .filter(gains)
            .min_by(|a, b| a.cost().total_cmp(&b.cost()))?;
        let rejected = self.rejected_trial(best.position, recommendations);
        let (before, after) = best.used()?;
        let detail = format!(
            "{} would lower it, {before} → {after}, but: {}",
            best.name(),
            why(&rejected)
        );
        Some((NoIndexReason::Candidate(rejected.reason), detail))
    }

    /// (3)
    fn gains_too_little(&self, tried: &[Tried<'_>]) -> Found {
        let best = tried.iter().filter(|tried| tried.used().is_some());
        let best = best.min_by(|a, b| a.cost().total_cmp(&b.cost()))?;
        let (before, after) = best.used()?;
        let (saved, least) = (
            before.saved_share(after) * 100.0,
            self.limits.min_improvement.0 * 100.0,
        );
        let detail = format!(
            "the best, {}, is used and saves {saved:.1} % ({before} → {after}); a gain is {least:.0} % or more",
            best.name()
        );
        Some((NoIndexReason::Candidate(Reason::GainTooSmall), detail))
    }

    /// (4)
    fn at_lower_page_cost(&self, id: &StatementId) -> Found {
        let LowerPageCost {
            index,
            now,
            at,
            cost,
        } = self.lower_page_cost.get(id)?;
        let detail = format!(
            "the planner would use {index} only at random_page_cost = {at} or less (it is {now}); it would cost {cost} there"
        );
        Some((NoIndexReason::OnlyAtLowerRandomPageCost, detail))
    }

    /// (5) A generator makes an index of every condition that it can read.
    fn not_indexable(&self, id: &StatementId, plan: &Plan, tried: &[Tried<'_>]) -> Found {
        if !tried.is_empty() {
            return None;
        }
        let note = self
            .candidates
            .notes
            .iter()
            .find(|note| note.statement == *id);
        let scan = Scan::costliest(plan, &self.catalog)?;
        let detail = match (note, scan.filter()) {
            (Some(note), _) => note.reason.clone(),
            (None, Some(filter)) if !scan.has_readable_condition() => {
                format!("no index can be asked for {filter} on {}", scan.name)
            }
            _ => return None,
        };
        Some((NoIndexReason::NotIndexable, detail))
    }
}

type Found = Option<(NoIndexReason, String)>;

/// One candidate from one statement's point of view.
struct Tried<'t> {
    position: usize,
    trial: &'t Trial,
    before: Option<Cost>,
    /// The statement's cost with it, and whether it was used.
    after: Option<(Cost, bool)>,
}

impl Tried<'_> {
    /// The costs without and with it, if the plan used it.
    fn used(&self) -> Option<(Cost, Cost)> {
        self.after
            .filter(|(_, used)| *used)
            .and_then(|(after, _)| Some((self.before?, after)))
    }

    fn cost(&self) -> f64 {
        self.after.map_or(f64::INFINITY, |(cost, _)| cost.0)
    }

    fn name(&self) -> String {
        format!("an index on {}", self.trial.index.definition.definition())
    }
}

fn why(rejected: &super::Rejected) -> String {
    match rejected.reason {
        Reason::OverBudget => "it is over --budget".to_owned(),
        Reason::TooManyIndexes => "--max-indexes are reached".to_owned(),
        Reason::UpkeepTooHigh => "writes would pay more for it than reads gain".to_owned(),
        _ => rejected.detail.clone(),
    }
}

/// (6)
fn not_tried(tried: &[Tried<'_>]) -> Found {
    let refused = |tried: &Tried<'_>| match &tried.trial.outcome {
        TrialOutcome::Refused(refusal) => Some((refusal.reason, refusal.detail.clone())),
        TrialOutcome::Built { .. } => None,
    };
    let refusals: Vec<_> = tried.iter().filter_map(refused).collect();
    let (reason, detail) = refusals.first()?;
    let detail = format!(
        "{} of {} candidates could not be tried: {detail}",
        refusals.len(),
        tried.len()
    );
    Some((NoIndexReason::Candidate(*reason), detail))
}

/// (7)
fn no_candidate_helped(tried: &[Tried<'_>], now: Cost) -> (NoIndexReason, String) {
    let best = tried
        .iter()
        .filter(|tried| tried.after.is_some())
        .min_by(|a, b| a.cost().total_cmp(&b.cost()));
    let detail = match best {
        Some(best) => format!(
            "of {} tried, none was used; with {} it costs {} as before ({now})",
            tried.len(),
            best.name(),
            Cost(best.cost())
        ),
        None => "no index was thought of that could serve it".to_owned(),
    };
    (NoIndexReason::NoCandidateHelped, detail)
}
