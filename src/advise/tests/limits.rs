//! Budgets that real sizes break, and searches that run out of time.

use super::*;
use crate::advise::notice::Notice;
use crate::planner::RefusalCause;
use crate::verdict::Reason;

#[test]
fn real_sizes_that_break_the_budget_are_heeded() {
    let limits = Limits {
        budget: Some(Bytes(3 * Bytes::MB)),
        ..Limits::default()
    };
    let mut planner = by_a_and_b()
        .size(Target::Server, "orders (a)", Bytes(2 * Bytes::MB))
        .size(Target::Server, "orders (b)", Bytes(2 * Bytes::MB));
    let advice = advice_within(&mut planner, &limits);
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let expected = Rejection::OverLimit {
        reason: Reason::OverBudget,
        best: benefit("by-b", TODAY, 10.0),
    };
    assert_eq!(rejection(&advice, "orders (b)"), &expected);
}

#[test]
fn with_real_sizes_another_set_may_save_more() {
    let limits = Limits {
        budget: Some(Bytes(4 * Bytes::MB)),
        ..Limits::default()
    };
    let planner = looking_up(TestPlanner::new([orders()]), 3.0, "a");
    let mut planner = looking_up(looking_up(planner, 2.0, "b"), 2.0, "c")
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .index("orders (b)", MB, &[("by-b", 10.0)])
        .index("orders (c)", MB, &[("by-c", 10.0)])
        .size(Target::Server, "orders (a)", Bytes(3 * Bytes::MB))
        .size(Target::Server, "orders (b)", Bytes(2 * Bytes::MB))
        .size(Target::Server, "orders (c)", Bytes(2 * Bytes::MB));
    let advice = advice_within(&mut planner, &limits);
    assert_eq!(recommended(&advice), ["orders (b)", "orders (c)"]);
}

#[test]
fn a_budget_is_for_all_indexes_together() {
    let within = |megabytes| {
        let limits = Limits {
            budget: Some(Bytes(megabytes * Bytes::MB)),
            ..Limits::default()
        };
        recommended(&advice_within(&mut by_a_and_b(), &limits))
    };
    assert_eq!(within(2), ["orders (a)", "orders (b)"]);
    assert_eq!(within(1), ["orders (a)"]);
}

#[test]
fn out_of_time_among_the_trials_what_was_tested_is_recommended() {
    let mut planner = by_a_and_b().out_of_time_at(|question| {
        question
            .indexes
            .iter()
            .any(|index| index.name == "orders_b_idx")
    });
    let advice = advice(&mut planner);
    assert_eq!(
        recommended(&advice),
        ["orders (a)"],
        "the heaviest statement's"
    );
    assert_eq!(
        rejection(&advice, "orders (b)"),
        &Rejection::Refused(RefusalCause::OutOfTime)
    );
    assert!(advice.rehearsal.out_of_time);
    let expected = Notice::OutOfTime {
        tested: 1,
        candidates: 2,
    };
    assert!(advice.notices.contains(&expected), "{:?}", advice.notices);
    assert_eq!(
        planner.built(),
        [["orders (a)"]],
        "the verification goes on"
    );
}

#[test]
fn out_of_time_before_anything_was_tested_nothing_is_recommended() {
    let mut planner = by_a_and_b().out_of_time_at(|_| true);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), Vec::<String>::new());
    assert!(advice.rehearsal.out_of_time);
    assert!(!planner.asked().iter().any(is_build));
}

/// The same, and a statement that names both columns, which no index helps: it makes the search ask
/// about both together.
fn by_a_and_b_and_both() -> TestPlanner {
    let filter = "((orders.a > 5) AND (orders.b > 6))";
    let sql = "SELECT * FROM orders WHERE a > 5 AND b > 6";
    by_a_and_b().statement("by-both", sql, seq_scan("orders", TODAY).filter(filter))
}

#[test]
fn out_of_time_among_the_sets_the_trials_decide() {
    let mut planner = by_a_and_b_and_both().out_of_time_at(|question| question.indexes.len() > 1);
    let advice = advice(&mut planner);
    assert!(advice.rehearsal.out_of_time);
    assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
}

#[test]
fn out_of_time_over_what_could_be_replaced_the_search_goes_on_without() {
    let existing = orders().existing("old", "(a)", MB);
    let mut planner = TestPlanner::new([existing])
        .statement(
            "by-both",
            "SELECT * FROM orders WHERE a = 5 AND b = 6",
            seq_scan("orders", TODAY).filter("((orders.a = 5) AND (orders.b = 6))"),
        )
        .index("orders (a)", MB, &[("by-both", 500.0)])
        .index("orders (a, b)", MB, &[("by-both", 10.0)])
        .out_of_time_at(|question| !question.hidden.is_empty());
    let advice = advice(&mut planner);
    assert!(advice.rehearsal.out_of_time);
    assert_eq!(recommended(&advice), ["orders (a, b)"]);
}

#[test]
fn enough_time_is_not_mentioned() {
    let advice = advice(&mut by_a_and_b());
    assert!(!advice.rehearsal.out_of_time);
    let is_about_time = |notice: &Notice| matches!(notice, Notice::OutOfTime { .. });
    assert!(!advice.notices.iter().any(is_about_time));
}

/// Of two megabytes each on the server, and of one in the twin; the time is over before any set is
/// asked about, so that the choice is not made again.
fn larger_than_predicted(planner: TestPlanner) -> Advice {
    let limits = Limits {
        budget: Some(Bytes(3 * Bytes::MB)),
        ..Limits::default()
    };
    let mut planner = planner
        .size(Target::Server, "orders (a)", Bytes(2 * Bytes::MB))
        .size(Target::Server, "orders (b)", Bytes(2 * Bytes::MB))
        .out_of_time_at(|question| question.indexes.len() > 1);
    advice_within(&mut planner, &limits)
}

#[test]
fn without_time_for_another_choice_the_last_pick_is_given_up_for_the_budget() {
    let advice = larger_than_predicted(by_a_and_b_and_both());
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let expected = Rejection::OverLimit {
        reason: Reason::OverBudget,
        best: benefit("by-b", TODAY, 10.0),
    };
    assert_eq!(rejection(&advice, "orders (b)"), &expected);
}

#[test]
fn what_was_used_only_beside_the_pick_that_was_given_up_is_out_too() {
    let both = ["orders (a)", "orders (b)"];
    let planner = by_a_and_b_and_both()
        .costs(Target::Server, &both[..1], &[])
        .costs(Target::Server, &both, &[("by-a", 10.0)]);
    let advice = larger_than_predicted(planner);
    assert_eq!(recommended(&advice), Vec::<String>::new());
    assert_eq!(
        rejection(&advice, "orders (a)"),
        &Rejection::NotUsedBesideOthers
    );
}
