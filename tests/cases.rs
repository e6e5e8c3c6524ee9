//! The cases of `fixtures/cases` are complete, and their verdicts follow from what is measured.
//! `make bench-cases` executes them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "../benches/advice/case_files.rs"]
#[allow(dead_code, reason = "only the benchmark needs all of it")]
mod case_files;
#[path = "../benches/advice/case_verdict.rs"]
mod case_verdict;

use std::collections::BTreeSet;

use case_files::{Case, Named, folder, names};
use case_verdict::{Compared, Followed, Index, Measured, Verdict, judge, worst_factor};
use pgrehearse::internals::workload::{Workload, file};

fn names_of(statements: &[Named]) -> BTreeSet<&str> {
    statements.iter().map(|one| one.name.as_str()).collect()
}

#[test]
fn every_case_is_complete() {
    let names = names(&folder());
    assert!(!names.is_empty());
    for name in names {
        let case = Case::read(&folder(), &name);
        assert!(!case.about.problem.is_empty(), "{name}");
        assert!(!case.about.expert.is_empty(), "{name}");
        assert!(!case.setup.is_empty(), "{name}");
        let mut workload = Workload::default();
        file::read("workload.sql", &case.workload, &mut workload).unwrap();
        let unnamed = |name: &str| name.contains(':');
        for one in workload.statements() {
            assert!(!unnamed(&one.id.0), "{name}: {}", one.sql);
        }
        for one in &case.measured {
            assert!(!unnamed(&one.name), "{name}: {}", one.sql);
        }
        assert!(!case.measured.is_empty(), "{name}");
        let expert = names_of(&case.expert_queries);
        assert!(
            expert.is_subset(&names_of(&case.measured)),
            "{name}: {expert:?}"
        );
    }
}

fn measured(cost: f64, ms: f64, indexes: &[&str]) -> Measured {
    Measured {
        cost,
        ms,
        indexes: indexes.iter().map(|&name| name.to_owned()).collect(),
    }
}

/// Slow without advice, fast with the expert's, and with ours as given.
fn compared(cost: f64, ms: f64) -> Compared {
    Compared {
        name: "list".to_owned(),
        before: measured(1000.0, 100.0, &[]),
        expert: measured(10.0, 10.0, &["x1"]),
        ours: Ok(measured(cost, ms, &["i1"])),
    }
}

fn followed(bytes: u64, indexes: &[&str]) -> Followed {
    let index = |name: &&str| Index {
        name: (*name).to_owned(),
        parts: BTreeSet::new(),
    };
    Followed {
        bytes,
        indexes: indexes.iter().map(index).collect(),
        ..Followed::default()
    }
}

fn verdict_of(compared: Compared) -> Verdict {
    judge(
        &[compared],
        &followed(1000, &["i1"]),
        &followed(1000, &["x1"]),
    )
}

#[test]
fn as_fast_as_the_expert_is_good() {
    assert_eq!(verdict_of(compared(99.0, 15.0)), Verdict::Good);
    assert_eq!(verdict_of(compared(99.0, 15.1)), Verdict::Worse);
}

#[test]
fn at_the_same_cost_more_time_is_noise() {
    assert_eq!(verdict_of(compared(10.5, 30.0)), Verdict::Good);
    assert_eq!(verdict_of(compared(10.6, 30.0)), Verdict::Worse);
    assert_eq!(verdict_of(compared(10.5, 30.1)), Verdict::Worse);
}

#[test]
fn what_takes_no_time_is_good() {
    let mut instant = compared(99.0, 0.3);
    instant.expert.ms = 0.01;
    assert_eq!(verdict_of(instant.clone()), Verdict::Good);
    instant.ours = Ok(measured(99.0, 0.31, &["i1"]));
    assert_eq!(verdict_of(instant), Verdict::Worse);
}

#[test]
fn large_is_more_than_three_times_the_bytes_and_four_megabytes_more() {
    let verdict = |ours, expert| {
        judge(
            &[compared(10.0, 10.0)],
            &followed(ours, &["i1"]),
            &followed(expert, &["x1"]),
        )
    };
    assert_eq!(verdict(4_000_000, 0), Verdict::Good);
    assert_eq!(verdict(4_000_001, 0), Verdict::Large);
    assert_eq!(verdict(9_000_000, 3_000_000), Verdict::Good);
    assert_eq!(verdict(9_000_001, 3_000_000), Verdict::Large);
}

#[test]
fn much_slower_than_before_is_harmful() {
    let after = |before: f64, ms: f64| {
        let mut one = compared(1000.0, ms);
        one.before.ms = before;
        one.expert.ms = before;
        one
    };
    assert_eq!(verdict_of(after(100.0, 200.0)), Verdict::Worse);
    assert_eq!(verdict_of(after(100.0, 200.1)), Verdict::Harmful);
    // Twice as slow, but by little.
    assert_eq!(verdict_of(after(2.0, 7.0)), Verdict::Worse);
    assert_eq!(verdict_of(after(2.0, 7.1)), Verdict::Harmful);
}

#[test]
fn without_advice_a_difference_is_no_harm() {
    let mut slower = compared(1000.0, 300.0);
    slower.expert.ms = 100.0;
    let none = followed(0, &[]);
    assert_eq!(judge(&[slower.clone()], &none, &none), Verdict::Worse);
    let rewritten = Followed {
        rewritten: BTreeSet::from(["list".to_owned()]),
        ..Followed::default()
    };
    assert_eq!(judge(&[slower], &rewritten, &none), Verdict::Harmful);
}

#[test]
fn an_error_is_harmful() {
    let mut failing = compared(10.0, 10.0);
    failing.ours = Err("column does not exist".to_owned());
    assert_eq!(failing.factor(), None);
    assert_eq!(verdict_of(failing), Verdict::Harmful);
    let refused = Followed {
        errors: vec!["index row size exceeds maximum".to_owned()],
        ..Followed::default()
    };
    let expert = followed(1000, &["x1"]);
    assert_eq!(
        judge(&[compared(10.0, 10.0)], &refused, &expert),
        Verdict::Harmful
    );
}

#[test]
fn indexes_without_any_use_are_useless() {
    let ours = followed(1000, &["i1", "Mixed Case"]);
    let expert = followed(0, &[]);
    let mut unused = compared(1000.0, 100.0);
    unused.expert = unused.before.clone();
    unused.ours = Ok(measured(1000.0, 100.0, &["table_pkey"]));
    assert_eq!(
        ours.unused(std::slice::from_ref(&unused)),
        ["i1", "Mixed Case"]
    );
    assert_eq!(judge(&[unused.clone()], &ours, &expert), Verdict::Useless);
    // Plans do not show what a foreign key or a function uses; the time does.
    unused.ours = Ok(measured(1000.0, 50.0, &["table_pkey"]));
    assert_eq!(judge(&[unused.clone()], &ours, &expert), Verdict::Good);
    unused.ours = Ok(measured(1000.0, 100.0, &["Mixed Case"]));
    assert_eq!(ours.unused(std::slice::from_ref(&unused)), ["i1"]);
    assert_eq!(judge(&[unused], &ours, &expert), Verdict::Good);
}

#[test]
fn an_index_is_used_where_the_plan_has_its_parts() {
    let mut ours = followed(1000, &["events_at_idx"]);
    let mut one = compared(10.0, 10.0);
    one.ours = Ok(measured(10.0, 10.0, &["events_01_at_idx"]));
    assert_eq!(ours.unused(std::slice::from_ref(&one)), ["events_at_idx"]);
    ours.indexes[0].parts.insert("events_01_at_idx".to_owned());
    assert!(ours.unused(&[one]).is_empty());
}

#[test]
fn the_worst_factor_tells_no_difference_between_tiny_times() {
    let mut tiny = compared(10.0, 0.05);
    tiny.expert.ms = 0.001;
    assert_eq!(worst_factor(std::slice::from_ref(&tiny)), 1.0);
    assert_eq!(worst_factor(&[tiny, compared(10.0, 25.0)]), 2.5);
}

#[test]
fn verdicts_have_the_names_that_the_json_has() {
    for verdict in [
        Verdict::Good,
        Verdict::Large,
        Verdict::Useless,
        Verdict::Worse,
        Verdict::Harmful,
        Verdict::Failed,
    ] {
        assert_eq!(serde_json::json!(verdict), verdict.name());
    }
}
