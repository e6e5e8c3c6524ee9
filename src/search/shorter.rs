//! A chosen index without its last columns, where the planner does as well with that.
//!
//! The search compares estimated sizes. A second column that fits into alignment padding does not
//! change the size, so the search does not count it. But writes pay for it, and the report could
//! not explain what it is for.

use super::greedy::{Place, Search, is_near};
use super::trial::{TrialId, Trials};
use crate::index::Index;
use crate::planner::PlannerError;

impl Search<'_, '_> {
    /// Removes trailing columns that no statement needs, with whatever values: an order that matters
    /// little in the mean is what the value with many rows lives by.
    pub(super) fn shorten(&mut self, chosen: &mut [TrialId]) -> Result<(), PlannerError> {
        for place in 0..chosen.len() {
            if self.is_over()? {
                break;
            }
            let Some(Place {
                present,
                others,
                with_present,
                without,
                now,
            }) = self.place(chosen, place)?
            else {
                continue;
            };
            let fewer = shorter(self.known.trials(), present);
            let each: Vec<Vec<TrialId>> = fewer.iter().map(|id| vec![*id]).collect();
            self.learn_each(&others, &each)?;
            for id in fewer {
                let set = [others.as_slice(), &[id]].concat();
                let exchanged = self.costs(&set)?;
                let offer = self.offer(&[id], &others, &without, &exchanged);
                let supersedes_as_much =
                    self.known.superseded_size(&set) >= self.known.superseded_size(chosen);
                let may = self.fits(&set) && supersedes_as_much;
                if may
                    && offer.is_some_and(|offer| is_near(&offer, &now))
                    && !self.misses_in_a_class(&exchanged, &with_present)
                    && self.is_below_the_ceiling(&set)?
                {
                    chosen[place] = id;
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The trials that are this index with fewer columns, the shortest first.
fn shorter(trials: &Trials, id: TrialId) -> Vec<TrialId> {
    let present = &trials[id].index.definition;
    let mut found: Vec<(usize, TrialId)> = trials
        .iter()
        .filter(|(_, trial)| trial.tested().is_some())
        .filter(|(_, trial)| is_part(&trial.index.definition, present))
        .map(|(id, trial)| (columns(&trial.index.definition), id))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, id)| id).collect()
}

fn is_part(index: &Index, of: &Index) -> bool {
    index.method == of.method && columns(index) < columns(of) && of.subsumes(index)
}

fn columns(index: &Index) -> usize {
    index.keys.len() + index.include.len()
}
