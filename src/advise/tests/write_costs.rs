//! What writes would pay for a recommended index.

use super::*;
use crate::catalog::{Counters, Writes};
use crate::planner::test_planner::TestPlan;

fn write_cost(planner: &mut TestPlanner) -> f64 {
    let advice = advice(planner);
    assert_eq!(recommended(&advice), ["orders (a)"]);
    advice.recommendations[0].write_cost.0
}

/// An UPDATE of ten rows beside `by-a`, which runs so often that its index is always worth it.
fn updating(sql: &str) -> TestPlanner {
    let plan = TestPlan::result(0.01)
        .rows(10.0)
        .modifying("Update", "orders");
    looking_up(TestPlanner::new([orders()]), 1_000.0, "a")
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .statement("update", sql, plan)
}

#[test]
fn a_workload_that_only_reads_pays_nothing() {
    assert!(write_cost(&mut by_a_with_index()).abs() < 1e-9);
}

#[test]
fn an_update_of_its_column_pays_for_every_row_and_another_one_for_those_that_are_not_hot() {
    let own = write_cost(&mut updating("UPDATE orders SET a = 1 WHERE id = 2"));
    let other = write_cost(&mut updating("UPDATE orders SET b = 1 WHERE id = 2"));
    assert!(other > 0.0);
    assert!(
        (own - 2.0 * other).abs() < 1e-9,
        "half of them: {own} {other}"
    );
}

#[test]
fn an_update_that_could_not_be_hot_before_cannot_lose_that() {
    let existing = orders().existing("old", "(b)", MB);
    let plan = TestPlan::result(0.01)
        .rows(10.0)
        .modifying("Update", "orders");
    let sql = "UPDATE orders SET a = 1, b = 2 WHERE id = 2";
    let mut planner = looking_up(TestPlanner::new([existing]), 1_000.0, "a")
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .statement("update", sql, plan);
    let own = write_cost(&mut updating("UPDATE orders SET a = 1 WHERE id = 2"));
    let cost = write_cost(&mut planner);
    assert!(
        (cost - own).abs() < 1e-9,
        "no entry in the old one: {cost} {own}"
    );
}

/// `by-a`, with calls that were counted for so long, beside what the server counted in a thousand
/// seconds.
fn counted(calls_for_s: Option<f64>, inserted: u64) -> TestPlanner {
    let written = orders().with(|table| {
        table.writes = Some(Writes {
            n_tup_ins: inserted,
            n_tup_del: inserted,
            ..Writes::default()
        });
    });
    looking_up(TestPlanner::new([written]), 1_000.0, "a")
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .with_workload(|workload| workload.count_calls_for(calls_for_s))
        .with_catalog(|catalog| {
            catalog.server.counters = Some(Counters {
                since: "2024-05-01T10:00:00Z".to_owned(),
                counted_for_s: 1_000.0,
                was_reset: true,
                standbys: 0,
                standbys_counted: 0,
            });
        })
}

/// An INSERT of one row that was called so often, and nothing else that writes, as far as
/// `pg_stat_statements` knows in this time.
fn inserting(calls: f64, calls_for_s: f64, inserted: u64, others: &[&str]) -> TestPlanner {
    let plan = TestPlan::result(0.01)
        .rows(1.0)
        .modifying("Insert", "orders");
    let mut writers = crate::workload::OtherWriters::default();
    others.iter().for_each(|text| writers.add(text));
    counted(Some(calls_for_s), inserted)
        .with_catalog(|catalog| {
            for table in &mut catalog.tables {
                if let Some(writes) = &mut table.writes {
                    writes.by_functions = Some(false);
                }
            }
        })
        .called(calls, "insert", "INSERT INTO orders VALUES (1)", plan)
        .with_workload(|workload| workload.note_other_writers(writers))
}

#[test]
fn calls_that_were_all_counted_are_not_extrapolated() {
    let alone = write_cost(&mut inserting(5_000.0, 1_000.0, 5_000, &[]));
    assert!(alone > 0.0);
    let same = |planner: &mut TestPlanner, what: &str| {
        let cost = write_cost(planner);
        assert!((cost - alone).abs() < 1e-6, "{what}: {cost} {alone}");
    };
    // The counters began later than the calls, or earlier, when others wrote that are gone.
    same(&mut inserting(5_000.0, 20_000.0, 5_000, &[]), "older");
    same(&mut inserting(5_000.0, 50.0, 1_900_000, &[]), "younger");
    let elsewhere = ["COPY customers FROM STDIN"];
    same(
        &mut inserting(5_000.0, 50.0, 1_900_000, &elsewhere),
        "elsewhere",
    );
    // What the statements explain of the rows is theirs, even where others could have written them.
    let copied = ["COPY public.\"orders\" FROM STDIN"];
    same(
        &mut inserting(5_000.0, 20_000.0, 5_000, &copied),
        "explained",
    );
    let more = write_cost(&mut inserting(5_000.0, 20_000.0, 5_100, &copied));
    assert!((more - alone * 7_000.0 / 5_000.0).abs() < 1e-6, "{more}");
}

#[test]
fn what_no_statement_writes_is_charged_for_the_time_that_calls_were_counted() {
    let whole = write_cost(&mut counted(Some(1_000.0), 5_000));
    let half = write_cost(&mut counted(Some(500.0), 5_000));
    assert!(whole > 0.0);
    assert!((whole - 2.0 * half).abs() < 1e-6, "{whole} {half}");
    let made_up = write_cost(&mut counted(None, 5_000));
    assert!(made_up.abs() < 1e-9, "of another time");
}
