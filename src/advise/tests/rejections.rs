//! Why a candidate is not recommended: each [`Rejection`].

use super::*;
use crate::advise::rejection::OtherIndex;
use crate::planner::RefusalCause;
use crate::planner::test_planner::TestPlan;
use crate::verdict::Reason;

#[test]
fn what_no_plan_uses() {
    let advice = advice(&mut by_a());
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::NotUsed);
}

#[test]
fn what_gains_too_little() {
    let mut planner = by_a().index("orders (a)", MB, &[("by-a", 1_900.0)]);
    let expected = Rejection::GainTooSmall {
        best: benefit("by-a", TODAY, 1_900.0),
        min_improvement: MinImprovement(0.1),
    };
    let found = advice(&mut planner);
    assert_eq!(rejection(&found, "orders (a)"), &expected);
    let limits = Limits {
        min_improvement: MinImprovement(0.04),
        ..Limits::default()
    };
    let found = advice_within(&mut planner, &limits);
    assert_eq!(recommended(&found), ["orders (a)"]);
}

#[test]
fn what_the_server_does_not_build() {
    let cause = RefusalCause::Server {
        reason: Reason::BuildFailed,
        message: "index row size exceeds btree maximum".to_owned(),
    };
    let mut planner = by_a_with_index().refuses(Target::Server, "orders (a)", cause.clone());
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), Vec::<String>::new());
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::Refused(cause));
}

#[test]
fn what_may_not_be_built_and_has_no_twin() {
    let not_owned = orders().with(|table| table.owned = false);
    let planner = looking_up(TestPlanner::new([not_owned]), 1.0, "a");
    let mut planner = planner.without_twin("no programs");
    let advice = advice(&mut planner);
    let cause = RefusalCause::NoTwin;
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::Refused(cause));
    assert!(!planner.asked().iter().any(is_build));
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    let cause = RefusalCause::NotOwner(QualifiedName::new("public", "orders"));
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::Refused(cause));
    assert!(!planner.asked().iter().any(is_build));
}

#[test]
fn without_a_twin_nothing_is_made_on_the_server_unless_that_is_chosen() {
    let mut planner = by_a_with_index().without_twin("no programs");
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), Vec::<String>::new());
    let cause = RefusalCause::NoTwin;
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::Refused(cause));
    assert!(!planner.asked().iter().any(Question::takes_a_transaction));
    let mut planner = by_a_with_index().without_twin("no programs");
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(recommended(&advice), ["orders (a)"]);
}

#[test]
fn what_cannot_be_used_yet() {
    let mut planner = by_a_with_index().unusable("orders (a)");
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::NotUsableNow);
}

#[test]
fn what_the_servers_plans_do_not_use_although_the_twin_says_so() {
    let mut planner = by_a_with_index().costs(Target::Server, &["orders (a)"], &[]);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), Vec::<String>::new());
    assert_eq!(
        rejection(&advice, "orders (a)"),
        &Rejection::NotUsedBesideOthers
    );
}

#[test]
fn what_gains_too_little_on_the_server_although_the_twin_says_otherwise() {
    let too_little = &[("by-a", 1_950.0)];
    let mut planner = by_a_with_index().costs(Target::Server, &["orders (a)"], too_little);
    let advice = advice(&mut planner);
    assert_eq!(
        rejection(&advice, "orders (a)"),
        &Rejection::GainTooSmallBesideOthers
    );
}

#[test]
fn what_another_index_does_already() {
    let mut planner = by_both()
        .index("orders (a)", MB, &[("by-both", 10.0)])
        .index("orders (b)", MB, &[("by-both", 300.0)]);
    let advice = advice(&mut planner);
    let other = OtherIndex {
        id: "r1".to_owned(),
        size: MB,
        after: Cost(10.0),
    };
    let expected = Rejection::Redundant {
        best: benefit("by-both", TODAY, 300.0),
        other: Some(other),
    };
    assert_eq!(rejection(&advice, "orders (b)"), &expected);
}

#[test]
fn what_an_existing_index_does_already() {
    let existing = orders().existing("old", "(a, b)", MB);
    let mut planner = looking_up(TestPlanner::new([existing]), 1.0, "a");
    let advice = advice(&mut planner);
    let old = QualifiedName::new("public", "old");
    assert_eq!(
        rejection(&advice, "orders (a)"),
        &Rejection::CoveredByExisting(old)
    );
    let with_indexes = |question: &Question| !question.indexes.is_empty();
    assert!(
        !planner.asked().iter().any(with_indexes),
        "it is not tested"
    );
}

#[test]
fn what_writes_would_pay_too_much_for() {
    let inserts = |calls| {
        let insert = TestPlan::result(0.01).modifying("Insert", "orders");
        by_a_with_index().called(calls, "insert", "INSERT INTO orders VALUES (1)", insert)
    };
    let few = advice(&mut inserts(10.0));
    assert_eq!(recommended(&few), ["orders (a)"]);
    let many = advice(&mut inserts(100_000.0));
    let Rejection::WriteCostTooHigh {
        best,
        gained,
        write_cost,
        lost_hot_cost,
    } = rejection(&many, "orders (a)")
    else {
        panic!("{:?}", rejection(&many, "orders (a)"));
    };
    assert_eq!(*best, benefit("by-a", TODAY, 10.0));
    assert_eq!(*gained, Cost(TODAY - 10.0));
    assert!(write_cost > gained, "{write_cost} {gained}");
    assert_eq!(*lost_hot_cost, Cost(0.0), "an INSERT is never HOT");
}

#[test]
fn what_writes_would_pay_too_much_for_beside_another_index() {
    let both = "SELECT * FROM orders WHERE a = 1 AND b = 2";
    let filtered = seq_scan("orders", TODAY).filter("((orders.a = 1) AND (orders.b = 2))");
    let insert = TestPlan::result(0.01).modifying("Insert", "orders");
    let mut planner = looking_up(TestPlanner::new([orders()]), 1.0, "b")
        .called(1_000_000.0, "by-both", both, filtered)
        .called(100_000.0, "insert", "INSERT INTO orders VALUES (1)", insert)
        .index("orders (a)", MB, &[("by-both", 10.0)])
        .index("orders (b)", MB, &[("by-both", 20.0), ("by-b", 10.0)]);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let Rejection::WriteCostTooHigh {
        best,
        gained,
        write_cost,
        ..
    } = rejection(&advice, "orders (b)")
    else {
        panic!("{:?}", rejection(&advice, "orders (b)"));
    };
    assert_eq!(
        *best,
        benefit("by-b", TODAY, 10.0),
        "the statement that nothing else helps"
    );
    assert_eq!(*gained, Cost(TODAY - 10.0));
    assert!(write_cost > gained, "{write_cost} {gained}");
}

#[test]
fn what_a_limit_keeps_out() {
    let limit = |limits: Limits| {
        let advice = advice_within(&mut by_a_and_b(), &limits);
        assert_eq!(recommended(&advice), ["orders (a)"]);
        rejection(&advice, "orders (b)").clone()
    };
    let kept_out_by = |reason| Rejection::OverLimit {
        reason,
        best: benefit("by-b", TODAY, 10.0),
    };
    let budget = Limits {
        budget: Some(Bytes(Bytes::MB + 1)),
        ..Limits::default()
    };
    assert_eq!(limit(budget), kept_out_by(Reason::OverBudget));
    let number = Limits {
        max_indexes: Some(1),
        ..Limits::default()
    };
    assert_eq!(limit(number), kept_out_by(Reason::TooManyIndexes));
}
