//! A chosen index for another one, and two chosen indexes for one.
//!
//! A pick may have been the best for several statements of which others were served better later. For
//! what it still serves, a smaller index may do; or one that is better for these statements, and was
//! not so good for all.

use std::collections::BTreeMap;

use super::greedy::{
    MAX_UNNOTICED_COST, Offer, Place, Preference, Search, WORTH_ANOTHER_INDEX, is_far, is_near,
    tolerance,
};
use super::trial::{TrialId, Trials};
use crate::planner::PlannerError;
use crate::workload::StatementId;

/// For one chosen index, how many others the planner is asked about.
const MAX_OTHERS: usize = 8;

/// How much more a statement may cost with one index less: as a factor, or in planner units for each
/// call.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    factor: f64,
    units: f64,
}

/// With one index in the place of two.
const AS_ONE: Allowed = Allowed {
    factor: 1.1,
    units: 20.0,
};

/// With one index in the place of two that serve different values of one statement, a call may cost
/// this share more of what it costs without any.
const UNNOTICED_BETWEEN_CLASSES: f64 = 0.01;

/// Without an index whose columns are the first of another one: by tomorrow's report that one would
/// make it redundant.
const WITHOUT_A_PREFIX: Allowed = Allowed {
    factor: 2.0,
    units: 50.0,
};

/// Under a budget all that makes the set smaller or simpler may cost the workload this much together:
/// as a share of what it costs then, or of what it cost without any index.
const UNNOTICED_UNDER_A_BUDGET: f64 = 0.005;
const UNNOTICED_OF_THE_BASELINE: f64 = 0.001;

/// It is no gain to have one index that is larger than the two by more than this.
const MAX_SIZE_OF_MERGED: f64 = 1.2;

impl Search<'_, '_> {
    /// Exchanges each chosen index for the one that is best in its place, if no statement misses it.
    pub(super) fn exchange(&mut self, chosen: &mut [TrialId]) -> Result<(), PlannerError> {
        for place in 0..chosen.len() {
            if self.is_over()? {
                break;
            }
            let Some(Place {
                others,
                with_present,
                without,
                now,
                ..
            }) = self.place(chosen, place)?
            else {
                continue;
            };
            let mut offers: Vec<Offer> = Vec::new();
            let alternatives = self.in_place_of(&now, &others);
            let each: Vec<Vec<TrialId>> = alternatives.iter().map(|id| vec![*id]).collect();
            self.ask_together(&others, &each)?;
            self.learn_each(&others, &each)?;
            for id in alternatives {
                let set = [others.as_slice(), &[id]].concat();
                let exchanged = self.costs(&set)?;
                let offer = self.offer(&[id], &others, &without, &exchanged);
                offers.extend(offer.filter(|offer| {
                    let allowed = tolerance(offer, &now);
                    !self.misses_much(&exchanged, &with_present, allowed)
                }));
            }
            offers.push(now);
            if let Some([better]) = self.best_offer(&offers, Preference::Saving).as_deref() {
                let set = [others.as_slice(), &[*better]].concat();
                if self.is_below_the_ceiling(&set)? {
                    chosen[place] = *better;
                }
            }
        }
        Ok(())
    }

    /// From now on the workload may cost hardly more than with this set, where there is a budget.
    pub(super) fn set_ceiling(&mut self, set: &[TrialId]) -> Result<(), PlannerError> {
        if self.budget.is_some() {
            let (sum, baseline) = (self.sum(set)?, self.sum(&[])?);
            let unnoticed = UNNOTICED_UNDER_A_BUDGET * sum;
            self.ceiling = Some(sum + unnoticed.max(UNNOTICED_OF_THE_BASELINE * baseline));
        }
        Ok(())
    }

    pub(super) fn is_below_the_ceiling(&mut self, set: &[TrialId]) -> Result<bool, PlannerError> {
        match self.ceiling {
            Some(ceiling) => Ok(self.sum(set)? <= ceiling),
            None => Ok(true),
        }
    }

    /// What may be better than a chosen index beside these others, by what each did alone: those that
    /// come near it in gain, the greatest gains and the smallest indexes first.
    fn in_place_of(&mut self, now: &Offer, others: &[TrialId]) -> Vec<TrialId> {
        let Ok(without) = self.costs(others) else {
            return Vec::new();
        };
        let mut offers: Vec<Offer> = Vec::new();
        for id in self.known.trials().ids() {
            if others.contains(&id) || now.ids.contains(&id) {
                continue;
            }
            let set = [others, &[id]].concat();
            let estimate = self.known.estimate(&without, &[id]);
            let offer = self.offer(&[id], others, &without, &estimate);
            let near = |offer: &Offer| offer.gain >= now.gain || is_near(offer, now);
            offers.extend(offer.filter(|offer| near(offer) && self.fits(&set)));
        }
        let mut found: Vec<TrialId> = Vec::new();
        offers.sort_by(|a, b| self.compare(b, a, Preference::Saving));
        let by_gain = offers
            .iter()
            .take(MAX_OTHERS)
            .flat_map(|offer| offer.ids.clone());
        found.extend(by_gain);
        offers.sort_by(|a, b| {
            a.net
                .cmp(&b.net)
                .then_with(|| self.compare(b, a, Preference::Saving))
        });
        let by_size = offers
            .iter()
            .take(MAX_OTHERS)
            .flat_map(|offer| offer.ids.clone());
        for id in by_size {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found
    }

    /// Two indexes on one table become one where the planner does about as well with it: writes pay
    /// for one, and nobody has to understand two.
    pub(super) fn merge(&mut self, chosen: &mut Vec<TrialId>) -> Result<(), PlannerError> {
        while !self.is_over()?
            && let Some(merged) = self.merged(chosen)?
        {
            *chosen = merged;
        }
        Ok(())
    }

    fn merged(&mut self, chosen: &[TrialId]) -> Result<Option<Vec<TrialId>>, PlannerError> {
        for prefix in chosen {
            let definition = &self.known.trials()[*prefix].index.definition;
            let mut others = chosen.iter().filter(|other| *other != prefix);
            let is_in_another = others.any(|other| {
                let other = &self.known.trials()[*other].index.definition;
                other.subsumes(definition)
            });
            let rest = chosen.iter().filter(|other| *other != prefix);
            let rest: Vec<TrialId> = rest.copied().collect();
            if is_in_another
                && self.is_as_good(&rest, chosen, WITHOUT_A_PREFIX)?
                && self.is_below_the_ceiling(&rest)?
            {
                return Ok(Some(rest));
            }
        }
        for (number, first) in chosen.iter().enumerate() {
            for second in &chosen[number + 1..] {
                for id in wider(self.known.trials(), *first, *second) {
                    let is_other = |other: &&TrialId| *other != first && *other != second;
                    let mut set: Vec<TrialId> = chosen.iter().filter(is_other).copied().collect();
                    if !set.contains(&id) {
                        set.push(id);
                    }
                    let size = self.size(&set).0 as f64;
                    let is_small = size <= MAX_SIZE_OF_MERGED * self.size(chosen).0 as f64;
                    if is_small
                        && self.fits(&set)
                        && self.is_as_good(&set, chosen, AS_ONE)?
                        && self.is_below_the_ceiling(&set)?
                    {
                        return Ok(Some(set));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Does no statement cost noticeably more? Over all classes of its values a statement may cost a
    /// little more, because it would not be worth another index.
    fn is_as_good(
        &mut self,
        set: &[TrialId],
        than: &[TrialId],
        allowed: Allowed,
    ) -> Result<bool, PlannerError> {
        let (with, now) = (self.costs(set)?, self.costs(than)?);
        let baseline = self.known.baseline().as_slice();
        let mut expected: BTreeMap<&StatementId, Expected> = BTreeMap::new();
        for (((id, with), now), before) in with.iter().zip(now.as_slice()).zip(baseline) {
            let sum = expected.entry(self.known.statement(id)).or_default();
            sum.classes += 1;
            sum.calls += with.calls;
            sum.baseline += with.calls * before.cost.0;
            sum.with += with.calls * with.cost.0;
            sum.now += with.calls * now.cost.0;
            sum.worst_is_far |= is_far(with.cost, now.cost);
        }
        Ok(expected.values().all(|sum| sum.is_as_good(allowed)))
    }
}

/// What a statement costs over its classes of values.
#[derive(Debug, Default)]
struct Expected {
    classes: usize,
    calls: f64,
    /// Σ calls × cost without any index.
    baseline: f64,
    /// Σ calls × cost with the set.
    with: f64,
    /// Σ calls × cost with what it is compared with.
    now: f64,
    worst_is_far: bool,
}

impl Expected {
    fn is_as_good(&self, allowed: Allowed) -> bool {
        let Allowed {
            mut factor,
            mut units,
        } = allowed;
        if self.classes > 1 {
            let share = UNNOTICED_BETWEEN_CLASSES * self.baseline / self.calls;
            factor = factor.max(WORTH_ANOTHER_INDEX);
            units = units.max(share.min(MAX_UNNOTICED_COST));
        }
        let is_unnoticed = self.with - self.now <= units * self.calls;
        !self.worst_is_far && (is_unnoticed || self.with <= factor * self.now)
    }
}

/// The trials that have the columns of both of these indexes, one of them as a part.
fn wider(trials: &Trials, first: TrialId, second: TrialId) -> Vec<TrialId> {
    let (a, b) = (
        &trials[first].index.definition,
        &trials[second].index.definition,
    );
    if a.table != b.table || a.predicate != b.predicate || a.method != b.method {
        return Vec::new();
    }
    let has_keys_of = |index: &crate::index::Index, part: &crate::index::Index| {
        let keys = part.keys.iter();
        let mut all = keys.map(|key| &key.key);
        all.all(|wanted| index.keys.iter().any(|key| key.key == *wanted))
            && part.include.iter().all(|column| index.carries(column))
    };
    let built = trials.iter().filter(|(_, trial)| trial.tested().is_some());
    built
        .filter(|(_, trial)| {
            let index = &trial.index.definition;
            index.table == a.table
                && index.predicate == a.predicate
                && index.method == a.method
                && has_keys_of(index, a)
                && has_keys_of(index, b)
        })
        .map(|(id, _)| id)
        .collect()
}
