//! Which set of indexes pays for the whole workload?
//!
//! Picks one index after the other, the one that saves most, or a smaller one that saves nearly as much; takes out again what a later
//! pick made unnecessary; then exchanges single indexes for others as long as that helps. Under `--budget` it also picks by saving
//! per byte, and replaces what saves least by what would save more. Every set is put to the planner as a whole ([`KnownCosts`]), so
//! that indexes that pay only together, or not together, are seen to. Deterministic: ties go to the smaller index, then to the name.
//!
//! After Extend (Schlosser, Kossmann, Boissier: "Efficient Scalable Multi-Attribute Index Selection Using Recursive Strategies",
//! 2019) and the "what-if" caching of Papadomanolakis, Dash and Ailamaki ("Efficient Use of the Query Optimizer for Automated
//! Physical Design", 2007).

use std::collections::{BTreeMap, BTreeSet};

use super::costs::{Costs, KnownCosts, total};
use super::{PlannerError, Trial};
use crate::model::{Bytes, Cost};
use crate::verdict::{Limits, Reason};

/// What the search decided, by position in the list of trials.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// The indexes to prove, in the order they were picked.
    pub chosen: Vec<usize>,
    /// What a limit kept out.
    pub kept_out: BTreeMap<usize, Reason>,
    /// Time ran out: it is the best set found until then.
    pub cut_short: bool,
}

/// A smaller index is taken instead of the best one if it leaves at most this much more to pay, as a share of what the best
/// leaves; a much smaller one (see [`MUCH_SMALLER`]) if it leaves at most twice as much. Size is what writes pay for.
const WORTH_A_SMALLER_INDEX: f64 = 0.1;
const WORTH_A_MUCH_SMALLER_INDEX: f64 = 1.0;
const MUCH_SMALLER: f64 = 0.25;

/// How much cheaper a statement that is served already has to become for another index to be worth it.
const WORTH_ANOTHER_INDEX: f64 = 2.0;

/// So many of the most promising offers are put to the planner together with what is chosen already.
const OFFERS_ASKED: usize = 6;

/// An exchange under a budget has to lower the sum by at least this share: less is not worth the questions.
const WORTH_AN_EXCHANGE: f64 = 0.001;

/// Picks indexes as long as one makes some statement cheaper by at least `--min-improvement`.
///
/// # Errors
/// When the planner cannot be asked any more.
pub fn choose(known: &mut KnownCosts<'_>, limits: &Limits) -> Result<Selection, PlannerError> {
    let mut search = Search { known, limits, kept_out: BTreeMap::new() };
    let mut chosen = search.pick(Preference::Saving)?;
    if limits.budget.is_some() {
        let frugal = search.pick(Preference::SavingPerByte)?;
        let mut best = (search.sum(&chosen)?, chosen);
        for set in [best.1.clone(), frugal] {
            let set = search.replace_the_least(set)?;
            let sum = search.sum(&set)?;
            if sum < best.0 * (1.0 - WORTH_AN_EXCHANGE) {
                best = (sum, set);
            }
        }
        chosen = best.1;
    }
    search.exchange_for_smaller(&mut chosen)?;
    search.note_upkeep();
    let Search { mut kept_out, .. } = search;
    kept_out.retain(|position, _| !chosen.contains(position));
    Ok(Selection { chosen, kept_out, cut_short: known.cut_short() })
}

/// What the next pick is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preference {
    Saving,
    SavingPerByte,
}

struct Search<'s, 'k> {
    known: &'s mut KnownCosts<'k>,
    limits: &'s Limits,
    kept_out: BTreeMap<usize, Reason>,
}

/// What one index, or several that pay only together, would bring now.
#[derive(Debug, Clone, PartialEq)]
struct Offer {
    positions: Vec<usize>,
    /// Σ calls × cost saved, less what writes pay.
    gain: f64,
    /// Σ calls × cost left of the statements it helps.
    remaining: f64,
    size: Bytes,
}

impl Search<'_, '_> {
    /// Greedily, from nothing.
    fn pick(&mut self, preference: Preference) -> Result<Vec<usize>, PlannerError> {
        let mut chosen: Vec<usize> = Vec::new();
        // Each round picks one; taking out what became unneeded could in principle go round in a circle.
        for _ in 0..2 * self.known.trials().len() {
            let offers = self.offers(&chosen)?;
            let (affordable, too_large): (Vec<Offer>, Vec<Offer>) =
                offers.into_iter().partition(|offer| self.refusal(&chosen, offer).is_none());
            for offer in too_large {
                let reason = self.refusal(&chosen, &offer).unwrap_or(Reason::OverBudget);
                self.kept_out.extend(offer.positions.into_iter().map(|position| (position, reason)));
            }
            let Some(best) = self.best_offer(&affordable, preference) else { break };
            chosen.extend(best);
            self.drop_unneeded(&mut chosen)?;
        }
        Ok(chosen)
    }

    /// Indexes that would gain something, but less than writes pay for them.
    fn note_upkeep(&mut self) {
        let at_first = self.known.at_first().clone();
        for position in 0..self.known.trials().len() {
            let with = self.known.estimate(&at_first, &[position]);
            let gains = total(&with).0 < total(&at_first).0;
            if gains && total(&at_first).0 - total(&with).0 <= self.known.upkeep(&[position]) {
                self.kept_out.entry(position).or_insert(Reason::UpkeepTooHigh);
            }
        }
    }

    /// What could be added. What each index did alone says which are worth asking about together with what is chosen.
    fn offers(&mut self, chosen: &[usize]) -> Result<Vec<Offer>, PlannerError> {
        let now = self.costs(chosen)?;
        let others = (0..self.known.trials().len()).filter(|position| !chosen.contains(position));
        let alone = |position| self.offer(&[position], chosen, &now, &self.known.estimate(&now, &[position]));
        let offers: Vec<Offer> = others.filter_map(alone).collect();
        if !self.known.can_ask() {
            return Ok(offers);
        }
        let ideas = self.promising(&offers).into_iter().map(|offer| offer.positions).chain(self.known.bundles(chosen)?);
        let ideas: Vec<Vec<usize>> = ideas.collect();
        let mut asked = Vec::with_capacity(ideas.len());
        for idea in ideas {
            let with = self.costs(&[chosen, &idea].concat())?;
            asked.extend(self.offer(&idea, chosen, &now, &with));
        }
        Ok(asked)
    }

    /// The best by saving and by saving per byte, and smaller ones that come near.
    fn promising(&self, offers: &[Offer]) -> Vec<Offer> {
        let mut wanted: Vec<&Offer> = Vec::new();
        let fits = |offer: &&Offer| self.limits.budget.is_none_or(|budget| offer.size <= budget);
        for preference in [Preference::Saving, Preference::SavingPerByte] {
            let mut ranked: Vec<&Offer> = offers.iter().filter(fits).collect();
            ranked.sort_by(|a, b| self.compare(b, a, preference));
            wanted.extend(ranked.into_iter().take(OFFERS_ASKED));
        }
        if let Some(largest) = offers.iter().max_by(|a, b| self.compare(a, b, Preference::Saving)) {
            let mut near: Vec<&Offer> = offers.iter().filter(|offer| is_near(offer, largest)).collect();
            near.sort_by(|a, b| a.size.cmp(&b.size).then_with(|| self.compare(b, a, Preference::Saving)));
            wanted.extend(near.into_iter().take(OFFERS_ASKED));
        }
        let mut seen: BTreeSet<&[usize]> = BTreeSet::new();
        wanted.into_iter().filter(|offer| seen.insert(&offer.positions)).cloned().collect()
    }

    /// None when no statement gains enough beside what is chosen already.
    fn offer(&self, idea: &[usize], chosen: &[usize], now: &Costs, with: &Costs) -> Option<Offer> {
        let added: Vec<usize> = idea.iter().copied().filter(|position| !chosen.contains(position)).collect();
        let size = self.size(&added);
        let mut offer = Offer { positions: added, gain: 0.0, remaining: 0.0, size };
        for (id, with) in with {
            let (Some(now), Some(at_first)) = (now.get(id), self.known.at_first().get(id)) else { continue };
            if is_gain(at_first.cost, now.cost, with.cost, self.limits) {
                offer.gain += now.calls * (now.cost.0 - with.cost.0);
                offer.remaining += now.calls * with.cost.0;
            }
        }
        offer.gain -= self.known.upkeep(&offer.positions);
        (offer.gain > 0.0).then_some(offer)
    }

    fn best_offer(&self, offers: &[Offer], preference: Preference) -> Option<Vec<usize>> {
        let largest = offers.iter().max_by(|a, b| self.compare(a, b, preference))?;
        if preference == Preference::SavingPerByte {
            return Some(largest.positions.clone());
        }
        let near = offers.iter().filter(|offer| is_near(offer, largest));
        let best = near.min_by(|a, b| a.size.cmp(&b.size).then_with(|| self.compare(b, a, preference)));
        best.map(|offer| offer.positions.clone())
    }

    /// The better one is greater.
    fn compare(&self, a: &Offer, b: &Offer, preference: Preference) -> std::cmp::Ordering {
        let worth = |offer: &Offer| match preference {
            Preference::Saving => offer.gain,
            Preference::SavingPerByte => offer.gain / offer.size.0.max(1) as f64,
        };
        let names = |offer: &Offer| self.names(&offer.positions);
        worth(a).total_cmp(&worth(b)).then(b.size.cmp(&a.size)).then_with(|| names(b).cmp(&names(a)))
    }

    fn names(&self, positions: &[usize]) -> Vec<&str> {
        positions.iter().map(|position| self.known.trials()[*position].index.name.as_str()).collect()
    }

    fn size(&self, positions: &[usize]) -> Bytes {
        positions.iter().filter_map(|position| size_of(&self.known.trials()[*position])).sum()
    }

    fn refusal(&self, chosen: &[usize], offer: &Offer) -> Option<Reason> {
        let taken = self.size(chosen);
        if self.limits.budget.is_some_and(|budget| taken.0 + offer.size.0 > budget.0) {
            return Some(Reason::OverBudget);
        }
        let number = chosen.len() + offer.positions.len();
        self.limits.max_indexes.is_some_and(|most| number > most).then_some(Reason::TooManyIndexes)
    }

    fn costs(&mut self, set: &[usize]) -> Result<Costs, PlannerError> {
        self.known.under(&set.iter().copied().collect())
    }

    fn sum(&mut self, set: &[usize]) -> Result<f64, PlannerError> {
        Ok(total(&self.costs(set)?).0 + self.known.upkeep(set))
    }

    /// Takes out what no statement would miss by as much as a gain has to be.
    fn drop_unneeded(&mut self, chosen: &mut Vec<usize>) -> Result<(), PlannerError> {
        for position in chosen.clone() {
            let others: Vec<usize> = chosen.iter().copied().filter(|other| *other != position).collect();
            let (with, without) = (self.costs(chosen)?, self.costs(&others)?);
            if !self.misses(&without, &with) {
                *chosen = others;
            }
        }
        Ok(())
    }

    /// A pick may have been the best for several statements of which others were served better later; for what it still serves, a
    /// smaller index may do, if no statement misses the larger one.
    fn exchange_for_smaller(&mut self, chosen: &mut [usize]) -> Result<(), PlannerError> {
        for place in 0..chosen.len() {
            let with_present = self.costs(chosen)?;
            let mut others = chosen.to_vec();
            let present = others.remove(place);
            let without = self.costs(&others)?;
            let Some(now) = self.offer(&[present], &others, &without, &with_present) else { continue };
            let mut smaller: Vec<Offer> = Vec::new();
            for position in (0..self.known.trials().len()).filter(|position| !chosen.contains(position)) {
                let estimate = self.known.estimate(&without, &[position]);
                let near = |offer: &Offer| offer.size <= now.size && is_near(offer, &now);
                if self.offer(&[position], &others, &without, &estimate).is_some_and(|offer| near(&offer)) {
                    let exchanged = self.costs(&[others.as_slice(), &[position]].concat())?;
                    let offer = self.offer(&[position], &others, &without, &exchanged);
                    smaller.extend(offer.filter(|offer| near(offer) && !self.misses(&exchanged, &with_present)));
                }
            }
            smaller.push(now);
            if let Some([better]) = self.best_offer(&smaller, Preference::Saving).as_deref() {
                chosen[place] = *better;
            }
        }
        Ok(())
    }

    /// Under a budget: lets what was kept out push out what saves least for its size, as long as the sum falls.
    fn replace_the_least(&mut self, mut chosen: Vec<usize>) -> Result<Vec<usize>, PlannerError> {
        for _ in 0..self.known.trials().len() {
            let sum = self.sum(&chosen)?;
            let mut best: Option<(f64, Vec<usize>)> = None;
            for offer in self.offers(&chosen)? {
                let Some(set) = self.made_room(&chosen, &offer)? else { continue };
                let replaced = self.sum(&set)?;
                let least = best.as_ref().map_or(sum * (1.0 - WORTH_AN_EXCHANGE), |(least, _)| *least);
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

    /// The set with the offer in, and without whatever is missed least for its size until it fits.
    fn made_room(&mut self, chosen: &[usize], offer: &Offer) -> Result<Option<Vec<usize>>, PlannerError> {
        let mut set: Vec<usize> = [chosen, &offer.positions].concat();
        self.drop_unneeded(&mut set)?;
        let fits = |search: &Self, set: &[usize]| {
            search.limits.budget.is_none_or(|budget| search.size(set) <= budget)
                && search.limits.max_indexes.is_none_or(|most| set.len() <= most)
        };
        while !fits(self, &set) {
            let sum = self.sum(&set)?;
            let mut least: Option<(f64, usize)> = None;
            for position in set.clone().into_iter().filter(|position| !offer.positions.contains(position)) {
                let others: Vec<usize> = set.iter().copied().filter(|other| *other != position).collect();
                let loss = (self.sum(&others)? - sum) / self.size(&[position]).0.max(1) as f64;
                if least.is_none_or(|(smallest, _)| loss < smallest) {
                    least = Some((loss, position));
                }
            }
            let Some((_, position)) = least else { return Ok(None) };
            set.retain(|other| *other != position);
        }
        Ok(Some(set))
    }

    /// Is there a statement for which going from these costs to those would be a gain?
    fn misses(&self, these: &Costs, those: &Costs) -> bool {
        these.iter().any(|(id, these)| match (those.get(id), self.known.at_first().get(id)) {
            (Some(those), Some(at_first)) => is_gain(at_first.cost, these.cost, those.cost, self.limits),
            _ => false,
        })
    }
}

/// Beside what is chosen already, another index has to save the least share of what the statement cost at first, or halve what
/// is left: going from 31 to 18 of once 3 000 is not worth an index, going from 257 to 18 is.
fn is_gain(at_first: Cost, now: Cost, after: Cost, limits: &Limits) -> bool {
    let of_the_whole = now.0 - after.0 >= limits.min_improvement.0 * at_first.0;
    let halved = now.factor_to(after) >= WORTH_ANOTHER_INDEX;
    limits.min_improvement.reached(now, after) && (of_the_whole || halved)
}

fn is_near(offer: &Offer, best: &Offer) -> bool {
    let much_smaller = (offer.size.0 as f64) <= MUCH_SMALLER * best.size.0 as f64;
    let may_give_up = if much_smaller { WORTH_A_MUCH_SMALLER_INDEX } else { WORTH_A_SMALLER_INDEX };
    best.gain - offer.gain <= may_give_up * best.remaining
}

fn size_of(trial: &Trial) -> Option<Bytes> {
    trial.built().map(|(build, _)| build.size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Index, IndexKey, Key};
    use crate::model::{Millis, QualifiedName};
    use crate::rehearsal::costs::{SetCosts, UnderSet, Weighted};
    use crate::rehearsal::{Build, NamedIndex, TrialCost, TrialOutcome};
    use crate::workload::StatementId;

    fn trial(name: &str, size: u64, costs: &[(&str, f64)]) -> Trial {
        let index =
            Index::btree(QualifiedName::new("public", "t"), vec![IndexKey::ascending(Key::Column(name.to_owned()))]);
        let build = Build {
            names: [name.to_owned()].into(),
            body: String::new(),
            size: Bytes(size),
            build_time: Millis(1.0),
            usable: true,
        };
        let costs =
            costs.iter().map(|(id, cost)| (StatementId((*id).to_owned()), TrialCost { cost: Cost(*cost), used: true }));
        Trial {
            index: NamedIndex { name: name.to_owned(), index },
            outcome: TrialOutcome::Built { build, costs: costs.collect() },
        }
    }

    fn statements(costs: &[(&str, f64, f64)]) -> Costs {
        let weighted = |(id, calls, cost): &(&str, f64, f64)| {
            (StatementId((*id).to_owned()), Weighted { calls: *calls, cost: Cost(*cost) })
        };
        costs.iter().map(weighted).collect()
    }

    fn chosen(trials: &[Trial], statements: &Costs, limits: &Limits) -> Vec<String> {
        choose(&mut KnownCosts::of_singles(trials, statements.clone()), limits)
            .unwrap()
            .chosen
            .into_iter()
            .map(|position| trials[position].index.name.clone())
            .collect()
    }

    #[test]
    fn the_smaller_of_two_nearly_equal_indexes_is_taken() {
        let trials = [
            trial("large", 9_000, &[("s", 10.0)]),
            trial("small", 100, &[("s", 10.5)]),
            trial("poor", 10, &[("s", 600.0)]),
        ];
        assert_eq!(chosen(&trials, &statements(&[("s", 1.0, 1_000.0)]), &Limits::default()), ["small"]);
    }

    #[test]
    fn a_much_smaller_index_may_leave_twice_as_much_to_pay() {
        let workload = statements(&[("s", 1.0, 3_000.0)]);
        let trials = |cost| [trial("full", 8_000, &[("s", 18.0)]), trial("partial", 48, &[("s", cost)])];
        assert_eq!(chosen(&trials(31.0), &workload, &Limits::default()), ["partial"]);
        assert_eq!(chosen(&trials(40.0), &workload, &Limits::default()), ["full"]);
    }

    #[test]
    fn an_index_made_unnecessary_by_a_later_one_goes() {
        let trials = [trial("a", 100, &[("one", 50.0)]), trial("ab", 150, &[("one", 51.0), ("two", 5.0)])];
        let workload = statements(&[("one", 1_000.0, 500.0), ("two", 1.0, 100.0)]);
        assert_eq!(chosen(&trials, &workload, &Limits::default()), ["ab"]);
    }

    #[test]
    fn a_cheap_statement_gets_its_index_beside_a_dominating_one() {
        let trials = [trial("big", 100, &[("huge", 10.0)]), trial("little", 100, &[("tiny", 1.0)])];
        let workload = statements(&[("huge", 1e9, 1e6), ("tiny", 1.0, 2.0)]);
        assert_eq!(chosen(&trials, &workload, &Limits::default()), ["big", "little"]);
    }

    #[test]
    fn a_pick_for_two_statements_makes_room_when_one_is_served_better() {
        let trials = [
            trial("both", 8_000, &[("one", 18.0), ("two", 400.0)]),
            trial("two_only", 40, &[("two", 4.0)]),
            trial("one_only", 48, &[("one", 31.0)]),
        ];
        let workload = statements(&[("one", 1.0, 10_000.0), ("two", 1.0, 9_000.0)]);
        assert_eq!(chosen(&trials, &workload, &Limits::default()), ["one_only", "two_only"]);
    }

    #[test]
    fn limits_keep_indexes_out_and_say_so() {
        let trials = [trial("a", 1_000, &[("one", 1.0)]), trial("b", 1_000, &[("two", 1.0)])];
        let workload = statements(&[("one", 1.0, 100.0), ("two", 1.0, 50.0)]);
        let budget = Limits { budget: Some(Bytes(1_500)), ..Limits::default() };
        let select = |limits: &Limits| choose(&mut KnownCosts::of_singles(&trials, workload.clone()), limits).unwrap();
        let selection = select(&budget);
        assert_eq!((selection.chosen, selection.kept_out), (vec![0], BTreeMap::from([(1, Reason::OverBudget)])));
        let one = Limits { max_indexes: Some(1), ..Limits::default() };
        assert_eq!(select(&one).kept_out, BTreeMap::from([(1, Reason::TooManyIndexes)]));
    }

    #[test]
    fn small_gains_are_no_gains() {
        assert_eq!(
            chosen(&[trial("a", 1, &[("s", 95.0)])], &statements(&[("s", 1.0, 100.0)]), &Limits::default()),
            [""; 0]
        );
    }

    /// A planner for which two indexes pay only together.
    struct Together;

    impl SetCosts for Together {
        fn ask(
            &mut self,
            set: &BTreeSet<usize>,
            statements: &[StatementId],
        ) -> Result<BTreeMap<StatementId, UnderSet>, PlannerError> {
            let both = set.is_superset(&[0, 1].into());
            let (cost, used) = if both { (Cost(10.0), [0, 1].into()) } else { (Cost(1_000.0), BTreeSet::new()) };
            Ok(statements.iter().map(|id| (id.clone(), UnderSet { cost, used: used.clone() })).collect())
        }
    }

    #[test]
    fn indexes_that_pay_only_together_are_picked_together() {
        let unused = |name| {
            let mut trial = trial(name, 100, &[("or", 1_000.0)]);
            if let TrialOutcome::Built { costs, .. } = &mut trial.outcome {
                costs.values_mut().for_each(|cost| cost.used = false);
            }
            trial
        };
        let trials = [unused("a"), unused("b"), unused("c")];
        let workload = statements(&[("or", 1.0, 1_000.0)]);
        assert_eq!(chosen(&trials, &workload, &Limits::default()), [""; 0]);
        let mut planner = Together;
        let mut known = KnownCosts::asking(&trials, workload, &mut planner);
        assert_eq!(choose(&mut known, &Limits::default()).unwrap().chosen, [0, 1]);
    }

    /// The same planner, for so many questions.
    struct ForAWhile {
        questions_left: usize,
    }

    impl SetCosts for ForAWhile {
        fn time_left(&mut self) -> bool {
            self.questions_left > 0
        }

        fn ask(
            &mut self,
            set: &BTreeSet<usize>,
            statements: &[StatementId],
        ) -> Result<BTreeMap<StatementId, UnderSet>, PlannerError> {
            assert!(self.time_left(), "nobody asks when time is up");
            self.questions_left -= 1;
            Together.ask(set, statements)
        }
    }

    #[test]
    fn when_time_is_up_what_was_found_is_kept() {
        let trials = [
            trial("a", 100, &[("or", 1_000.0)]),
            trial("b", 100, &[("or", 1_000.0)]),
            trial("c", 100, &[("alone", 5.0)]),
        ];
        let workload = statements(&[("or", 1.0, 1_000.0), ("alone", 1.0, 700.0)]);
        let chosen_within = |questions_left| {
            let mut planner = ForAWhile { questions_left };
            let mut known = KnownCosts::asking(&trials, workload.clone(), &mut planner);
            let Selection { chosen, cut_short, .. } = choose(&mut known, &Limits::default()).unwrap();
            (chosen.into_iter().collect::<BTreeSet<usize>>(), cut_short)
        };
        assert_eq!(chosen_within(0), ([2].into(), true), "what each index did alone has to do");
        let (everything, cut_short) = chosen_within(1_000);
        assert_eq!((&everything, cut_short), (&[0, 1, 2].into(), false));
        let needed = (0..).find(|questions| !chosen_within(*questions).1).unwrap();
        assert_eq!(chosen_within(needed).0, everything);
        let sizes: Vec<usize> = (0..=needed).map(|questions| chosen_within(questions).0.len()).collect();
        assert!(sizes.is_sorted(), "more time never finds less: {sizes:?}");
        assert!(needed > 0);
    }

    #[test]
    fn a_budget_goes_to_what_saves_most_for_its_size() {
        let trials = [
            trial("large", 1_000, &[("one", 10.0)]),
            trial("small_1", 400, &[("two", 10.0)]),
            trial("small_2", 400, &[("three", 10.0)]),
        ];
        let workload = statements(&[("one", 1.0, 1_000.0), ("two", 1.0, 900.0), ("three", 1.0, 900.0)]);
        let limits = Limits { budget: Some(Bytes(1_000)), ..Limits::default() };
        assert_eq!(chosen(&trials, &workload, &limits), ["small_1", "small_2"]);
    }

    #[test]
    fn an_index_that_costs_writers_more_than_it_gains_readers_is_left_out() {
        let trials = [trial("a", 100, &[("one", 10.0)])];
        let workload = statements(&[("one", 10.0, 100.0)]);
        let select = |upkeep| {
            let mut known = KnownCosts::of_singles(&trials, workload.clone()).with_upkeep(vec![upkeep]);
            choose(&mut known, &Limits::default()).unwrap()
        };
        assert_eq!(select(800.0).chosen, [0]);
        let left_out = select(1_000.0);
        assert_eq!((left_out.chosen, left_out.kept_out), (vec![], BTreeMap::from([(0, Reason::UpkeepTooHigh)])));
    }
}
