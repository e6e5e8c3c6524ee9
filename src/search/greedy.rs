//! Picking one index after the other, and taking out again what a later pick made unnecessary.

use std::collections::{BTreeMap, BTreeSet};

use super::costs::{Costs, Weighted, total};
use super::known::KnownCosts;
use super::trial::{TrialId, TrialSet};
use crate::index::Method;
use crate::model::{Bytes, Cost};
use crate::planner::PlannerError;
use crate::verdict::{Limits, Reason};
use crate::workload::StatementId;

/// The one rule for size against cost. A smaller index is taken instead of the best one if it leaves
/// at most this much more to pay, as a share of what the best leaves: a tenth, a quarter for a much
/// smaller one (see [`MUCH_SMALLER`]). Size is what writes pay for. Where the access method is
/// another one the costs have to be as low, because the planner's costs of two methods are further
/// from the truth than those of one; a BRIN index is so much smaller that it may. And an index that
/// brings the order of a page of rows is not the same as one behind which they are sorted: how long
/// that takes depends on how many rows the next value has.
const WORTH_A_SMALLER_INDEX: f64 = 0.1;
const WORTH_A_MUCH_SMALLER_INDEX: f64 = 0.25;
const MUCH_SMALLER: f64 = 0.25;

/// Nobody notices this much more for each call, in planner units: about the cost of one page at
/// random, where an index is descended in two; for a much smaller index a few pages.
const UNNOTICED_COST: f64 = 4.0;
const UNNOTICED_COST_FOR_MUCH: f64 = 16.0;

/// An index that answers all conditions may be this many times as large as one behind whose range
/// rows are filtered.
const WORTH_NO_FILTER: f64 = 1.5;

/// How much cheaper a statement that is served already has to become for another index to be worth
/// it, and how much it has to save at least: as a share of what the statement cost without any, but
/// never more than this many planner units.
pub(super) const WORTH_ANOTHER_INDEX: f64 = 1.5;
const NOTICED_SHARE: f64 = 0.005;
pub(super) const MAX_UNNOTICED_COST: f64 = 100.0;

/// One class of values may cost this much more than another set makes it, as a share or in planner
/// units, if the statement does not over all of its classes.
const WORST_CLASS_SHARE: f64 = 0.5;
const WORST_CLASS_UNITS: f64 = 100.0;

/// Maximum number of offers in each ranking that the planner is queried about together with the
/// chosen indexes.
const MAX_OFFERS_PLANNED: usize = 6;

/// The criterion for the next pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preference {
    Saving,
    SavingPerByte,
}

pub(super) struct Search<'s, 'k> {
    pub(super) known: &'s mut KnownCosts<'k>,
    pub(super) limits: &'s Limits,
    /// That of the limits, or none for the moment.
    pub(super) budget: Option<Bytes>,
    /// Under a budget: how much the workload may cost with the set made tidier. The size is granted
    /// already, so that a smaller set which costs noticeably more is no gain.
    pub(super) ceiling: Option<f64>,
    pub(super) kept_out: BTreeMap<TrialId, Reason>,
}

/// What one index, or several that pay only together, would bring now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    pub(super) ids: Vec<TrialId>,
    /// Σ calls × cost saved, less what writes pay.
    pub(super) gain: f64,
    /// Σ calls × cost left of the statements it helps.
    pub(super) remaining: f64,
    /// Σ calls of the statements it helps.
    pub(super) calls: f64,
    pub(super) size: Bytes,
    /// Σ calls of those of them that sort rows of which a LIMIT takes the first ones.
    pub(super) sorting_calls: f64,
    /// Σ calls of those of them that filter what a range of an index has.
    pub(super) filtering_calls: f64,
    /// The access methods, sorted.
    pub(super) methods: Vec<Method>,
    /// The size less that of the existing indexes that can then be dropped. Smaller is better, but
    /// the budget counts new indexes only.
    pub(super) net: Bytes,
}

/// A chosen index, and what it brings beside the others.
pub(super) struct Place {
    pub(super) present: TrialId,
    pub(super) others: Vec<TrialId>,
    /// The costs with it.
    pub(super) with_present: Costs,
    /// The costs without it.
    pub(super) without: Costs,
    pub(super) now: Offer,
}

impl Search<'_, '_> {
    /// Greedily, beginning with these.
    pub(super) fn pick(
        &mut self,
        mut chosen: Vec<TrialId>,
        preference: Preference,
    ) -> Result<Vec<TrialId>, PlannerError> {
        // Removing unneeded indexes never ends where each of two indexes makes the other one
        // unneeded and both are a gain. Sets that were chosen before are therefore skipped.
        let mut seen: BTreeSet<TrialSet> = BTreeSet::from([chosen.iter().copied().collect()]);
        let mut in_vain: BTreeSet<Vec<TrialId>> = BTreeSet::new();
        for _ in 0..2 * self.known.trials().len() {
            let mut offers =
                self.offers(&chosen, |search, offer| search.refusal(&chosen, offer))?;
            offers.retain(|offer| !in_vain.contains(&offer.ids));
            let Some(best) = self.best_offer(&offers, preference) else {
                break;
            };
            let mut next = [chosen.as_slice(), &best].concat();
            self.drop_unneeded(&mut next, &best)?;
            if self.is_only_larger(&next, &chosen, &best)? {
                in_vain.insert(best);
                continue;
            }
            if seen.insert(next.iter().copied().collect()) {
                chosen = next;
                in_vain.clear();
            } else {
                in_vain.insert(best);
            }
        }
        Ok(chosen)
    }

    /// Did a pick only take the place of smaller indexes that do the same?
    fn is_only_larger(
        &mut self,
        next: &[TrialId],
        chosen: &[TrialId],
        picked: &[TrialId],
    ) -> Result<bool, PlannerError> {
        let is_in = |set: &[TrialId], wanted: bool, other: &[TrialId]| -> Vec<TrialId> {
            let found = set.iter().filter(|id| other.contains(id) == wanted);
            found.copied().collect()
        };
        let (gone, rest) = (is_in(chosen, false, next), is_in(chosen, true, next));
        if gone.is_empty() || picked.iter().any(|id| !next.contains(id)) {
            return Ok(false);
        }
        let without = self.costs(&rest)?;
        let (old, new) = (self.costs(chosen)?, self.costs(next)?);
        let old_offer = self.offer(&gone, &rest, &without, &old);
        let new_offer = self.offer(picked, &rest, &without, &new);
        Ok(old_offer.zip(new_offer).is_some_and(|(small, large)| {
            let allowed = tolerance(&small, &large);
            small.net < large.net
                && is_near(&small, &large)
                && !self.misses_much(&old, &new, allowed)
        }))
    }

    /// Indexes that would gain something, but less than writes pay for them.
    pub(super) fn note_write_costs(&mut self) {
        let baseline = self.known.baseline().clone();
        for id in self.known.trials().ids() {
            let with = self.known.estimate(&baseline, &[id]);
            let gains = total(&with).0 < total(&baseline).0;
            if gains && total(&baseline).0 - total(&with).0 <= self.known.write_cost(&[id]) {
                self.kept_out.entry(id).or_insert(Reason::UpkeepTooHigh);
            }
        }
    }

    /// What could be added, but for what a limit keeps out. What each index did alone says which
    /// are worth asking about together with what is chosen.
    pub(super) fn offers(
        &mut self,
        chosen: &[TrialId],
        refusal: impl Fn(&Self, &Offer) -> Option<Reason>,
    ) -> Result<Vec<Offer>, PlannerError> {
        let now = self.costs(chosen)?;
        if self.known.is_paused() {
            return Ok(self.offers_as_known(chosen, &now, &refusal));
        }
        let others = self.known.trials().ids().filter(|id| !chosen.contains(id));
        let alone = |id| self.offer(&[id], chosen, &now, &self.known.estimate(&now, &[id]));
        let mut offers: Vec<Offer> = others.filter_map(alone).collect();
        self.refuse(&mut offers, &refusal);
        if !self.known.has_planner() {
            return Ok(offers);
        }
        let singles = self.promising(&offers).into_iter();
        let mut ideas: Vec<Vec<TrialId>> = singles.map(|offer| offer.ids).collect();
        ideas.extend(self.promising_bundles(chosen, &now, &refusal)?);
        self.ask_together(chosen, &ideas)?;
        self.learn_each(chosen, &ideas)?;
        let mut asked = Vec::with_capacity(ideas.len());
        for idea in ideas {
            let with = self.costs(&[chosen, &idea].concat())?;
            asked.extend(self.offer(&idea, chosen, &now, &with));
        }
        asked.retain(|offer| refusal(self, offer).is_none());
        Ok(asked)
    }

    /// What could be added, by the known plans.
    fn offers_as_known(
        &mut self,
        chosen: &[TrialId],
        now: &Costs,
        refusal: &impl Fn(&Self, &Offer) -> Option<Reason>,
    ) -> Vec<Offer> {
        let set: TrialSet = chosen.iter().copied().collect();
        let fresh = |idea: &Vec<TrialId>| -> Vec<TrialId> {
            let fresh = idea.iter().filter(|id| !set.contains(id));
            fresh.copied().collect()
        };
        let ideas: BTreeSet<Vec<TrialId>> = self.known.ideas().iter().map(fresh).collect();
        let mut offers = Vec::new();
        for idea in ideas.into_iter().filter(|idea| !idea.is_empty()) {
            offers.extend(self.offer_as_known(&idea, chosen, &set, now));
        }
        self.refuse(&mut offers, &refusal);
        self.promising(&offers)
    }

    /// What an idea would bring beside the chosen indexes, which are also given as a set, by the known
    /// plans.
    pub(super) fn offer_as_known(
        &self,
        idea: &[TrialId],
        chosen: &[TrialId],
        set: &TrialSet,
        now: &Costs,
    ) -> Option<Offer> {
        let changes = self.known.changes_beside(now, set, idea);
        let changes = changes
            .into_iter()
            .filter_map(|(place, with)| Some((place, now.as_slice().get(place)?, with)));
        self.offer_of(idea, chosen, changes)
    }

    /// Takes out what a limit keeps out, and notes it.
    fn refuse(
        &mut self,
        offers: &mut Vec<Offer>,
        refusal: &impl Fn(&Self, &Offer) -> Option<Reason>,
    ) {
        let mut kept_out = Vec::new();
        offers.retain(|offer| {
            let reason = refusal(self, offer);
            let of_each = reason.into_iter();
            kept_out
                .extend(of_each.flat_map(|reason| offer.ids.iter().map(move |id| (*id, reason))));
            reason.is_none()
        });
        self.kept_out.extend(kept_out);
    }

    /// The indexes that pay only together: all of them where they are few, or else those that bring
    /// most by what is known.
    fn promising_bundles(
        &mut self,
        chosen: &[TrialId],
        now: &Costs,
        refusal: &impl Fn(&Self, &Offer) -> Option<Reason>,
    ) -> Result<Vec<Vec<TrialId>>, PlannerError> {
        let bundles = self.known.bundles(chosen)?;
        if bundles.len() <= 2 * MAX_OFFERS_PLANNED {
            return Ok(bundles);
        }
        let mut offers = Vec::new();
        for bundle in bundles {
            let with = self.model(&[chosen, &bundle].concat());
            let offer = self.offer(&bundle, chosen, now, &with);
            offers.extend(offer.filter(|offer| refusal(self, offer).is_none()));
        }
        let promising = self.promising(&offers).into_iter();
        Ok(promising.map(|offer| offer.ids).collect())
    }

    /// Asks about all of these ideas with few questions.
    pub(super) fn ask_together(
        &mut self,
        chosen: &[TrialId],
        ideas: &[Vec<TrialId>],
    ) -> Result<(), PlannerError> {
        let ideas = ideas.iter().flatten().copied();
        let ideas = ideas.filter(|id| !chosen.contains(id)).collect();
        self.known
            .explore(&chosen.iter().copied().collect(), &ideas)
    }

    /// Asks what is still not known of each of these ideas beside the chosen indexes.
    pub(super) fn learn_each(
        &mut self,
        chosen: &[TrialId],
        ideas: &[Vec<TrialId>],
    ) -> Result<(), PlannerError> {
        let sets = ideas.iter();
        let sets: Vec<TrialSet> = sets
            .map(|idea| chosen.iter().chain(idea).copied().collect())
            .collect();
        self.known.learn_all(&sets)
    }

    /// The best by saving and by saving per byte, and smaller ones that come near.
    pub(super) fn promising(&self, offers: &[Offer]) -> Vec<Offer> {
        let mut wanted: Vec<&Offer> = Vec::new();
        for preference in [Preference::Saving, Preference::SavingPerByte] {
            let mut ranked: Vec<&Offer> = offers.iter().collect();
            ranked.sort_by(|a, b| self.compare(b, a, preference));
            wanted.extend(ranked.into_iter().take(MAX_OFFERS_PLANNED));
        }
        if let Some(largest) = offers
            .iter()
            .max_by(|a, b| self.compare(a, b, Preference::Saving))
        {
            let mut near: Vec<&Offer> = offers
                .iter()
                .filter(|offer| is_near(offer, largest))
                .collect();
            near.sort_by(|a, b| {
                a.net
                    .cmp(&b.net)
                    .then_with(|| self.compare(b, a, Preference::Saving))
            });
            wanted.extend(near.into_iter().take(MAX_OFFERS_PLANNED));
        }
        let mut seen: BTreeSet<&[TrialId]> = BTreeSet::new();
        wanted
            .into_iter()
            .filter(|offer| seen.insert(&offer.ids))
            .cloned()
            .collect()
    }

    /// None when no statement gains enough beside what is chosen already.
    pub(super) fn offer(
        &self,
        idea: &[TrialId],
        chosen: &[TrialId],
        now: &Costs,
        with: &Costs,
    ) -> Option<Offer> {
        let each = now.as_slice().iter().zip(with.as_slice()).enumerate();
        self.offer_of(
            idea,
            chosen,
            each.map(|(place, (now, with))| (place, now, *with)),
        )
    }

    /// The same from the statements that may change: by place, their costs now and with the idea.
    fn offer_of<'c>(
        &self,
        idea: &[TrialId],
        chosen: &[TrialId],
        changes: impl Iterator<Item = (usize, &'c Weighted, Weighted)>,
    ) -> Option<Offer> {
        let added: Vec<TrialId> = idea
            .iter()
            .copied()
            .filter(|id| !chosen.contains(id))
            .collect();
        let mut offer = Offer {
            methods: Vec::new(),
            ids: added,
            gain: 0.0,
            remaining: 0.0,
            calls: 0.0,
            sorting_calls: 0.0,
            filtering_calls: 0.0,
            size: Bytes(0),
            net: Bytes(0),
        };
        let today = self.known.baseline().as_slice();
        for (place, now, with) in changes {
            let Some(baseline) = today.get(place) else {
                continue;
            };
            if is_gain(baseline.cost, now.cost, with.cost, self.limits) {
                offer.gain += now.calls * (now.cost.0 - with.cost.0);
                offer.remaining += now.calls * with.cost.0;
                offer.calls += now.calls;
                if with.unpriced.sorts_for_limit {
                    offer.sorting_calls += now.calls;
                }
                if with.unpriced.filters_a_range {
                    offer.filtering_calls += now.calls;
                }
            }
        }
        offer.gain -= self.known.additional_write_cost(&offer.ids, chosen);
        (offer.gain > 0.0).then(|| self.measured(offer, chosen))
    }

    /// The same with its sizes and access methods.
    fn measured(&self, offer: Offer, chosen: &[TrialId]) -> Offer {
        let size = self.size(&offer.ids);
        let superseded_size = self.known.superseded_size(&[chosen, &offer.ids].concat()).0
            - self.known.superseded_size(chosen).0;
        let method = |id: &TrialId| match &self.known.trials()[*id].index.definition.method {
            // Both find the rows of a value, at costs that can be compared.
            Method::Hash => Method::Btree,
            // Both are trees of whatever contains what, at costs of the same kind.
            Method::SpGist => Method::Gist,
            method => method.clone(),
        };
        let mut methods: Vec<Method> = offer.ids.iter().map(method).collect();
        methods.sort();
        Offer {
            methods,
            size,
            net: Bytes(size.0.saturating_sub(superseded_size)),
            ..offer
        }
    }

    /// What a chosen index brings beside the others; none where that is nothing.
    pub(super) fn place(
        &mut self,
        chosen: &[TrialId],
        place: usize,
    ) -> Result<Option<Place>, PlannerError> {
        let with_present = self.costs(chosen)?;
        let mut others = chosen.to_vec();
        let present = others.remove(place);
        let without = self.costs(&others)?;
        let now = self.offer(&[present], &others, &without, &with_present);
        Ok(now.map(|now| Place {
            present,
            others,
            with_present,
            without,
            now,
        }))
    }

    pub(super) fn best_offer(
        &self,
        offers: &[Offer],
        preference: Preference,
    ) -> Option<Vec<TrialId>> {
        let largest = offers
            .iter()
            .max_by(|a, b| self.compare(a, b, preference))?;
        if preference == Preference::SavingPerByte {
            return Some(largest.ids.clone());
        }
        let near: Vec<&Offer> = offers
            .iter()
            .filter(|offer| is_near(offer, largest))
            .collect();
        let by_size = |a: &&&Offer, b: &&&Offer| {
            a.net
                .cmp(&b.net)
                .then_with(|| self.compare(b, a, preference))
        };
        let best = near.iter().min_by(|a, b| {
            a.sorting_calls
                .total_cmp(&b.sorting_calls)
                .then_with(|| by_size(a, b))
        })?;
        let as_small = near.iter().filter(|offer| {
            offer.sorting_calls <= best.sorting_calls
                && offer.net.0 as f64 <= WORTH_NO_FILTER * best.net.0 as f64
        });
        let best = as_small.min_by(|a, b| {
            a.filtering_calls
                .total_cmp(&b.filtering_calls)
                .then_with(|| by_size(a, b))
        });
        best.map(|offer| offer.ids.clone())
    }

    /// The better one is greater.
    pub(super) fn compare(
        &self,
        a: &Offer,
        b: &Offer,
        preference: Preference,
    ) -> std::cmp::Ordering {
        let worth = |offer: &Offer| match preference {
            Preference::Saving => offer.gain,
            Preference::SavingPerByte => offer.gain / offer.size.0.max(1) as f64,
        };
        let names = |offer: &Offer| self.names(&offer.ids);
        worth(a)
            .total_cmp(&worth(b))
            .then(b.net.cmp(&a.net))
            .then_with(|| names(b).cmp(&names(a)))
    }

    pub(super) fn names(&self, ids: &[TrialId]) -> Vec<&str> {
        ids.iter()
            .map(|id| self.known.trials()[*id].index.name.as_str())
            .collect()
    }

    pub(super) fn size(&self, ids: &[TrialId]) -> Bytes {
        ids.iter()
            .filter_map(|id| self.known.trials()[*id].size())
            .sum()
    }

    /// Within the limits?
    pub(super) fn fits(&self, set: &[TrialId]) -> bool {
        self.budget.is_none_or(|budget| self.size(set) <= budget)
            && self.limits.max_indexes.is_none_or(|most| set.len() <= most)
    }

    pub(super) fn refusal(&self, chosen: &[TrialId], offer: &Offer) -> Option<Reason> {
        let taken = self.size(chosen);
        if self
            .budget
            .is_some_and(|budget| taken.0 + offer.size.0 > budget.0)
        {
            return Some(Reason::OverBudget);
        }
        let number = chosen.len() + offer.ids.len();
        self.limits
            .max_indexes
            .is_some_and(|most| number > most)
            .then_some(Reason::TooManyIndexes)
    }

    /// Was there a planner to ask, and is there no time left for that?
    pub(super) fn is_over(&mut self) -> Result<bool, PlannerError> {
        Ok(!self.known.has_time()?)
    }

    pub(super) fn costs(&mut self, set: &[TrialId]) -> Result<Costs, PlannerError> {
        self.known.under(&set.iter().copied().collect())
    }

    /// The costs as far as they are known: no statement costs more.
    pub(super) fn model(&self, set: &[TrialId]) -> Costs {
        self.known.model(&set.iter().copied().collect())
    }

    /// What the workload and its writes cost at most.
    pub(super) fn model_sum(&self, set: &[TrialId]) -> f64 {
        total(&self.model(set)).0 + self.known.write_cost(set)
    }

    pub(super) fn sum(&mut self, set: &[TrialId]) -> Result<f64, PlannerError> {
        Ok(total(&self.costs(set)?).0 + self.known.write_cost(set))
    }

    /// Removes the indexes without which no statement loses as much as the minimum gain, after these
    /// were picked: what they make unnecessary is on their tables, or not used any more.
    pub(super) fn drop_unneeded(
        &mut self,
        chosen: &mut Vec<TrialId>,
        picked: &[TrialId],
    ) -> Result<(), PlannerError> {
        let trials = self.known.trials();
        let tables: BTreeSet<_> = picked.iter().map(|id| trials[*id].table()).collect();
        for id in chosen.clone() {
            let is_used = self.known.uses(&chosen.iter().copied().collect(), id);
            if is_used && !tables.contains(trials[id].table()) {
                continue;
            }
            let others: Vec<TrialId> = chosen
                .iter()
                .copied()
                .filter(|other| *other != id)
                .collect();
            let (with, without) = (self.costs(chosen)?, self.costs(&others)?);
            if !self.misses(&without, &with) {
                *chosen = others;
            }
        }
        Ok(())
    }

    /// Removes the indexes that bring nothing by the known plans, or are only in plans that save less
    /// than the minimum gain: they would not be confirmed.
    pub(super) fn drop_unhelpful(&self, mut chosen: Vec<TrialId>) -> Vec<TrialId> {
        loop {
            let set: TrialSet = chosen.iter().copied().collect();
            let losses = self.losses(&chosen).into_iter();
            let unhelpful = losses.filter(|(id, lost)| {
                *lost <= 0.0 || !self.known.helps(&set, *id, self.limits.min_improvement)
            });
            let Some((least, _)) = unhelpful.min_by(|a, b| a.1.total_cmp(&b.1)) else {
                return chosen;
            };
            chosen.retain(|id| *id != least);
        }
    }

    /// The same by the known plans, for indexes on the tables of those that were picked.
    pub(super) fn drop_unneeded_as_known(&self, chosen: &mut Vec<TrialId>, picked: &[TrialId]) {
        let trials = self.known.trials();
        let tables: BTreeSet<_> = picked.iter().map(|id| trials[*id].table()).collect();
        for id in chosen.clone() {
            if picked.contains(&id) || !tables.contains(trials[id].table()) {
                continue;
            }
            let others = without(chosen, id);
            if !self.misses(&self.model(&others), &self.model(chosen)) {
                *chosen = others;
            }
        }
    }

    /// For each index what would have to be paid more without it, by the known plans, less what
    /// writes pay for it.
    pub(super) fn losses(&self, set: &[TrialId]) -> Vec<(TrialId, f64)> {
        let lost = self.known.losses(&set.iter().copied().collect());
        let less_writes = lost.into_iter().map(|(id, lost)| {
            let writes = self.known.additional_write_cost(&[id], &without(set, id));
            (id, lost - writes)
        });
        less_writes.collect()
    }

    /// Is there a statement that these costs make dearer than those by more than is allowed (see
    /// [`tolerance`])?
    pub(super) fn misses_much(
        &self,
        these: &Costs,
        those: &Costs,
        (share, units): (f64, f64),
    ) -> bool {
        let each = these.as_slice().iter().zip(those.as_slice());
        let mut each = each.zip(self.known.baseline().as_slice());
        each.any(|((these, those), baseline)| {
            these.cost.0 - those.cost.0 > units.max(share * those.cost.0)
                && is_gain(baseline.cost, these.cost, those.cost, self.limits)
        })
    }

    /// Is there a statement for which, with some class of its values, going from these costs to those
    /// would be a gain?
    pub(super) fn misses_in_a_class(&self, these: &Costs, those: &Costs) -> bool {
        let each = these.as_slice().iter().zip(those.as_slice());
        let mut each = each.zip(self.known.baseline().as_slice());
        each.any(|((these, those), baseline)| {
            is_gain(baseline.cost, these.cost, those.cost, self.limits)
        })
    }

    /// Is there a statement for which going from these costs to those would be a gain? It has to be
    /// one over all classes of its values, or save so much for one class that it must not be lost
    /// (see [`is_far`]).
    pub(super) fn misses(&self, these: &Costs, those: &Costs) -> bool {
        let each = these.iter().zip(those.as_slice());
        let mut each = each.zip(self.known.baseline().as_slice());
        each.any(|(((id, these_now), those_now), baseline)| {
            is_gain(baseline.cost, these_now.cost, those_now.cost, self.limits)
                && (is_far(these_now.cost, those_now.cost) || {
                    let statement = self.known.statement(id);
                    let mean = |costs: &Costs| self.mean(statement, costs);
                    let baseline = mean(self.known.baseline());
                    is_gain(baseline, mean(these), mean(those), self.limits)
                })
        })
    }

    /// What a call of the statement costs, over the classes of its values.
    fn mean(&self, statement: &StatementId, costs: &Costs) -> Cost {
        let of_it = costs.iter();
        let of_it = of_it.filter(|(id, _)| self.known.statement(id) == statement);
        let (cost, calls) = of_it.fold((0.0, 0.0), |(cost, calls), (_, weighted)| {
            (
                cost + weighted.calls * weighted.cost.0,
                calls + weighted.calls,
            )
        });
        Cost(if calls > 0.0 { cost / calls } else { 0.0 })
    }
}

/// The set without one of its indexes.
pub(super) fn without(set: &[TrialId], id: TrialId) -> Vec<TrialId> {
    set.iter().copied().filter(|other| *other != id).collect()
}

/// Beside the chosen indexes, another index must save the minimum share of the statement's original
/// cost, or much of its present cost: with an original cost of 3 000, going from 31 to 25 is not worth
/// an index, going from 257 to 18 is.
pub fn is_gain(baseline: Cost, now: Cost, after: Cost, limits: &Limits) -> bool {
    let saved = now.0 - after.0;
    let of_the_whole = saved >= limits.min_improvement.0 * baseline.0;
    let noticed = (NOTICED_SHARE * baseline.0).clamp(UNNOTICED_COST, MAX_UNNOTICED_COST);
    let halved = saved >= noticed && now.factor_to(after) >= WORTH_ANOTHER_INDEX;
    limits.min_improvement.reached(now, after) && (of_the_whole || halved)
}

/// Does a class of values cost so much more than it could that its statement must not lose it,
/// whatever its other classes cost?
pub(super) fn is_far(cost: Cost, could_be: Cost) -> bool {
    cost.0 - could_be.0 > WORST_CLASS_UNITS.max(WORST_CLASS_SHARE * could_be.0)
}

/// Is the offer as good as the best one, by the rule for size against cost? It leaves little more
/// to pay, or so little in all that nobody notices.
pub(super) fn is_near(offer: &Offer, best: &Offer) -> bool {
    if offer.sorting_calls > best.sorting_calls {
        return false;
    }
    let (share, each_call) = tolerance(offer, best);
    best.gain - offer.gain <= (share * best.remaining).max(each_call * best.calls)
}

/// How much more the offer may leave to pay than the best one: as a share, and in planner units for
/// each call.
pub(super) fn tolerance(offer: &Offer, best: &Offer) -> (f64, f64) {
    let is_comparable = offer.methods == best.methods || offer.methods == [Method::Brin];
    let much_smaller = (offer.size.0 as f64) <= MUCH_SMALLER * best.size.0 as f64;
    match (is_comparable, much_smaller) {
        (false, _) => (0.0, 0.0),
        (true, false) => (WORTH_A_SMALLER_INDEX, UNNOTICED_COST),
        (true, true) => (WORTH_A_MUCH_SMALLER_INDEX, UNNOTICED_COST_FOR_MUCH),
    }
}
