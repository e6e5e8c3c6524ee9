//! The interface without a terminal: keys in, models and screens out, from a recorded run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

use super::keymap::{BINDINGS, Key, Scope, Screen};
use super::model::{
    Connection, EditedText, Effect, Model, Msg, Overlay, Progress, Purpose, Request, Response,
    Size, Zoom,
};
use super::prompt::{Note, PromptPurpose};
use super::screen::indexes::IndexRow;
use super::screen::workload::Sort;
use super::session_data::{IndexStatus, SessionData, TimeCoverage, TotalBasis};
use super::theme::Theme;
use super::{draw, update};
use crate::advise::advise;
use crate::model::Millis;
use crate::plan::Plan;
use crate::plan::read::ReadPlan;
use crate::planner::recording::{Recording, Replay};
use crate::planner::{Answer, Comparison, PlanOutcome, Refusal, RefusalCause};
use crate::verdict::Reason;
use crate::workload::StatementId;

const SMALL: Size = Size {
    columns: 80,
    lines: 24,
};
const SIZES: [Size; 3] = [
    SMALL,
    Size {
        columns: 120,
        lines: 40,
    },
    Size {
        columns: 200,
        lines: 60,
    },
];

fn recording() -> Recording {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/recordings/002-table-sync.json"
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn session_data() -> SessionData {
    let recording = recording();
    let advice = advise(
        &recording.workload,
        &recording.limits,
        &mut Replay::new(&recording),
        &|_| {},
    )
    .unwrap();
    SessionData::new("002-table-sync.json".to_owned(), advice, &recording)
}

fn offline(size: Size) -> Model {
    Model::offline(session_data(), size, Theme::Colours)
}

/// A live session with its advice.
fn live() -> Model {
    let (mut model, effects) = Model::live(SMALL, Theme::Colours);
    assert_eq!(effects, [Effect::Send(1, Request::Advise)]);
    update(
        &mut model,
        Msg::Response(1, Response::Advised(Box::new(session_data()))),
    );
    model
}

fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    update(model, Msg::Key(key))
}

fn type_text(model: &mut Model, text: &str) {
    for character in text.chars() {
        press(model, Key::Char(character));
    }
}

fn screen(model: &Model) -> String {
    let mut terminal =
        Terminal::new(TestBackend::new(model.size.columns, model.size.lines)).unwrap();
    terminal.draw(|frame| draw(model, frame)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn every_screen_at_every_size() {
    for size in SIZES {
        let name = |screen: &str| format!("{screen}_{}x{}", size.columns, size.lines);
        let mut model = offline(size);
        insta::assert_snapshot!(name("workload"), screen(&model));
        press(&mut model, Key::Enter);
        press(&mut model, Key::Char('c'));
        insta::assert_snapshot!(name("plan"), screen(&model));
        press(&mut model, Key::Char('b'));
        insta::assert_snapshot!(name("compare"), screen(&model));
        press(&mut model, Key::Char('4'));
        press(&mut model, Key::Char('j'));
        press(&mut model, Key::Char(' '));
        insta::assert_snapshot!(name("indexes"), screen(&model));
        press(&mut model, Key::Char('5'));
        insta::assert_snapshot!(name("report"), screen(&model));
        press(&mut model, Key::Char('4'));
        press(&mut model, Key::Char('?'));
        insta::assert_snapshot!(name("help"), screen(&model));
    }
}

#[test]
fn a_run_that_goes_on_and_one_that_failed() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    let progress = Progress {
        what: "testing candidates".to_owned(),
        step: 3,
        steps: 12,
        about: "jobs_state_idx".to_owned(),
    };
    update(&mut model, Msg::Progress(1, progress));
    update(&mut model, Msg::Tick(Duration::from_millis(2_340)));
    insta::assert_snapshot!("loading_80x24", screen(&model));
    update(
        &mut model,
        Msg::Response(
            1,
            Response::Failed("planning a statement: connection\u{1b}[2J closed".to_owned()),
        ),
    );
    insta::assert_snapshot!("failed_80x24", screen(&model));
}

#[test]
fn an_index_being_written() {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('e'));
    insta::assert_snapshot!("editor_80x24", screen(&model));
}

#[test]
fn every_key_is_in_the_help() {
    let mut model = offline(Size {
        columns: 120,
        lines: 200,
    });
    press(&mut model, Key::Char('?'));
    let help = screen(&model);
    for binding in BINDINGS {
        for key in binding.keys {
            let line = help
                .lines()
                .find(|line| line.contains(binding.help) && line.contains(&*key.label()));
            assert!(line.is_some(), "{:?} {}", key, binding.help);
        }
    }
}

/// Models in which a key of this scope has an effect: a new one, and some after other keys.
fn occasions(scope: Scope) -> Vec<Model> {
    let on = |screen: Screen, keys: &[Key]| {
        let mut model = live();
        update(
            &mut model,
            Msg::Key(Key::Char(['1', '2', '3', '4', '5'][screen as usize])),
        );
        for key in keys {
            press(&mut model, *key);
        }
        model
    };
    let moved = [Key::Char('j'), Key::Char('j')];
    let lost = || {
        let mut model = live();
        model.jobs.failed = Some(Request::Advise);
        model
    };
    match scope {
        Scope::Everywhere => vec![
            on(Screen::Workload, &moved),
            on(Screen::Indexes, &[]),
            lost(),
            on(Screen::Report, &[]),
            on(Screen::Report, &[Key::Down]),
            on(Screen::Plan, &[Key::Right]),
            on(Screen::Workload, &[Key::Char(' '), Key::Char('j')]),
            on(Screen::Indexes, &[Key::Char('x')]),
            on(Screen::Indexes, &[Key::Char(' ')]),
            on(Screen::Indexes, &[Key::Char('x'), Key::Char('u')]),
            on(Screen::Indexes, &[Key::Char('>'), Key::Char('>')]),
            {
                let mut filtered = on(Screen::Workload, &[Key::Char('/')]);
                type_text(&mut filtered, "select");
                press(&mut filtered, Key::Enter);
                press(&mut filtered, Key::Down);
                filtered
            },
        ],
        Scope::Reading => {
            let mut help = on(Screen::Workload, &[Key::Char('?')]);
            update(&mut help, Msg::Key(Key::Char('j')));
            let mut searched = help.clone();
            press(&mut searched, Key::Char('/'));
            type_text(&mut searched, "screen");
            press(&mut searched, Key::Enter);
            vec![help, searched]
        }
        Scope::On(Screen::Plan) => {
            vec![
                on(Screen::Plan, &[]),
                on(Screen::Plan, &[Key::Char('-'), Key::Char('>')]),
                {
                    let mut model = on(Screen::Workload, &moved);
                    press(&mut model, Key::Char('2'));
                    model
                },
            ]
        }
        Scope::On(Screen::Compare) => {
            let mut second = on(Screen::Workload, &moved);
            press(&mut second, Key::Char('3'));
            press(&mut second, Key::Char(']'));
            vec![on(Screen::Compare, &[Key::Char('>')]), second]
        }
        Scope::On(screen) => {
            vec![
                on(screen, &[]),
                on(screen, &[Key::Char(' ')]),
                on(screen, &[Key::Char('x'), Key::Char('>')]),
            ]
        }
        Scope::Typing => {
            let mut earlier = on(Screen::Indexes, &[Key::Char('n')]);
            type_text(&mut earlier, "create table t ()");
            press(&mut earlier, Key::Enter);
            let mut model = earlier.clone();
            press(&mut model, Key::Ctrl('u'));
            type_text(&mut model, "t");
            let mut moved = model.clone();
            press(&mut moved, Key::Left);
            let mut back = model.clone();
            press(&mut back, Key::Up);
            vec![model, moved, back]
        }
        Scope::Asked => vec![asked()],
    }
}

/// A run that asks whether it may build.
fn asked() -> Model {
    let (mut model, _) = Model::live(SMALL, Theme::Colours);
    assert!(model.jobs.main.is_some());
    let question = "building 3 indexes on public.orders (2), public.items (1) for about 2.0 s, each rolled back; \
                    no session waits longer than 2.0 s for one, nor 30.0 s for all";
    update(&mut model, Msg::Asked(1, question.to_owned()));
    model
}

#[test]
fn before_anything_is_built_the_interface_asks() {
    insta::assert_snapshot!("question_80x24", screen(&asked()));
    for (key, answer) in [
        (Key::Char('y'), true),
        (Key::Char('n'), false),
        (Key::Esc, false),
    ] {
        let mut model = asked();
        assert_eq!(press(&mut model, key), [Effect::Answer(answer)]);
        assert!(model.jobs.main.is_some(), "the run goes on");
        assert_eq!(model.question, None);
        assert!(!screen(&model).contains("Build on the server?"));
    }
    let mut model = asked();
    assert_eq!(press(&mut model, Key::Ctrl('c')), [Effect::Quit]);
    assert_eq!(press(&mut model, Key::Enter), []);
    assert!(update(&mut model, Msg::Paste("y".to_owned())).is_empty());
    assert!(
        model.question.is_some(),
        "only its answers end a question"
    );
}

#[test]
fn a_question_belongs_to_the_running_request() {
    let (mut model, _) = Model::live(SMALL, Theme::Colours);
    update(&mut model, Msg::Asked(7, "of an earlier one".to_owned()));
    assert_eq!(model.question, None);
    let mut model = asked();
    let advised = Response::Advised(Box::new(session_data()));
    update(&mut model, Msg::Response(1, advised));
    assert_eq!(model.question, None);
}

#[test]
fn every_key_does_something() {
    let state = |model: &Model| {
        let parts = (
            &model.navigation,
            &model.workload,
            &model.plan.list,
            &model.plan.folded,
            model.plan.detail,
        );
        format!(
            "{parts:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            model.plan.statement,
            model.plan.sideways,
            model.compare,
            model.indexes,
            model.jobs,
            model.selection,
            model.question,
            model.report,
            (model.zoom, model.awaits_count)
        )
    };
    for binding in BINDINGS {
        for key in binding.keys {
            let does = |mut model: Model| {
                let before = state(&model);
                let effects = press(&mut model, *key);
                !effects.is_empty() || state(&model) != before
            };
            assert!(
                occasions(binding.scope).into_iter().any(does),
                "{key:?} does nothing: {}",
                binding.help
            );
        }
    }
}

#[test]
fn the_filter_works_as_you_type_and_esc_takes_it_back() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "balance");
    let names: Vec<&str> = model
        .workload
        .visible
        .iter()
        .map(|statement| {
            session_data_of(&model).statements[*statement]
                .source
                .id
                .0
                .as_str()
        })
        .collect();
    assert_eq!(names, ["n26-one-balance", "n26-balance-by-user"]);
    press(&mut model, Key::Esc);
    assert_eq!(model.workload.visible.len(), 7);
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "quit");
    assert!(
        matches!(&model.navigation.overlay, Overlay::Prompt(prompt) if prompt.input.text() == "quit"),
        "a q is a letter while one types"
    );
    assert!(screen(&model).contains("No statement matches"));
}

#[test]
fn statements_are_ranked_by_measured_time_where_most_have_one() {
    let mut recording = serde_json::to_value(recording()).unwrap();
    let statements = recording["workload"].as_object_mut().unwrap()["statements"]
        .as_array_mut()
        .unwrap();
    for (number, statement) in statements.iter_mut().enumerate().skip(1) {
        statement["mean_time_ms"] = serde_json::json!(1.5 * number as f64);
    }
    let mut by_time: Vec<String> = statements
        .iter()
        .map(|s| s["id"].as_str().unwrap().to_owned())
        .collect();
    by_time[1..].reverse();
    by_time.rotate_left(1);
    let recording: Recording = serde_json::from_value(recording).unwrap();
    let advice = advise(
        &recording.workload,
        &recording.limits,
        &mut Replay::new(&recording),
        &|_| {},
    )
    .unwrap();
    let mut model = Model::offline(
        SessionData::new("x".to_owned(), advice, &recording),
        SMALL,
        Theme::Plain,
    );
    insta::assert_snapshot!("workload_timed_80x24", screen(&model));
    let order = |model: &Model| -> Vec<String> {
        model
            .workload
            .visible
            .iter()
            .map(|statement| {
                session_data_of(model).statements[*statement]
                    .source
                    .id
                    .0
                    .clone()
            })
            .collect()
    };
    assert_eq!(
        order(&model).last(),
        by_time.last(),
        "the share of the one without a time is unknown"
    );
    for _ in 0..3 {
        press(&mut model, Key::Char('s'));
    }
    assert_eq!((model.workload.sort, order(&model)), (Sort::Time, by_time));
    assert_eq!(
        session_data().time_coverage,
        TimeCoverage::None,
        "recordings from before there were times are read"
    );
}

#[test]
fn what_writers_pay_is_shown_where_it_was_counted() {
    let mut recording = recording();
    let counted = |n_tup_ins| crate::catalog::Writes {
        n_tup_ins,
        n_tup_upd: 90_000,
        n_tup_hot_upd: 60_000,
        n_tup_del: 12,
        counted_for_s: Some(30.0 * 86_400.0),
        by_functions: None,
    };
    for table in &mut recording.catalog.tables {
        table.writes = Some(counted(1_200_000));
    }
    let advice = advise(
        &recording.workload,
        &recording.limits,
        &mut Replay::new(&recording),
        &|_| {},
    )
    .unwrap();
    let size = Size {
        columns: 120,
        lines: 30,
    };
    let mut model = Model::offline(
        SessionData::new("x".to_owned(), advice, &recording),
        size,
        Theme::Plain,
    );
    press(&mut model, Key::Char('4'));
    insta::assert_snapshot!("indexes_with_writes_120x30", screen(&model));
    update(&mut model, Msg::Resize(SMALL));
    assert!(screen(&model).contains("≤43 k/d"), "{}", screen(&model));
}

#[test]
fn esc_leads_back_to_the_beginning_and_then_takes_back_filter_and_marks() {
    let mut model = offline(SMALL);
    for key in [
        Key::Char(' '),
        Key::Char('m'),
        Key::Char('/'),
        Key::Char('n'),
        Key::Enter,
    ] {
        press(&mut model, key);
    }
    for key in ['2', '4', '1', '3'] {
        press(&mut model, Key::Char(key));
    }
    let state = |model: &Model| {
        let workload = &model.workload;
        (
            model.navigation.screen,
            workload.filter.is_active(),
            workload.marked_only,
            workload.marks.len(),
        )
    };
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(state(&model));
        press(&mut model, Key::Esc);
    }
    let on = Screen::Workload;
    assert_eq!(
        seen,
        [
            (Screen::Compare, true, true, 1),
            (on, true, true, 1),
            (on, false, true, 1),
            (on, false, false, 1),
            (on, false, false, 0)
        ]
    );
    assert!(screen(&model).contains("q quits"));
}

/// Two statements are marked: one before the list was sorted by name and filtered, one after.
fn with_two_marks() -> Model {
    let mut model = offline(SMALL);
    for key in ['j', ' ', 's', '/'] {
        press(&mut model, Key::Char(key));
    }
    type_text(&mut model, "large");
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('M'));
    model
}

#[test]
fn marks_survive_sorting_and_filtering() {
    let mut model = with_two_marks();
    let names = |model: &Model, statements: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        let statements = statements.map(|statement| &session_data_of(model).statements[statement]);
        statements.map(|view| view.source.id.0.clone()).collect()
    };
    let expected = ["n26-3c-large-slow-yesterday", "n26-max-updated"];
    let mut marked = names(&model, &mut model.workload.marks.iter().copied());
    marked.sort();
    assert_eq!(marked, expected);
    let drawn = screen(&model);
    assert!(
        drawn.contains("1 of 7 statements · 2 marked: 14.5% of the cost"),
        "{drawn}"
    );
    press(&mut model, Key::Esc);
    press(&mut model, Key::Char('m'));
    let shown = names(&model, &mut model.workload.visible.iter().copied());
    assert_eq!(shown, expected, "sorted by name");
}

#[test]
fn totals_are_over_marked_statements() {
    let all = offline(SMALL).workload.totals;
    let mut model = with_two_marks();
    let marked = model.workload.totals;
    assert!(marked.before < all.before && marked.share < 1.0);
    let drawn = screen(&model);
    assert!(
        drawn.contains("the cost of 2 marked statements falls"),
        "{drawn}"
    );
    press(&mut model, Key::Char('4'));
    let totals = model.indexes.totals.clone().unwrap();
    assert_eq!(
        (totals.before, totals.after, totals.marked),
        (marked.before, marked.after, Some(2))
    );
    assert_eq!(totals.changes.len(), 2);
    let drawn = screen(&model);
    assert!(
        drawn.contains("2 marked statements") && drawn.contains("of 2 marked"),
        "{drawn}"
    );

    press(&mut model, Key::Char('1'));
    press(&mut model, Key::Esc);
    press(&mut model, Key::Esc);
    assert_eq!(
        (model.workload.visible.len(), model.workload.totals),
        (7, all)
    );
    press(&mut model, Key::Char('m'));
    assert!(screen(&model).contains("No statement is marked; Space marks one"));
}

#[test]
fn a_statement_with_other_values_is_counted_once() {
    let mut data = session_data();
    let mut indexes = data.indexes.iter();
    let position = indexes
        .position(|index| !index.benefits.is_empty())
        .unwrap();
    let helped = data.helped(&data.indexes[position]);
    let mut benefit = data.indexes[position].benefits[0].clone();
    let mut statements = data.statements.iter();
    let known = statements.find(|statement| statement.source.id == benefit.statement);
    let mut rare = known.unwrap().clone();
    rare.source = rare.source.of_class(crate::workload::ValueClass {
        of: benefit.statement.clone(),
        frequency: crate::workload::Frequency::Rare,
        share: 0.5,
        seen: None,
        values: Vec::new(),
    });
    benefit.statement = rare.source.id.clone();
    data.statements.push(rare);
    data.indexes[position].benefits.push(benefit);
    assert_eq!(data.helped(&data.indexes[position]), helped);
    assert!(data.indexes[position].benefits.len() > helped);
}

fn session_data_of(model: &Model) -> &SessionData {
    model.session_data().unwrap()
}

#[test]
fn switching_an_index_off_raises_the_total_and_says_how_that_is_known() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('4'));
    let verified = model.indexes.totals.clone().unwrap();
    assert_eq!(verified.basis, TotalBasis::Verified);
    press(&mut model, Key::Char(' '));
    let without = model.indexes.totals.clone().unwrap();
    assert_eq!(without.basis, TotalBasis::Estimated);
    assert!(without.after > verified.after && without.size < verified.size);
    press(&mut model, Key::Char('x'));
    let nothing = model.indexes.totals.clone().unwrap();
    assert_eq!((nothing.after, nothing.changes.len()), (nothing.before, 0));
    assert!(
        write(&mut model, "x.sql").is_empty(),
        "there is nothing to write"
    );
    press(&mut model, Key::Char('a'));
    assert_eq!(model.indexes.totals, Some(verified));
}

/// Presses `w` and answers with this path.
fn write(model: &mut Model, path: &str) -> Vec<Effect> {
    assert_eq!(press(model, Key::Char('w')), []);
    press(model, Key::Ctrl('u'));
    type_text(model, path);
    press(model, Key::Enter)
}

#[test]
fn what_is_on_is_exported_as_sql_that_runs_as_it_is() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('4'));
    let Some(Effect::WriteFile { path, text: ddl }) = write(&mut model, "new.sql").pop() else {
        panic!()
    };
    assert_eq!(path, "new.sql", "the path is asked for");
    assert_eq!(ddl.lines().count(), 4);
    assert!(
        ddl.lines()
            .all(|line| line.starts_with("CREATE INDEX CONCURRENTLY ") && line.ends_with(';'))
    );
    assert_eq!(
        press(&mut model, Key::Char('y')),
        [Effect::Copy(ddl.clone())]
    );
    assert_eq!(
        press(&mut model, Key::Char('p')),
        [Effect::PrintOnExit(Some(ddl))]
    );
    let Some(Effect::PrintOnExit(Some(fewer))) = press(&mut model, Key::Char(' ')).pop() else {
        panic!()
    };
    assert_eq!(
        fewer.lines().count(),
        3,
        "what is printed follows what is on"
    );
}

#[test]
fn candidates_are_stepped_through_with_their_reasons() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('3'));
    assert!(screen(&model).contains("RECOMMENDED SET"));
    let choices = session_data_of(&model).statements[model.compare.statement.unwrap()]
        .choices
        .len();
    let mut reasons = Vec::new();
    for _ in 1..choices {
        press(&mut model, Key::Char(']'));
        let index = model
            .compare
            .current()
            .unwrap()
            .index
            .unwrap();
        if let IndexStatus::Rejected { reason, .. } = &session_data_of(&model).indexes[index].status
        {
            let name = reason.name().replace('_', " ");
            assert!(screen(&model).contains(&name), "{}", screen(&model));
            reasons.push(*reason);
        }
    }
    assert!(
        reasons.contains(&Reason::Redundant) && reasons.len() > 10,
        "{reasons:?}"
    );
    press(&mut model, Key::Char(']'));
    assert_eq!(model.compare.choice, 0, "round in a circle");
}

#[test]
fn a_tested_index_answers_what_a_rule_suggests() {
    let mut model = offline(Size {
        columns: 120,
        lines: 40,
    });
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('f'));
    let answer = "see Indexes: r1 fixes this; tested cost 5,073 → 40.28";
    assert_eq!(
        model.plan.view.as_ref().unwrap().findings[0]
            .answer
            .as_deref(),
        Some(answer)
    );
    press(&mut model, Key::Char('b'));
    let after = |model: &Model| model.compare.after.clone().unwrap().findings.clone();
    assert_eq!(
        after(&model),
        [],
        "with all that is recommended nothing is left to say"
    );
    loop {
        press(&mut model, Key::Char(']'));
        assert_ne!(
            model.compare.choice, 0,
            "some rejected index leaves the finding where it was"
        );
        if let Some(annotated) = after(&model).first() {
            assert_eq!(annotated.answer.as_deref(), Some(answer));
            break;
        }
    }
    assert!(screen(&model).contains("*!"), "{}", screen(&model));
}

#[test]
fn what_is_cut_off_side_by_side_is_read_in_full_below() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('3'));
    for _ in 0..5 {
        press(&mut model, Key::Char('j'));
    }
    assert!(
        !screen(&model).contains("'d4726bab-3d3c-4d2d-8039"),
        "{}",
        screen(&model)
    );
    let mut seen = String::new();
    for _ in 0..30 {
        seen += &screen(&model).lines().skip(15).collect::<String>();
        press(&mut model, Key::Char('>'));
    }
    for words in [
        "certified_by_user",
        "IS NOT NULL",
        "Total Cost",
        "Index Cond",
    ] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    press(&mut model, Key::Char('k'));
    assert_eq!(model.compare.detail, 0, "another line begins at its top");
}

#[test]
fn only_what_is_used_is_stepped_through_on_request() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('3'));
    let choices = &session_data_of(&model).statements[model.compare.statement.unwrap()].choices;
    let used: Vec<usize> = (0..choices.len())
        .filter(|choice| choices[*choice].used)
        .collect();
    assert!(
        used.len() > 1 && used.len() < choices.len(),
        "there is a difference"
    );
    press(&mut model, Key::Char('o'));
    let mut seen = vec![model.compare.choice];
    for _ in 1..used.len() {
        press(&mut model, Key::Char(']'));
        seen.push(model.compare.choice);
    }
    assert_eq!(seen, used);
    let all = session_data_of(&model).statements[model.compare.statement.unwrap()]
        .choices
        .len();
    assert!(
        screen(&model).contains(&format!("{0}/{0} used of {all}", used.len())),
        "{}",
        screen(&model)
    );
    press(&mut model, Key::Char('o'));
    press(&mut model, Key::Char(']'));
    assert!(!used.contains(&model.compare.choice));
    press(&mut model, Key::Char('o'));
    assert_eq!(
        model.compare.choice, 0,
        "from what is not used to the first that is"
    );
    press(&mut model, Key::Char('['));
    assert_eq!(
        Some(&model.compare.choice),
        used.last(),
        "round in a circle"
    );
}

#[test]
fn esc_asks_before_a_run_is_stopped_and_what_is_known_stays() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    let so_far = || Box::new(session_data());
    update(&mut model, Msg::Known(1, so_far()));
    assert_eq!(press(&mut model, Key::Esc), [], "nothing is lost by one key");
    assert_eq!(model.question.as_ref().unwrap().purpose, Purpose::Stop);
    assert_eq!(press(&mut model, Key::Char('n')), []);
    assert!(model.is_searching());
    press(&mut model, Key::Esc);
    assert_eq!(press(&mut model, Key::Char('y')), [Effect::Cancel(1)]);
    assert_eq!(session_data_of(&model).listed(), 7, "what is known stays");
    let mut late = session_data();
    late.statements.clear();
    update(&mut model, Msg::Known(1, Box::new(late)));
    assert_eq!(session_data_of(&model).listed(), 7, "what comes too late is ignored");
    update(
        &mut model,
        Msg::Response(1, Response::Cancelled(crate::planner::Rollback::Confirmed)),
    );
    assert!(screen(&model).contains("Stopped; r goes on"));
    assert_eq!(
        press(&mut model, Key::Char('r')),
        [Effect::Send(2, Request::Advise)]
    );
    update(&mut model, Msg::Response(2, Response::Advised(so_far())));
    assert_eq!(session_data_of(&model).listed(), 7);
}

#[test]
fn esc_and_q_close_what_is_on_top_and_stop_nothing() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    for close in [Key::Esc, Key::Char('q'), Key::Char('?')] {
        press(&mut model, Key::Char('?'));
        assert!(matches!(model.navigation.overlay, Overlay::Pager(_)));
        assert_eq!(press(&mut model, close), []);
        assert_eq!(model.navigation.overlay, Overlay::Nothing);
        assert!(model.is_searching() && model.question.is_none());
    }
    assert_eq!(press(&mut model, Key::Char('q')), [], "the search goes on");
    assert!(screen(&model).contains("The search goes on."));
    assert_eq!(press(&mut model, Key::Char('y')), [Effect::Quit]);
    let mut model = live();
    assert_eq!(press(&mut model, Key::Char('q')), [Effect::Quit], "nothing is lost");
}

#[test]
fn a_question_whose_reason_is_gone_closes() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    for key in [Key::Char('q'), Key::Esc] {
        press(&mut model, key);
    }
    press(&mut model, Key::Char('q'));
    assert!(model.question.is_some());
    let advised = Response::Advised(Box::new(session_data()));
    update(&mut model, Msg::Response(1, advised));
    assert_eq!(model.question, None);
}

#[test]
fn suspending_rolls_back_first_and_the_search_goes_on_after_it() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    assert_eq!(
        press(&mut model, Key::Ctrl('z')),
        [Effect::Cancel(1), Effect::Suspend]
    );
    assert_eq!(
        update(&mut model, Msg::Resumed),
        [Effect::Send(2, Request::Advise)]
    );
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char(' '));
    press(&mut model, Key::Char('R'));
    let effects = press(&mut model, Key::Ctrl('z'));
    assert!(matches!(effects.as_slice(), [Effect::Cancel(_), Effect::Suspend]));
    assert_eq!(update(&mut model, Msg::Resumed), [], "nothing is built again by itself");
    let effects = press(&mut model, Key::Char('r'));
    assert!(matches!(effects.as_slice(), [Effect::Send(_, Request::Verify { .. })]));
    let mut idle = live();
    assert_eq!(press(&mut idle, Key::Ctrl('z')), [Effect::Suspend]);
}

#[test]
fn what_is_recommended_is_exported_as_the_report_says_it() {
    let session_data = session_data();
    let recommended = session_data.recommended();
    let reported: Vec<String> = session_data
        .indexes
        .iter()
        .take(recommended.len())
        .flat_map(|index| index.ddl.clone())
        .collect();
    assert_eq!(session_data.ddl(&recommended), reported);
}

fn write_index(model: &mut Model, text: &str) -> Vec<Effect> {
    press(model, Key::Char('4'));
    press(model, Key::Char('n'));
    update(model, Msg::Paste(text.to_owned()));
    press(model, Key::Enter)
}

/// The plans of a recorded test of one index, without and with it.
fn compared() -> Comparison {
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

    let effects = press(&mut model, Key::Enter);
    assert!(matches!(effects.as_slice(), [Effect::Send(3, Request::TryIndex { .. })]));
    let tried = Response::Tried(index.clone(), Ok(Box::new(compared())));
    let effects = update(&mut model, Msg::Response(3, tried));
    let all = session_data_of(&model).recommended().len() + 1;
    assert!(
        matches!(effects.as_slice(), [Effect::Send(4, Request::Predict { named, .. })] if named.len() == all),
        "the twin is asked about all that is on: {effects:?}"
    );
    assert_eq!(model.navigation.screen, Screen::Compare);
    assert!(screen(&model).contains("YOUR INDEX"), "{}", screen(&model));
    assert!(model.message.as_ref().unwrap().text.contains("it is on now"));
    press(&mut model, Key::Char('4'));
    assert!(
        model
            .indexes
            .rows
            .contains(&IndexRow::Heading("Your indexes"))
    );
    assert_eq!(press(&mut model, Key::Char('q')), [], "it is written nowhere");
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
    update(&mut model, Msg::Paste("  CREATE INDEX ON transactions (id)".to_owned()));
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

fn plans_as_they_are() -> BTreeMap<StatementId, PlanOutcome> {
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
    assert_eq!(write_index(&mut model, "create index on transactions (updated)"), []);
    assert_eq!(model.navigation.screen, Screen::Compare, "what was tested is shown");
    assert!(screen(&model).contains("was tested already"));
}

#[test]
fn a_combination_is_predicted_at_once_and_built_only_by_r() {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    assert_eq!(
        press(&mut model, Key::Char('R')),
        [],
        "what is recommended is already verified"
    );
    let effects = press(&mut model, Key::Char(' '));
    let [Effect::Send(2, Request::Predict { indexes, named, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((indexes.len(), named.len()), (3, 3));
    assert!(screen(&model).contains("the planner twin is asked"), "{}", screen(&model));
    let mut predicted = compared();
    for index in &mut predicted.after.indexes {
        index.build_time = None;
    }
    let predicted = Response::Predicted(indexes.clone(), Some(Ok(Box::new(predicted))));
    update(&mut model, Msg::Response(2, predicted));
    assert_eq!(
        model.indexes.totals.as_ref().unwrap().basis,
        TotalBasis::Predicted
    );
    press(&mut model, Key::Char(' '));
    assert_eq!(press(&mut model, Key::Char(' ')), [], "what is known is not asked again");

    let effects = press(&mut model, Key::Char('R'));
    let [Effect::Send(3, Request::Verify { indexes, groups })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (
            groups.len(),
            groups[0].indexes.len(),
            groups[0].statements.len()
        ),
        (1, 3, 8)
    );
    let verified = Response::Verified(indexes.clone(), Ok(vec![compared()]));
    update(&mut model, Msg::Response(3, verified));
    assert_eq!(
        model.indexes.totals.as_ref().unwrap().basis,
        TotalBasis::Verified
    );
    assert!(screen(&model).contains("Verified: these indexes were built"));
}

#[test]
fn every_screen_follows_what_is_on_and_a_change_is_undone() {
    let mut model = offline(SMALL);
    let all = model.workload.totals;
    press(&mut model, Key::Char('3'));
    assert!(screen(&model).contains("RECOMMENDED SET"));
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('x'));
    press(&mut model, Key::Char('1'));
    assert_eq!(model.workload.totals.after, model.workload.totals.before);
    let drawn = screen(&model);
    assert!(drawn.contains("No index is on"), "{drawn}");
    let gains = |drawn: &str| drawn.lines().filter(|line| line.contains('×')).count();
    assert_eq!(gains(&drawn), 0, "{drawn}");
    press(&mut model, Key::Char('3'));
    assert!(!screen(&model).contains("RECOMMENDED SET"));
    press(&mut model, Key::Char('u'));
    assert!(screen(&model).contains("RECOMMENDED SET"), "{}", screen(&model));
    press(&mut model, Key::Char('1'));
    assert_eq!(model.workload.totals, all);
    press(&mut model, Key::Ctrl('r'));
    assert_eq!(model.selection.indexes().len(), 0);
    press(&mut model, Key::Char('t'));
    press(&mut model, Key::Char('2'));
    assert_eq!(*model.selection.indexes(), [0, 1].into());
    press(&mut model, Key::Char('t'));
    press(&mut model, Key::Char('q'));
    assert_eq!(*model.selection.indexes(), [0, 1].into(), "q is no number, and quits nothing");
}

#[test]
fn new_data_keep_what_the_user_has_chosen_opened_and_written() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    let mut begun = session_data();
    begun.stage = super::session_data::Stage::Searching;
    update(&mut model, Msg::Known(1, Box::new(begun.clone())));
    press(&mut model, Key::Char('j'));
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('j'));
    let shown = |model: &Model| (model.plan.statement, model.plan.list.selected);
    let before = shown(&model);
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('x'));
    update(&mut model, Msg::Response(1, Response::Advised(Box::new(session_data()))));
    assert_eq!(shown(&model), before);
    assert_eq!(model.selection.indexes().len(), 0, "the user has chosen");
    assert_eq!(model.navigation.screen, Screen::Indexes);
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

/// On every screen every character and every named key is bound, or says that it is not; nothing
/// panics, and no key is taken for another.
#[test]
fn every_key_on_every_screen_does_something_or_says_that_it_does_not() {
    let named = [
        Key::Enter,
        Key::Esc,
        Key::Tab,
        Key::BackTab,
        Key::Backspace,
        Key::Delete,
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
    ];
    let characters = (' '..='~').map(Key::Char);
    let controlled = ('a'..='z').map(Key::Ctrl);
    let keys: Vec<Key> = characters.chain(controlled).chain(named).collect();
    for mut start in [live(), offline(SMALL)] {
        for screen_key in ['1', '2', '3', '4', '5'] {
            press(&mut start, Key::Char(screen_key));
            start.message = None;
            for key in &keys {
                let mut model = start.clone();
                let scope = model.scope();
                press(&mut model, *key);
                if super::keymap::lookup(scope, *key).is_none() {
                    let said = model.message.as_ref().map(|message| message.text.clone());
                    let said = said.unwrap_or_default();
                    assert!(said.contains("does nothing"), "{screen_key} {key:?}: {said}");
                }
                screen(&model);
                // Whatever it opened can be closed again.
                for _ in 0..3 {
                    press(&mut model, Key::Esc);
                }
                assert_eq!(model.navigation.overlay, Overlay::Nothing, "{screen_key} {key:?}");
            }
        }
    }
}

#[test]
fn the_same_key_is_the_same_action_on_every_screen() {
    let shared = [
        ('/', super::keymap::Action::Search),
        ('n', super::keymap::Action::NextMatchOrNew),
        ('N', super::keymap::Action::PreviousMatch),
        (':', super::keymap::Action::Command),
        ('y', super::keymap::Action::Copy),
        ('w', super::keymap::Action::Write),
        ('e', super::keymap::Action::EditIndex),
        ('R', super::keymap::Action::Verify),
        ('u', super::keymap::Action::Undo),
        ('q', super::keymap::Action::Quit),
    ];
    for (key, action) in shared {
        for on in Screen::ALL {
            let binding = super::keymap::lookup(Scope::On(on), Key::Char(key));
            assert_eq!(binding.map(|binding| binding.action), Some(action), "{key} {on:?}");
        }
    }
}

#[test]
fn plans_and_texts_are_searched_and_lists_are_filtered() {
    let mut model = offline(Size {
        columns: 120,
        lines: 40,
    });
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "redundant");
    press(&mut model, Key::Enter);
    let is_index = |row: &&IndexRow| matches!(row, IndexRow::Index(_));
    let rows = model.indexes.rows.iter().filter(is_index).count();
    let all = session_data_of(&model).indexes.len();
    assert!(rows > 0 && rows < all, "{rows} of {all}");
    let first = model.indexes.list.selected;
    press(&mut model, Key::Char('n'));
    assert_ne!(model.indexes.list.selected, first, "n is the next match");
    press(&mut model, Key::Esc);
    assert!(!model.indexes.filter.is_active());

    press(&mut model, Key::Char('2'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "scan");
    press(&mut model, Key::Enter);
    let selected = model.plan.selected().unwrap();
    let line = model.plan.view.as_ref().unwrap().lines[selected.0].clone();
    let text = format!("{} {}", line.headline, line.details.join(" "));
    assert!(text.to_lowercase().contains("scan"), "{text}");
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "no such node");
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('n'));
    assert!(screen(&model).contains("is not here"));

    press(&mut model, Key::Char('v'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "select");
    press(&mut model, Key::Enter);
    assert!(matches!(&model.navigation.overlay, Overlay::Pager(pager) if pager.find.is_active()));
    press(&mut model, Key::Char('q'));
    press(&mut model, Key::Char('5'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "recommend");
    assert!(model.report.list.offset > 0 || model.report.list.selected > 0);
}

#[test]
fn commands_do_what_keys_do() {
    let mut model = offline(SMALL);
    let command = |model: &mut Model, text: &str| {
        press(model, Key::Char(':'));
        type_text(model, text);
        press(model, Key::Enter)
    };
    command(&mut model, "sort cost");
    assert_eq!(model.workload.sort, Sort::Cost);
    command(&mut model, "best 1");
    assert_eq!(*model.selection.indexes(), [0].into());
    command(&mut model, "undo");
    assert_eq!(model.selection.indexes().len(), 4);
    let effects = command(&mut model, "report all.md");
    assert!(
        matches!(effects.as_slice(), [Effect::WriteFile { path, text }] if path == "all.md" && text.starts_with('#')),
        "{effects:?}"
    );
    assert_eq!(command(&mut model, "mouse off"), [Effect::TakeMouse(false)]);
    command(&mut model, "frobnicate");
    assert!(screen(&model).contains("There is no command"));
    press(&mut model, Key::Esc);
    assert_eq!(command(&mut model, "q!"), [Effect::Quit]);
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
    assert!(drawn.contains("- Seq Scan") && drawn.contains("+ Index Scan"), "{drawn}");
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
    assert_eq!(update(&mut model, Msg::Edited(what(), Ok(text.clone()))), []);
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

#[test]
fn panes_are_zoomed_and_plans_scroll_sideways() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('3'));
    let height = |model: &Model| super::layout::of(model).list.height;
    let both = height(&model);
    press(&mut model, Key::Char('z'));
    assert_eq!(model.zoom, Zoom::List);
    assert!(height(&model) > both);
    press(&mut model, Key::Char('z'));
    assert!(height(&model) < both);
    press(&mut model, Key::Esc);
    assert_eq!((model.zoom, height(&model)), (Zoom::Both, both));
    let before = screen(&model);
    press(&mut model, Key::Right);
    assert_ne!(screen(&model), before);
    press(&mut model, Key::Left);
    assert_eq!(screen(&model), before);
}

#[test]
fn a_locale_without_unicode_is_drawn_in_ascii() {
    for key in ['1', '2', '3', '4', '5', '?'] {
        let mut model = offline(SMALL);
        model.is_ascii = true;
        press(&mut model, Key::Char(key));
        let mut terminal = Terminal::new(TestBackend::new(SMALL.columns, SMALL.lines)).unwrap();
        terminal.draw(|frame| draw(&model, frame)).unwrap();
        let cells = terminal.backend().buffer().content();
        let foreign = cells.iter().find(|cell| !cell.symbol().is_ascii());
        assert_eq!(foreign.map(|cell| cell.symbol()), None, "screen {key}");
    }
}

/// The tasks of somebody with a slow workload, and their keys.
#[test]
fn tasks_take_few_keys() {
    // The most expensive statement stands first; Enter shows its plan, f the cause.
    let mut model = live();
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('f'));
    assert!(model.plan.selected().is_some() && screen(&model).contains("! "));
    // Before and after.
    let mut model = live();
    press(&mut model, Key::Char('b'));
    assert!(screen(&model).contains("BEFORE"));
    // An own index: n, the text, Enter.
    let mut model = live();
    press(&mut model, Key::Char('n'));
    type_text(&mut model, "transactions (status, user_id)");
    assert_eq!(press(&mut model, Key::Enter).len(), 1);
    // The DDL of the three best: t 3, and y where the indexes are.
    let mut model = live();
    for key in ['4', 't', '3'] {
        press(&mut model, Key::Char(key));
    }
    let effects = press(&mut model, Key::Char('y'));
    assert!(matches!(effects.as_slice(), [Effect::Copy(ddl)] if ddl.lines().count() == 3));
}

#[test]
fn clicks_and_the_wheel_select() {
    let mut model = offline(SMALL);
    update(&mut model, Msg::Click(10, 6));
    assert_eq!(model.workload.list.selected, 2);
    update(&mut model, Msg::Wheel(3));
    assert_eq!(model.workload.list.selected, 5);
    update(&mut model, Msg::Click(18, 0));
    assert_eq!(model.navigation.screen, Screen::Plan);
    update(&mut model, Msg::Click(2, 0));
    let headings = super::layout::of(&model).headings.y;
    update(&mut model, Msg::Click(30, headings));
    assert_ne!(model.workload.sort, Sort::default(), "a heading sorts");
    let footer = SMALL.lines - 1;
    let quit = (0..SMALL.columns).rev().find(|column| {
        let action = super::layout::hint_at(&model, *column);
        action == Some(super::keymap::Action::Quit)
    });
    assert_eq!(
        update(&mut model, Msg::Click(quit.unwrap(), footer)),
        [Effect::Quit],
        "a hint is a key"
    );
}

#[test]
fn any_size_can_be_drawn_and_wide_characters_break_no_column() {
    let sql = "SELECT '日本語🙂' AS 名前 FROM 表 WHERE x = '\u{1b}]0;title\u{7}' -- 🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂";
    let plan = serde_json::json!({"Query Text": sql, "Plan": {"Node Type": "Seq Scan", "Relation Name": "表🙂", "Alias": "名",
        "Filter": "(名.値 = 'それはとても長い条件です、そうですね、そうですね、そうですね'::text)", "Total Cost": 12.0, "Plan Rows": 3}});
    let plans = vec![(
        "日本語の名前🙂.json".to_owned(),
        Ok(ReadPlan::of_statement(Plan::from_json(plan).unwrap(), sql)),
    )];
    for (columns, lines) in [
        (1, 1),
        (39, 9),
        (40, 10),
        (41, 11),
        (80, 10),
        (60, 24),
        (300, 12),
        (80, 24),
    ] {
        let mut model = Model::offline(
            SessionData::of_plans("x".to_owned(), plans.clone()),
            Size { columns, lines },
            Theme::Plain,
        );
        for key in ['1', '2', '3', '4', '5', '?', 'q', '1', 'j', 'G'] {
            press(&mut model, Key::Char(key));
            let drawn = screen(&model);
            assert!(!drawn.contains('\u{1b}'), "{drawn}");
            let seen =
                key != '2' || columns < 60 || lines < 24 || drawn.contains("12.00            3");
            assert!(seen, "the numbers stay in their columns: {drawn}");
        }
    }
}

#[test]
fn a_resize_keeps_the_selection_in_sight() {
    let mut model = offline(Size {
        columns: 200,
        lines: 60,
    });
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::End);
    update(
        &mut model,
        Msg::Resize(Size {
            columns: 60,
            lines: 12,
        }),
    );
    assert!(
        screen(&model)
            .lines()
            .any(|line| line.contains("user_balance")),
        "{}",
        screen(&model)
    );
}

#[test]
fn the_selected_line_is_of_one_colour() {
    let mut model = offline(SMALL);
    for key in ['1', '2', '3', '4'] {
        press(&mut model, Key::Char(key));
        let mut terminal = Terminal::new(TestBackend::new(SMALL.columns, SMALL.lines)).unwrap();
        terminal.draw(|frame| draw(&model, frame)).unwrap();
        let cells = terminal.backend().buffer().content().iter().skip(80);
        let reversed: Vec<_> = cells
            .filter(|cell| cell.modifier.contains(Modifier::REVERSED))
            .collect();
        assert_eq!(reversed.len(), 80, "screen {key}");
        assert!(
            reversed
                .iter()
                .all(|cell| cell.fg == Color::Reset && !cell.modifier.contains(Modifier::DIM))
        );
    }
}

#[test]
fn without_colours_there_are_none_and_every_mark_is_there() {
    let mut model = Model::offline(session_data(), SMALL, Theme::Plain);
    for key in ['1', '2', '3', '4', '?'] {
        press(&mut model, Key::Char(key));
        let mut terminal = Terminal::new(TestBackend::new(SMALL.columns, SMALL.lines)).unwrap();
        terminal.draw(|frame| draw(&model, frame)).unwrap();
        let cells = terminal.backend().buffer().content();
        let plain =
            |cell: &ratatui::buffer::Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
        assert!(cells.iter().all(plain), "screen {key}");
    }
    press(&mut model, Key::Esc);
    press(&mut model, Key::Char('3'));
    let compared = screen(&model);
    for mark in ["- └─ Gather Merge", "+ └─ Index Scan", "~ Limit", " *"] {
        assert!(compared.contains(mark), "{mark}: {compared}");
    }
}

#[test]
fn a_single_plan_that_was_run_opens_with_its_times_and_warnings() {
    let text = "Nested Loop  (cost=0.00..90.00 rows=10 width=8) (actual time=0.500..80.000 rows=10 loops=1)\n  \
                ->  Seq Scan on mill m  (cost=0.00..20.00 rows=5 width=4) (actual time=0.010..30.000 rows=5 loops=1)\n  \
                ->  Index Scan using bale_mill on bale b  (cost=0.00..10.00 rows=2 width=4) (actual time=1.000..8.000 rows=2 loops=5)\n        \
                Index Cond: (mill = m.id)\nPlanning Time: 20.000 ms\nTrigger t on bale: time=7.000 calls=10\nodd line\nExecution Time: 100.000 ms\n";
    let read = crate::plan::read::read_text(text).unwrap().remove(0);
    assert_eq!(read.warnings.len(), 1, "{:?}", read.warnings);
    for (columns, has_cost) in [(80, false), (200, true)] {
        let plans = vec![("slow.txt".to_owned(), Ok(read.clone()))];
        let size = Size { columns, lines: 30 };
        let model = Model::offline(
            SessionData::of_plans("slow.txt".to_owned(), plans),
            size,
            Theme::Plain,
        );
        assert_eq!(model.navigation.screen, Screen::Plan);
        let drawn = screen(&model);
        let line = |part: &str| {
            let found = drawn.lines().find(|line| line.contains(part));
            found
                .unwrap_or_else(|| panic!("{part:?} in\n{drawn}"))
                .to_owned()
        };
        assert!(
            line("ran in 100 ms")
                .contains("planned in 20 ms (17 %) · outside of nodes 13 ms · triggers"),
            "{drawn}"
        );
        assert!(line("! line 7").contains("odd line"), "{drawn}");
        let headings = line("est→actual");
        assert!(
            headings.contains("time") && headings.contains("self"),
            "{headings}"
        );
        assert_eq!(headings.contains("cost"), has_cost, "{headings}");
        let join = line("Nested Loop  ");
        assert!(join.contains("80 ms") && join.contains("10 ms"), "{join}");
        let index = line("└─ Index Scan");
        assert!(index.contains("40 ms"), "{index}");
    }
    // Estimates alone need no heading.
    let estimated =
        crate::plan::read::read_text("Seq Scan on a  (cost=0.00..1.00 rows=1 width=1)\n")
            .unwrap()
            .remove(0);
    let plans = vec![("a.txt".to_owned(), Ok(estimated))];
    let size = Size {
        columns: 80,
        lines: 24,
    };
    let model = Model::offline(
        SessionData::of_plans("a.txt".to_owned(), plans),
        size,
        Theme::Plain,
    );
    assert!(model.plan.heading.is_empty());
    assert!(screen(&model).contains("cost"));
}
