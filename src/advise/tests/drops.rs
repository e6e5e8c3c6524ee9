//! Existing indexes that a candidate could replace, and what their drop would do.

use super::*;
use crate::advise::drop_effects::{HypotheticalDrop, StatementRegression};
use crate::advise::existing::finding::ExistingKind;

/// `by-both` reads the existing index on a, at 500. Candidates: one on b, as an additional index;
/// one on both, which could take the old one's place and costs nearly the same. A second statement
/// `by-a` costs 400 by the old index, and `replaced` by the new one.
fn with_old_index(replaced: f64) -> TestPlanner {
    let existing = orders().existing("old", "(a)", Bytes(4 * Bytes::MB));
    let planner = looking_up(TestPlanner::new([existing]), 1.0, "a").statement(
        "by-both",
        "SELECT * FROM orders WHERE a = 5 AND b = 6",
        seq_scan("orders", TODAY).filter("((orders.a = 5) AND (orders.b = 6))"),
    );
    planner
        .index("orders (a)", MB, &[("by-a", 400.0), ("by-both", 500.0)])
        .index("orders (b)", Bytes(3 * Bytes::MB), &[("by-both", 10.0)])
        .index(
            "orders (a, b)",
            Bytes(5 * Bytes::MB),
            &[("by-a", replaced), ("by-both", 10.0)],
        )
}

fn existing(advice: &Advice) -> Vec<(String, ExistingKind, Option<String>)> {
    let found = advice.existing.iter();
    let found = found.map(|finding| {
        let name = finding.index.name.clone();
        (
            name,
            finding.kind(),
            finding.recommendation().map(str::to_owned),
        )
    });
    found.collect()
}

fn worse(advice: &Advice) -> Vec<(String, Vec<StatementRegression>)> {
    let drops = advice.drops.iter();
    let drops = drops.map(|drop: &HypotheticalDrop| (drop.index.name.clone(), drop.worse.clone()));
    drops.collect()
}

#[test]
fn what_replaces_an_index_is_preferred_to_an_additional_one() {
    let advice = advice(&mut with_old_index(401.0));
    assert_eq!(recommended(&advice), ["orders (a, b)"]);
    let r1 = Some("r1".to_owned());
    let old = "old".to_owned();
    assert_eq!(existing(&advice), [(old, ExistingKind::Redundant, r1)]);
    let found = &advice.recommendations[0];
    assert_eq!(found.replaces, [QualifiedName::new("public", "old")]);
    assert_eq!(
        found.explanation.supersedes,
        [(QualifiedName::new("public", "old"), Bytes(4 * Bytes::MB))]
    );
}

#[test]
fn what_makes_a_statement_worse_replaces_nothing() {
    let advice = advice(&mut with_old_index(900.0));
    assert_eq!(recommended(&advice), ["orders (b)"], "smaller");
    assert_eq!(existing(&advice), []);
    let by_a = StatementRegression {
        statement: id("by-a"),
        rewritten_by: None,
        with: Cost(400.0),
        without: Cost(TODAY),
    };
    assert_eq!(worse(&advice), [("old".to_owned(), vec![by_a])]);
}

#[test]
fn an_index_that_no_plan_uses_makes_nothing_worse() {
    let existing = orders().existing("old", "(c)", MB);
    let planner = looking_up(TestPlanner::new([existing]), 1.0, "a");
    let mut planner = planner.index("orders (a)", MB, &[("by-a", 10.0)]);
    let advice = advice(&mut planner);
    assert_eq!(worse(&advice), [("old".to_owned(), vec![])]);
}

#[test]
fn what_enforces_something_is_not_dropped() {
    let existing = orders().existing("old", "(c)", MB).with(|table| {
        table.indexes[0].unique = true;
    });
    let mut planner = looking_up(TestPlanner::new([existing]), 1.0, "a");
    assert_eq!(worse(&advice(&mut planner)), []);
}

#[test]
fn without_a_twin_nothing_is_known_of_drops() {
    let advice = advice_within(&mut with_old_index(401.0), &rehearse(Rehearse::Transaction));
    assert_eq!(worse(&advice), []);
    assert_eq!(existing(&advice), []);
}

#[test]
fn of_an_index_that_is_used_where_the_twin_cannot_plan_nothing_is_said() {
    let mut planner = with_old_index(401.0).twin_cannot_plan("by-a", "no such function");
    let advice = advice(&mut planner);
    assert_eq!(worse(&advice), [], "by-a may need it");
    assert_eq!(existing(&advice), []);
}

/// `by-day` is rewritten to a range of the column, for which an index exists.
#[test]
fn what_a_rewritten_statement_needs_makes_it_worse() {
    let mut planner = super::remedies::by_day_beside_an_index_on_the_column();
    let found = advice(&mut planner);
    assert_eq!(found.remedies.len(), 1, "{:?}", found.remedies);
    let rewritten = StatementRegression {
        statement: id("by-day"),
        rewritten_by: Some("m1".to_owned()),
        with: Cost(10.0),
        without: Cost(TODAY),
    };
    assert_eq!(worse(&found), [("events_at".to_owned(), vec![rewritten])]);
}
