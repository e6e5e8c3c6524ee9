//! What is recommended, and how it was seen.

use super::*;
use crate::planner::test_planner::{BUILD_TIME, WRITE_BLOCK};
use crate::planner::{Evidence, RefusalCause};

#[test]
fn the_index_that_saves_is_recommended_with_what_the_server_showed() {
    let mut planner = by_a_with_index().size(Target::Server, "orders (a)", Bytes(3 * Bytes::MB));
    let advice = advice(&mut planner);
    let [found] = advice.recommendations.as_slice() else {
        panic!("{:?}", recommended(&advice));
    };
    assert_eq!(found.id, "r1");
    assert_eq!(found.benefits, [benefit("by-a", TODAY, 10.0)]);
    assert_eq!(found.evidence, Evidence::RolledBackTransaction);
    assert_eq!(
        (found.size, found.predicted_size),
        (Bytes(3 * Bytes::MB), Some(MB))
    );
    assert_eq!(
        (found.build_time, found.write_block),
        (Some(BUILD_TIME), Some(WRITE_BLOCK))
    );
    let ddl: Vec<&String> = found.creation.statements().collect();
    assert_eq!(
        ddl,
        ["CREATE INDEX CONCURRENTLY orders_a_idx ON public.orders USING btree (a);"]
    );
    let statement = &advice.statements[0];
    assert_eq!(statement.recommendations, ["r1"]);
    assert_eq!(statement.predicted, Some((Cost(TODAY), Cost(10.0))));
    assert_eq!(statement.no_index, None);
}

#[test]
fn with_a_twin_only_what_is_chosen_is_built() {
    let mut planner = by_both()
        .index("orders (a)", MB, &[("by-both", 10.0)])
        .index("orders (b)", MB, &[("by-both", 300.0)]);
    assert_eq!(recommended(&advice(&mut planner)), ["orders (a)"]);
    assert_eq!(planner.built(), [["orders (a)"]]);
}

#[test]
fn without_a_twin_each_candidate_is_built_alone_and_no_second_time() {
    let mut planner = by_a_and_b();
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
    assert_eq!(planner.built(), [["orders (a)"], ["orders (b)"]]);
    assert!(
        planner
            .asked()
            .iter()
            .all(|asked| asked.target == Target::Server)
    );
}

#[test]
fn with_rehearse_twin_nothing_is_built() {
    let mut planner = by_a_with_index();
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Twin));
    let [found] = advice.recommendations.as_slice() else {
        panic!("{:?}", recommended(&advice));
    };
    assert_eq!(found.evidence, Evidence::PlannerTwin);
    let cause = found.not_built.as_ref().map(|refusal| &refusal.cause);
    assert_eq!(
        cause,
        Some(&RefusalCause::BuildingNotAllowed(Rehearse::Twin))
    );
    assert_eq!((found.build_time, found.write_block), (None, None));
    assert!(!planner.asked().iter().any(is_build));
}

#[test]
fn with_rehearse_off_nothing_is_tested() {
    let mut planner = by_a_with_index();
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Off));
    assert_eq!(recommended(&advice), Vec::<String>::new());
    assert_eq!(
        rejection(&advice, "orders (a)"),
        &Rejection::Refused(RefusalCause::BuildingNotAllowed(Rehearse::Off))
    );
    let with_indexes = |question: &Question| !question.indexes.is_empty();
    assert!(!planner.asked().iter().any(with_indexes));
}

#[test]
fn what_saves_most_over_all_calls_comes_first() {
    let mut planner = by_a_and_b().index("orders (b)", MB, &[("by-b", 1.0)]);
    let advice = advice(&mut planner);
    let found = advice.recommendations.iter().map(|found| found.id.as_str());
    assert_eq!(found.collect::<Vec<_>>(), ["r1", "r2"]);
    assert_eq!(recommended(&advice), ["orders (a)", "orders (b)"]);
}

#[test]
fn a_statement_that_fails_is_reported_and_stops_nothing() {
    let mut planner = by_a_with_index().with_workload(|workload| {
        let usage = crate::workload::Usage {
            calls: 1.0,
            mean_time_ms: None,
        };
        workload.add("broken", "SELECT nothing", usage, "broken.sql:1".to_owned());
    });
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let broken = &advice.statements[1];
    assert_eq!(broken.status, StatementStatus::Failed);
    assert_eq!(
        broken.error.as_deref(),
        Some("there is no statement broken")
    );
    assert_eq!(broken.no_index, None);
}

#[test]
fn the_explanation_says_what_is_read_today_and_then() {
    let plan = seq_scan("orders", TODAY)
        .sorted_by(&["orders.a"])
        .limited(10.0);
    let sql = "SELECT * FROM orders ORDER BY a LIMIT 10";
    let mut planner = TestPlanner::new([orders()])
        .statement("first-ten", sql, plan)
        .index("orders (a)", MB, &[("first-ten", 1.0)]);
    let advice = advice(&mut planner);
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let explanation = &advice.recommendations[0].explanation;
    let gain = explanation.gain.as_ref().unwrap();
    assert_eq!(gain.benefit, benefit("first-ten", TODAY, 1.0));
    let today = gain.today.as_ref().unwrap();
    assert_eq!(
        (today.sort.as_deref(), today.scan.as_str()),
        (Some("Sort"), "Seq Scan")
    );
    assert_eq!(
        gain.then.as_ref().map(|then| then.scan.as_str()),
        Some("Index Scan")
    );
    assert!(gain.in_order && !explanation.is_partial);
}
