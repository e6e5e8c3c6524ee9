//! The bound against exhaustive search, on random workloads.

use super::*;
use crate::search::costs::total;
use crate::search::known::KnownCosts;
use crate::search::plans::Knowledge;

/// Numbers that are the same in each run (a linear congruential generator; Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A planner that knows a few plans of each statement and takes the cheapest possible one.
struct Plans(BTreeMap<StatementId, Vec<(TrialSet, f64)>>);

const NOW: f64 = 1_000.0;

impl Plans {
    fn random(numbers: &mut Numbers, statements: u64, indexes: u64) -> Plans {
        let plan = |numbers: &mut Numbers| -> (TrialSet, f64) {
            let used = 1 + numbers.below(3);
            let used = (0..used).map(|_| TrialId(numbers.below(indexes) as usize));
            (used.collect(), 10.0 + numbers.below(900) as f64)
        };
        let of = |number: u64, numbers: &mut Numbers| {
            let plans = 1 + numbers.below(5);
            let plans = (0..plans).map(|_| plan(numbers)).collect();
            (StatementId(format!("s{number}")), plans)
        };
        Plans((0..statements).map(|number| of(number, numbers)).collect())
    }

    fn cheapest(&self, id: &StatementId, set: &TrialSet) -> (f64, TrialSet) {
        let plans = self.0[id].iter().filter(|(used, _)| used.is_subset(set));
        plans.fold((NOW, TrialSet::new()), |least, (used, cost)| {
            if *cost < least.0 {
                (*cost, used.clone())
            } else {
                least
            }
        })
    }

    fn sum(&self, set: &TrialSet) -> f64 {
        self.0.keys().map(|id| self.cheapest(id, set).0).sum()
    }

    /// The cheapest sum of any set that fits.
    fn best(&self, trials: &Trials, budget: Option<Bytes>) -> f64 {
        let number = trials.len();
        let sets = (0..1_u32 << number).map(|bits| -> TrialSet {
            let is_in = |id: &TrialId| bits & (1 << id.0) != 0;
            trials.ids().filter(is_in).collect()
        });
        let size = |set: &TrialSet| {
            set.iter()
                .filter_map(|id| trials[*id].size())
                .sum::<Bytes>()
        };
        let fitting = sets.filter(|set| budget.is_none_or(|budget| size(set) <= budget));
        fitting.map(|set| self.sum(&set)).fold(f64::MAX, f64::min)
    }

    fn trials(&self, numbers: &mut Numbers, indexes: u64) -> Trials {
        let one = |number: u64| {
            let id = TrialId(number as usize);
            let alone = self.0.keys().map(|statement| {
                let (cost, used) = self.cheapest(statement, &[id].into());
                (statement.clone(), cost, !used.is_empty())
            });
            let alone: Vec<_> = alone.collect();
            let costs: Vec<(&str, f64)> = alone
                .iter()
                .map(|(statement, cost, _)| (statement.0.as_str(), *cost))
                .collect();
            let mut one = trial(&format!("i{number}"), 50 + numbers.below(100), &costs);
            if let TrialOutcome::Tested { costs, .. } = &mut one.outcome {
                for (statement, _, is_used) in alone {
                    costs.get_mut(&statement).unwrap().used = is_used;
                }
            }
            one
        };
        (0..indexes).map(one).collect()
    }
}

impl SetPlanner for Plans {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        let under = |id: &StatementId| {
            let (cost, used) = self.cheapest(id, set);
            let under = SetCost {
                cost: Cost(cost),
                unpriced: Unpriced::default(),
                used,
            };
            (id.clone(), under)
        };
        Ok(Some(statements.iter().map(under).collect()))
    }
}

impl Plans {
    /// What the workload costs without any index.
    fn baseline(&self) -> Costs {
        let costs: Vec<(&str, f64, f64)> =
            self.0.keys().map(|id| (id.0.as_str(), 1.0, NOW)).collect();
        statements(&costs)
    }
}

#[test]
fn no_set_costs_less_than_the_bound() {
    const INDEXES: u64 = 8;
    let mut numbers = Numbers(7);
    let mut gaps = Vec::new();
    for workload in 0..100 {
        let mut plans = Plans::random(&mut numbers, 6, INDEXES);
        let trials = plans.trials(&mut numbers, INDEXES);
        let budget = (workload % 2 == 0).then_some(Bytes(250));
        let best = plans.best(&trials, budget);
        let baseline = plans.baseline();
        let limits = Limits {
            budget,
            ..Limits::default()
        };
        let mut known = KnownCosts::asking(&trials, baseline, &mut plans);
        let selection = choose(&mut known, &limits).unwrap();
        let optimality = selection.optimality.unwrap();
        assert!(
            optimality.bound.0 <= best + 1e-6,
            "workload {workload}: bound {} above the best, {best}",
            optimality.bound.0
        );
        let set: TrialSet = selection.chosen.iter().copied().collect();
        assert!((total(&known.under(&set).unwrap()).0 - optimality.cost.0).abs() < 1e-6);
        gaps.push(best / optimality.bound.0 - 1.0);
    }
    gaps.sort_by(f64::total_cmp);
    let median = gaps[gaps.len() / 2];
    assert!(median <= 0.05, "the bound is {median} below the best");
}

#[test]
fn within_a_budget_the_choice_is_nearly_the_best() {
    const INDEXES: u64 = 10;
    let limits = Limits {
        budget: Some(Bytes(300)),
        ..Limits::default()
    };
    let mut numbers = Numbers(11);
    let mut above: Vec<f64> = Vec::new();
    for _ in 0..100 {
        let mut plans = Plans::random(&mut numbers, 8, INDEXES);
        let trials = plans.trials(&mut numbers, INDEXES);
        let best = plans.best(&trials, limits.budget);
        let mut known = {
            let baseline = plans.baseline();
            KnownCosts::asking(&trials, baseline, &mut plans)
        };
        let chosen = choose(&mut known, &limits).unwrap().chosen;
        let set: TrialSet = chosen.iter().copied().collect();
        let size: Bytes = chosen.iter().filter_map(|id| trials[*id].size()).sum();
        assert!(size <= Bytes(300), "{size:?}");
        above.push(total(&known.under(&set).unwrap()).0 / best - 1.0);
    }
    above.sort_by(f64::total_cmp);
    // Less than the minimum gain is not chosen, and a much smaller index is taken where it does
    // nearly as well.
    assert!(above[0] >= -1e-9, "better than the best: {above:?}");
    assert!(above[50] <= 0.01, "median {}", above[50]);
    assert!(above[89] <= 0.05, "nine of ten {}", above[89]);
}

/// Counts the plans that another planner makes.
struct Counted<'p> {
    plans: &'p mut Plans,
    made: usize,
    gaps: Vec<f64>,
}

impl Counted<'_> {
    fn of(plans: &mut Plans) -> Counted<'_> {
        Counted {
            plans,
            made: 0,
            gaps: Vec::new(),
        }
    }
}

impl SetPlanner for Counted<'_> {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        self.made += statements.len();
        self.plans.ask(set, statements)
    }

    fn found(&mut self, so_far: &Optimality) {
        self.gaps.push(so_far.gap());
    }
}

#[test]
fn what_was_learned_is_not_asked_again() {
    let mut numbers = Numbers(3);
    let mut plans = Plans::random(&mut numbers, 8, 10);
    let trials = plans.trials(&mut numbers, 10);
    let baseline = plans.baseline();
    let limits = Limits {
        budget: Some(Bytes(300)),
        ..Limits::default()
    };
    let mut choose_with = |knowledge: Knowledge| {
        let mut counted = Counted::of(&mut plans);
        let mut known =
            KnownCosts::asking(&trials, baseline.clone(), &mut counted).remembering(knowledge);
        let selection = choose(&mut known, &limits).unwrap();
        let knowledge = known.into_knowledge();
        let optimality = selection.optimality.unwrap();
        let chosen = (selection.chosen, optimality.cost);
        (chosen, optimality.bound, knowledge, counted.made)
    };
    let (first, bound, mut knowledge, made) = choose_with(Knowledge::default());
    assert!(made > 0);
    let (again, _, _, made_again) = choose_with(knowledge.clone());
    assert_eq!((&again, made_again), (&first, 0));
    let resized = first.0.iter().copied().take(1);
    let larger: BTreeMap<TrialId, f64> = resized.clone().map(|id| (id, 1.05)).collect();
    knowledge.resize(&larger);
    let (same, _, _, made_then) = choose_with(knowledge.clone());
    assert_eq!((&same, made_then), (&first, 0), "about as large");
    let smaller: BTreeMap<TrialId, f64> = resized.clone().map(|id| (id, 0.95)).collect();
    let mut of_smaller = knowledge.clone();
    of_smaller.resize(&smaller);
    let (same, lower, _, _) = choose_with(of_smaller);
    assert_eq!(same, first);
    assert!(lower < bound, "{lower:?} {bound:?}");
    knowledge.resize(&resized.map(|id| (id, 2.0)).collect());
    let (resized, _, _, made_then) = choose_with(knowledge);
    assert_eq!(resized, first);
    assert!(made_then > 0 && made_then < made, "{made_then} of {made}");
}

#[test]
fn the_gap_that_is_shown_only_falls() {
    let mut shown = 0;
    for seed in 0..30 {
        let mut numbers = Numbers(seed);
        let mut plans = Plans::random(&mut numbers, 10, 14);
        let trials = plans.trials(&mut numbers, 14);
        let baseline = plans.baseline();
        let limits = Limits {
            budget: Some(Bytes(400)),
            ..Limits::default()
        };
        let mut counted = Counted::of(&mut plans);
        choose(
            &mut KnownCosts::asking(&trials, baseline, &mut counted),
            &limits,
        )
        .unwrap();
        assert!(
            counted.gaps.is_sorted_by(|before, then| then <= before),
            "{seed}: {:?}",
            counted.gaps
        );
        shown += counted.gaps.len();
    }
    assert!(shown >= 30, "{shown}");
}

/// Statements that few indexes can serve are not planned with all of them to find out which.
#[test]
fn there_is_a_bound_where_statements_have_one_candidate_or_two() {
    let plan = |used: &[usize], cost: f64| (used.iter().copied().map(TrialId).collect(), cost);
    let mut plans = Plans(
        [
            ("one", vec![plan(&[0], 10.0)]),
            ("two", vec![plan(&[1], 50.0), plan(&[1, 2], 20.0)]),
        ]
        .map(|(id, plans)| (StatementId(id.to_owned()), plans))
        .into(),
    );
    let trials = plans.trials(&mut Numbers(1), 3);
    let baseline = plans.baseline();
    let mut known = KnownCosts::asking(&trials, baseline, &mut plans);
    let optimality = choose(&mut known, &Limits::default())
        .unwrap()
        .optimality
        .unwrap();
    assert_eq!(optimality.cost, Cost(30.0));
    assert!((optimality.bound.0 - 30.0).abs() < 0.1, "{optimality:?}");
}

/// A planner whose plans for one statement are not believed where it has several indexes.
struct Blind(Plans);

impl SetPlanner for Blind {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        let mut answers = self.0.ask(set, statements)?;
        if let Some(answer) = answers
            .as_mut()
            .and_then(|all| all.get_mut(&StatementId("blind".to_owned())))
        {
            answer.unpriced.walks_blindly = set.len() > 1;
        }
        Ok(answers)
    }
}

/// One statement about which nothing is known takes its own cost from the bound, and nothing else.
#[test]
fn a_plan_that_is_not_believed_leaves_a_bound() {
    let plan = |used: &[usize], cost: f64| (used.iter().copied().map(TrialId).collect(), cost);
    let plans = Plans(
        [
            ("blind", vec![plan(&[0], 90.0), plan(&[1], 60.0)]),
            ("seen", vec![plan(&[1], 900.0), plan(&[2], 800.0)]),
        ]
        .map(|(id, plans)| (StatementId(id.to_owned()), plans))
        .into(),
    );
    let trials = plans.trials(&mut Numbers(1), 3);
    let baseline = plans.baseline();
    let mut planner = Blind(plans);
    let mut known = KnownCosts::asking(&trials, baseline, &mut planner);
    let optimality = choose(&mut known, &Limits::default())
        .unwrap()
        .optimality
        .unwrap();
    assert_eq!(optimality.cost, Cost(860.0));
    assert!((optimality.bound.0 - 800.0).abs() < 1.0, "{optimality:?}");
}

/// A planner whose cheapest plan reads the first index in its order until a few rows are found.
struct Walking(Plans);

impl SetPlanner for Walking {
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        let mut answers = self.0.ask(set, statements)?;
        for answer in answers.iter_mut().flat_map(BTreeMap::values_mut) {
            if answer.used.contains(&TrialId(0)) {
                answer.unpriced.to_its_end = Cost(5_000.0);
            }
        }
        Ok(answers)
    }
}

/// The index that finds the rows is chosen, and not the one that may have to be read to its end. The
/// bound, which is of the planner's costs, stays true.
#[test]
fn what_may_be_read_to_its_end_is_not_trusted() {
    let plan = |used: &[usize], cost: f64| (used.iter().copied().map(TrialId).collect(), cost);
    let plans = Plans(
        [("page", vec![plan(&[0], 40.0), plan(&[1], 60.0)])]
            .map(|(id, plans)| (StatementId(id.to_owned()), plans))
            .into(),
    );
    let mut trials = plans.trials(&mut Numbers(1), 2);
    if let TrialOutcome::Tested { costs, .. } = &mut trials.trial_mut(TrialId(0)).unwrap().outcome {
        for cost in costs.values_mut() {
            cost.unpriced.to_its_end = Cost(5_000.0);
        }
    }
    let baseline = plans.baseline();
    let mut planner = Walking(plans);
    let mut known = KnownCosts::asking(&trials, baseline, &mut planner);
    let found = choose(&mut known, &Limits::default()).unwrap();
    assert_eq!(found.chosen, [TrialId(1)]);
    let optimality = found.optimality.unwrap();
    assert_eq!(optimality.cost, Cost(60.0));
    assert!(optimality.bound.0 <= 40.0 + 0.1, "{optimality:?}");
    assert_eq!(optimality.distrusted, 1);
}

/// What the server refuses of a set is replaced with few questions, and nearly as well as by
/// another search.
#[test]
fn a_set_without_one_of_its_indexes_is_mended() {
    let limits = Limits {
        budget: Some(Bytes(400)),
        ..Limits::default()
    };
    let (mut above, mut made_anew, mut made_to_mend) = (Vec::new(), 0, 0);
    for seed in 0..50 {
        let mut numbers = Numbers(seed);
        let mut plans = Plans::random(&mut numbers, 10, 14);
        let mut trials = plans.trials(&mut numbers, 14);
        let baseline = plans.baseline();
        let mut known = KnownCosts::asking(&trials, baseline.clone(), &mut plans);
        let first = choose(&mut known, &limits).unwrap().chosen;
        let knowledge = known.into_knowledge();
        let refused = first[0];
        let cause = crate::planner::RefusalCause::NotUsedByServer;
        trials.trial_mut(refused).unwrap().refuse(cause);
        let mut again = |knowledge: Knowledge, before: Option<Vec<TrialId>>| {
            let mut counted = Counted::of(&mut plans);
            let known = KnownCosts::asking(&trials, baseline.clone(), &mut counted);
            let mut known = known.remembering(knowledge).again(before);
            let selection = choose(&mut known, &limits).unwrap();
            let set: TrialSet = selection.chosen.iter().copied().collect();
            assert!(!set.contains(&refused));
            let size: Bytes = set.iter().filter_map(|id| trials[*id].size()).sum();
            assert!(size <= Bytes(400), "{size:?}");
            (total(&known.under(&set).unwrap()).0, counted.made)
        };
        let (anew, questions) = again(Knowledge::default(), None);
        made_anew += questions;
        let left = first.into_iter().filter(|id| *id != refused).collect();
        let (mended, questions) = again(knowledge, Some(left));
        made_to_mend += questions;
        above.push(mended / anew - 1.0);
    }
    above.sort_by(f64::total_cmp);
    assert!(above[25] <= 0.01, "median {}", above[25]);
    assert!(above[44] <= 0.1, "nine of ten {}", above[44]);
    assert!(
        made_to_mend < made_anew / 2,
        "{made_to_mend} of {made_anew}"
    );
}
