//! What the user makes: indexes, edited statements, pairs of plans.

use super::*;
use crate::planner::NamedIndex;

pub(super) fn write_index(model: &mut Model, text: &str) -> Vec<Effect> {
    press(model, Key::Char('4'));
    press(model, Key::Char('n'));
    update(model, Msg::Paste(text.to_owned()));
    press(model, Key::Enter)
}

/// Writes an index that nobody has tested; the twin is asked about it.
pub(super) fn write_mine(model: &mut Model) -> Box<NamedIndex> {
    let sql = "create index mine on transactions (status, user_id)";
    let effects = write_index(model, sql);
    let [Effect::Send(2, Request::TryIndex { index, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    index.clone()
}

/// The plans of a recorded test of one index, without and with it.
pub(super) fn compared() -> Comparison {
    let mut exchanges = recording().exchanges.into_iter();
    let first = exchanges.find(|exchange| exchange.indexes.len() == 1);
    let Answer::Planned(after) = first.unwrap().answer else {
        panic!()
    };
    Comparison {
        before: plans_as_they_are(),
        after,
    }
}

#[test]
fn an_index_of_the_user_is_tested_in_the_twin_under_its_own_name() {
    let mut model = live();
    let text = "CREATE INDEX CONCURRENTLY mine ON transactions (status, user_id);";
    let effects = write_index(&mut model, text);
    let [Effect::Send(2, Request::TryIndex { index, statements })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((index.name.as_str(), statements.len()), ("mine", 8));
    let refusal = Refusal {
        write_block: Some(Millis(1.0)),
        ..RefusalCause::LockTimeout(Millis(1_000.0)).into()
    };
    let refused = Response::Tried(index.clone(), Err(refusal));
    update(&mut model, Msg::Response(2, refused));
    let Overlay::Prompt(prompt) = &model.navigation.overlay else {
        panic!("the text is still there")
    };
    assert_eq!(prompt.input.text(), text);
    assert!(matches!(&prompt.note, Some(Note::Error(why)) if why.contains("lock")));
    type_text(&mut model, "q");
    assert!(
        matches!(&model.navigation.overlay, Overlay::Prompt(_)),
        "further keys are text"
    );
    press(&mut model, Key::Backspace);
}

#[test]
fn an_own_index_that_helps_is_on_and_is_not_lost_by_a_key() {
    let mut model = live();
    let index = write_mine(&mut model);
    let tried = Response::Tried(index, Ok(Box::new(compared())));
    let effects = update(&mut model, Msg::Response(2, tried));
    let all = session_data_of(&model).recommended().len() + 1;
    assert!(
        matches!(effects.as_slice(), [Effect::Send(3, Request::Predict { named, .. })] if named.len() == all),
        "the twin is asked about all that is on: {effects:?}"
    );
    assert_eq!(model.navigation.screen, Screen::Compare);
    assert!(screen(&model).contains("YOUR INDEX"), "{}", screen(&model));
    assert!(
        model
            .message
            .as_ref()
            .unwrap()
            .text
            .contains("it is on now")
    );
    press(&mut model, Key::Char('4'));
    assert!(
        model
            .indexes
            .rows
            .contains(&IndexRow::Heading("Your indexes"))
    );
    assert_eq!(
        press(&mut model, Key::Char('q')),
        [],
        "it is written nowhere"
    );
    assert_eq!(model.question.as_ref().unwrap().purpose, Purpose::Quit);
    press(&mut model, Key::Char('n'));
    assert!(!write(&mut model, "mine.sql").is_empty());
    assert_eq!(press(&mut model, Key::Char('q')), [Effect::Quit]);
}

#[test]
fn what_was_typed_before_comes_back_and_names_are_completed() {
    let mut model = live();
    write_index(&mut model, "create table t ()");
    press(&mut model, Key::Esc);
    press(&mut model, Key::Char('n'));
    press(&mut model, Key::Up);
    let text = |model: &Model| match &model.navigation.overlay {
        Overlay::Prompt(prompt) => prompt.input.text().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(text(&model), "create table t ()");
    press(&mut model, Key::Ctrl('u'));
    type_text(&mut model, "create index on trans");
    press(&mut model, Key::Tab);
    assert_eq!(text(&model), "create index on transactions");
    type_text(&mut model, " (stat");
    press(&mut model, Key::Tab);
    assert_eq!(text(&model), "create index on transactions (status");
    let before = text(&model);
    assert_eq!(
        press(&mut model, Key::Ctrl('x')),
        [Effect::Edit(EditedText::Index, format!("{before}\n"))]
    );
    let edited = "create index on transactions\n  (user_id)\n".to_owned();
    update(&mut model, Msg::Edited(EditedText::Index, Ok(edited)));
    assert_eq!(text(&model), "create index on transactions   (user_id)");
}

#[test]
fn a_pasted_index_opens_the_prompt_and_other_text_runs_no_key() {
    let mut model = live();
    update(
        &mut model,
        Msg::Paste("  CREATE INDEX ON transactions (id)".to_owned()),
    );
    assert!(
        matches!(&model.navigation.overlay, Overlay::Prompt(prompt) if prompt.purpose == PromptPurpose::Index)
    );
    let mut model = live();
    update(&mut model, Msg::Paste("qqq".to_owned()));
    assert_eq!(model.navigation.overlay, Overlay::Nothing);
}

#[test]
fn without_a_twin_an_index_waits_for_r() {
    let mut model = live();
    let effects = write_index(&mut model, "create index on transactions (status, user_id)");
    let [Effect::Send(2, Request::TryIndex { index, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let refused = Response::Tried(index.clone(), Err(RefusalCause::NoTwin.into()));
    assert_eq!(update(&mut model, Msg::Response(2, refused)), []);
    assert_eq!(model.navigation.screen, Screen::Indexes);
    assert!(screen(&model).contains("R builds"), "{}", screen(&model));
    let effects = press(&mut model, Key::Char('R'));
    let [Effect::Send(3, Request::Verify { groups, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert!(groups.iter().any(|group| group.indexes.contains(index)));
}

pub(super) fn plans_as_they_are() -> BTreeMap<StatementId, PlanOutcome> {
    let recording = recording();
    let ids = recording
        .workload
        .statements()
        .iter()
        .map(|statement| &statement.id);
    ids.filter_map(|id| Some((id.clone(), recording.first_plan(id)?.clone())))
        .collect()
}

#[test]
fn an_index_that_gains_nothing_says_so_and_stays_off() {
    let mut model = live();
    let effects = write_index(&mut model, "create index on transactions (status, user_id)");
    let [Effect::Send(2, Request::TryIndex { index, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let Comparison { after, .. } = compared();
    let compared = Comparison {
        before: after.plans.clone(),
        after,
    };
    let tried = Response::Tried(index.clone(), Ok(Box::new(compared)));
    let on = model.selection.indexes().clone();
    assert_eq!(update(&mut model, Msg::Response(2, tried)), []);
    assert!(
        model
            .message
            .as_ref()
            .unwrap()
            .text
            .contains("no statement gains enough from it")
    );
    let drawn = screen(&model);
    assert!(
        drawn.contains("YOUR INDEX") && drawn.contains("the same"),
        "{drawn}"
    );
    assert_eq!(*model.selection.indexes(), on);
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('x'));
    let mine = session_data_of(&model).indexes.len() - 1;
    model.indexes.list.selected = model
        .indexes
        .rows
        .iter()
        .position(|row| *row == IndexRow::Index(mine))
        .unwrap();
    press(&mut model, Key::Char(' '));
    let totals = model.indexes.totals.as_ref().unwrap();
    assert_eq!(
        (totals.basis, totals.before),
        (TotalBasis::Tested, totals.after)
    );
}

#[test]
fn an_index_that_cannot_be_tested_says_why() {
    for (text, why) in [
        ("create table t ()", "not a CREATE INDEX"),
        (
            "create index on elsewhere (a)",
            "No statement reads public.elsewhere",
        ),
        (
            "create unique index on transactions (id)",
            "UNIQUE changes no plan",
        ),
        (
            "create index transactions_pkey on transactions (status, id)",
            "The name transactions_pkey is taken",
        ),
        (
            "create index on transactions (id); drop table transactions",
            "unexpected",
        ),
    ] {
        let mut model = live();
        assert_eq!(write_index(&mut model, text), [], "{text}");
        assert!(screen(&model).contains(why), "{text}: {}", screen(&model));
    }
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('n'));
    assert!(screen(&model).contains("There is no server"));
    let mut model = live();
    assert_eq!(
        write_index(&mut model, "create index on transactions (updated)"),
        []
    );
    assert_eq!(
        model.navigation.screen,
        Screen::Compare,
        "what was tested is shown"
    );
    assert!(screen(&model).contains("was tested already"));
}

#[test]
fn a_lost_connection_is_shown_and_can_be_retried() {
    let mut model = live();
    write_index(&mut model, "create index on transactions (status, user_id)");
    update(
        &mut model,
        Msg::Response(
            2,
            Response::Failed("the server closed the connection".to_owned()),
        ),
    );
    assert!(matches!(model.jobs.connection, Connection::Lost(_)));
    assert!(screen(&model).contains("✗ the server closed the connection"));
    press(&mut model, Key::Esc);
    assert!(
        screen(&model)
            .contains("Connection lost: the server closed the connection · r connects again")
    );
    assert_eq!(session_data_of(&model).listed(), 7, "what is known stays");
    let effects = press(&mut model, Key::Char('r'));
    assert!(matches!(
        effects.as_slice(),
        [Effect::Send(3, Request::TryIndex { .. })]
    ));
    let mut idle = live();
    update(&mut idle, Msg::Lost("it is gone".to_owned()));
    assert!(screen(&idle).contains("Connection lost: it is gone"));
    assert_eq!(
        press(&mut idle, Key::Char('r')),
        [Effect::Send(2, Request::Connect)]
    );
    update(&mut idle, Msg::Response(2, Response::Connected));
    assert_eq!(idle.jobs.connection, Connection::Live);
}

#[test]
fn two_plans_are_compared_whatever_statements_they_are_of() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('='));
    assert!(screen(&model).contains("Space marks a statement"));
    for key in [' ', 'j', ' ', '='] {
        press(&mut model, Key::Char(key));
    }
    assert_eq!(model.navigation.screen, Screen::Compare);
    assert!(model.compare.other.is_some() && !model.compare.rows.is_empty());
    assert!(screen(&model).contains("the plans of two statements"));
    press(&mut model, Key::Char('3'));
    assert_eq!(model.compare.other, None, "before and after again");
    // Two files need no marks.
    let plan = |node: &str| {
        let plan = serde_json::json!({"Plan": {"Node Type": node, "Relation Name": "t", "Total Cost": 12.0, "Plan Rows": 3}});
        Ok(ReadPlan::of_statement(Plan::from_json(plan).unwrap(), ""))
    };
    let plans = vec![
        ("before.json".to_owned(), plan("Seq Scan")),
        ("after.json".to_owned(), plan("Index Scan")),
    ];
    let data = SessionData::of_plans("x".to_owned(), plans);
    let mut model = Model::offline(data, SMALL, Theme::Plain);
    press(&mut model, Key::Char('='));
    let drawn = screen(&model);
    assert!(drawn.contains("before.json | after.json"), "{drawn}");
    assert!(
        drawn.contains("- Seq Scan") && drawn.contains("+ Index Scan"),
        "{drawn}"
    );
}

#[test]
fn an_edited_statement_is_planned_and_shown_beside_the_first() {
    let mut model = live();
    let effects = press(&mut model, Key::Char('E'));
    let [Effect::Edit(EditedText::Statement(statement), text)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert!(text.contains("SELECT") || text.contains("select"));
    let what = || EditedText::Statement(statement.clone());
    assert_eq!(
        update(&mut model, Msg::Edited(what(), Ok(text.clone()))),
        []
    );
    assert!(screen(&model).contains("was not changed"));
    let effects = update(&mut model, Msg::Edited(what(), Ok("SELECT 1;".to_owned())));
    let [Effect::Send(2, Request::Plan(edited))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(edited.sql, "SELECT 1");
    let total = model.workload.totals;
    let plan = plans_as_they_are().into_values().next().unwrap();
    let planned = Response::Planned(edited.clone(), Box::new(plan));
    update(&mut model, Msg::Response(2, planned));
    assert_eq!(model.navigation.screen, Screen::Compare);
    assert!(screen(&model).contains("(edited)"));
    assert_eq!(model.workload.totals, total, "it is in no total");
    press(&mut model, Key::Char('1'));
    assert_eq!(session_data_of(&model).listed(), 8);
}

/// What Tab makes of a text in the prompt for an index.
fn completed(text: &str) -> String {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('n'));
    type_text(&mut model, text);
    press(&mut model, Key::Tab);
    match &model.navigation.overlay {
        Overlay::Prompt(prompt) => prompt.input.text().trim_end().to_owned(),
        _ => String::new(),
    }
}

#[test]
fn names_are_completed_in_the_short_form_too() {
    for (text, whole) in [
        ("transactions (stat", "transactions (status"),
        (
            "CREATE INDEX ON transactions (stat",
            "CREATE INDEX ON transactions (status",
        ),
        (
            "public.transactions (status, user_i",
            "public.transactions (status, user_id",
        ),
        ("transactions USING bri", "transactions USING brin"),
        ("trans", "transactions"),
        ("public.trans", "public.transactions"),
    ] {
        assert_eq!(completed(text), whole);
    }
}

#[test]
fn an_own_index_is_shown_for_the_statement_that_was_looked_at() {
    let mut model = live();
    let used = |data: &SessionData, statement: usize| {
        let choices = &data.statements[statement].choices;
        choices
            .iter()
            .find(|choice| choice.used && choice.index.is_some())
            .cloned()
    };
    let data = session_data();
    let with_choice = (0..data.statements.len())
        .filter_map(|statement| Some((statement, used(&data, statement)?)));
    for (statement, choice) in with_choice.take(3).collect::<Vec<_>>() {
        if !data.statements[statement].is_listed() {
            continue;
        }
        press(&mut model, Key::Char('1'));
        let place = model
            .workload
            .visible
            .iter()
            .position(|shown| *shown == statement);
        model.workload.list.selected = place.unwrap();
        let index = &data.indexes[choice.index.unwrap()].named.definition;
        press(&mut model, Key::Char('n'));
        update(&mut model, Msg::Paste(index.definition()));
        press(&mut model, Key::Enter);
        assert_eq!(
            model.compare.statement,
            Some(statement),
            "{}",
            index.definition()
        );
        assert!(
            model
                .message
                .as_ref()
                .unwrap()
                .text
                .contains("was tested already, as")
        );
    }
}

#[test]
fn a_lock_that_was_not_free_blames_no_table_that_was() {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char(' '));
    press(&mut model, Key::Char('R'));
    let number = model.jobs.last_number;
    let Some(Request::Verify { indexes, .. }) =
        model.jobs.main.as_ref().map(|job| job.request.clone())
    else {
        panic!()
    };
    let refusal: Refusal = RefusalCause::LockTimeout(Millis(1_000.0)).into();
    update(
        &mut model,
        Msg::Response(number, Response::Verified(indexes, Err(refusal))),
    );
    let text = &model.message.as_ref().unwrap().text;
    assert!(
        text.starts_with("Could not lock transactions within 1 s"),
        "{text}"
    );
}

#[test]
fn a_lock_names_who_has_it_where_the_server_says_so() {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char(' '));
    press(&mut model, Key::Char('R'));
    let number = model.jobs.last_number;
    let refusal = Refusal {
        locked_by: Some(Box::new(crate::planner::LockHolders {
            table: crate::model::QualifiedName::new("public", "orders"),
            pids: vec![4711],
        })),
        ..RefusalCause::LockTimeout(Millis(1_000.0)).into()
    };
    let response = Response::Verified([0].into(), Err(refusal));
    update(&mut model, Msg::Response(number, response));
    assert_eq!(
        model.message.as_ref().unwrap().text,
        "Could not lock orders within 1 s: process 4711 has it"
    );
}

#[test]
fn a_role_that_owns_nothing_is_told_at_once_what_helps() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    let mut data = session_data();
    for table in &mut data.catalog.tables {
        table.owned = false;
    }
    let advised = Response::Advised(Box::new(data));
    update(&mut model, Msg::Response(1, advised));
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char(' '));
    let effects = press(&mut model, Key::Char('R'));
    assert_eq!(effects, [], "nobody is asked");
    let text = &model.message.as_ref().unwrap().text;
    assert!(
        text.ends_with(": connect as the owner, or y copies the DDL"),
        "{text}"
    );
}
