//! Which set pays under `--budget`? Sets are looked for by the known plans, which takes no question;
//! the planner then plans with the best of them, and what it says is known for the next round.
//!
//! A set begins with the linear program over the known plans (`program`), rounded, and is improved by
//! exchanges. What that lacks is plans that were not seen, so what the lower bound rests on is asked
//! about before. Where the solver fails, the greedy ways have to do. Picking by saving
//! takes the best indexes first and may use up the budget with them; another way starts with the set
//! that would be chosen without a budget, and removes the indexes that save least for their size, or
//! exchanges them for smaller ones (Bruno, Chaudhuri: "Automatic Physical Database Tuning: A
//! Relaxation-based Approach", 2005). Which of these wins depends on the budget; published comparisons
//! found the same (Kossmann, Halfpap, Jankrift, Schlosser: "Magic mirror in my hand", 2020). A known
//! plan that uses only indexes of a set can still be chosen with the set, so the known plans never
//! promise too much (Papadomanolakis, Dash, Ailamaki: "Efficient Use of the Query Optimizer for
//! Automated Physical Design", 2007).

use super::bound::Bound;
use super::greedy::{Offer, Preference, Search, without};
use super::trial::{TrialId, TrialSet};
use crate::model::Bytes;
use crate::planner::PlannerError;

/// Minimum share by which an exchange must lower the sum: less is not worth the planner queries.
const WORTH_AN_EXCHANGE: f64 = 0.001;

/// The same where the planner need not be asked.
const WORTH_A_KNOWN_EXCHANGE: f64 = 0.0001;

/// How often sets are found by the known plans, and planned with; and the share by which a round has
/// to lower the sum for another one.
const MAX_ROUNDS: usize = 12;
const WORTH_A_ROUND: f64 = 0.01;

/// Before sets are looked for, what the lower bound rests on is asked about so often: it finds plans
/// that no set so far has shown. A round asks about every statement, so a large workload gets fewer.
const MIN_ROUNDS_OF_THE_BOUND: usize = 2;
const MAX_ROUNDS_OF_THE_BOUND: usize = 10;
const STATEMENTS_OF_THE_BOUND: usize = 250;

/// Of the indexes that are missed least, smaller ones are looked for in the place of so many.
const MAX_MADE_SMALLER: usize = 6;

/// Maximum number of smaller replacements for one index that the planner is queried about.
const MAX_REPLACEMENTS_PLANNED: usize = 4;

impl Search<'_, '_> {
    /// The best set that fits.
    pub(super) fn within(
        &mut self,
        budget: Bytes,
        bound: &mut Option<Bound>,
    ) -> Result<Vec<TrialId>, PlannerError> {
        let mut best = (self.sum(&[])?, Vec::new());
        self.known.bundles(&[])?;
        let all: TrialSet = self.known.trials().ids().collect();
        let statements = self.known.baseline().as_slice().len().max(1);
        let rounds = (STATEMENTS_OF_THE_BOUND / statements)
            .clamp(MIN_ROUNDS_OF_THE_BOUND, MAX_ROUNDS_OF_THE_BOUND);
        for _ in 0..MAX_ROUNDS {
            let before = (best.0, self.known.answers());
            if !best.1.is_empty() {
                self.tighten(bound, best.0, rounds)?;
            }
            self.known.pause();
            let found = self.starts(budget, bound.as_ref(), &best.1);
            self.known.resume();
            let sets = found?;
            self.learn_each(&[], &sets)?;
            let mut of_round: Option<(f64, Vec<TrialId>)> = None;
            for set in sets {
                let sum = self.sum(&set)?;
                if of_round.as_ref().is_none_or(|(least, _)| sum < *least) {
                    of_round = Some((sum, set));
                }
            }
            if let Some(found) = of_round {
                self.learn_around(&found.1, &all)?;
                if found.0 < best.0 * (1.0 - WORTH_A_KNOWN_EXCHANGE) {
                    best = found;
                }
            }
            self.learn_around(&best.1, &all)?;
            let better = self.replace_the_least(best.1.clone())?;
            let sum = self.sum(&better)?;
            if sum < best.0 * (1.0 - WORTH_AN_EXCHANGE) {
                best = (sum, better);
            }
            if let Some(so_far) = self.optimality(&best.1, bound.as_ref())? {
                self.known.show(&so_far);
            }
            let is_worth_another = best.0 < before.0 * (1.0 - WORTH_A_ROUND);
            if !is_worth_another || self.known.answers() == before.1 {
                break;
            }
        }
        Ok(self.drop_unhelpful(best.1))
    }

    /// What was verified of a set that was chosen before, made to fit with the sizes that are known
    /// now, and with what is best in the place of the rest, by the known plans.
    pub(super) fn mended(&mut self, verified: Vec<TrialId>) -> Result<Vec<TrialId>, PlannerError> {
        let mut set = verified;
        while !self.fits(&set) {
            let Some(least) = self.least_first(&set).first().copied() else {
                break;
            };
            set.retain(|id| *id != least);
        }
        self.known.pause();
        let mended = self.replace_the_least(set.clone());
        self.known.resume();
        let mended = mended?;
        Ok(if self.sum(&mended)? < self.sum(&set)? {
            mended
        } else {
            set
        })
    }

    /// Uses the room under the budget that smaller indexes left, by the known plans.
    pub(super) fn fill(&mut self, chosen: &mut Vec<TrialId>) -> Result<(), PlannerError> {
        if self.budget.is_none() || self.is_over()? {
            return Ok(());
        }
        self.known.pause();
        let filled = self.pick(chosen.clone(), Preference::SavingPerByte);
        self.known.resume();
        let mut filled = filled?;
        let enough = self.sum(chosen)? * (1.0 - WORTH_AN_EXCHANGE);
        if self.sum(&filled)? < enough {
            self.merge(&mut filled)?;
            if self.sum(&filled)? < enough {
                *chosen = filled;
            }
        }
        Ok(())
    }

    /// What further indexes bring beside the set, and what each of its own does.
    fn learn_around(&mut self, set: &[TrialId], all: &TrialSet) -> Result<(), PlannerError> {
        let set = set.iter().copied().collect();
        self.known.explore(&set, all)?;
        self.known.learn_around(&set)
    }

    /// Sets that are good by the known plans, each from another beginning.
    fn starts(
        &mut self,
        budget: Bytes,
        bound: Option<&Bound>,
        best: &[TrialId],
    ) -> Result<Vec<Vec<TrialId>>, PlannerError> {
        let mut beginnings = vec![self.by_program(budget)];
        if !best.is_empty() {
            beginnings.push(best.to_vec());
        } else if beginnings.iter().all(Vec::is_empty) {
            let rounded = bound.map(|bound| self.rounded(bound));
            beginnings.extend(rounded);
            beginnings.push(self.pick(Vec::new(), Preference::Saving)?);
            beginnings.push(self.relaxed(budget)?);
        }
        let mut sets: Vec<(f64, Vec<TrialId>)> = Vec::new();
        for set in beginnings {
            // One is always gone through to its end: it has to do where there is no more time.
            if !sets.is_empty() && !self.known.has_time()? {
                break;
            }
            let set = self.drop_unhelpful(set);
            let set = self.pick(set, Preference::SavingPerByte)?;
            let set = self.replace_the_least(set)?;
            let set = self.drop_unhelpful(set);
            sets.push((self.model_sum(&set), set));
        }
        sets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sets: Vec<Vec<TrialId>> = sets.into_iter().map(|(_, set)| set).collect();
        sets.dedup();
        Ok(sets)
    }

    /// What would be chosen without a budget, made smaller step by step until it fits; the room
    /// left is then filled.
    fn relaxed(&mut self, budget: Bytes) -> Result<Vec<TrialId>, PlannerError> {
        self.budget = None;
        let mut set = self.pick(Vec::new(), Preference::Saving)?;
        self.budget = Some(budget);
        while self.size(&set) > budget {
            if !self.known.has_time()? {
                return Ok(Vec::new());
            }
            set = self.made_smaller(&set);
        }
        self.pick(set, Preference::SavingPerByte)
    }

    /// The set without one index, or with a smaller one in its place: whatever costs least for each
    /// byte it frees.
    fn made_smaller(&mut self, set: &[TrialId]) -> Vec<TrialId> {
        let sum = self.model_sum(set);
        let size = self.size(set);
        let price = |search: &Self, smaller: &[TrialId]| {
            let freed = size.0.saturating_sub(search.size(smaller).0).max(1);
            (search.model_sum(smaller) - sum) / freed as f64
        };
        let mut best: Option<(f64, Vec<TrialId>)> = None;
        for id in self.least_first(set).into_iter().take(MAX_MADE_SMALLER) {
            let others = without(set, id);
            let replacements = self.smaller_ones(id, &others).into_iter();
            let smaller = replacements.map(|smaller| [others.as_slice(), &[smaller]].concat());
            let smaller: Vec<Vec<TrialId>> = smaller.collect();
            for set in std::iter::once(others.clone()).chain(smaller) {
                let price = price(self, &set);
                if best.as_ref().is_none_or(|(least, _)| price < *least) {
                    best = Some((price, set));
                }
            }
        }
        best.map(|(_, set)| set).unwrap_or_default()
    }

    /// Smaller indexes that would bring most beside the others, by the known plans.
    fn smaller_ones(&self, id: TrialId, others: &[TrialId]) -> Vec<TrialId> {
        let without = self.model(others);
        let size = self.size(&[id]);
        let set: TrialSet = others.iter().copied().collect();
        let mut offers: Vec<Offer> = Vec::new();
        for other in self.known.trials().ids() {
            if other == id || set.contains(&other) || self.size(&[other]) >= size {
                continue;
            }
            let with = self.known.model_beside(&without, &set, &[other]);
            offers.extend(self.offer(&[other], others, &without, &with));
        }
        offers.sort_by(|a, b| self.compare(b, a, Preference::Saving));
        let offers = offers.into_iter().take(MAX_REPLACEMENTS_PLANNED);
        offers.flat_map(|offer| offer.ids).collect()
    }

    /// Under a budget: exchanges the indexes that save least for their size for excluded ones, as
    /// long as the sum falls.
    fn replace_the_least(
        &mut self,
        mut chosen: Vec<TrialId>,
    ) -> Result<Vec<TrialId>, PlannerError> {
        let worth = if self.known.is_paused() {
            WORTH_A_KNOWN_EXCHANGE
        } else {
            WORTH_AN_EXCHANGE
        };
        for _ in 0..self.known.trials().len() {
            if !self.known.has_time()? {
                break;
            }
            let sum = self.sum(&chosen)?;
            let too_large = |search: &Self, offer: &Offer| search.refusal(&[], offer);
            let mut ideas: Vec<(f64, Vec<TrialId>)> = Vec::new();
            for offer in self.offers(&chosen, too_large)? {
                let set = self.made_room(&chosen, &offer);
                ideas.extend(set.map(|set| (self.model_sum(&set), set)));
            }
            ideas.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut best: Option<(f64, Vec<TrialId>)> = None;
            ideas.truncate(MAX_REPLACEMENTS_PLANNED);
            let sets: Vec<Vec<TrialId>> = ideas.iter().map(|(_, set)| set.clone()).collect();
            self.learn_each(&[], &sets)?;
            for (_, set) in ideas {
                let replaced = self.sum(&set)?;
                let least = best
                    .as_ref()
                    .map_or(sum * (1.0 - worth), |(least, _)| *least);
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

    /// The set with the offer, without the indexes that save least for their size by the known plans,
    /// until it fits.
    fn made_room(&self, chosen: &[TrialId], offer: &Offer) -> Option<Vec<TrialId>> {
        let mut set: Vec<TrialId> = [chosen, &offer.ids].concat();
        self.drop_unneeded_as_known(&mut set, &offer.ids);
        while !self.fits(&set) {
            let mut others = self.least_first(&set).into_iter();
            let least = others.find(|id| !offer.ids.contains(id))?;
            set.retain(|id| *id != least);
        }
        Some(set)
    }

    /// The indexes of the set, those first that save least for their size by the known plans.
    pub(super) fn least_first(&self, set: &[TrialId]) -> Vec<TrialId> {
        let per_byte = |(id, lost): (TrialId, f64)| (lost / self.size(&[id]).0.max(1) as f64, id);
        let mut least: Vec<(f64, TrialId)> = self.losses(set).into_iter().map(per_byte).collect();
        least.sort_by(|a, b| a.0.total_cmp(&b.0));
        least.into_iter().map(|(_, id)| id).collect()
    }
}
