//! Which indexes of a set hold: some statement's plan uses them and gains enough.

use std::collections::{BTreeMap, BTreeSet};

use super::{Failure, Verification, VerifiedIndex};
use crate::model::Cost;
use crate::plan::Plan;
use crate::planner::{TestedIndex, uses};
use crate::search::TrialId;
use crate::verdict::MinImprovement;
use crate::workload::StatementId;

impl Verification {
    /// Fails the indexes that are not confirmed; returns which of the remaining ones failed.
    pub(in crate::advise) fn judge(
        &mut self,
        left: &[TrialId],
        min_improvement: MinImprovement,
    ) -> BTreeSet<TrialId> {
        let refused = left.iter().filter(|id| self.failed.contains_key(id));
        let mut out: BTreeSet<TrialId> = refused.copied().collect();
        let failures: Vec<(TrialId, Failure)> = self
            .verified
            .iter()
            .filter_map(|verified| {
                let failure = self.failure(&verified.index, min_improvement)?;
                Some((verified.trial, failure))
            })
            .collect();
        out.extend(failures.iter().map(|(id, _)| *id));
        self.failed.extend(failures);
        out
    }

    /// The plans of a statement may come from the twin, and those of another one from the server,
    /// which saw other indexes: what no plan gains by when they are put together is out, and so are
    /// the plans that use it.
    pub(in crate::advise) fn drop_unhelpful(&mut self, min_improvement: MinImprovement) {
        loop {
            let out = self.judge(&[], min_improvement);
            if out.is_empty() {
                return;
            }
            let (dropped, held): (Vec<VerifiedIndex>, Vec<VerifiedIndex>) =
                std::mem::take(&mut self.verified)
                    .into_iter()
                    .partition(|verified| out.contains(&verified.trial));
            let uses_dropped = |plan: &Plan| dropped.iter().any(|index| uses(plan, &index.index));
            self.after.retain(|_, plan| !uses_dropped(plan));
            self.verified = held;
        }
    }

    fn failure(&self, index: &TestedIndex, min_improvement: MinImprovement) -> Option<Failure> {
        let mut used = false;
        for (id, after) in self.after.iter().filter(|(_, plan)| uses(plan, index)) {
            used = true;
            let before = self.cost_before(id);
            if before.is_some_and(|before| min_improvement.reached(before, after.total_cost())) {
                return None;
            }
        }
        Some(match (used, index.usable) {
            (true, _) => Failure::GainTooSmall,
            (false, true) => Failure::NotUsed,
            (false, false) => Failure::NotUsableNow,
        })
    }

    fn cost_before(&self, id: &StatementId) -> Option<Cost> {
        self.before.get(id)?.plan().map(Plan::total_cost)
    }

    /// Marks these indexes as failed. The plans with the set stay: either another set is chosen, or
    /// the plans were really made.
    pub(in crate::advise) fn fail(&mut self, failures: BTreeMap<TrialId, Failure>) {
        self.verified
            .retain(|verified| !failures.contains_key(&verified.trial));
        self.failed.extend(failures);
    }
}
