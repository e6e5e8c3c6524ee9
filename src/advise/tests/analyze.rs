//! `--analyze`: cost is not time.

use super::*;
use crate::planner::test_planner::{TestPlan, index};
use crate::planner::{Mode, NotExecuted};

fn analyze() -> Limits {
    Limits {
        analyze: true,
        ..Limits::default()
    }
}

fn executed(question: &&Question) -> bool {
    question.mode == Mode::Execute
}

#[test]
fn an_index_with_which_its_statements_take_longer_is_out() {
    let mut planner = by_a_with_index().takes("by-a", None, 100.0, 1_000.0).takes(
        "by-a",
        Some("orders (a)"),
        200.0,
        10.0,
    );
    let advice = advice_within(&mut planner, &analyze());
    assert_eq!(recommended(&advice), Vec::<String>::new());
    let expected = Rejection::Slower {
        statement: id("by-a"),
        before: Millis(100.0),
        after: Millis(200.0),
    };
    assert_eq!(rejection(&advice, "orders (a)"), &expected);
}

#[test]
fn an_index_that_is_faster_is_recommended_with_its_times() {
    let mut planner = by_a_with_index().takes("by-a", None, 100.0, 1_000.0).takes(
        "by-a",
        Some("orders (a)"),
        2.0,
        10.0,
    );
    let advice = advice_within(&mut planner, &analyze());
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let (before, after) = advice.statements[0].executed.as_ref().unwrap();
    assert_eq!(
        (before.execution_time(), after.execution_time()),
        (Some(Millis(100.0)), Some(Millis(2.0)))
    );
    let gain = advice.recommendations[0].explanation.gain.as_ref().unwrap();
    assert_eq!(gain.times, Some((Millis(100.0), Millis(2.0))));
}

/// Two indexes of nearly the same cost; the one that costs less takes this long, the other one that
/// long.
fn timed(first_ms: f64, second_ms: f64) -> TestPlanner {
    by_both()
        .index("orders (a)", MB, &[("by-both", 100.0)])
        .index("orders (b)", MB, &[("by-both", 130.0)])
        .takes("by-both", None, 1_000.0, 1_000.0)
        .takes("by-both", Some("orders (a)"), first_ms, 100.0)
        .takes("by-both", Some("orders (b)"), second_ms, 100.0)
}

#[test]
fn of_two_that_cost_nearly_the_same_the_faster_is_recommended() {
    let advice = advice_within(&mut timed(80.0, 10.0), &analyze());
    assert_eq!(recommended(&advice), ["orders (b)"]);
    let Rejection::SlowerThan(slower) = rejection(&advice, "orders (a)") else {
        panic!("{:?}", rejection(&advice, "orders (a)"));
    };
    assert_eq!(
        slower.to_string(),
        "by-both, executed, took 80 ms and 100 blocks with it, 10 ms and 100 blocks with orders_b_idx"
    );
    let advice = advice_within(&mut timed(10.0, 80.0), &analyze());
    assert_eq!(recommended(&advice), ["orders (a)"]);
    assert!(matches!(
        rejection(&advice, "orders (b)"),
        Rejection::SlowerThan(_)
    ));
}

#[test]
fn without_analyze_nothing_is_executed() {
    let mut planner = timed(80.0, 10.0);
    assert_eq!(recommended(&advice(&mut planner)), ["orders (a)"]);
    assert_eq!(planner.asked().iter().filter(executed).count(), 0);
}

/// A statement of this text that an index helps, and no other one.
fn only(sql: &str, plan: TestPlan) -> TestPlanner {
    TestPlanner::new([orders()])
        .statement("only", sql, plan)
        .index("orders (a)", MB, &[("only", 10.0)])
}

#[test]
fn what_writes_or_has_parameters_is_not_executed() {
    let scan = || seq_scan("orders", TODAY).filter("(orders.a = $1)");
    for mut planner in [
        only("SELECT * FROM orders WHERE a = $1", scan()),
        only(
            "UPDATE orders SET b = 1 WHERE a = 5",
            scan().modifying("Update", "orders"),
        ),
    ] {
        let advice = advice_within(&mut planner, &analyze());
        assert_eq!(recommended(&advice), ["orders (a)"]);
        let statements = planner.asked().iter().filter(executed);
        assert_eq!(statements.flat_map(|asked| &asked.statements).count(), 0);
    }
}

#[test]
fn what_may_have_effects_is_recommended_for_by_cost_and_said_not_to_be_executed() {
    let reason = NotExecuted::Volatile("nextval(regclass)".to_owned());
    let mut planner = by_a_with_index().not_executed("by-a", reason.clone());
    let advice = advice_within(&mut planner, &analyze());
    assert_eq!(recommended(&advice), ["orders (a)"]);
    assert_eq!(advice.statements[0].executed, None);
    assert_eq!(advice.statements[0].not_executed, Some(reason));
    let asked: Vec<&Question> = planner.asked().iter().filter(executed).collect();
    assert_eq!(asked.len(), 1, "it is not asked about again with the index");
}

#[test]
fn parameters_and_writes_are_reasons_not_to_be_executed() {
    let scan = || seq_scan("orders", TODAY).filter("(orders.a = $1)");
    let mut planner = only("SELECT * FROM orders WHERE a = $1", scan());
    let advice = advice_within(&mut planner, &analyze());
    let reason = advice.statements[0].not_executed.as_ref();
    assert_eq!(reason, Some(&NotExecuted::HasParameters));
    let mut planner = only(
        "UPDATE orders SET b = 1 WHERE a = 5",
        scan().modifying("Update", "orders"),
    );
    let advice = advice_within(&mut planner, &analyze());
    let reason = advice.statements[0].not_executed.as_ref();
    assert_eq!(reason, Some(&NotExecuted::Writes));
}

#[test]
fn nothing_is_built_to_execute_nothing() {
    let scan = seq_scan("orders", TODAY).filter("(orders.a = $1)");
    let mut planner = only("SELECT * FROM orders WHERE a = $1", scan);
    let advice = advice_within(&mut planner, &analyze());
    assert_eq!(recommended(&advice), ["orders (a)"]);
    assert_eq!(
        planner
            .asked()
            .iter()
            .filter(|asked| is_build(asked))
            .count(),
        1
    );
}

#[test]
fn under_a_limit_an_index_of_any_cost_is_timed() {
    let timed = |limited: bool| {
        let scan = seq_scan("orders", TODAY).filter("((orders.a = 5) AND (orders.b = 6))");
        let plan = if limited { scan.limited(1.0) } else { scan };
        let mut planner = TestPlanner::new([orders()])
            .statement("one", "SELECT * FROM orders WHERE a = 5 AND b = 6", plan)
            .index("orders (a)", MB, &[("one", 1_000.0)])
            .index("orders (b)", MB, &[("one", 1_600.0)])
            .takes("one", None, 100.0, 1_000.0)
            .takes("one", Some("orders (a)"), 90.0, 100.0)
            .takes("one", Some("orders (b)"), 2.0, 100.0);
        recommended(&advice_within(&mut planner, &analyze()))
    };
    assert_eq!(timed(true), ["orders (b)"]);
    assert_eq!(timed(false), ["orders (a)"], "its cost is too far away");
}

/// The first rows in an order, which an index makes hardly cheaper, and so fast.
fn first_rows(with_index_ms: f64) -> TestPlanner {
    let plan = seq_scan("orders", TODAY)
        .filter("(orders.a = 5)")
        .sorted_by(&["orders.b"])
        .limited(10.0);
    let sql = "SELECT * FROM orders WHERE a = 5 ORDER BY b LIMIT 10";
    TestPlanner::new([orders()])
        .statement("first", sql, plan)
        .index("orders (a, b)", MB, &[("first", 1_900.0)])
        .takes("first", None, 300.0, 20_000.0)
        .takes("first", Some("orders (a, b)"), with_index_ms, 40.0)
}

#[test]
fn what_is_much_faster_under_a_limit_is_recommended_though_it_costs_as_much() {
    let mut planner = first_rows(0.5);
    let advice = advice_within(&mut planner, &analyze());
    assert_eq!(recommended(&advice), ["orders (a, b)"]);
    assert_eq!(
        advice.recommendations[0].benefits,
        [benefit("first", TODAY, 1_900.0)]
    );
    let (before, after) = advice.statements[0].executed.as_ref().unwrap();
    assert_eq!(
        (before.execution_time(), after.execution_time()),
        (Some(Millis(300.0)), Some(Millis(0.5)))
    );
    assert_eq!(advice.statements[0].recommendations, ["r1"]);
    assert_eq!(advice.statements[0].no_index, None);
}

/// By an existing GiST index on these columns; another one costs nearly the same.
fn by_gist(columns: &str) -> TestPlanner {
    let existing = orders().existing("old", &format!("USING gist ({columns})"), MB);
    let scan = seq_scan("orders", TODAY).filter("(orders.b = 5)");
    let old = index(&format!("orders USING gist ({columns})"));
    let plan = scan.by_indexes(&[(&old, "old")], TODAY);
    TestPlanner::new([existing])
        .statement("by-b", "SELECT * FROM orders WHERE b = 5", plan)
        .index("orders (b)", MB, &[("by-b", 1_900.0)])
        .takes("by-b", None, 90.0, 2_000.0)
        .takes("by-b", Some("orders (b)"), 2.0, 40.0)
}

#[test]
fn a_gist_index_that_is_searched_by_its_second_column_alone_is_timed() {
    let found = advice_within(&mut by_gist("a, b"), &analyze());
    assert_eq!(recommended(&found), ["orders (b)"]);
    let executions = |columns: &str| {
        let mut planner = by_gist(columns);
        advice_within(&mut planner, &analyze());
        planner.asked().iter().filter(executed).count()
    };
    assert_eq!(executions("b, a"), 0);
    assert_eq!(executions("b"), 0);
}

#[test]
fn under_a_limit_a_little_faster_is_not_enough() {
    let slower = advice_within(&mut first_rows(200.0), &analyze());
    assert_eq!(recommended(&slower), Vec::<String>::new());
    let mut planner = first_rows(0.5);
    assert_eq!(
        recommended(&self::advice(&mut planner)),
        Vec::<String>::new()
    );
    assert_eq!(planner.asked().iter().filter(executed).count(), 0);
    let within = Limits {
        budget: Some(Bytes(MB.0 / 2)),
        ..analyze()
    };
    let small = advice_within(&mut first_rows(0.5), &within);
    assert_eq!(recommended(&small), Vec::<String>::new());
}

#[test]
fn what_may_have_effects_is_not_executed_for_its_limit() {
    let reason = NotExecuted::Volatile("nextval(regclass)".to_owned());
    let mut planner = first_rows(0.5).not_executed("first", reason.clone());
    let advice = advice_within(&mut planner, &analyze());
    assert_eq!(recommended(&advice), Vec::<String>::new());
    assert_eq!(advice.statements[0].not_executed, Some(reason));
}
