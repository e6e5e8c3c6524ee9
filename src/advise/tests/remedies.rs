//! Remedies that are not indexes: recommended only where a planner says that they change something.

use super::*;
use crate::planner::test_planner::{TestPlan, definitions, index, planned};
use crate::planner::{Answer, Evidence, Hypothesis, TestedIndex};
use crate::remedy::{Kind, Remedy};

fn statements(remedies: &[Remedy]) -> Vec<(Kind, &str)> {
    let of = |remedy: &'_ Remedy| (remedy.kind, remedy.statements.len());
    assert!(remedies.iter().map(of).all(|(_, number)| number > 0));
    let last = remedies.iter();
    last.map(|remedy| (remedy.kind, remedy.statements[0].as_str()))
        .collect()
}

/// `by-a` on a table of which many rows were written since it was analyzed; with fresh statistics
/// so many rows are expected.
fn stale(rows: f64) -> TestPlanner {
    let stale = orders().with(|table| table.modified_rows = 50_000);
    let fresh = seq_scan("orders", TODAY)
        .filter("(orders.a = 5)")
        .rows(rows);
    looking_up(TestPlanner::new([stale]), 1.0, "a").answering(move |question| {
        match question.hypothesis {
            Some(Hypothesis::Analyzed(_)) => Some(planned(&[("by-a", &fresh)])),
            _ => None,
        }
    })
}

#[test]
fn analyze_is_recommended_where_an_estimate_changes() {
    let found = advice(&mut stale(1_000.0));
    assert_eq!(
        statements(&found.remedies),
        [(Kind::Analyze, "ANALYZE public.orders;")]
    );
    assert_eq!(found.remedies[0].id, "m1");
    assert_eq!(found.remedies[0].benefits[0].rows, Some((100.0, 1_000.0)));
    assert_eq!(advice(&mut stale(150.0)).remedies, [], "nearly the same");
}

#[test]
fn nothing_is_analyzed_where_nothing_may_be_built() {
    let mut planner = stale(1_000.0);
    let found = advice_within(&mut planner, &rehearse(Rehearse::Twin));
    assert_eq!(found.remedies, []);
    let is_analyze = |asked: &Question| matches!(asked.hypothesis, Some(Hypothesis::Analyzed(_)));
    assert!(!planner.asked().iter().any(is_analyze));
}

/// Statistics on both columns: with them so many rows are expected, and found by such a node.
fn correlated(rows: f64, node_type: &'static str) -> TestPlanner {
    let plan = |rows, node_type: &str| {
        seq_scan("orders", TODAY)
            .filter("((orders.a = 5) AND (orders.b = 6))")
            .rows(rows)
            .with("Node Type", node_type.into())
    };
    by_both().answering(move |question| match &question.hypothesis {
        Some(Hypothesis::Analyzed(analyzed)) => {
            let plan = if analyzed.statistics.is_empty() {
                plan(100.0, "Seq Scan")
            } else {
                plan(rows, node_type)
            };
            Some(planned(&[("by-both", &plan)]))
        }
        _ => None,
    })
}

#[test]
fn statistics_on_several_columns_are_recommended_where_they_change_a_plan() {
    let found = advice(&mut correlated(5_000.0, "Tid Scan"));
    assert_eq!(
        statements(&found.remedies),
        [(
            Kind::CreateStatistics,
            "CREATE STATISTICS public.orders_a_b_stats (dependencies, mcv) ON a, b FROM public.orders;"
        )]
    );
    let remedies = |rows, node| advice(&mut correlated(rows, node)).remedies;
    assert_eq!(remedies(100.0, "Tid Scan"), [], "the same rows");
    assert_eq!(remedies(5_000.0, "Seq Scan"), [], "the same plan");
}

#[test]
fn statistics_are_not_recommended_for_a_plan_that_an_index_replaces() {
    let found = advice(&mut correlated(5_000.0, "Tid Scan").index(
        "orders (a, b)",
        MB,
        &[("by-both", 10.0)],
    ));
    assert_eq!(recommended(&found), ["orders (a, b)"]);
    assert_eq!(found.remedies, []);
}

/// `by-a` by an index that exists, on a table of which no page is all-visible; index-only it would
/// cost this.
fn unvacuumed(index_only: f64) -> TestPlanner {
    let table = orders()
        .existing("old", "(a)", MB)
        .with(|table| table.all_visible_pages = 0);
    let by_index = seq_scan("orders", TODAY)
        .filter("(orders.a = 5)")
        .by_indexes(&[(&index("orders (a)"), "old")], index_only)
        .with("Node Type", "Index Only Scan".into());
    looking_up(TestPlanner::new([table]), 1.0, "a")
        .index("orders (a)", MB, &[("by-a", 100.0)])
        .answering(move |question| match question.hypothesis {
            Some(Hypothesis::AllVisible(_)) => Some(planned(&[("by-a", &by_index)])),
            _ => None,
        })
}

#[test]
fn vacuum_is_recommended_where_an_index_only_scan_gains() {
    let found = advice(&mut unvacuumed(20.0));
    assert_eq!(
        statements(&found.remedies),
        [(Kind::Vacuum, "VACUUM public.orders;")]
    );
    assert_eq!(found.remedies[0].evidence, Evidence::PlannerTwin);
    assert_eq!(advice(&mut unvacuumed(99.0)).remedies, [], "too little");
}

/// A count by group over the whole table; the view of it would cost this.
fn counted(view_cost: f64) -> TestPlanner {
    let view = seq_scan("orders_by_a", view_cost).rows(10.0);
    TestPlanner::new([orders()])
        .statement(
            "counts",
            "SELECT a, count(*) FROM orders GROUP BY a",
            counts(),
        )
        .answering(move |question| {
            let Some(Hypothesis::View(asked)) = &question.hypothesis else {
                return None;
            };
            let Answer::Planned(mut planned) = planned(&[("counts", &view)]) else {
                return None;
            };
            planned.indexes.push(TestedIndex {
                names: [asked.name.name.clone()].into(),
                body: String::new(),
                size: asked.size,
                build_time: None,
                usable: true,
            });
            Some(Answer::Planned(planned))
        })
}

fn counts() -> TestPlan {
    seq_scan("orders", TODAY)
        .rows(100_000.0)
        .grouped_by(&["orders.a"], 10.0)
}

#[test]
fn a_view_is_recommended_where_it_costs_much_less() {
    let found = advice(&mut counted(1.5));
    assert_eq!(
        statements(&found.remedies),
        [(
            Kind::MaterializedView,
            "CREATE MATERIALIZED VIEW public.orders_by_a AS\nSELECT a, count(*) FROM orders GROUP BY a;"
        )]
    );
    assert_eq!(found.remedies[0].size, Some(Bytes(8192)));
    assert_eq!(advice(&mut counted(1_500.0)).remedies, []);
}

#[test]
fn a_rewritten_statement_is_recommended_where_it_costs_less() {
    let rewritten = |cost| {
        let plan = seq_scan("events", cost).filter("(events.at > '2024-01-30'::date)");
        let mut planner =
            super::no_index::by_day().answering(move |question| match question.hypothesis {
                Some(Hypothesis::Rewritten) if definitions(question).is_empty() => {
                    Some(planned(&[("by-day", &plan)]))
                }
                _ => None,
            });
        advice(&mut planner).remedies
    };
    let found = rewritten(100.0);
    let [remedy] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(remedy.kind, Kind::Rewrite);
    assert!(remedy.statements[0].contains("AND at >= "), "{remedy:?}");
    assert_eq!(remedy.benefits[0].cost, (Cost(TODAY), Cost(100.0)));
    assert_eq!(rewritten(TODAY), []);
}

/// `by-day` of a time without time zone: 100 by an index on the expression, and so much when it is
/// rewritten and the column has an index.
fn by_local_day(rewritten: f64) -> TestPlanner {
    let filter = "((events.at)::date = '2024-01-31'::date)";
    let sql = "SELECT * FROM events WHERE at::date = '2024-01-31'";
    let events = table("events", &["id bigint", "at timestamp without time zone"]);
    TestPlanner::new([events])
        .statement("by-day", sql, seq_scan("events", TODAY).filter(filter))
        .index("events (((at)::date))", MB, &[("by-day", 100.0)])
        .answering(move |question| {
            if !matches!(question.hypothesis, Some(Hypothesis::Rewritten)) {
                return None;
            }
            let column = index("events (at)");
            let mut at = question.indexes.iter();
            let at = at.find(|one| one.definition == column);
            let range = seq_scan("events", TODAY).filter("(events.at >= '2024-01-31'::date)");
            let plan = match at {
                Some(at) => range.by_indexes(&[(&column, &at.name)], rewritten),
                None => range,
            };
            let Answer::Planned(mut planned) = planned(&[("by-day", &plan)]) else {
                return None;
            };
            let tested = question.indexes.iter().map(|one| TestedIndex {
                names: [one.name.clone()].into(),
                body: String::new(),
                size: MB,
                build_time: None,
                usable: true,
            });
            planned.indexes.extend(tested);
            Some(Answer::Planned(planned))
        })
}

#[test]
fn an_index_that_is_idle_beside_a_rewrite_is_told_with_it() {
    let found = advice(&mut by_local_day(10.0));
    assert_eq!(recommended(&found), Vec::<String>::new());
    let [remedy] = found.remedies.as_slice() else {
        panic!("{:?}", found.remedies);
    };
    assert_eq!(remedy.benefits[0].cost, (Cost(TODAY), Cost(10.0)));
    assert_eq!(remedy.indexes.len(), 1);
    let [instead] = remedy.instead.as_slice() else {
        panic!("{remedy:?}");
    };
    assert_eq!(instead.cost, Cost(100.0));
    assert!(instead.ddl.contains("((at)::date)"), "{instead:?}");
    assert_eq!(
        rejection(&found, "events (((at)::date))"),
        &Rejection::OnlyAsWritten {
            statements: vec![id("by-day")],
            benefits: vec![benefit("by-day", TODAY, 100.0)],
            remedies: vec!["m1".to_owned()],
        }
    );
}

#[test]
fn an_index_stays_where_the_rewrite_is_not_better() {
    let found = advice(&mut by_local_day(99.0));
    assert_eq!(recommended(&found), ["events (((at)::date))"]);
    assert_eq!(found.remedies, []);
}

#[test]
fn an_index_stays_that_another_statement_needs() {
    let filter = "(((events.at)::date = '2024-01-31'::date) AND (events.id = 3))";
    let sql = "SELECT count(*) FROM events GROUP BY at::date HAVING at::date = '2024-01-31'";
    let mut planner = by_local_day(10.0)
        .statement("counted", sql, seq_scan("events", TODAY).filter(filter))
        .index(
            "events (((at)::date))",
            MB,
            &[("by-day", 100.0), ("counted", 100.0)],
        );
    let found = advice(&mut planner);
    assert_eq!(recommended(&found), ["events (((at)::date))"]);
    assert_eq!(found.remedies.len(), 1, "{:?}", found.remedies);
    assert_eq!(found.remedies[0].instead, []);
}

/// `by-day` with an index on the column, which serves it only when it is rewritten.
pub(super) fn by_day_beside_an_index_on_the_column() -> TestPlanner {
    let filter = "((events.at)::date = '2024-01-31'::date)";
    let sql = "SELECT * FROM events WHERE at::date = '2024-01-31'";
    let events = table("events", &["id bigint", "at timestamp without time zone"]);
    let events = events.existing("events_at", "(at)", MB);
    TestPlanner::new([events])
        .statement("by-day", sql, seq_scan("events", TODAY).filter(filter))
        .answering(move |question| {
            let is_rewritten = |one: &crate::workload::Statement| one.sql.contains("at >= ");
            let (rewritten, others): (Vec<_>, Vec<_>) = question
                .statements
                .iter()
                .partition(|one| is_rewritten(one));
            if rewritten.is_empty() {
                return None;
            }
            let is_hidden = question
                .hidden
                .iter()
                .any(|index| index.name == "events_at");
            let range = seq_scan("events", TODAY).filter("(events.at >= '2024-01-31'::date)");
            let plan = if is_hidden {
                range
            } else {
                range.by_indexes(&[(&index("events (at)"), "events_at")], 10.0)
            };
            let as_written = seq_scan("events", TODAY).filter(filter);
            let others = others.iter().map(|one| (one.id.0.as_str(), &as_written));
            let plans = rewritten.iter().map(|one| (one.id.0.as_str(), &plan));
            Some(planned(&plans.chain(others).collect::<Vec<_>>()))
        })
}
