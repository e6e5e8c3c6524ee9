//! The verification of the chosen set on the server.

use super::*;
use crate::catalog::Writes;
use crate::planner::test_planner::{BUILD_TIME, planned};
use crate::planner::{Answer, Event, Evidence, NamedIndex, RefusalCause, TestedIndex};
use crate::verdict::Reason;

/// Two tables that one statement reads together, with an index on each.
fn joined() -> TestPlanner {
    let one = seq_scan("orders", TODAY).filter("(orders.a = 5)");
    let other = seq_scan("items", TODAY).filter("(items.b = 6)");
    let sql = "SELECT * FROM orders, items WHERE orders.a = 5 AND items.b = 6";
    TestPlanner::new([orders(), table("items", &["id bigint", "b bigint"])])
        .statement("join", sql, one.joined_with(other))
        .index("orders (a)", MB, &[("join", 2_100.0)])
        .index("items (b)", MB, &[("join", 2_200.0)])
        .together(&["orders (a)", "items (b)"], &[("join", 20.0)])
}

fn sorted(mut found: Vec<String>) -> Vec<String> {
    found.sort();
    found
}

#[test]
fn a_set_that_the_server_refutes_is_chosen_again_without_it() {
    let mut planner = by_both()
        .index("orders (a)", MB, &[("by-both", 10.0)])
        .index("orders (b)", MB, &[("by-both", 300.0)])
        .costs(Target::Server, &["orders (a)"], &[]);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (b)"]);
    assert_eq!(
        rejection(&advice, "orders (a)"),
        &Rejection::NotUsedBesideOthers
    );
    assert_eq!(planner.built(), [["orders (a)"], ["orders (b)"]]);
}

#[test]
fn tables_that_are_read_together_get_their_indexes_in_one_transaction() {
    let mut planner = joined();
    let advice = advice(&mut planner);
    let both = ["items (b)", "orders (a)"];
    assert_eq!(sorted(recommended(&advice)), both);
    let built: Vec<_> = planner.built().into_iter().map(sorted).collect();
    assert_eq!(built, [both]);
}

#[test]
fn tables_that_would_block_writers_too_long_together_are_verified_one_by_one() {
    // A build takes 0.22 s by the number of rows, and there has to be room for twice that.
    let one_fits = Limits {
        max_write_block: Millis(500.0),
        ..Limits::default()
    };
    let mut planner = joined();
    let advice = advice_within(&mut planner, &one_fits);
    assert_eq!(
        sorted(planner.built().concat()),
        ["items (b)", "orders (a)"]
    );
    assert!(planner.built().iter().all(|built| built.len() == 1));
    // Each was seen alone on the server; the set, which is needed for the gain, in the twin.
    assert_eq!(sorted(recommended(&advice)), ["items (b)", "orders (a)"]);
    for found in &advice.recommendations {
        assert_eq!(found.evidence, Evidence::RolledBackTransaction);
        assert_eq!(found.benefits, [benefit("join", 2.0 * TODAY, 20.0)]);
    }
}

#[test]
fn an_index_that_helps_only_beside_another_one_is_built_with_it() {
    let limits = Limits {
        max_write_block: Millis(1.0),
        ..Limits::default()
    };
    let mut planner = joined().costs(Target::Server, &["items (b)"], &[]).costs(
        Target::Twin,
        &["items (b)"],
        &[],
    );
    let advice = advice_within(&mut planner, &limits);
    let both = ["items (b)", "orders (a)"];
    assert_eq!(sorted(recommended(&advice)), both);
    let built: Vec<_> = planner.built().into_iter().map(sorted).collect();
    assert_eq!(built, [both]);
}

#[test]
fn quiet_tables_come_first() {
    let busy = Writes {
        n_tup_upd: 1_000_000,
        ..Writes::default()
    };
    let items = table("items", &["id bigint", "x bigint"]);
    let scan = seq_scan("items", TODAY).filter("(items.x = 6)");
    let planner = looking_up(TestPlanner::new([orders(), items]), 1.0, "a");
    let mut planner = planner
        .statement("by-x", "SELECT * FROM items WHERE x = 6", scan)
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .index("items (x)", MB, &[("by-x", 10.0)])
        .with_catalog(|catalog| {
            for table in &mut catalog.tables {
                let is_busy = table.name.name == "orders";
                table.writes = Some(if is_busy { busy } else { Writes::default() });
            }
        });
    advice(&mut planner);
    assert_eq!(planner.built(), [["items (x)"], ["orders (a)"]]);
}

#[test]
fn indexes_of_one_table_are_split_when_they_block_writers_too_long() {
    let limits = Limits {
        max_write_block: Millis(500.0),
        ..Limits::default()
    };
    let mut planner = by_a_and_b();
    let advice = advice_within(&mut planner, &limits);
    assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
    assert_eq!(planner.built(), [["orders (a)"], ["orders (b)"]]);
}

#[test]
fn a_group_that_is_stopped_is_verified_in_halves() {
    for cause in [
        RefusalCause::WriteBlockTooLong(Millis(1.0)),
        RefusalCause::StatementTimeout(Millis(1.0)),
    ] {
        let stopped = cause.clone();
        let mut planner = by_a_and_b().answering(move |question| {
            let is_group = is_build(question) && question.indexes.len() > 1;
            is_group.then(|| Answer::Refused(stopped.clone().into()))
        });
        let advice = advice(&mut planner);
        assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
        let group: &[&str] = &["orders (a)", "orders (b)"];
        let halves: [&[&str]; 3] = [group, &group[..1], &group[1..]];
        assert_eq!(planner.built(), halves, "{cause:?}");
    }
}

#[test]
fn a_lock_that_is_not_free_is_not_waited_for_again_in_halves() {
    let cause = RefusalCause::LockTimeout(Millis(1_000.0));
    let busy = cause.clone();
    let mut planner = by_a_and_b().answering(move |question| {
        is_build(question).then(|| Answer::Refused(busy.clone().into()))
    });
    let advice = advice(&mut planner);
    assert_eq!(planner.built().len(), 1);
    assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
    for found in &advice.recommendations {
        assert_eq!(
            found.evidence,
            Evidence::PlannerTwin,
            "the prediction stands"
        );
        let not_built = found.not_built.as_ref().unwrap();
        assert_eq!(not_built.cause, cause);
    }
}

#[test]
fn what_the_server_builds_and_cannot_use_yet_stands_as_predicted() {
    let mut planner = by_a_with_index().unusable("orders (a)");
    let advice = advice(&mut planner);
    let [found] = advice.recommendations.as_slice() else {
        panic!("{:?}", recommended(&advice));
    };
    let not_built = found.not_built.as_ref().unwrap();
    assert_eq!(not_built.cause, RefusalCause::NotUsableNow);
    assert_eq!(not_built.built, 1);
    assert_eq!(found.benefits, [benefit("by-a", TODAY, 10.0)]);
}

#[test]
fn one_index_that_cannot_be_built_leaves_the_others() {
    let cause = RefusalCause::Server {
        reason: Reason::BuildFailed,
        message: "out of room".to_owned(),
    };
    let mut planner = by_a_and_b().refuses(Target::Server, "orders (a)", cause.clone());
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (b)"]);
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::Refused(cause));
}

#[test]
fn nothing_is_built_twice() {
    // The real sizes leave room for one, so the choice is made again.
    let limits = Limits {
        budget: Some(Bytes(3 * Bytes::MB)),
        ..Limits::default()
    };
    let mut planner = by_a_and_b()
        .size(Target::Server, "orders (a)", Bytes(2 * Bytes::MB))
        .size(Target::Server, "orders (b)", Bytes(2 * Bytes::MB));
    advice_within(&mut planner, &limits);
    let mut built = planner.built();
    assert!(built.len() > 1, "{built:?}");
    built.sort();
    let mut once = built.clone();
    once.dedup();
    assert_eq!(built, once);
}

#[test]
fn where_the_twin_cannot_plan_nothing_is_built_for_that_statement_alone() {
    let planner = by_a_with_index().twin_cannot_plan("by-a", "no such function");
    let scan = seq_scan("orders", TODAY).filter("(orders.b = 6)");
    let mut planner = planner
        .statement("by-b", "SELECT * FROM orders WHERE b = 6", scan)
        .index("orders (b)", MB, &[("by-b", 10.0)]);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (b)"]);
    let cause = RefusalCause::TwinCannotPlan {
        cause: Box::new(RefusalCause::NoTwin),
        statement: id("by-a"),
        message: "no such function".to_owned(),
    };
    assert_eq!(cause.reason(), Reason::NoTwin);
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::Refused(cause));
    assert_eq!(planner.built().concat(), ["orders (b)"]);
}

#[test]
fn where_the_twin_cannot_plan_and_nothing_may_be_built_that_is_the_reason() {
    let mut planner = by_a_with_index().twin_cannot_plan("by-a", "no such function\nHINT: none");
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Twin));
    let cause = RefusalCause::TwinCannotPlan {
        cause: Box::new(RefusalCause::BuildingNotAllowed(Rehearse::Twin)),
        statement: id("by-a"),
        message: "no such function".to_owned(),
    };
    assert_eq!(rejection(&advice, "orders (a)"), &Rejection::Refused(cause));
    assert!(!planner.asked().iter().any(is_build));
}

#[test]
fn what_gained_only_without_an_index_that_could_not_be_used_yet_is_out() {
    // The server plans by-both by (a) only because it cannot use (b) yet, and does not use (a) for
    // by-a.
    let of_server = &[("by-both", 1_000.0)];
    let mut planner = looking_up(by_both(), 1.0, "a")
        .index("orders (b)", MB, &[("by-both", 41.0)])
        .unusable("orders (b)")
        .index("orders (a)", MB, &[("by-a", 10.0), ("by-both", 1_000.0)])
        .costs(Target::Server, &["orders (a)"], of_server);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (b)"]);
    assert_eq!(
        rejection(&advice, "orders (a)"),
        &Rejection::NotUsedBesideOthers
    );
}

/// The statements `by-a` and `by-b`, and one that uses the indexes of both together.
fn used_together() -> TestPlanner {
    let either = seq_scan("orders", TODAY).filter("((orders.a = 5) OR (orders.b = 6))");
    let sql = "SELECT * FROM orders WHERE a = 5 OR b = 6";
    let both = ["orders (a)", "orders (b)"];
    by_a_and_b()
        .statement("either", sql, either)
        .together(&both, &[("either", 20.0)])
}

#[test]
fn a_second_build_that_cannot_be_used_is_no_verification() {
    let limits = rehearse(Rehearse::Transaction);
    let both = ["orders (a)", "orders (b)"];
    let mut usable = used_together();
    let advice = advice_within(&mut usable, &limits);
    assert_eq!(recommended(&advice), both);
    let mut unusable = used_together().answering(|question| {
        let is_second = is_build(question) && question.indexes.len() > 1;
        is_second.then(|| built_and_not_usable(question))
    });
    let advice = advice_within(&mut unusable, &limits);
    assert_eq!(recommended(&advice), Vec::<String>::new());
    for index in both {
        assert_eq!(rejection(&advice, index), &Rejection::NotUsableNow);
    }
}

fn built_and_not_usable(question: &Question) -> Answer {
    let scan = seq_scan("orders", TODAY).filter("(orders.a = 5)");
    let plans = [("by-a", &scan), ("by-b", &scan), ("either", &scan)];
    let Answer::Planned(mut planned) = planned(&plans) else {
        panic!("refused");
    };
    let unusable = |index: &NamedIndex| TestedIndex {
        names: [index.name.clone()].into(),
        body: "USING btree (a)".to_owned(),
        size: MB,
        build_time: Some(BUILD_TIME),
        usable: false,
    };
    planned.indexes = question.indexes.iter().map(unusable).collect();
    Answer::Planned(planned)
}

#[test]
fn a_lock_that_is_not_free_is_not_waited_for_in_the_next_round() {
    // The server refutes the index on items, so the choice is made again.
    let busy = RefusalCause::LockTimeout(Millis(1_000.0));
    let items = table("items", &["id bigint", "x bigint"]);
    let scan = seq_scan("items", TODAY).filter("(items.x = 6)");
    let planner = looking_up(TestPlanner::new([orders(), items]), 1.0, "a");
    let mut planner = planner
        .statement("by-x", "SELECT * FROM items WHERE x = 6", scan)
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .index("items (x)", MB, &[("by-x", 10.0)])
        .costs(Target::Server, &["items (x)"], &[])
        .refuses(Target::Server, "orders (a)", busy);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (a)"], "as predicted");
    assert_eq!(
        sorted(planner.built().concat()),
        ["items (x)", "orders (a)"]
    );
}

fn is_transaction(question: &Question) -> bool {
    question.takes_a_transaction()
}

#[test]
fn the_trial_on_the_server_verifies_an_index_that_is_alone() {
    let mut planner = by_a_with_index();
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let found = &advice.recommendations[0];
    assert_eq!(found.evidence, Evidence::RolledBackTransaction);
    assert_eq!(found.benefits, [benefit("by-a", TODAY, 10.0)]);
    assert_eq!(planner.built(), [["orders (a)"]]);
    assert_eq!(advice.rehearsal.tally.built_again_to_plan, 0);
}

#[test]
fn the_plans_without_an_index_are_taken_right_after_its_trial() {
    let mut planner = by_a_with_index();
    advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    let build = planner.asked().iter().position(is_transaction).unwrap();
    let next = &planner.asked()[build + 1];
    assert!(
        next.is_baseline() && next.target == Target::Server,
        "{next}"
    );
    assert_eq!(next.statements, planner.asked()[build].statements);
}

#[test]
fn indexes_that_no_statement_uses_together_are_built_once() {
    let mut planner = by_a_and_b();
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
    assert_eq!(planner.built(), [["orders (a)"], ["orders (b)"]]);
    assert_eq!(advice.rehearsal.tally.built_again_to_plan, 0);
}

#[test]
fn indexes_that_a_statement_may_use_together_are_built_again_together() {
    let items = table("items", &["id bigint", "x bigint"]);
    let scan = seq_scan("items", TODAY).filter("(items.x = 6)");
    let both = seq_scan("orders", TODAY).filter("((orders.a = 5) OR (orders.b = 6))");
    let planner = looking_up(TestPlanner::new([orders(), items]), 10.0, "a");
    let mut planner = looking_up(planner, 1.0, "b")
        .statement("by-x", "SELECT * FROM items WHERE x = 6", scan)
        .statement("either", "SELECT * FROM orders WHERE a = 5 OR b = 6", both)
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .index("orders (b)", MB, &[("by-b", 10.0)])
        .index("items (x)", MB, &[("by-x", 10.0)])
        .together(&["orders (a)", "orders (b)"], &[("either", 20.0)]);
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    let all = ["items (x)", "orders (a)", "orders (b)"];
    assert_eq!(sorted(recommended(&advice)), all);
    let mut built: Vec<_> = planner.built().into_iter().map(sorted).collect();
    assert_eq!(built.pop().unwrap(), ["orders (a)", "orders (b)"]);
    assert!(
        built.iter().all(|built| built.len() == 1),
        "trials: {built:?}"
    );
    assert_eq!(advice.rehearsal.tally.built_again_to_plan, 2);
    let found = |name: &str| {
        let mut found = advice.recommendations.iter();
        found.find(|found| found.index.name == name).unwrap()
    };
    assert_eq!(found("orders_a_idx").built_with, ["orders_b_idx"]);
    assert_eq!(found("orders_b_idx").built_with, ["orders_a_idx"]);
    assert!(found("items_x_idx").built_with.is_empty());
    let either = benefit("either", TODAY, 20.0);
    assert!(found("orders_a_idx").benefits.contains(&either));
}

#[test]
fn on_the_server_quiet_tables_are_tested_first() {
    let busy = Writes {
        n_tup_upd: 1_000_000,
        ..Writes::default()
    };
    let items = table("items", &["id bigint", "x bigint"]);
    let scan = seq_scan("items", TODAY).filter("(items.x = 6)");
    let planner = looking_up(TestPlanner::new([orders(), items]), 100.0, "a");
    let mut planner = planner
        .statement("by-x", "SELECT * FROM items WHERE x = 6", scan)
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .index("items (x)", MB, &[("by-x", 10.0)])
        .with_catalog(|catalog| {
            for table in &mut catalog.tables {
                let is_busy = table.name.name == "orders";
                table.writes = Some(if is_busy { busy } else { Writes::default() });
            }
        });
    let steps = std::cell::RefCell::new(Vec::new());
    let workload = planner.workload().clone();
    let limits = rehearse(Rehearse::Transaction);
    advise(&workload, &limits, &mut planner, &|event| {
        if let Event::Step(step) = event {
            steps.borrow_mut().push(step.to_owned());
        }
    })
    .unwrap();
    assert_eq!(planner.built(), [["items (x)"], ["orders (a)"]]);
    let steps = steps.into_inner();
    let building: Vec<&String> = steps.iter().filter(|step| step.contains(" left")).collect();
    assert!(building[0].starts_with("public.items, about "), "{steps:?}");
    assert!(
        building[1].starts_with("public.orders, about "),
        "{steps:?}"
    );
}

#[test]
fn among_equally_quiet_tables_the_smaller_one_comes_first() {
    let items = table("items", &["id bigint", "x bigint"]);
    let scan = seq_scan("items", TODAY).filter("(items.x = 6)");
    let planner = looking_up(TestPlanner::new([orders(), items]), 1.0, "a");
    let planner = planner
        .statement("by-x", "SELECT * FROM items WHERE x = 6", scan)
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .index("items (x)", MB, &[("by-x", 10.0)]);
    let larger = |planner: TestPlanner, name: &'static str| {
        planner.with_catalog(move |catalog| {
            for table in &mut catalog.tables {
                table.writes = Some(Writes::default());
                table.pages = if table.name.name == name {
                    2_000
                } else {
                    1_000
                };
            }
        })
    };
    let mut planner = larger(planner, "orders");
    advice(&mut planner);
    assert_eq!(planner.built(), [["items (x)"], ["orders (a)"]]);
}
