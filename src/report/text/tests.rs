//! Sentences of the text report about whole runs.

use super::*;
use crate::advise::advise;
use crate::model::Bytes;
use crate::planner::test_planner::{TestPlanner, seq_scan, table};
use crate::verdict::{Limits, Rehearse};

/// Two statements, each made cheaper by an index.
fn planner() -> TestPlanner {
    let scan = |column: &str| seq_scan("orders", 1_000.0).filter(&format!("(orders.{column} = 5)"));
    TestPlanner::new([table("orders", &["id bigint", "a bigint", "b bigint"])])
        .statement("by-a", "SELECT * FROM orders WHERE a = 5", scan("a"))
        .statement("by-b", "SELECT * FROM orders WHERE b = 5", scan("b"))
        .index("orders (a)", Bytes(8192), &[("by-a", 50.0)])
        .index("orders (b)", Bytes(8192), &[("by-b", 50.0)])
}

fn advised(mut planner: TestPlanner) -> Advice {
    let workload = planner.workload().clone();
    advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap()
}

#[test]
fn without_a_twin_nothing_is_said_about_what_was_not_tested() {
    let advice = advised(planner().without_twin("no initdb"));
    let untested = advice.rejected.len();
    assert!(untested >= 2, "{untested}");
    let text = write(&advice, &RunMeasurements::default(), 100);
    let expected = format!("No index is recommended, but {untested} candidates were not tested.");
    assert!(text.contains(&expected), "{text}");
    assert!(!text.contains("No index helps"), "{text}");
}

#[test]
fn where_nothing_was_to_be_tested_it_does_not_say_that_no_index_helps() {
    let mut planner = planner();
    let workload = planner.workload().clone();
    let off = Limits {
        rehearse: Rehearse::Off,
        ..Limits::default()
    };
    let advice = advise(&workload, &off, &mut planner, &|_| {}).unwrap();
    let untested = advice.rejected.len();
    assert!(untested >= 2, "{untested}");
    let text = write(&advice, &RunMeasurements::default(), 100);
    let expected = format!("No index is recommended, but {untested} candidates were not tested.");
    assert!(text.contains(&expected), "{text}");
    assert!(!text.contains("No index helps"), "{text}");
}

#[test]
fn where_everything_was_tested_it_says_that_no_index_helps() {
    let useless = TestPlanner::new([table("orders", &["id bigint", "a bigint"])]).statement(
        "by-a",
        "SELECT * FROM orders WHERE a = 5",
        seq_scan("orders", 1_000.0).filter("(orders.a = 5)"),
    );
    let text = write(&advised(useless), &RunMeasurements::default(), 100);
    assert!(text.contains("No index helps."), "{text}");
}
