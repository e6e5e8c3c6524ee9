//! What is asked, in which order, and how it is counted.

use super::*;
use crate::planner::counted::Tally;
use crate::planner::test_planner::{WRITE_BLOCK, definitions};
use crate::planner::{Mode, RefusalCause};

/// The single candidates that were tested in the twin, in order.
fn tested_in_twin(planner: &TestPlanner) -> Vec<String> {
    let is_trial = |asked: &&Question| {
        asked.target == Target::Twin && asked.skippable.is_some() && asked.indexes.len() == 1
    };
    let mut found = Vec::new();
    for trial in planner.asked().iter().filter(is_trial).map(definitions) {
        let new = trial.into_iter().filter(|index| !found.contains(index));
        let new: Vec<String> = new.collect();
        found.extend(new);
    }
    found
}

#[test]
fn each_statements_first_candidate_is_tested_before_any_second_one() {
    let filter = "((orders.a = 5) AND (orders.b = 6))";
    let both = seq_scan("orders", TODAY).filter(filter);
    let sql = "SELECT * FROM orders WHERE a = 5 AND b = 6";
    let planner = TestPlanner::new([orders()]).called(1.0, "light", sql, both);
    let mut planner = looking_up(planner, 5.0, "c");
    let advice = advice(&mut planner);
    assert!(advice.rejected.len() > 3, "{:?}", advice.rejected.len());
    let order = tested_in_twin(&planner);
    assert_eq!(
        order[0], "orders (c)",
        "the heaviest statement's: {order:?}"
    );
    assert!(order[1..].iter().all(|index| !index.contains('c')));
}

#[test]
fn the_heaviest_statement_comes_first() {
    let order = |calls_of_a, calls_of_b| {
        let planner = looking_up(TestPlanner::new([orders()]), calls_of_a, "a");
        let mut planner = looking_up(planner, calls_of_b, "b");
        advice(&mut planner);
        tested_in_twin(&planner)
    };
    assert_eq!(order(1.0, 2.0), ["orders (b)", "orders (a)"]);
    assert_eq!(order(2.0, 1.0), ["orders (a)", "orders (b)"]);
}

#[test]
fn a_busy_table_is_waited_for_once() {
    let busy = RefusalCause::LockTimeout(Millis(1_000.0));
    let mut planner = by_both();
    for index in ["orders (a)", "orders (b)", "orders (a, b)", "orders (b, a)"] {
        planner = planner.refuses(Target::Server, index, busy.clone());
    }
    let advice = advice_within(&mut planner, &rehearse(Rehearse::Transaction));
    assert_eq!(planner.built().len(), 1, "{:?}", planner.built());
    let locked = RefusalCause::TableLocked(QualifiedName::new("public", "orders"));
    let refused = |cause: &RefusalCause| {
        let is_it = |rejected: &&Rejected| rejected.rejection == Rejection::Refused(cause.clone());
        advice.rejected.iter().filter(is_it).count()
    };
    assert_eq!(refused(&busy), 1);
    assert_eq!(refused(&locked), advice.rejected.len() - 1);
}

/// What a tally should be of these questions, if all were answered.
fn counted(asked: &[Question]) -> Tally {
    let of = |target| asked.iter().filter(move |asked| asked.target == target);
    let plans = |target| of(target).map(|asked| asked.statements.len()).sum();
    let builds = || asked.iter().filter(|asked| is_build(asked));
    let mut seen = std::collections::BTreeSet::new();
    let mut again = |asked: &Question| {
        let indexes = asked.indexes.iter();
        let known = indexes.filter(|index| !seen.insert(index.definition.clone()));
        (asked.mode, known.count())
    };
    let again: Vec<(Mode, usize)> = asked
        .iter()
        .filter(|asked| asked.target == Target::Server && !asked.indexes.is_empty())
        .map(&mut again)
        .collect();
    let again = |mode: Mode| {
        let of_mode = again.iter().filter(|(of, _)| *of == mode);
        of_mode.map(|(_, known)| known).sum()
    };
    let all_write_blocks = builds().count() as f64 * WRITE_BLOCK.0;
    Tally {
        transactions: builds().count(),
        indexes_built: builds().map(|asked| asked.indexes.len()).sum(),
        twin_questions: of(Target::Twin).count(),
        server_explains: plans(Target::Server),
        twin_explains: plans(Target::Twin),
        longest_write_block: Some(WRITE_BLOCK),
        total_write_block: Some(Millis(all_write_blocks)),
        longest_wait: Some(Millis(0.0)),
        total_wait: Some(Millis(0.0)),
        built_again_to_plan: again(Mode::Plan),
        built_again_to_execute: again(Mode::Execute),
    }
}

#[test]
fn every_question_is_counted_once() {
    // At a page cost of 1 no hypothesis is asked about, so nothing is refused.
    let cheap = |planner: TestPlanner| {
        planner.with_catalog(|catalog| {
            let setting = ("random_page_cost".to_owned(), "1".to_owned());
            catalog.settings.extend([setting]);
        })
    };
    let analyze = |rehearse| Limits {
        analyze: true,
        rehearse,
        ..Limits::default()
    };
    for limits in [
        Limits::default(),
        rehearse(Rehearse::Transaction),
        analyze(Rehearse::Auto),
    ] {
        let mut planner = cheap(by_a_and_b());
        let advice = advice_within(&mut planner, &limits);
        assert_eq!(
            advice.rehearsal.tally,
            counted(planner.asked()),
            "{limits:?}"
        );
        assert!(advice.rehearsal.tally.indexes_built >= 2);
        let executes = |asked: &Question| asked.mode == Mode::Execute;
        assert_eq!(planner.asked().iter().any(executes), limits.analyze);
    }
}

#[test]
fn what_was_skipped_is_not_counted() {
    let mut planner = by_a_and_b().out_of_time_at(|_| true);
    let advice = advice(&mut planner);
    let answered = planner
        .asked()
        .iter()
        .filter(|asked| asked.skippable.is_none());
    let answered: Vec<Question> = answered.cloned().collect();
    assert!(answered.len() < planner.asked().len());
    let twin = answered.iter().filter(|asked| asked.target == Target::Twin);
    assert_eq!(advice.rehearsal.tally.twin_questions, twin.count());
    assert_eq!(advice.rehearsal.tally.transactions, 0);
    assert_eq!(advice.rehearsal.tally.longest_write_block, None);
}

#[test]
fn only_the_search_may_be_cut_short() {
    let mut planner = by_a_and_b();
    advice(&mut planner);
    let is_search = |asked: &&Question| {
        let is_about_indexes = asked.target == Target::Twin && !asked.indexes.is_empty();
        is_about_indexes || asked.is_about_time()
    };
    assert!(
        planner
            .asked()
            .iter()
            .any(|asked| asked.skippable.is_some())
    );
    for asked in planner
        .asked()
        .iter()
        .filter(|asked| asked.skippable.is_some())
    {
        assert!(is_search(&asked), "{asked}");
    }
}

#[test]
fn the_text_that_the_planner_accepts_is_asked_about_from_then_on() {
    let sql = "SELECT * FROM orders WHERE a > now() - interval $1";
    let accepted = "SELECT * FROM orders WHERE a > now() - CAST($1 AS interval)";
    let scan = seq_scan("orders", TODAY).filter("(orders.a > (now() - $1))");
    let mut planner = TestPlanner::new([orders()])
        .statement("recent", sql, scan)
        .settling("recent", accepted);
    let advice = advice(&mut planner);
    let statement = &advice.statements[0].statement;
    assert_eq!(
        (statement.sql.as_str(), statement.as_written()),
        (accepted, sql)
    );
    let texts = planner.asked().iter().flat_map(|asked| &asked.statements);
    let texts: Vec<&str> = texts.map(|statement| statement.sql.as_str()).collect();
    assert_eq!(texts[0], sql);
    assert!(
        texts.len() > 1 && texts[1..].iter().all(|text| *text == accepted),
        "{texts:?}"
    );
}
