use super::*;
use std::collections::BTreeSet;

use super::costs::Costs;
use crate::index::{Index, IndexKey, Key};
use crate::model::{Bytes, Cost};
use crate::model::{Millis, QualifiedName};
use crate::planner::{NamedIndex, TestedIndex};
use crate::search::costs::Weighted;
use crate::search::known::{SetCost, SetPlanner, Superseded};
use crate::search::write_cost::{WriteCosts, WriteLoad};
use crate::workload::StatementId;

fn trial(name: &str, size: u64, costs: &[(&str, f64)]) -> Trial {
    let index = Index::btree(
        QualifiedName::new("public", "t"),
        vec![IndexKey::ascending(Key::Column(name.to_owned()))],
    );
    let tested = TestedIndex {
        names: [name.to_owned()].into(),
        body: String::new(),
        size: Bytes(size),
        build_time: Some(Millis(1.0)),
        usable: true,
    };
    let costs = costs.iter().map(|(id, cost)| {
        (
            StatementId((*id).to_owned()),
            TrialCost {
                cost: Cost(*cost),
                used: true,
                unpriced: Unpriced::default(),
            },
        )
    });
    Trial {
        index: NamedIndex {
            name: name.to_owned(),
            definition: index,
        },
        asked_by: BTreeSet::new(),
        outcome: TrialOutcome::Tested {
            index: tested,
            costs: costs.collect(),
        },
    }
}

fn ids<const N: usize>(positions: [usize; N]) -> TrialSet {
    positions.map(TrialId).into()
}

fn statements(costs: &[(&str, f64, f64)]) -> Costs {
    let weighted = |(id, calls, cost): &(&str, f64, f64)| {
        (
            StatementId((*id).to_owned()),
            Weighted {
                calls: *calls,
                cost: Cost(*cost),
                unpriced: Unpriced::default(),
            },
        )
    };
    costs.iter().map(weighted).collect()
}

fn chosen(trials: &Trials, statements: &Costs, limits: &Limits) -> Vec<String> {
    choose(
        &mut KnownCosts::from_trials(trials, statements.clone()),
        limits,
    )
    .unwrap()
    .chosen
    .into_iter()
    .map(|id| trials[id].index.name.clone())
    .collect()
}

#[test]
fn the_smaller_of_two_nearly_equal_indexes_is_taken() {
    let trials = Trials::from_iter([
        trial("large", 9_000, &[("s", 10.0)]),
        trial("small", 100, &[("s", 10.5)]),
        trial("poor", 10, &[("s", 600.0)]),
    ]);
    assert_eq!(
        chosen(
            &trials,
            &statements(&[("s", 1.0, 1_000.0)]),
            &Limits::default()
        ),
        ["small"]
    );
}

#[test]
fn a_much_smaller_index_may_leave_a_few_pages_more_to_pay() {
    let workload = statements(&[("s", 1.0, 3_000.0)]);
    let trials = |cost| {
        Trials::from_iter([
            trial("full", 8_000, &[("s", 18.0)]),
            trial("partial", 48, &[("s", cost)]),
        ])
    };
    assert_eq!(
        chosen(&trials(31.0), &workload, &Limits::default()),
        ["partial"]
    );
    assert_eq!(
        chosen(&trials(40.0), &workload, &Limits::default()),
        ["full"]
    );
}

/// The statement s with two classes of values, the second of which is rare.
fn chosen_for_classes(trials: &Trials, rare_calls: f64) -> Vec<String> {
    let workload = statements(&[("s#1", 90.0, 1_000.0), ("s#2", rare_calls, 1_000.0)]);
    let s = |id: &str| StatementId(id.to_owned());
    let mut known = KnownCosts::from_trials(trials, workload)
        .with_classes([(s("s#1"), s("s")), (s("s#2"), s("s"))].into());
    let chosen = choose(&mut known, &Limits::default()).unwrap().chosen;
    let name = |id: TrialId| trials[id].index.name.clone();
    chosen.into_iter().map(name).collect()
}

#[test]
fn what_only_a_rare_class_of_values_gains_a_little_by_is_not_another_index() {
    let trials = Trials::from_iter([
        trial("both", 9_000, &[("s#1", 40.0), ("s#2", 50.0)]),
        trial("rare", 10, &[("s#2", 20.0)]),
    ]);
    assert_eq!(chosen_for_classes(&trials, 10.0), ["both"]);
    let mut both_and_rare = chosen_for_classes(&trials, 900.0);
    both_and_rare.sort();
    assert_eq!(both_and_rare, ["both", "rare"], "rare no more");
}

#[test]
fn a_rare_class_of_values_does_not_lose_much() {
    let trials = Trials::from_iter([
        trial("both", 9_000, &[("s#1", 40.0), ("s#2", 300.0)]),
        trial("rare", 10, &[("s#2", 20.0)]),
    ]);
    let mut chosen = chosen_for_classes(&trials, 1.0);
    chosen.sort();
    assert_eq!(chosen, ["both", "rare"]);
}

/// `(a, b)` under its first column's name.
fn with_second_column(mut trial: Trial, column: &str) -> Trial {
    let key = IndexKey::ascending(Key::Column(column.to_owned()));
    trial.index.definition.keys.push(key);
    trial
}

#[test]
fn one_index_serves_two_classes_of_a_statements_values() {
    let trials = |both: f64| {
        Trials::from_iter([
            trial("opened", 900, &[("s#1", 3.0)]),
            with_second_column(
                trial("grade", 1_000, &[("s#1", both), ("s#2", 5.0)]),
                "opened",
            ),
        ])
    };
    let chosen = |both, cost| {
        let workload = statements(&[("s#1", 90.0, cost), ("s#2", 10.0, cost)]);
        let s = |id: &str| StatementId(id.to_owned());
        let trials = trials(both);
        let mut known = KnownCosts::from_trials(&trials, workload)
            .with_classes([(s("s#1"), s("s")), (s("s#2"), s("s"))].into());
        let chosen = choose(&mut known, &Limits::default()).unwrap().chosen;
        chosen.len()
    };
    assert_eq!(
        chosen(45.0, 5_000.0),
        1,
        "45 and 3 are both nothing of 5,000"
    );
    assert_eq!(chosen(45.0, 500.0), 2, "45 is ten times 3, and much of 500");
    assert_eq!(
        chosen(450.0, 90_000.0),
        2,
        "450 is noticed, whatever it was before"
    );
}

/// Without a budget one index in the place of two is worth a tenth of a statement's cost. Within one,
/// the size of both is granted already.
#[test]
fn within_a_budget_two_indexes_are_not_made_one_that_costs_more() {
    let mut both = with_second_column(trial("a", 700, &[("s", 109.0), ("t", 1_050.0)]), "b");
    both.index.name = "ab".to_owned();
    let trials = Trials::from_iter([
        trial("b", 500, &[("s", 100.0)]),
        trial("a", 500, &[("t", 1_000.0)]),
        both,
    ]);
    let workload = statements(&[("s", 1.0, 2_000.0), ("t", 1.0, 2_000.0)]);
    let within = |budget| {
        let limits = Limits {
            budget,
            ..Limits::default()
        };
        chosen(&trials, &workload, &limits)
    };
    assert_eq!(within(None), ["ab"]);
    let mut within_a_budget = within(Some(Bytes(5_000)));
    within_a_budget.sort();
    assert_eq!(within_a_budget, ["a", "b"]);
    assert_eq!(within(Some(Bytes(800))), ["ab"], "two do not fit");
}

#[test]
fn an_index_made_unnecessary_by_a_later_one_goes() {
    let trials = Trials::from_iter([
        trial("a", 100, &[("one", 50.0)]),
        trial("ab", 150, &[("one", 51.0), ("two", 5.0)]),
    ]);
    let workload = statements(&[("one", 1_000.0, 500.0), ("two", 1.0, 100.0)]);
    assert_eq!(chosen(&trials, &workload, &Limits::default()), ["ab"]);
}

#[test]
fn a_cheap_statement_gets_its_index_beside_a_dominating_one() {
    let trials = Trials::from_iter([
        trial("big", 100, &[("huge", 10.0)]),
        trial("little", 100, &[("tiny", 1.0)]),
    ]);
    let workload = statements(&[("huge", 1e9, 1e6), ("tiny", 1.0, 2.0)]);
    assert_eq!(
        chosen(&trials, &workload, &Limits::default()),
        ["big", "little"]
    );
}

#[test]
fn a_pick_for_two_statements_makes_room_when_one_is_served_better() {
    let trials = Trials::from_iter([
        trial("both", 8_000, &[("one", 18.0), ("two", 400.0)]),
        trial("two_only", 40, &[("two", 4.0)]),
        trial("one_only", 48, &[("one", 31.0)]),
    ]);
    let workload = statements(&[("one", 1.0, 10_000.0), ("two", 1.0, 9_000.0)]);
    assert_eq!(
        chosen(&trials, &workload, &Limits::default()),
        ["one_only", "two_only"]
    );
}

#[test]
fn limits_keep_indexes_out_and_say_so() {
    let trials = Trials::from_iter([
        trial("a", 1_000, &[("one", 1.0)]),
        trial("b", 1_000, &[("two", 1.0)]),
    ]);
    let workload = statements(&[("one", 1.0, 100.0), ("two", 1.0, 50.0)]);
    let budget = Limits {
        budget: Some(Bytes(1_500)),
        ..Limits::default()
    };
    let select = |limits: &Limits| {
        choose(
            &mut KnownCosts::from_trials(&trials, workload.clone()),
            limits,
        )
        .unwrap()
    };
    let selection = select(&budget);
    assert_eq!(
        (selection.chosen, selection.kept_out),
        (
            vec![TrialId(0)],
            BTreeMap::from([(TrialId(1), Reason::OverBudget)])
        )
    );
    let one = Limits {
        max_indexes: Some(1),
        ..Limits::default()
    };
    assert_eq!(
        select(&one).kept_out,
        BTreeMap::from([(TrialId(1), Reason::TooManyIndexes)])
    );
}

#[test]
fn small_gains_are_no_gains() {
    assert_eq!(
        chosen(
            &Trials::from_iter([trial("a", 1, &[("s", 95.0)])]),
            &statements(&[("s", 1.0, 100.0)]),
            &Limits::default()
        ),
        [""; 0]
    );
}

/// A planner for which two indexes pay only together.
struct PairPlanner;

impl SetPlanner for PairPlanner {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        let both = set.is_superset(&ids([0, 1]));
        let (cost, used) = if both {
            (Cost(10.0), ids([0, 1]))
        } else {
            (Cost(1_000.0), BTreeSet::new())
        };
        let under = |id: &StatementId| {
            let used = used.clone();
            (
                id.clone(),
                SetCost {
                    cost,
                    unpriced: Unpriced {
                        ands_bitmaps: both,
                        ..Unpriced::default()
                    },
                    used,
                },
            )
        };
        Ok(Some(statements.iter().map(under).collect()))
    }
}

#[test]
fn indexes_that_pay_only_together_are_picked_together() {
    let unused = |name| {
        let mut trial = trial(name, 100, &[("or", 1_000.0)]);
        if let TrialOutcome::Tested { costs, .. } = &mut trial.outcome {
            costs.values_mut().for_each(|cost| cost.used = false);
        }
        trial
    };
    let trials = Trials::from_iter([unused("a"), unused("b"), unused("c")]);
    let workload = statements(&[("or", 1.0, 1_000.0)]);
    assert_eq!(chosen(&trials, &workload, &Limits::default()), [""; 0]);
    let mut planner = PairPlanner;
    let mut known = KnownCosts::asking(&trials, workload, &mut planner);
    assert_eq!(
        choose(&mut known, &Limits::default()).unwrap().chosen,
        [TrialId(0), TrialId(1)]
    );
}

/// The same planner, for so many questions.
struct LimitedPlanner {
    questions_left: usize,
}

impl SetPlanner for LimitedPlanner {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        if self.questions_left == 0 {
            return Ok(None);
        }
        self.questions_left -= 1;
        PairPlanner.ask(set, statements)
    }
}

#[test]
fn when_time_is_up_what_was_found_is_kept() {
    let trials = Trials::from_iter([
        trial("a", 100, &[("or", 1_000.0)]),
        trial("b", 100, &[("or", 1_000.0)]),
        trial("c", 100, &[("alone", 5.0)]),
    ]);
    let workload = statements(&[("or", 1.0, 1_000.0), ("alone", 1.0, 700.0)]);
    let chosen_within = |questions_left| {
        let mut planner = LimitedPlanner { questions_left };
        let mut known = KnownCosts::asking(&trials, workload.clone(), &mut planner);
        let Selection {
            chosen, cut_short, ..
        } = choose(&mut known, &Limits::default()).unwrap();
        (chosen.into_iter().collect::<TrialSet>(), cut_short)
    };
    assert_eq!(
        chosen_within(0),
        (ids([2]), true),
        "what each index did alone has to do"
    );
    let (everything, cut_short) = chosen_within(1_000);
    assert_eq!((&everything, cut_short), (&ids([0, 1, 2]), false));
    let needed = (0..)
        .find(|questions| !chosen_within(*questions).1)
        .unwrap();
    assert_eq!(chosen_within(needed).0, everything);
    let sizes: Vec<usize> = (0..=needed)
        .map(|questions| chosen_within(questions).0.len())
        .collect();
    assert!(sizes.is_sorted(), "more time never finds less: {sizes:?}");
    assert!(needed > 0);
}

/// The same planner, and a clock that was looked at so many times when the time is over.
struct ClockedPlanner {
    looks_left: usize,
    looks: usize,
}

impl SetPlanner for ClockedPlanner {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        PairPlanner.ask(set, statements)
    }

    fn has_time(&mut self) -> Result<bool, PlannerError> {
        self.looks += 1;
        Ok(self.looks <= self.looks_left)
    }
}

#[test]
fn what_the_search_works_out_without_questions_takes_time_too() {
    let trials = Trials::from_iter([
        trial("a", 100, &[("or", 1_000.0)]),
        trial("b", 100, &[("or", 1_000.0)]),
        trial("c", 100, &[("alone", 5.0)]),
    ]);
    let workload = statements(&[("or", 1.0, 1_000.0), ("alone", 1.0, 700.0)]);
    let limits = Limits {
        budget: Some(Bytes(1_000)),
        ..Limits::default()
    };
    let chosen_within = |looks_left| {
        let mut planner = ClockedPlanner {
            looks_left,
            looks: 0,
        };
        let mut known = KnownCosts::asking(&trials, workload.clone(), &mut planner);
        let Selection {
            chosen, cut_short, ..
        } = choose(&mut known, &limits).unwrap();
        let chosen: TrialSet = chosen.into_iter().collect();
        (chosen, cut_short, planner.looks)
    };
    let (everything, cut_short, looks) = chosen_within(usize::MAX);
    assert_eq!((&everything, cut_short), (&ids([0, 1, 2]), false));
    for looks_left in 0..looks {
        let (chosen, cut_short, looks) = chosen_within(looks_left);
        assert!(chosen.contains(&TrialId(2)), "the trials say what it does");
        assert!(cut_short);
        assert_eq!(looks, looks_left + 1, "once it is over, it stays so");
    }
}

/// Two indexes of which each is hardly missed beside the other, though both are a gain; a third one
/// serves another statement.
struct NearlyUnneeded;

impl SetPlanner for NearlyUnneeded {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        let of = |id: &StatementId| match id.0.as_str() {
            "two" => (
                1_000.0 - 80.0 * set.iter().filter(|id| id.0 < 2).count() as f64,
                set & &ids([0, 1]),
            ),
            _ => (
                if set.contains(&TrialId(2)) {
                    10.0
                } else {
                    100.0
                },
                set & &ids([2]),
            ),
        };
        let under = |id: &StatementId| {
            let (cost, used) = of(id);
            (
                id.clone(),
                SetCost {
                    cost: Cost(cost),
                    unpriced: Unpriced::default(),
                    used,
                },
            )
        };
        Ok(Some(statements.iter().map(under).collect()))
    }
}

#[test]
fn what_is_taken_out_again_at_once_does_not_keep_others_out() {
    let trials = Trials::from_iter([
        trial("a", 100, &[("two", 920.0)]),
        trial("b", 100, &[("two", 920.0)]),
        trial("c", 100, &[("other", 10.0)]),
    ]);
    let workload = statements(&[("two", 1.0, 1_000.0), ("other", 1.0, 100.0)]);
    let mut planner = NearlyUnneeded;
    let mut known = KnownCosts::asking(&trials, workload, &mut planner);
    assert_eq!(known.bundles(&[]).unwrap(), [[TrialId(0), TrialId(1)]]);
    assert_eq!(
        choose(&mut known, &Limits::default()).unwrap().chosen,
        [TrialId(2)]
    );
}

#[test]
fn columns_that_nothing_would_miss_are_taken_off() {
    let keys = |names: &[&str]| {
        names
            .iter()
            .map(|name| IndexKey::ascending(Key::Column((*name).to_owned())))
            .collect::<Vec<_>>()
    };
    let with_keys = |name, size, cost, of: &[&str]| {
        let mut trial = trial(name, size, &[("s", cost)]);
        trial.index.definition.keys = keys(of);
        trial
    };
    let workload = statements(&[("s", 1.0, 1_000.0)]);
    let long_and = |short_cost| {
        Trials::from_iter([
            with_keys("long", 100, 10.0, &["a", "b"]),
            with_keys("short", 101, short_cost, &["a"]),
            with_keys("other", 90, 500.0, &["b"]),
        ])
    };
    assert_eq!(
        chosen(&long_and(10.5), &workload, &Limits::default()),
        ["short"]
    );
    assert_eq!(
        chosen(&long_and(15.0), &workload, &Limits::default()),
        ["long"]
    );
    let limits = Limits {
        budget: Some(Bytes(100)),
        ..Limits::default()
    };
    assert_eq!(
        chosen(&long_and(10.5), &workload, &limits),
        ["long"],
        "a budget is kept"
    );
}

#[test]
fn two_bitmaps_do_no_better_than_one_index_with_both_keys() {
    let unused = |name| {
        let mut trial = trial(name, 100, &[("and", 1_000.0)]);
        if let TrialOutcome::Tested { costs, .. } = &mut trial.outcome {
            costs.values_mut().for_each(|cost| cost.used = false);
        }
        trial
    };
    let mut both = trial("both", 200, &[("and", 300.0)]);
    both.index.definition.keys = ["a", "b"]
        .map(|name| IndexKey::ascending(Key::Column(name.to_owned())))
        .into_iter()
        .collect();
    let trials = Trials::from_iter([unused("a"), unused("b"), both]);
    let mut planner = PairPlanner;
    let mut known = KnownCosts::asking(&trials, statements(&[("and", 1.0, 1_000.0)]), &mut planner);
    assert!(known.bundles(&[]).unwrap().is_empty());
}

#[test]
fn a_budget_goes_to_what_saves_most_for_its_size() {
    let trials = Trials::from_iter([
        trial("large", 1_000, &[("one", 10.0)]),
        trial("small_1", 400, &[("two", 10.0)]),
        trial("small_2", 400, &[("three", 10.0)]),
    ]);
    let workload = statements(&[
        ("one", 1.0, 1_000.0),
        ("two", 1.0, 900.0),
        ("three", 1.0, 900.0),
    ]);
    let limits = Limits {
        budget: Some(Bytes(1_000)),
        ..Limits::default()
    };
    assert_eq!(chosen(&trials, &workload, &limits), ["small_1", "small_2"]);
}

#[test]
fn an_index_that_costs_writers_more_than_it_gains_readers_is_left_out() {
    let trials = Trials::from_iter([trial("a", 100, &[("one", 10.0)])]);
    let workload = statements(&[("one", 10.0, 100.0)]);
    let select = |entry| {
        let load = WriteLoad {
            versions: 1.0,
            on: ids([0]),
            ..WriteLoad::default()
        };
        let write_costs = WriteCosts {
            entries: BTreeMap::from([(TrialId(0), entry)]),
            loads: vec![load],
        };
        let mut known =
            KnownCosts::from_trials(&trials, workload.clone()).with_write_costs(write_costs);
        choose(&mut known, &Limits::default()).unwrap()
    };
    assert_eq!(select(800.0).chosen, [TrialId(0)]);
    let left_out = select(1_000.0);
    assert_eq!(
        (left_out.chosen, left_out.kept_out),
        (
            vec![],
            BTreeMap::from([(TrialId(0), Reason::UpkeepTooHigh)])
        )
    );
}

/// A larger index in whose place an existing one could go is smaller only in the end: the budget is
/// for what is new.
#[test]
fn what_an_index_frees_makes_no_room_in_a_budget() {
    let trials = Trials::from_iter([
        trial("b", 40, &[("s", 10.0)]),
        trial("ab", 110, &[("s", 10.5)]),
    ]);
    let workload = statements(&[("s", 1.0, 1_000.0)]);
    let chosen_within = |budget| {
        let existing = (QualifiedName::new("public", "t_a_idx"), Bytes(80));
        let superseded = BTreeMap::from([(TrialId(1), Superseded::from([existing]))]);
        let mut known =
            KnownCosts::from_trials(&trials, workload.clone()).with_superseded(superseded);
        choose(
            &mut known,
            &Limits {
                budget,
                ..Limits::default()
            },
        )
        .unwrap()
        .chosen
    };
    assert_eq!(
        chosen_within(None),
        [TrialId(1)],
        "30 more than there is today, not 40"
    );
    assert_eq!(chosen_within(Some(Bytes(120))), [TrialId(1)]);
    assert_eq!(chosen_within(Some(Bytes(100))), [TrialId(0)]);
}

/// A planner that counts the plans it makes; it uses whatever is cheapest, or nothing.
struct Counting {
    cheap: TrialSet,
    plans: usize,
}

impl SetPlanner for Counting {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        self.plans += statements.len();
        let used: TrialSet = (set & &self.cheap).into_iter().take(1).collect();
        let under = |id: &StatementId| {
            let cost = if used.is_empty() { 1_000.0 } else { 10.0 };
            let under = SetCost {
                cost: Cost(cost),
                unpriced: Unpriced::default(),
                used: used.clone(),
            };
            (id.clone(), under)
        };
        Ok(Some(statements.iter().map(under).collect()))
    }
}

#[test]
fn ideas_that_bring_nothing_beside_the_chosen_share_a_question() {
    let trials: Trials = (0..10)
        .map(|number| trial(&format!("i{number}"), 100, &[("s", 10.0)]))
        .collect();
    let mut planner = Counting {
        cheap: ids([0]),
        plans: 0,
    };
    let workload = statements(&[("s", 1.0, 1_000.0)]);
    let mut known = KnownCosts::asking(&trials, workload, &mut planner);
    let others: TrialSet = (1..10).map(TrialId).collect();
    known.explore(&ids([0]), &others).unwrap();
    for other in others {
        let set = [TrialId(0), other].into();
        assert_eq!(known.under(&set).unwrap().as_slice()[0].cost, Cost(10.0));
    }
    assert_eq!(planner.plans, 1, "one plan, with all of them");
}

#[test]
fn what_only_better_indexes_hide_is_worth_testing() {
    let untested = |name| trial(name, 100, &[]);
    let trials: Trials = ["a", "b", "c", "d"].map(untested).into_iter().collect();
    let mut planner = Counting {
        cheap: ids([1, 3]),
        plans: 0,
    };
    let s = StatementId("s".to_owned());
    let offered = trials.ids().map(|id| (id, &s));
    let workload = statements(&[("s", 1.0, 1_000.0)]);
    let known = KnownCosts::asking(&trials, workload, &mut planner);
    let worth = known.offering(offered).worth_testing().unwrap();
    assert_eq!(worth.into_keys().collect::<TrialSet>(), ids([1, 3]));
}

mod bound;
mod negligible;
