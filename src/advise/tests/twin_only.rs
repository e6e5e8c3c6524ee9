//! Statements of other users about which the server is not asked.

use super::*;
use crate::advise::notice::Notice;
use crate::planner::{Evidence, RefusalCause, TwinOnly, TwinOnlyReason};

fn reason() -> TwinOnly {
    TwinOnly {
        authors: ["app".to_owned()].into(),
        reason: TwinOnlyReason::FunctionOf {
            function: "f(integer)".to_owned(),
            owner: "app".to_owned(),
        },
    }
}

fn notices(advice: &Advice) -> Vec<&Notice> {
    let about = |notice: &&Notice| matches!(notice, Notice::TwinOnly { .. });
    advice.notices.iter().filter(about).collect()
}

#[test]
fn its_plans_are_the_twins_and_nothing_is_built_for_it() {
    let mut planner = by_a_with_index().twin_only("by-a", reason());
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let statement = &advice.statements[0];
    assert_eq!(statement.status, StatementStatus::Planned);
    assert_eq!(statement.twin_only, Some(reason()));
    assert_eq!(statement.agreement, None, "there is nothing to compare");
    let index = &advice.recommendations[0];
    assert_eq!(index.evidence, Evidence::PlannerTwin);
    let refusal = index.not_built.as_ref().unwrap();
    assert_eq!(refusal.cause, RefusalCause::PlannedInTwinOnly(id("by-a")));
    assert_eq!(planner.built(), Vec::<Vec<String>>::new());
    let expected = Notice::TwinOnly {
        statement: id("by-a"),
        reason: reason(),
    };
    assert_eq!(notices(&advice), [&expected]);
}

#[test]
fn indexes_for_other_statements_of_its_table_are_built() {
    let mut planner = by_a_and_b().twin_only("by-a", reason());
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
    let evidence = |position: usize| advice.recommendations[position].evidence;
    assert_eq!(evidence(0), Evidence::PlannerTwin);
    assert_eq!(evidence(1), Evidence::RolledBackTransaction);
    assert_eq!(planner.built(), [["orders (b)"]]);
}

#[test]
fn an_index_for_it_and_another_statement_is_verified_by_the_other_one() {
    let planner = looking_up(TestPlanner::new([orders()]), 10.0, "a");
    let scan = seq_scan("orders", TODAY).filter("(orders.a = 6)");
    let mut planner = planner
        .statement("other", "SELECT * FROM orders WHERE a = 6", scan)
        .index("orders (a)", MB, &[("by-a", 10.0), ("other", 12.0)])
        .twin_only("by-a", reason());
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let index = &advice.recommendations[0];
    assert_eq!(index.evidence, Evidence::RolledBackTransaction);
    let by_a = &advice.statements[0];
    assert_eq!(by_a.cost_after(), Some(Cost(10.0)), "as the twin has it");
}

#[test]
fn without_a_twin_it_has_no_plan() {
    for limits in [Limits::default(), rehearse(Rehearse::Transaction)] {
        let planner = by_a_and_b().twin_only("by-a", reason());
        let advice = advice_within(&mut planner.without_twin("no initdb"), &limits);
        let statement = &advice.statements[0];
        assert_eq!(statement.status, StatementStatus::Failed);
        assert_eq!(statement.twin_only, Some(reason()));
        assert!(statement.before.is_none());
        assert_eq!(notices(&advice), Vec::<&Notice>::new());
        assert_eq!(advice.statements[1].status, StatementStatus::Planned);
    }
}

#[test]
fn with_new_indexes_a_long_plan_is_the_twins() {
    let long = Bytes(1 << 20);
    let mut planner = by_a_with_index().long_plan("by-a", long);
    let found = advice(&mut planner);
    assert_eq!(recommended(&found), ["orders (a)"]);
    let index = &found.recommendations[0];
    assert_eq!(index.evidence, Evidence::PlannerTwin);
    let refusal = index.not_built.as_ref().unwrap();
    assert_eq!(refusal.cause, RefusalCause::PlannedInTwinOnly(id("by-a")));
    assert_eq!(planner.built(), Vec::<Vec<String>>::new(), "for nothing");
    let statement = &found.statements[0];
    assert!(statement.agreement.is_some(), "without it, it was compared");
    let reason = statement.twin_only.as_ref().map(|only| &only.reason);
    assert_eq!(reason, Some(&TwinOnlyReason::LongPlan(long)));
}

#[test]
fn an_index_that_is_built_for_others_keeps_what_the_twin_says_of_a_long_plan() {
    let planner = looking_up(TestPlanner::new([orders()]), 10.0, "a");
    let scan = seq_scan("orders", TODAY).filter("(orders.a = 6)");
    let mut planner = planner
        .statement("other", "SELECT * FROM orders WHERE a = 6", scan)
        .index("orders (a)", MB, &[("by-a", 10.0), ("other", 12.0)])
        .long_plan("by-a", Bytes(1 << 20));
    let found = advice(&mut planner);
    let [index] = found.recommendations.as_slice() else {
        panic!("{:?}", found.recommendations);
    };
    assert_eq!(index.evidence, Evidence::RolledBackTransaction);
    let helped: Vec<_> = index.benefits.iter().map(|one| &one.statement).collect();
    assert_eq!(helped, [&id("by-a"), &id("other")]);
    assert_eq!(found.statements[0].recommendations, ["r1"]);
}
