//! What the reader has to know: each [`Notice`] of a run.

use std::collections::BTreeSet;

use super::*;
use crate::advise::notice::Notice;
use crate::candidate::Alternative;
use crate::model::{Gap, GapCause};
use crate::planner::test_planner::{index, planned};
use crate::planner::{Hypothesis, Preparation, RefusalCause, Silence, TwinState};
use crate::twin::agreement::Agreement;
use crate::verdict::Reason;

fn notices(planner: &mut TestPlanner) -> Vec<Notice> {
    advice(planner).notices
}

#[test]
fn nothing_is_said_where_nothing_has_to_be_known() {
    assert_eq!(notices(&mut by_a_with_index()), []);
}

#[test]
fn a_table_that_was_never_analyzed() {
    let unknown = orders().with(|table| table.rows = None);
    let mut planner = looking_up(TestPlanner::new([unknown]), 1.0, "a");
    let expected = Notice::NeverAnalyzed(QualifiedName::new("public", "orders"));
    assert_eq!(notices(&mut planner), [expected]);
}

#[test]
fn a_statement_that_gets_worse() {
    let worse = &[("by-a", 10.0), ("by-b", 2_100.0)];
    let planner = looking_up(by_a(), 1.0, "b");
    let mut planner = planner.index("orders (a)", MB, worse);
    let expected = Notice::Worse {
        statement: id("by-b"),
        before: Cost(TODAY),
        after: Cost(2_100.0),
    };
    assert_eq!(notices(&mut planner), [expected]);
}

#[test]
fn a_plan_that_better_statistics_change() {
    let stale = orders().with(|table| table.modified_rows = 50_000);
    let planner = looking_up(TestPlanner::new([stale]), 1.0, "a");
    let analyzed = seq_scan("orders", 1_800.0)
        .filter("(orders.a = 5)")
        .by_indexes(&[(&index("orders (b)"), "other")], 1_800.0);
    let mut planner = planner
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .answering(move |question| match question.hypothesis {
            Some(Hypothesis::Analyzed(_)) => Some(planned(&[("by-a", &analyzed)])),
            _ => None,
        });
    let expected = Notice::PlannedOtherwise {
        remedy: "m1".to_owned(),
        statement: id("by-a"),
    };
    assert_eq!(notices(&mut planner), [expected]);
}

#[test]
fn a_statement_that_no_index_can_serve_as_it_is_written() {
    let found = notices(&mut super::no_index::by_day());
    let [Notice::NotIndexable(expression)] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(expression.statement, id("by-day"));
    let Alternative::ComparePeriod { column, .. } = &expression.alternative else {
        panic!("{expression:?}");
    };
    assert_eq!(column, "at");
}

#[test]
fn there_is_no_twin() {
    let expected = Notice::NoTwin("no programs".to_owned());
    let mut planner = by_a_with_index().without_twin("no programs");
    assert_eq!(notices(&mut planner), [expected]);
    let nothing_to_test = TestPlanner::new([orders()]);
    let scan = seq_scan("orders", TODAY);
    let mut planner = nothing_to_test
        .statement("all", "SELECT * FROM orders", scan)
        .without_twin("no programs");
    assert_eq!(notices(&mut planner), []);
}

#[test]
fn the_twin_cannot_plan_a_statement() {
    let mut planner = by_a_with_index().twin_cannot_plan("by-a", "no such function");
    let expected = Notice::TwinCannotPlan {
        statement: id("by-a"),
        message: "no such function".to_owned(),
    };
    assert_eq!(notices(&mut planner), [expected]);
}

#[test]
fn the_twin_plans_a_statement_otherwise() {
    let at_cost = |cost| seq_scan("orders", cost).filter("(orders.a = 5)");
    let mut planner = by_a_with_index().twin_plans("by-a", at_cost(2_200.0));
    let found = notices(&mut planner);
    let [
        Notice::TwinDiffers {
            statement,
            agreement,
        },
    ] = found.as_slice()
    else {
        panic!("{found:?}");
    };
    assert_eq!(*statement, id("by-a"));
    let deviation = agreement.deviation().unwrap();
    assert!((deviation - 0.1).abs() < 1e-9, "{deviation}");
    let mut planner = by_a_with_index().twin_plans("by-a", at_cost(2_001.0));
    assert_eq!(notices(&mut planner), [], "a clock makes as much");
}

#[test]
fn how_far_the_twin_agrees_is_kept_for_each_statement() {
    let agreement = |mut planner: TestPlanner| advice(&mut planner).statements[0].agreement;
    assert_eq!(agreement(by_a_with_index()), Some(Agreement::Exact));
    let fails = by_a_with_index().twin_cannot_plan("by-a", "no such function");
    assert_eq!(agreement(fails), Some(Agreement::Different));
    assert_eq!(agreement(by_a_with_index().without_twin("none")), None);
}

#[test]
fn the_twin_lacks_something() {
    let gap = Gap {
        tables: BTreeSet::new(),
        cause: GapCause::RowSecurity,
    };
    let mut planner = by_a_with_index().with_preparation(Preparation {
        state: TwinState::Ready,
        gaps: vec![gap.clone()],
    });
    assert_eq!(notices(&mut planner), [Notice::TwinGap(gap)]);
}

#[test]
fn candidates_on_a_busy_table_are_untested() {
    let busy = RefusalCause::LockTimeout(Millis(1_000.0));
    let mut planner = by_a_and_b().refuses(Target::Server, "orders (a)", busy);
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(advice.notices, [Notice::Untested(2)]);
}

#[test]
fn an_index_that_cannot_be_used_yet_is_untested() {
    let mut planner = by_a_with_index().unusable("orders (a)");
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(advice.notices, [Notice::Untested(1)]);
}

#[test]
fn an_index_on_an_expression_resets_the_counter_of_autovacuum() {
    let people = |modified_rows| {
        let people = table("people", &["id bigint", "name text"]);
        let people = people.with(|table| table.modified_rows = modified_rows);
        let scan = seq_scan("people", TODAY).filter("(lower(people.name) = 'x'::text)");
        let sql = "SELECT * FROM people WHERE lower(name) = 'x'";
        TestPlanner::new([people])
            .statement("by-name", sql, scan)
            .index("people (lower(name))", MB, &[("by-name", 10.0)])
    };
    let expected = Notice::AutovacuumCounterReset {
        table: QualifiedName::new("public", "people"),
        rows: 5_000,
    };
    assert_eq!(notices(&mut people(5_000)), [expected]);
    assert_eq!(notices(&mut people(900)), [], "less than a hundredth");
    let in_twin = advice_within(&mut people(5_000), &rehearse(Rehearse::Twin));
    assert_eq!(in_twin.notices, [], "not built");
}

#[test]
fn after_the_server_stopped_answering_there_is_a_report_of_what_is_known() {
    let silence = Silence {
        waited: Millis(8_000.0),
        rollback_seen: false,
    };
    let cause = RefusalCause::ServerSilent(silence);
    let mut planner = by_a_and_b()
        .refuses(Target::Server, "orders (a)", cause.clone())
        .refuses(Target::Server, "orders (b)", cause);
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(advice.notices, [Notice::ServerSilent(silence)]);
    assert_eq!(advice.rehearsal.server_silent, Some(silence));
    assert_eq!(advice.rehearsal.tally.transactions, 0);
    assert!(advice.recommendations.is_empty());
    let reasons = advice.rejected.iter().map(Rejected::reason);
    assert!(
        reasons.clone().count() >= 2
            && reasons.clone().all(|reason| reason == Reason::ServerSilent)
    );
    assert!(
        advice
            .statements
            .iter()
            .all(|statement| statement.before.is_some())
    );
}
