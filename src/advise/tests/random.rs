//! Runs that are put together at random: what has to hold whatever the planners say.

use super::*;
use crate::planner::recording::{Recorder, Replay};
use crate::planner::test_planner::TestPlan;
use crate::planner::{Mode, RefusalCause};
use crate::report::json::Report;
use crate::report::run_measurements::RunMeasurements;
use crate::verdict::Reason;

/// Numbers that look random and are the same every time (Marsaglia: "Xorshift RNGs", 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    fn cost(&mut self) -> f64 {
        5.0 + self.below(2_200) as f64
    }

    fn size(&mut self) -> Bytes {
        Bytes((1 + self.below(6)) * Bytes::MB)
    }
}

/// Every index that a statement below may lead to, with the statements that it may help.
const INDEXES: &[(&str, &[&str])] = &[
    ("orders (a)", &["by-a", "both", "join"]),
    ("orders (b)", &["both"]),
    ("orders (c)", &["by-c"]),
    ("orders (a, b)", &["by-a", "both", "join"]),
    ("orders (b, a)", &["both"]),
    ("items (x)", &["join"]),
];

fn statements() -> TestPlanner {
    let items = table("items", &["id bigint", "x bigint"]);
    let both = seq_scan("orders", TODAY).filter("((orders.a = 5) AND (orders.b = 6))");
    let left = seq_scan("orders", TODAY).filter("(orders.a = 5)");
    let right = seq_scan("items", 500.0).filter("(items.x = 6)");
    let insert = TestPlan::result(0.01).modifying("Insert", "orders");
    let planner = TestPlanner::new([orders().existing("old", "(a)", MB), items]);
    looking_up(looking_up(planner, 3.0, "a"), 2.0, "c")
        .statement("both", "SELECT * FROM orders WHERE a = 5 AND b = 6", both)
        .statement(
            "join",
            "SELECT * FROM orders, items WHERE a = 5 AND x = 6",
            left.joined_with(right),
        )
        .called(40.0, "insert", "INSERT INTO orders VALUES (1)", insert)
}

fn costs(random: &mut Random, names: &'static [&'static str]) -> Vec<(&'static str, f64)> {
    let mut costs = Vec::new();
    for name in names {
        if !random.one_in(3) {
            costs.push((*name, random.cost()));
        }
    }
    costs
}

fn planner(random: &mut Random) -> TestPlanner {
    let mut planner = statements();
    for (text, names) in INDEXES {
        planner = planner.index(text, random.size(), &costs(random, names));
        if random.one_in(4) {
            planner = planner.costs(Target::Server, &[text], &costs(random, names));
        }
        if random.one_in(3) {
            planner = planner.size(Target::Server, text, random.size());
        }
        if random.one_in(12) {
            planner = planner.unusable(text);
        }
        if random.one_in(12) {
            planner = planner.refuses(Target::Server, text, refusal(random));
        }
        for name in *names {
            planner = planner.takes(name, Some(text), random.cost(), random.cost());
        }
    }
    let join = ["orders (a)", "items (x)"];
    planner = planner.together(&join, &[("join", random.cost() / 10.0)]);
    if random.one_in(6) {
        planner = planner.twin_cannot_plan("both", "no such function");
    }
    if random.one_in(4) {
        let last = random.below(12) as usize;
        let size = 1 + random.below(3) as usize;
        planner = planner.out_of_time_at(move |question| {
            question.indexes.len() > size || question.indexes.iter().any(|at| at.name.len() == last)
        });
    }
    planner
}

fn refusal(random: &mut Random) -> RefusalCause {
    match random.below(4) {
        0 => RefusalCause::LockTimeout(Millis(1_000.0)),
        1 => RefusalCause::WriteBlockTooLong(Millis(10_000.0)),
        2 => RefusalCause::StatementTimeout(Millis(30_000.0)),
        _ => RefusalCause::Server {
            reason: Reason::BuildFailed,
            message: "out of room".to_owned(),
        },
    }
}

fn limits(random: &mut Random) -> Limits {
    let rehearse = [
        Rehearse::Auto,
        Rehearse::Auto,
        Rehearse::Twin,
        Rehearse::Transaction,
    ];
    Limits {
        budget: random
            .one_in(2)
            .then(|| Bytes(random.below(12) * Bytes::MB)),
        max_indexes: random.one_in(4).then(|| random.below(4) as usize),
        max_write_block: Millis([500.0, 10_000.0][random.below(2) as usize]),
        rehearse: rehearse[random.below(4) as usize],
        analyze: random.one_in(3),
        ..Limits::default()
    }
}

fn json(advice: &Advice) -> String {
    Report::new(advice, &RunMeasurements::default())
        .to_json()
        .unwrap()
}

/// What holds for every advice.
fn check(advice: &Advice, limits: &Limits, planner: &TestPlanner) {
    let size: Bytes = advice.recommendations.iter().map(|found| found.size).sum();
    assert!(limits.budget.is_none_or(|budget| size <= budget), "{size}");
    let number = advice.recommendations.len();
    assert!(limits.max_indexes.is_none_or(|most| number <= most));
    for found in &advice.recommendations {
        assert!(!found.benefits.is_empty(), "{}", found.index.name);
        for benefit in &found.benefits {
            let (before, after) = (benefit.before, benefit.after);
            assert!(limits.min_improvement.reached(before, after));
        }
    }
    for statement in &advice.statements {
        let is_helped = !statement.recommendations.is_empty();
        assert_eq!(
            statement.no_index.is_none(),
            is_helped,
            "{}",
            statement.statement.id
        );
    }
    check_verdicts(advice, limits);
    let mut all: Vec<String> = recommended(advice);
    let rejected = advice.rejected.iter();
    all.extend(rejected.map(|rejected| short(&rejected.index.definition.definition())));
    let once: BTreeSet<&String> = all.iter().collect();
    assert_eq!(
        once.len(),
        all.len(),
        "each candidate has one verdict: {all:?}"
    );
    check_questions(limits, planner);
}

fn check_verdicts(advice: &Advice, limits: &Limits) {
    let is_limited = limits.budget.is_some() || limits.max_indexes.is_some();
    for rejected in &advice.rejected {
        match &rejected.rejection {
            Rejection::OverLimit { reason, .. } => {
                assert_eq!(*reason == Reason::Negligible, !is_limited, "{rejected:?}");
            }
            Rejection::Slower { .. } | Rejection::SlowerThan(_) => assert!(limits.analyze),
            Rejection::Refused(RefusalCause::OutOfTime) => assert!(advice.rehearsal.out_of_time),
            _ => {}
        }
    }
    let recommended = advice.recommendations.iter().map(|found| &found.index.name);
    let there: BTreeSet<&str> = recommended.map(String::as_str).chain(["old"]).collect();
    for statement in &advice.statements {
        let after = statement.after.iter();
        for name in after.flat_map(crate::plan::Plan::index_names) {
            assert!(there.contains(name), "{name} is not recommended");
        }
    }
}

fn check_questions(limits: &Limits, planner: &TestPlanner) {
    let asked = planner.asked();
    if limits.rehearse == Rehearse::Twin {
        assert!(!asked.iter().any(is_build), "only in the twin");
    }
    let verified = asked
        .iter()
        .filter(|asked| is_build(asked) && asked.skippable.is_none() && asked.mode == Mode::Plan);
    let mut built: Vec<String> = verified.map(ToString::to_string).collect();
    let number = built.len();
    built.sort();
    built.dedup();
    assert_eq!(built.len(), number, "built twice");
    for asked in asked.iter().filter(|asked| is_build(asked)) {
        assert!(!asked.statements.is_empty(), "built for nothing: {asked}");
    }
}

/// Those of the last ones once showed something wrong.
fn seeds() -> impl Iterator<Item = u64> {
    (1..=60).chain([384, 804])
}

#[test]
fn whatever_the_planners_say() {
    for seed in seeds() {
        let run = std::panic::catch_unwind(|| run_and_check(seed));
        assert!(run.is_ok(), "seed {seed}");
    }
}

fn run_and_check(seed: u64) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
    random.next();
    let (mut planner, limits) = (planner(&mut random), limits(&mut random));
    let workload = planner.workload().clone();
    let mut recorder = Recorder::new(&mut planner);
    let announced = RefCell::default();
    let advice = advise(&workload, &limits, &mut recorder, &|event| {
        note_announced(&announced, event);
    })
    .unwrap();
    let recording = recorder.finish(workload.clone(), limits.clone());
    check(&advice, &limits, &planner);
    check_announced(&announced.into_inner(), &planner);
    let mut replay = Replay::new(&recording);
    let again = advise(&workload, &limits, &mut replay, &|_| {}).unwrap();
    assert_eq!((replay.unused(), json(&again)), (0, json(&advice)));
}
