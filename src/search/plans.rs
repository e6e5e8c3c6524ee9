//! What the planner said of one statement: plans, the indexes that they use, and what follows for
//! sets that it was not asked about.

use std::collections::{BTreeMap, HashMap};

use fixedbitset::FixedBitSet;

use super::costs::Weighted;
use super::trial::TrialId;
use super::unpriced::Unpriced;
use crate::model::Cost;
use crate::workload::StatementId;

/// Of so many levels of a statement's cost, those that say most are kept.
const MAX_LEVELS: usize = 64;

/// An index has about the same size if it differs by no more than this share.
const ABOUT_AS_LARGE: f64 = 0.1;

/// What is known of how low the cost of a statement can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// How often it runs.
    pub(super) calls: f64,
    /// Its cost without any new index.
    pub(super) now: f64,
    /// Its cost with all of them.
    pub(super) floor: f64,
    /// What it costs at least without certain indexes, the dearest first. The first is without any,
    /// the last with all.
    pub(super) levels: Vec<Level>,
}

impl Facts {
    /// What it can save.
    pub(super) fn range(&self) -> f64 {
        self.now - self.floor
    }
}

/// A statement costs at least this much without all of certain indexes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    pub(super) cost: f64,
    /// The indexes that it is without.
    pub(super) missing: Vec<usize>,
}

/// What the planner said about sets of indexes.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    pub(super) learned: BTreeMap<StatementId, Vec<Seen>>,
}

impl Knowledge {
    /// What was said while these indexes had another size, of which they have this share now. A plan
    /// costs about as much with indexes of nearly the same size, and by no larger share less than
    /// they are smaller; the rest is forgotten.
    pub fn resize(&mut self, resized: &BTreeMap<TrialId, f64>) {
        for learned in self.learned.values_mut() {
            for (id, share) in resized {
                let is_about_as_large = (*share - 1.0).abs() <= ABOUT_AS_LARGE;
                learned.retain(|seen| is_about_as_large || !seen.asked.contains(id.0));
            }
            for seen in learned {
                let shares = resized.iter().filter(|(id, _)| seen.asked.contains(id.0));
                let least = shares.map(|(_, share)| *share).fold(1.0, f64::min);
                seen.at_least.0 *= least;
            }
        }
    }
}

/// A plan of a statement that was seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// Is it the planner's answer about a set? Otherwise it is from a trial, or what had to do where
    /// there is no answer.
    pub(super) is_answer: bool,
    /// The indexes that existed.
    pub(super) asked: FixedBitSet,
    /// Those that it uses.
    pub(super) used: Used,
    pub(super) cost: Cost,
    /// With the sizes that indexes turned out to have, it costs no less.
    pub(super) at_least: Cost,
    pub(super) unpriced: Unpriced,
}

impl Seen {
    /// Is it cheaper than this, and not chosen because its cost says too little?
    pub(super) fn is_distrusted(&self, than: Cost) -> bool {
        self.unpriced.to_its_end.0 > 0.0 && self.at_least.0 < than.0
    }
}

/// The indexes that a plan uses: few of many, so they are looked up in a set one by one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Used(Box<[usize]>);

impl Used {
    pub(super) fn of(set: &FixedBitSet) -> Used {
        Used(set.ones().collect())
    }

    pub(super) fn ones(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, trial: usize) -> bool {
        self.0.binary_search(&trial).is_ok()
    }

    pub(super) fn is_within(&self, set: &FixedBitSet) -> bool {
        self.0.iter().all(|trial| set.contains(*trial))
    }

    /// Does the other plan use all of them, too?
    pub(super) fn is_part_of(&self, other: &Used) -> bool {
        self.0.len() <= other.0.len() && self.0.iter().all(|trial| other.contains(*trial))
    }
}

/// For each index the ranks of the plans that use it, among the best.
pub(super) type Users = HashMap<usize, Vec<usize>>;

/// What is known of a statement.
#[derive(Debug, Clone, Default)]
pub(super) struct StatementPlans {
    /// The trials that it was planned with.
    pub(super) tested: FixedBitSet,
    /// Others that its plans could use.
    pub(super) offered: FixedBitSet,
    /// Those of them that may serve it.
    pub(super) relevant: FixedBitSet,
    /// Every plan that was seen.
    pub(super) seen: Vec<Seen>,
    /// Those of them that use new indexes, the cheapest first, by their places in `seen`; without
    /// plans for which a cheaper one uses fewer of the same indexes.
    pub(super) best: Vec<usize>,
    /// The plan with exactly this part of the relevant trials, by its place in `seen`.
    pub(super) with: HashMap<FixedBitSet, usize>,
}

impl StatementPlans {
    pub(super) fn part(&self, set: &FixedBitSet) -> FixedBitSet {
        let mut part = self.relevant.clone();
        part.intersect_with(set);
        part
    }

    pub(super) fn add(&mut self, seen: Seen) {
        let place = self.seen.len();
        self.with.insert(seen.asked.clone(), place);
        if seen.used.count() > 0 {
            self.keep_if_best(&seen, place);
        }
        self.seen.push(seen);
    }

    fn keep_if_best(&mut self, new: &Seen, place: usize) {
        let costs = |at: &usize| self.seen[*at].cost.0;
        let rank = self.best.partition_point(|at| costs(at) <= new.cost.0);
        let (cheaper, dearer) = self.best.split_at(rank);
        let mut cheaper = cheaper.iter();
        if cheaper.any(|at| self.seen[*at].used.is_part_of(&new.used)) {
            return;
        }
        let needed = |at: &&usize| !new.used.is_part_of(&self.seen[**at].used);
        let kept: Vec<usize> = dearer.iter().filter(needed).copied().collect();
        self.best.truncate(rank);
        self.best.push(place);
        self.best.extend(kept);
    }

    /// By a set that was asked about and holds this one, and whose plan uses nothing else.
    pub(super) fn known_of(&mut self, part: &FixedBitSet) -> Option<&Seen> {
        if let Some(place) = self.with.get(part) {
            return self.seen.get(*place);
        }
        let answers = |seen: &Seen| seen.used.is_within(part) && part.is_subset(&seen.asked);
        let place = self.seen.iter().rposition(answers)?;
        self.with.insert(part.clone(), place);
        self.seen.get(place)
    }

    /// None: it was not planned with everything.
    pub(super) fn facts(&mut self, now: &Weighted) -> Option<Facts> {
        let all = self.relevant.clone();
        let with_all = self.known_of(&all)?;
        // With a single index its trial says as much. Where the planner's answer with all of them is
        // not believed, nothing says how low it can be.
        let is_known = with_all.is_answer || all.count_ones(..) <= 1;
        let at_least = if is_known { with_all.at_least.0 } else { 0.0 };
        let floor = at_least.min(now.cost.0);
        let level = |seen: &Seen| -> (f64, FixedBitSet) {
            let mut missing = all.clone();
            missing.difference_with(&seen.asked);
            (seen.at_least.0.clamp(floor, now.cost.0), missing)
        };
        let answers = self.seen.iter().filter(|seen| seen.is_answer);
        let mut sets: Vec<(f64, FixedBitSet)> = answers.map(level).collect();
        let none = FixedBitSet::with_capacity(all.len());
        sets.extend([(now.cost.0, all.clone()), (floor, none)]);
        sets.sort_by(|a, b| {
            let by_cost = b.0.total_cmp(&a.0);
            by_cost.then_with(|| a.1.count_ones(..).cmp(&b.1.count_ones(..)))
        });
        // Without fewer indexes it costs as much: what is without more says nothing.
        let mut levels: Vec<(f64, FixedBitSet)> = Vec::new();
        for (cost, missing) in sets {
            if !levels.iter().any(|(_, fewer)| fewer.is_subset(&missing)) {
                levels.push((cost, missing));
            }
        }
        while levels.len() > MAX_LEVELS {
            levels = without_the_least(levels);
        }
        let levels = levels.into_iter().map(|(cost, missing)| Level {
            cost,
            missing: missing.ones().collect(),
        });
        Some(Facts {
            calls: now.calls,
            now: now.cost.0,
            floor,
            levels: levels.collect(),
        })
    }

    /// The plans that use new indexes, the cheapest first, without those for which a cheaper one uses
    /// fewer of the same.
    pub(super) fn best(&self) -> impl Iterator<Item = &Seen> {
        self.best.iter().filter_map(|place| self.seen.get(*place))
    }

    /// Which of them use each index, the cheapest first.
    pub(super) fn users(&self) -> Users {
        let mut users = Users::new();
        for (rank, seen) in self.best().enumerate() {
            for trial in seen.used.ones() {
                users.entry(trial).or_default().push(rank);
            }
        }
        users
    }

    /// The same as [`StatementPlans::cheapest`] of the plans that use one of the added indexes.
    pub(super) fn cheapest_of(
        &self,
        set: &FixedBitSet,
        than: Cost,
        users: &Users,
        added: &[TrialId],
    ) -> Option<&Seen> {
        let plan = |rank: usize| self.seen.get(*self.best.get(rank)?);
        let is_possible = |rank: &usize| {
            plan(*rank)
                .is_some_and(|seen| seen.used.is_within(set) && seen.used.is_within(&self.relevant))
        };
        let cheapest = |id: &TrialId| {
            let ranks = users.get(&id.0)?.iter().copied();
            let mut cheaper =
                ranks.take_while(|rank| plan(*rank).is_some_and(|seen| seen.cost.0 < than.0));
            cheaper.find(is_possible)
        };
        added.iter().filter_map(cheapest).min().and_then(plan)
    }

    /// The cheapest plan that was seen, costs less than this and uses only these of the relevant
    /// indexes: the planner can choose each of them.
    pub(super) fn cheapest(&self, set: &FixedBitSet, than: Cost) -> Option<&Seen> {
        let mut cheaper = self.best().take_while(|seen| seen.cost.0 < than.0);
        cheaper.find(|seen| seen.used.is_within(set) && seen.used.is_within(&self.relevant))
    }
}

/// Without the level that is nearest in cost to the next one; the first and the last stay.
fn without_the_least(levels: Vec<(f64, FixedBitSet)>) -> Vec<(f64, FixedBitSet)> {
    let costs: Vec<f64> = levels.iter().map(|(cost, _)| *cost).collect();
    let steps = costs.windows(2).enumerate().skip(1);
    let least = steps.min_by(|(_, a), (_, b)| (a[0] - a[1]).total_cmp(&(b[0] - b[1])));
    let least = least.map(|(place, _)| place);
    let others = levels.into_iter().enumerate();
    others
        .filter(|(place, _)| Some(*place) != least)
        .map(|(_, level)| level)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set<const N: usize>(trials: [usize; N]) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(8);
        set.extend(trials);
        set
    }

    fn seen<const N: usize>(used: [usize; N], cost: f64) -> Seen {
        Seen {
            is_answer: true,
            asked: set([0, 1, 2, 3, 4]),
            used: Used(used.into()),
            cost: Cost(cost),
            at_least: Cost(cost),
            unpriced: Unpriced::default(),
        }
    }

    #[test]
    fn the_cheapest_possible_plan_is_found_whatever_the_order() {
        let plans = [
            seen([0, 1], 10.0),
            seen([1], 30.0),
            seen([2], 20.0),
            seen([], 100.0),
            seen([0, 1, 3], 15.0),
            seen([4], 20.0),
        ];
        for first in 0..plans.len() {
            let mut known = StatementPlans {
                relevant: set([0, 1, 2, 3, 4]),
                ..StatementPlans::default()
            };
            for plan in plans.iter().cycle().skip(first).take(plans.len()) {
                known.add(plan.clone());
            }
            let cheapest = |trials: &FixedBitSet, than| known.cheapest(trials, Cost(than));
            let cost = |trials: &FixedBitSet| cheapest(trials, 1e3).map(|seen| seen.cost.0);
            assert_eq!(cheapest(&set([0, 2]), 20.0), None, "none costs less");
            assert_eq!(cost(&set([0, 1, 2, 3])), Some(10.0));
            assert_eq!(cost(&set([0, 2])), Some(20.0));
            assert_eq!(cost(&set([0, 1, 3])), Some(10.0));
            assert_eq!(cost(&set([1, 3])), Some(30.0));
            assert_eq!(cost(&set([0, 3])), None);
            assert_eq!(known.best.len(), 4, "one uses more than a cheaper one");
        }
    }
}
