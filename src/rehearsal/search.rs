//! Which of the rehearsed indexes pay for the whole workload?
//!
//! Greedy over the trials: each was built alone, so the cost of a statement under a set is taken to be its cost under the
//! set's best member (exact as long as a plan uses one of them; the proof of the set has the last word). What a later pick made
//! unnecessary is taken out again. Deterministic: ties go to the smaller index, then to the name.

use std::collections::BTreeMap;

use super::{Build, Trial, TrialCost, TrialOutcome};
use crate::model::{Bytes, Cost};
use crate::verdict::Limits;
use crate::verdict::Reason;
use crate::workload::StatementId;

/// A statement's weight and its cost as things are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// How often it runs.
    pub calls: f64,
    /// Its plan's cost without any new index.
    pub cost: Cost,
}

/// Statements with their weights and costs.
pub type Costs = BTreeMap<StatementId, Weighted>;

/// What the search decided, by position in the list of trials.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// The indexes to prove, in the order they were picked.
    pub chosen: Vec<usize>,
    /// What a limit kept out.
    pub kept_out: BTreeMap<usize, Reason>,
}

/// A smaller index is taken instead of the best one if it leaves at most this much more to pay, as a share of what the best
/// leaves; a much smaller one (see [`MUCH_SMALLER`]) if it leaves at most twice as much. Size is what writes pay for.
const WORTH_A_SMALLER_INDEX: f64 = 0.1;
const WORTH_A_MUCH_SMALLER_INDEX: f64 = 1.0;
const MUCH_SMALLER: f64 = 0.25;

/// How much cheaper a statement that is served already has to become for another index to be worth it.
const WORTH_ANOTHER_INDEX: f64 = 2.0;

/// Picks indexes as long as one makes some statement cheaper by at least `--min-improvement`.
pub fn choose(trials: &[Trial], statements: &Costs, limits: &Limits) -> Selection {
    let mut selection = Selection::default();
    // Each round picks one; taking out what became unneeded could in principle go round in a circle.
    for _ in 0..2 * trials.len() {
        let costs = costs_under(trials, &selection.chosen, statements);
        let offers: Vec<Offer> = (0..trials.len())
            .filter(|position| !selection.chosen.contains(position))
            .filter_map(|position| Offer::of(position, &trials[position], &costs, statements, limits))
            .collect();
        let (affordable, too_large): (Vec<Offer>, Vec<Offer>) =
            offers.into_iter().partition(|offer| refused_by_limits(trials, &selection.chosen, offer, limits).is_none());
        for offer in too_large {
            let reason = refused_by_limits(trials, &selection.chosen, &offer, limits);
            selection.kept_out.insert(offer.position, reason.unwrap_or(Reason::OverBudget));
        }
        let Some(best) = best_offer(&affordable, trials) else { break };
        selection.chosen.push(best);
        drop_unneeded(trials, &mut selection.chosen, statements, limits);
    }
    exchange_for_smaller(trials, &mut selection.chosen, statements, limits);
    selection.kept_out.retain(|position, _| !selection.chosen.contains(position));
    selection
}

/// A pick may have been the best for several statements of which others were served better later; for what it still serves, a
/// smaller index may do, if no statement misses the larger one.
fn exchange_for_smaller(trials: &[Trial], chosen: &mut [usize], statements: &Costs, limits: &Limits) {
    for place in 0..chosen.len() {
        let with_present = costs_under(trials, chosen, statements);
        let mut others = chosen.to_vec();
        let present = others.remove(place);
        let without = costs_under(trials, &others, statements);
        let offer_of = |position: usize| Offer::of(position, &trials[position], &without, statements, limits);
        let Some(now) = offer_of(present) else { continue };
        let is_missed = |offer: &Offer| {
            let exchanged = costs_under(trials, &[others.as_slice(), &[offer.position]].concat(), statements);
            misses(&exchanged, &with_present, statements, limits)
        };
        let rest = (0..trials.len()).filter(|position| !others.contains(position)).filter_map(offer_of);
        let smaller: Vec<Offer> =
            rest.filter(|offer| offer.size <= now.size && is_near(offer, &now) && !is_missed(offer)).collect();
        if let Some(better) = best_offer(&smaller, trials) {
            chosen[place] = better;
        }
    }
}

/// Is there a statement for which going from these costs to those would be a gain?
fn misses(these: &Costs, those: &Costs, at_first: &Costs, limits: &Limits) -> bool {
    these.iter().any(|(id, these)| match (those.get(id), at_first.get(id)) {
        (Some(those), Some(at_first)) => is_gain(at_first.cost, these.cost, those.cost, limits),
        _ => false,
    })
}

/// What an index would bring now.
#[derive(Debug, Clone, Copy)]
struct Offer {
    position: usize,
    /// Σ calls × cost saved.
    gain: f64,
    /// Σ calls × cost left of the statements it helps.
    remaining: f64,
    size: Bytes,
}

impl Offer {
    /// None when no statement gains enough beside what is chosen already.
    fn of(position: usize, trial: &Trial, now: &Costs, at_first: &Costs, limits: &Limits) -> Option<Offer> {
        let (build, trial_costs) = built(trial)?;
        let mut offer = Offer { position, gain: 0.0, remaining: 0.0, size: build.size };
        for (id, trial) in trial_costs.iter().filter(|(_, trial)| trial.used) {
            let (Some(now), Some(at_first)) = (now.get(id), at_first.get(id)) else { continue };
            if is_gain(at_first.cost, now.cost, trial.cost, limits) {
                offer.gain += now.calls * (now.cost.0 - trial.cost.0);
                offer.remaining += now.calls * trial.cost.0;
            }
        }
        (offer.gain > 0.0).then_some(offer)
    }
}

/// Beside what is chosen already, another index has to save the least share of what the statement cost at first, or halve what
/// is left: going from 31 to 18 of once 3 000 is not worth an index, going from 257 to 18 is.
fn is_gain(at_first: Cost, now: Cost, after: Cost, limits: &Limits) -> bool {
    let of_the_whole = now.0 - after.0 >= limits.min_improvement.0 * at_first.0;
    let halved = now.factor_to(after) >= WORTH_ANOTHER_INDEX;
    limits.min_improvement.reached(now, after) && (of_the_whole || halved)
}

fn best_offer(offers: &[Offer], trials: &[Trial]) -> Option<usize> {
    let name = |offer: &Offer| &trials[offer.position].index.name;
    let largest =
        offers.iter().max_by(|a, b| a.gain.total_cmp(&b.gain).then(b.size.cmp(&a.size)).then(name(b).cmp(name(a))))?;
    let near = offers.iter().filter(|offer| is_near(offer, largest));
    near.min_by(|a, b| a.size.cmp(&b.size).then(b.gain.total_cmp(&a.gain)).then(name(a).cmp(name(b))))
        .map(|offer| offer.position)
}

fn is_near(offer: &Offer, best: &Offer) -> bool {
    let much_smaller = (offer.size.0 as f64) <= MUCH_SMALLER * best.size.0 as f64;
    let may_give_up = if much_smaller { WORTH_A_MUCH_SMALLER_INDEX } else { WORTH_A_SMALLER_INDEX };
    best.gain - offer.gain <= may_give_up * best.remaining
}

fn refused_by_limits(trials: &[Trial], chosen: &[usize], offer: &Offer, limits: &Limits) -> Option<Reason> {
    let taken: Bytes = chosen.iter().filter_map(|position| Some(built(&trials[*position])?.0.size)).sum();
    if limits.budget.is_some_and(|budget| taken.0 + offer.size.0 > budget.0) {
        return Some(Reason::OverBudget);
    }
    limits.max_indexes.is_some_and(|most| chosen.len() >= most).then_some(Reason::TooManyIndexes)
}

/// Takes out what no statement would miss by as much as a gain has to be.
fn drop_unneeded(trials: &[Trial], chosen: &mut Vec<usize>, statements: &Costs, limits: &Limits) {
    for position in chosen.clone() {
        let others: Vec<usize> = chosen.iter().copied().filter(|other| *other != position).collect();
        let with = costs_under(trials, chosen, statements);
        let without = costs_under(trials, &others, statements);
        if !misses(&without, &with, statements, limits) {
            *chosen = others;
        }
    }
}

/// Each statement's cost under the best member of the set.
pub fn costs_under(trials: &[Trial], chosen: &[usize], statements: &Costs) -> Costs {
    let mut costs = statements.clone();
    for (_, trial_costs) in chosen.iter().filter_map(|position| built(&trials[*position])) {
        for (id, trial) in trial_costs.iter().filter(|(_, trial)| trial.used) {
            if let Some(statement) = costs.get_mut(id) {
                statement.cost = Cost(statement.cost.0.min(trial.cost.0));
            }
        }
    }
    costs
}

fn built(trial: &Trial) -> Option<(&Build, &BTreeMap<StatementId, TrialCost>)> {
    match &trial.outcome {
        TrialOutcome::Built { build, costs } => Some((build, costs)),
        TrialOutcome::Refused(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Index, IndexKey, Key};
    use crate::model::{Millis, QualifiedName};
    use crate::rehearsal::NamedIndex;

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
        choose(trials, statements, limits)
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
        let selection = choose(&trials, &workload, &budget);
        assert_eq!((selection.chosen, selection.kept_out), (vec![0], BTreeMap::from([(1, Reason::OverBudget)])));
        let one = Limits { max_indexes: Some(1), ..Limits::default() };
        assert_eq!(choose(&trials, &workload, &one).kept_out, BTreeMap::from([(1, Reason::TooManyIndexes)]));
    }

    #[test]
    fn small_gains_are_no_gains() {
        assert_eq!(
            chosen(&[trial("a", 1, &[("s", 95.0)])], &statements(&[("s", 1.0, 100.0)]), &Limits::default()),
            [""; 0]
        );
    }
}
