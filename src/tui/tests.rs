//! The interface without a terminal: keys in, models and screens out, from a recorded run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod footer;
mod keys;
mod narrow;
mod own_work;
mod pasted;
mod running;
mod selected_report;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

use super::keymap::{Action, BINDINGS, Key, Scope, Screen, lookup};
use super::layout;
use super::model::{
    Connection, EditedText, Effect, Model, Msg, Overlay, Progress, Purpose, Request, Response,
    Size, Zoom,
};
use super::prompt::{Note, PromptPurpose};
use super::screen::indexes::IndexRow;
use super::screen::workload::Sort;
use super::session_data::{IndexStatus, SessionData, Stage, TimeCoverage, TotalBasis};
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

/// The recorded run; replayed once for all tests.
fn session_data() -> SessionData {
    static REPLAYED: OnceLock<SessionData> = OnceLock::new();
    let replay = || {
        let recording = recording();
        let advice = advise(
            &recording.workload,
            &recording.limits,
            &mut Replay::new(&recording),
            &|_| {},
        )
        .unwrap();
        SessionData::new("002-table-sync.json".to_owned(), advice, &recording)
    };
    REPLAYED.get_or_init(replay).clone()
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
    assert!(model.question.is_some(), "only its answers end a question");
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
        let index = model.compare.current().unwrap().index.unwrap();
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
fn what_is_too_long_side_by_side_is_wrapped_and_read_in_full_below() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('3'));
    press(&mut model, Key::Char('z'));
    let drawn = screen(&model);
    assert!(
        drawn.contains("Parallel Seq") && drawn.contains("'d4726bab-3d3c-4d2d-8039-"),
        "{drawn}"
    );
    press(&mut model, Key::Esc);
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "Parallel Seq");
    press(&mut model, Key::Enter);
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

#[test]
fn panes_are_zoomed_and_plans_scroll_sideways() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('3'));
    let height = |model: &Model| layout::of(model).list.height;
    let both = height(&model);
    press(&mut model, Key::Char('z'));
    assert_eq!(model.zoom, Zoom::List);
    assert!(height(&model) > both);
    press(&mut model, Key::Char('z'));
    assert!(height(&model) < both);
    press(&mut model, Key::Esc);
    assert_eq!((model.zoom, height(&model)), (Zoom::Both, both));
    press(&mut model, Key::Char('2'));
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
