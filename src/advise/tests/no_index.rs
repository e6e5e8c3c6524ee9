//! Why no index helps a statement: each [`NoIndexHelps`].

use super::*;
use crate::advise::no_index_helps::{IndexChoice, LowerPageCost, NoIndexHelps};
use crate::catalog::{CallKind, Mutable};
use crate::planner::test_planner::{TestPlan, index, planned};
use crate::planner::{Answer, Hypothesis, RefusalCause, TestedIndex};
use crate::verdict::Reason;

fn public(name: &str) -> QualifiedName {
    QualifiedName::new("public", name)
}

/// Why no index helps the first statement.
fn reason_within(planner: &mut TestPlanner, limits: &Limits) -> NoIndexHelps {
    let advice = advice_within(planner, limits);
    assert_eq!(recommended(&advice), Vec::<String>::new());
    advice.statements[0].no_index.clone().unwrap()
}

fn reason(mut planner: TestPlanner) -> NoIndexHelps {
    reason_within(&mut planner, &Limits::default())
}

/// One statement with this plan.
fn one(plan: TestPlan) -> TestPlanner {
    TestPlanner::new([orders()]).statement("one", "SELECT 1", plan)
}

#[test]
fn no_table_is_read() {
    assert_eq!(
        reason(one(TestPlan::result(1.0))),
        NoIndexHelps::ReadsNoTable
    );
}

#[test]
fn nothing_is_asked_of_the_table() {
    let expected = NoIndexHelps::NoCondition(public("orders"));
    assert_eq!(reason(one(seq_scan("orders", TODAY))), expected);
}

#[test]
fn the_table_is_too_small() {
    let scan = |cost| seq_scan("orders", cost).filter("(orders.a = 5)");
    let expected = NoIndexHelps::TableTooSmall {
        table: public("orders"),
        pages: 1_000,
        whole: Cost(8.0),
        one_row: Cost(8.0),
    };
    assert_eq!(reason(one(scan(8.0))), expected);
    let at_random_page_cost_1 = one(scan(8.0)).with_catalog(|catalog| {
        let setting = ("random_page_cost".to_owned(), "1".to_owned());
        catalog.settings.extend([setting]);
    });
    assert_ne!(reason(at_random_page_cost_1), expected);
}

#[test]
fn an_index_answers_it_already() {
    let existing = orders().existing("old", "(a)", MB);
    let planner = looking_up(TestPlanner::new([existing]), 1.0, "a");
    let planner = planner.index("orders (a)", MB, &[("by-a", 10.0)]);
    let expected = NoIndexHelps::AlreadyIndexed {
        table: public("orders"),
        scan: "Index Scan".to_owned(),
        indexes: vec!["old".to_owned()],
        conditions: vec!["(orders.a = 5)".to_owned()],
        not_by_first: None,
    };
    assert_eq!(reason(planner), expected);
}

#[test]
fn a_gist_index_is_searched_without_its_first_column() {
    let not_by_first = |body: &str| {
        let existing = orders().existing("old", body, MB);
        let planner = looking_up(TestPlanner::new([existing]), 1.0, "b");
        let planner = planner.index(&format!("orders {body}"), MB, &[("by-b", 10.0)]);
        match reason(planner) {
            NoIndexHelps::AlreadyIndexed { not_by_first, .. } => not_by_first,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(not_by_first("USING gist (a, b)").as_deref(), Some("old"));
    assert_eq!(not_by_first("USING gist (b, a)"), None);
    assert_eq!(
        not_by_first("USING gin (a, b)"),
        None,
        "all columns are alike"
    );
}

#[test]
fn most_rows_are_wanted() {
    let wanting = |rows| {
        one(seq_scan("orders", TODAY)
            .filter("(orders.a = 5)")
            .rows(rows))
    };
    let expected = NoIndexHelps::ReadsMost {
        table: public("orders"),
        returned: 50_000.0,
        rows: 100_000.0,
    };
    assert_eq!(reason(wanting(50_000.0)), expected);
    let fewer = reason(wanting(49_000.0));
    assert!(matches!(fewer, NoIndexHelps::NoCandidateHelped { .. }));
}

#[test]
fn a_limit_keeps_the_index_out() {
    let limits = Limits {
        budget: Some(Bytes(1)),
        ..Limits::default()
    };
    let expected = NoIndexHelps::Candidate {
        index: index("orders (a)"),
        before: Cost(TODAY),
        after: Cost(10.0),
        rejection: Rejection::OverLimit {
            reason: Reason::OverBudget,
            best: benefit("by-a", TODAY, 10.0),
        },
    };
    assert_eq!(reason_within(&mut by_a_with_index(), &limits), expected);
}

#[test]
fn the_best_index_gains_too_little() {
    let planner = by_a().index("orders (a)", MB, &[("by-a", 1_900.0)]);
    let expected = NoIndexHelps::GainsTooLittle {
        index: index("orders (a)"),
        before: Cost(TODAY),
        after: Cost(1_900.0),
        min_improvement: MinImprovement(0.1),
    };
    assert_eq!(reason(planner), expected);
}

/// The page cost of a question.
fn page_cost(question: &Question) -> Option<f64> {
    match question.hypothesis.as_ref()? {
        Hypothesis::Setting { name, value } if name == "random_page_cost" => value.parse().ok(),
        _ => None,
    }
}

/// How `by-a` is planned at a page cost: by this index where it is at most 2.5.
fn by_a_at(page_cost: f64, name: &str) -> TestPlan {
    let scan = seq_scan("orders", TODAY).filter("(orders.a = 5)");
    if page_cost <= 2.5 {
        scan.by_indexes(&[(&index("orders (a)"), name)], 1_500.0)
    } else {
        scan
    }
}

#[test]
fn an_existing_index_is_used_only_at_a_lower_page_cost() {
    let existing = orders().existing("old", "(a)", MB);
    let planner = looking_up(TestPlanner::new([existing]), 1.0, "a");
    let planner = planner
        .answering(|question| Some(planned(&[("by-a", &by_a_at(page_cost(question)?, "old"))])));
    let expected = NoIndexHelps::LowerPageCost(LowerPageCost {
        index: IndexChoice::Existing("old".to_owned()),
        now: 4.0,
        at: 2.5,
        cost: Cost(1_500.0),
    });
    assert_eq!(reason(planner), expected);
}

#[test]
fn a_candidate_is_used_only_at_a_lower_page_cost() {
    let planner = by_a().answering(|question| {
        let page_cost = page_cost(question)?;
        let [new] = question.indexes.as_slice() else {
            let scan = by_a_at(4.0, "none");
            return Some(planned(&[("by-a", &scan)]));
        };
        let Answer::Planned(mut planned) = planned(&[("by-a", &by_a_at(page_cost, &new.name))])
        else {
            return None;
        };
        planned.indexes.push(TestedIndex {
            names: [new.name.clone()].into(),
            body: String::new(),
            size: MB,
            build_time: None,
            usable: true,
        });
        Some(Answer::Planned(planned))
    });
    let expected = NoIndexHelps::LowerPageCost(LowerPageCost {
        index: IndexChoice::Candidate(Box::new(index("orders (a)"))),
        now: 4.0,
        at: 2.5,
        cost: Cost(1_500.0),
    });
    assert_eq!(reason(planner), expected);
}

/// A statement that asks for the day of a time with time zone.
pub(super) fn by_day() -> TestPlanner {
    let filter = "((events.at)::date = '2024-01-31'::date)";
    let sql = "SELECT * FROM events WHERE at::date = '2024-01-31'";
    TestPlanner::new([table(
        "events",
        &["id bigint", "at timestamp with time zone"],
    )])
    .statement("by-day", sql, seq_scan("events", TODAY).filter(filter))
    .with_catalog(|catalog| {
        catalog.mutable.push(Mutable {
            kind: CallKind::Cast,
            called: "date".to_owned(),
            arguments: vec!["timestamp with time zone".to_owned()],
            own: false,
            volatile: false,
        });
    })
}

#[test]
fn a_volatile_function_is_named() {
    let filter = "((orders.id = since()) AND (orders.total > 5))";
    let volatile = |arguments: &[&str]| Mutable {
        kind: CallKind::Function,
        called: "since".to_owned(),
        arguments: arguments.iter().map(|name| (*name).to_owned()).collect(),
        own: true,
        volatile: true,
    };
    let planner = one(seq_scan("orders", TODAY).filter(filter))
        .with_catalog(|catalog| catalog.mutable.push(volatile(&[])));
    let NoIndexHelps::Volatile { filter, call, .. } = reason(planner) else {
        panic!("another reason");
    };
    assert_eq!((filter.as_str(), call), ("(id = since())", volatile(&[])));
}

#[test]
fn no_index_can_hold_the_expression() {
    let NoIndexHelps::NotIndexable(expression) = reason(by_day()) else {
        panic!("another reason");
    };
    assert!(expression.depends_on_time_zone(), "{expression:?}");
}

#[test]
fn no_index_serves_the_filter() {
    let filter = "(random() < '0.5'::double precision)";
    let planner = one(seq_scan("orders", TODAY).filter(filter));
    let expected = NoIndexHelps::NotIndexableFilter {
        filter: filter.to_owned(),
        table: public("orders"),
    };
    assert_eq!(reason(planner), expected);
}

#[test]
fn candidates_could_not_be_tested() {
    let expected = NoIndexHelps::NotTested {
        refused: 1,
        candidates: 1,
        cause: RefusalCause::BuildingNotAllowed(Rehearse::Off),
    };
    let off = rehearse(Rehearse::Off);
    assert_eq!(reason_within(&mut by_a_with_index(), &off), expected);
}

#[test]
fn no_candidate_helped() {
    let expected = NoIndexHelps::NoCandidateHelped {
        candidates: 1,
        best: Some((index("orders (a)"), Cost(TODAY))),
        now: Cost(TODAY),
    };
    assert_eq!(reason(by_a()), expected);
}
