//! Shares, ranks and sums of gains.

use super::*;
use crate::advise::advise;
use crate::model::Bytes;
use crate::planner::test_planner::{TestPlanner, seq_scan, table};
use crate::verdict::Limits;

/// Two statements of the same cost; an index saves 90 % of the first, another 50 % of the second.
fn advised() -> Advice {
    let scan = |column: &str| seq_scan("orders", 1_000.0).filter(&format!("(orders.{column} = 5)"));
    let mut planner = TestPlanner::new([table("orders", &["id bigint", "a bigint", "b bigint"])])
        .statement("by-b", "SELECT * FROM orders WHERE b = 5", scan("b"))
        .statement("by-a", "SELECT * FROM orders WHERE a = 5", scan("a"))
        .index("orders (a)", Bytes(8192), &[("by-a", 100.0)])
        .index("orders (b)", Bytes(8192), &[("by-b", 500.0)]);
    let workload = planner.workload().clone();
    advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap()
}

fn rounded(share: f64) -> i64 {
    (share * 1_000.0).round() as i64
}

#[test]
fn each_index_has_its_share_of_the_whole_workload_and_the_sum_is_what_is_saved() {
    let advice = advised();
    let gains = Gains::of(&advice);
    assert_eq!(gains.basis, Basis::Cost);
    let shares: Vec<(i64, i64)> = gains
        .indexes
        .iter()
        .map(|gain| (rounded(gain.share), rounded(gain.so_far)))
        .collect();
    assert_eq!(shares, [(450, 450), (250, 700)]);
    assert_eq!(rounded(gains.saved), 700);
    assert_eq!(gains.cost, (Cost(2_000.0), Cost(600.0)));
    assert_eq!(gains.first_indexes(), 2, "the first brings 64 % of it");
}

#[test]
fn with_measured_times_shares_are_of_the_time() {
    let mut advice = advised();
    let times = [("by-a", 1.0), ("by-b", 9.0)];
    for statement in &mut advice.statements {
        let time = times.iter().find(|(id, _)| statement.statement.id.0 == *id);
        statement.statement.mean_time_ms = time.map(|(_, time)| *time);
    }
    let gains = Gains::of(&advice);
    assert_eq!(gains.basis, Basis::Time);
    let first = &gains.indexes[0];
    assert_eq!(first.index.benefits[0].statement.0, "by-b");
    assert_eq!((rounded(first.share), rounded(gains.saved)), (450, 540));
    assert_eq!(rounded(gains.statements[0].share), 900);
}

#[test]
fn a_plan_that_uses_two_indexes_is_counted_once() {
    let mut advice = advised();
    let both: Vec<String> = advice
        .recommendations
        .iter()
        .map(|r| r.id.clone())
        .collect();
    for statement in &mut advice.statements {
        statement.recommendations = both.clone();
    }
    let gains = Gains::of(&advice);
    let sum: f64 = gains.indexes.iter().map(|gain| gain.share).sum();
    assert_eq!(rounded(sum), rounded(gains.saved));
}

#[test]
fn nothing_planned_is_no_share() {
    let mut advice = advised();
    advice.statements.clear();
    let gains = Gains::of(&advice);
    assert_eq!((rounded(gains.saved), gains.statements.len()), (0, 0));
    assert!(gains.indexes.iter().all(|gain| gain.share == 0.0));
}
