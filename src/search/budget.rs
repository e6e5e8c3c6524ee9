//! Which set pays under `--budget`? Several greedy beginnings, each improved by exchanges; the best
//! of them is taken.
//!
//! Picking by saving takes the best indexes first and may use up the budget with them. Picking by
//! saving per byte uses the budget efficiently and may not use all of it. The third way starts with
//! the set that would be chosen without a budget, and removes the indexes that save least for their
//! size, or exchanges them for smaller ones (Bruno, Chaudhuri: "Automatic Physical Database Tuning:
//! A Relaxation-based Approach", 2005). The fourth begins with what the lower bound's fractional
//! choice has most of. Which of them wins depends on the budget; published
//! comparisons found the same (Kossmann, Halfpap, Jankrift, Schlosser: "Magic mirror in my hand",
//! 2020).

use super::bound::Bound;
use super::greedy::{Offer, Preference, Search};
use super::trial::TrialId;
use crate::model::Bytes;
use crate::planner::PlannerError;

/// Minimum share by which an exchange must lower the sum: less is not worth the planner queries.
const WORTH_AN_EXCHANGE: f64 = 0.001;

/// Maximum number of smaller replacements for one index that the planner is queried about.
const MAX_REPLACEMENTS_PLANNED: usize = 4;

impl Search<'_, '_> {
    /// The best set that fits.
    pub(super) fn within(
        &mut self,
        budget: Bytes,
        bound: Option<&Bound>,
    ) -> Result<Vec<TrialId>, PlannerError> {
        let by_saving = self.pick(Vec::new(), Preference::Saving)?;
        let mut best = (self.sum(&by_saving)?, by_saving.clone());
        let frugal = self.pick(Vec::new(), Preference::SavingPerByte)?;
        let relaxed = self.relaxed(budget)?;
        let rounded = match bound {
            Some(bound) => {
                let rounded = self.rounded(bound);
                self.pick(rounded, Preference::SavingPerByte)?
            }
            None => Vec::new(),
        };
        for set in [by_saving, frugal, relaxed, rounded] {
            let set = self.replace_the_least(set)?;
            let sum = self.sum(&set)?;
            if sum < best.0 * (1.0 - WORTH_AN_EXCHANGE) {
                best = (sum, set);
            }
        }
        Ok(best.1)
    }

    /// What would be chosen without a budget, made smaller step by step until it fits; the room
    /// left is then filled.
    fn relaxed(&mut self, budget: Bytes) -> Result<Vec<TrialId>, PlannerError> {
        self.budget = None;
        let mut set = self.pick(Vec::new(), Preference::Saving)?;
        self.budget = Some(budget);
        while self.size(&set) > budget {
            set = self.made_smaller(&set)?;
        }
        self.pick(set, Preference::SavingPerByte)
    }

    /// The set without one index, or with a smaller one in its place: whatever costs least for each
    /// byte it frees.
    fn made_smaller(&mut self, set: &[TrialId]) -> Result<Vec<TrialId>, PlannerError> {
        let sum = self.sum(set)?;
        let mut best: Option<(f64, Vec<TrialId>)> = None;
        for id in set {
            let others: Vec<TrialId> = set.iter().copied().filter(|other| other != id).collect();
            let mut smaller = vec![others.clone()];
            for replacement in self.smaller_ones(*id, &others)? {
                smaller.push([others.as_slice(), &[replacement]].concat());
            }
            for smaller in smaller {
                let freed = self
                    .size(set)
                    .0
                    .saturating_sub(self.size(&smaller).0)
                    .max(1);
                let price = (self.model_sum(&smaller) - sum) / freed as f64;
                if best.as_ref().is_none_or(|(least, _)| price < *least) {
                    best = Some((price, smaller));
                }
            }
        }
        Ok(best.map(|(_, set)| set).unwrap_or_default())
    }

    /// Smaller indexes that would bring most beside the others, by what each did alone.
    fn smaller_ones(
        &mut self,
        id: TrialId,
        others: &[TrialId],
    ) -> Result<Vec<TrialId>, PlannerError> {
        let without = self.model(others);
        let size = self.size(&[id]);
        let candidates = self
            .known
            .trials()
            .ids()
            .filter(|other| *other != id && !others.contains(other));
        let mut offers: Vec<Offer> = candidates
            .filter(|other| self.size(&[*other]) < size)
            .filter_map(|other| {
                self.offer(
                    &[other],
                    others,
                    &without,
                    &self.known.estimate(&without, &[other]),
                )
            })
            .collect();
        offers.sort_by(|a, b| self.compare(b, a, Preference::Saving));
        Ok(offers
            .into_iter()
            .take(MAX_REPLACEMENTS_PLANNED)
            .flat_map(|offer| offer.ids)
            .collect())
    }

    /// Under a budget: exchanges the indexes that save least for their size for excluded ones, as
    /// long as the sum falls.
    fn replace_the_least(
        &mut self,
        mut chosen: Vec<TrialId>,
    ) -> Result<Vec<TrialId>, PlannerError> {
        for _ in 0..self.known.trials().len() {
            let sum = self.sum(&chosen)?;
            let too_large = |search: &Self, offer: &Offer| search.refusal(&[], offer);
            let mut ideas: Vec<(f64, Vec<TrialId>)> = Vec::new();
            for offer in self.offers(&chosen, too_large)? {
                let set = self.made_room(&chosen, &offer);
                ideas.extend(set.map(|set| (self.model_sum(&set), set)));
            }
            ideas.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut best: Option<(f64, Vec<TrialId>)> = None;
            for (_, set) in ideas.into_iter().take(MAX_REPLACEMENTS_PLANNED) {
                let replaced = self.sum(&set)?;
                let least = best
                    .as_ref()
                    .map_or(sum * (1.0 - WORTH_AN_EXCHANGE), |(least, _)| *least);
                if replaced < least {
                    best = Some((replaced, set));
                }
            }
            match best {
                Some((_, set)) => chosen = set,
                None => break,
            }
        }
        Ok(chosen)
    }

    /// The set with the offer, without the indexes that save least for their size by what is known,
    /// until it fits.
    fn made_room(&mut self, chosen: &[TrialId], offer: &Offer) -> Option<Vec<TrialId>> {
        let mut set: Vec<TrialId> = [chosen, &offer.ids].concat();
        self.drop_unneeded_as_known(&mut set);
        while !self.fits(&set) {
            let sum = self.model_sum(&set);
            let mut least: Option<(f64, TrialId)> = None;
            for id in set.clone().into_iter().filter(|id| !offer.ids.contains(id)) {
                let others: Vec<TrialId> =
                    set.iter().copied().filter(|other| *other != id).collect();
                let loss = (self.model_sum(&others) - sum) / self.size(&[id]).0.max(1) as f64;
                if least.is_none_or(|(smallest, _)| loss < smallest) {
                    least = Some((loss, id));
                }
            }
            let (_, id) = least?;
            set.retain(|other| *other != id);
        }
        Some(set)
    }
}
