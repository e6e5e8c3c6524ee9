//! Leaving out of many indexes those that nobody would miss.
//!
//! Without `--budget` and `--max-indexes` every index is picked that makes some statement cheaper by
//! the minimum share, even if the statement takes next to no time and the workload hardly any less.
//! A few such indexes are no burden; dozens are: each has to be created, kept up to date, vacuumed
//! and considered by every planning of its table.

use super::greedy::{Search, without};
use super::trial::TrialId;
use crate::verdict::Reason;

/// So many indexes are no burden, whatever each of them brings.
const FEW_INDEXES: usize = 10;

/// What an index, and what all that are left out together, may save: as shares of what the workload
/// costs today.
const NEGLIGIBLE_SHARE: f64 = 0.001;
const NEGLIGIBLE_SHARE_IN_ALL: f64 = 0.01;

/// A call that costs no more than this, in planner units, takes about a millisecond or less.
const NEGLIGIBLE_CALL: f64 = 100.0;

impl Search<'_, '_> {
    /// Takes out the indexes without which the workload costs hardly more, by the known plans, the
    /// least first. A limit that the user gave says how many are wanted.
    pub(super) fn leave_out_negligible(&mut self, chosen: &mut Vec<TrialId>) {
        let is_limited = self.limits.budget.is_some() || self.limits.max_indexes.is_some();
        if is_limited {
            return;
        }
        let today = self.model_sum(&[]);
        let mut left = NEGLIGIBLE_SHARE_IN_ALL * today;
        while chosen.len() > FEW_INDEXES {
            let most = left.min(NEGLIGIBLE_SHARE * today);
            let losses = self.losses(chosen).into_iter();
            let negligible = losses
                .filter(|(id, lost)| *lost <= most && self.is_noticed_by_no_call(*id, chosen));
            let Some((least, lost)) = negligible.min_by(|a, b| a.1.total_cmp(&b.1)) else {
                break;
            };
            left -= lost.max(0.0);
            *chosen = without(chosen, least);
            self.kept_out.insert(least, Reason::Negligible);
        }
    }

    /// Does every statement that would be dearer without the index take next to no time even then?
    fn is_noticed_by_no_call(&self, id: TrialId, chosen: &[TrialId]) -> bool {
        let (with, without) = (self.model(chosen), self.model(&without(chosen, id)));
        let mut each = with.as_slice().iter().zip(without.as_slice());
        each.all(|(with, without)| {
            without.cost.0 <= with.cost.0 || without.cost.0 <= NEGLIGIBLE_CALL
        })
    }
}
