//! The report and its exports follow what is on.

use super::own_work::{compared, write_mine};
use super::*;

/// The report as it is written to this file.
fn report(model: &mut Model, path: &str) -> String {
    press(model, Key::Char(':'));
    type_text(model, &format!("report {path}"));
    match press(model, Key::Enter).pop() {
        Some(Effect::WriteFile { text, .. }) => text,
        other => panic!("{other:?}"),
    }
}

/// The indexes that a file of SQL creates.
fn created(sql: &str) -> Vec<&str> {
    let statements = sql.lines().filter(|line| line.starts_with("CREATE INDEX"));
    statements.collect()
}

#[test]
fn the_report_and_its_exports_are_about_what_is_on() {
    let mut model = offline(SMALL);
    let whole = report(&mut model, "x.txt");
    let all = report(&mut model, "x.sql");
    assert_eq!(created(&all).len(), 4);
    press(&mut model, Key::Char('5'));
    press(&mut model, Key::Char('t'));
    press(&mut model, Key::Char('2'));
    let totals = model.indexes.totals.clone().unwrap();
    let sql = report(&mut model, "x.sql");
    assert_eq!(created(&sql), created(&all)[..2]);
    let text = report(&mut model, "x.txt");
    assert!(
        text.contains(&format!("2 indexes ({})", totals.size)),
        "{text}"
    );
    assert!(text.contains("switched off in the session"), "{text}");
    assert!(
        text.contains("built, used by the planner, and rolled back"),
        "{text}"
    );
    let off = session_data_of(&model).indexes[2].named.name.clone();
    assert!(text.contains(&off), "{text}");
    for format in ["x.json", "x.html", "x.md"] {
        let text = report(&mut model, format);
        assert!(text.contains("switched off in the session"), "{format}");
    }
    press(&mut model, Key::Char('5'));
    assert!(screen(&model).contains("2 indexes ("), "{}", screen(&model));
    press(&mut model, Key::Char('u'));
    assert!(screen(&model).contains("4 indexes ("), "{}", screen(&model));
    assert_eq!(report(&mut model, "x.txt"), whole);
}

#[test]
fn nothing_on_is_nothing_recommended() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('x'));
    assert_eq!(created(&report(&mut model, "x.sql")).len(), 0);
    let text = report(&mut model, "x.txt");
    assert!(!text.contains("RECOMMENDED"), "{text}");
}

#[test]
fn an_own_index_that_is_on_is_in_the_report() {
    let mut model = live();
    let index = write_mine(&mut model);
    let mut tested = compared();
    for built in &mut tested.after.indexes {
        built.build_time = None;
    }
    let tried = Response::Tried(index, Ok(Box::new(tested)));
    update(&mut model, Msg::Response(2, tried));
    press(&mut model, Key::Char('4'));
    let mine = session_data_of(&model).indexes.len() - 1;
    assert!(model.selection.indexes().contains(&mine));
    let sql = report(&mut model, "x.sql");
    assert_eq!(created(&sql).len(), 5, "{sql}");
    assert!(sql.contains(" mine "), "{sql}");
    assert!(report(&mut model, "x.txt").contains("new1"));
}

#[test]
fn after_a_build_the_pane_the_list_and_the_report_agree() {
    let mut model = live();
    let mut data = session_data();
    // As a search in the twin leaves it.
    let advice = std::sync::Arc::make_mut(data.advice.as_mut().unwrap());
    advice.rehearsal.tally.transactions = 0;
    for index in &mut data.indexes {
        index.evidence = Some(crate::planner::Evidence::PlannerTwin);
        index.build_time = None;
    }
    update(
        &mut model,
        Msg::Response(1, Response::Advised(Box::new(data.clone()))),
    );
    model = Model::live(SMALL, Theme::Plain).0;
    update(
        &mut model,
        Msg::Response(1, Response::Advised(Box::new(data))),
    );
    assert!(report(&mut model, "x.txt").contains("Nothing was built."));
    press(&mut model, Key::Char('4'));
    let effects = press(&mut model, Key::Char('R'));
    let [Effect::Send(_, Request::Verify { indexes, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let mut built = compared();
    let first = built.after.indexes[0].clone();
    built.after.indexes = session_data_of(&model).indexes[..4]
        .iter()
        .map(|index| crate::planner::TestedIndex {
            names: [index.named.name.clone()].into(),
            size: crate::model::Bytes(123 * 1024),
            build_time: Some(Millis(7.0)),
            ..first.clone()
        })
        .collect();
    let verified = Response::Verified(indexes.clone(), Ok(vec![built]));
    let number = model.jobs.last_number;
    update(&mut model, Msg::Response(number, verified));
    let totals = model.indexes.totals.clone().unwrap();
    let text = report(&mut model, "x.txt");
    assert!(!text.contains("Nothing was built."), "{text}");
    assert!(text.contains("built in 7.0 ms"), "{text}");
    assert!(
        text.contains(&format!("4 indexes ({})", totals.size)),
        "{text}"
    );
    let IndexStatus::Recommended { explanation, .. } = &session_data_of(&model).indexes[0].status
    else {
        panic!()
    };
    assert!(explanation.contains("123"), "{explanation}");
    assert!(!explanation.contains("nothing was built"), "{explanation}");
}

#[test]
fn the_report_begins_with_what_to_do() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('5'));
    let at = |what: &str| {
        let mut lines = model.report.lines.iter();
        lines.position(|line| line.starts_with(what)).unwrap()
    };
    assert!(at("RECOMMENDED") < 12, "{:#?}", model.report.lines);
    assert!(at("RECOMMENDED") < at("REJECTED"));
    let text = model.report.lines.join("\n");
    assert!(!text.contains("not_chosen"), "{text}");
}
