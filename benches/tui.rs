//! How fast the interface answers: one key and the frame that follows, on large plans and large
//! workloads.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark may stop at the first surprise"
)]

use std::fmt::Write as _;

use divan::Bencher;
use pgrehearse::internals::plan::Plan;
use pgrehearse::internals::plan::read::ReadPlan;
use pgrehearse::internals::tui::keymap::Key;
use pgrehearse::internals::tui::model::{Model, Msg, Size};
use pgrehearse::internals::tui::session_data::SessionData;
use pgrehearse::internals::tui::theme::Theme;
use pgrehearse::internals::tui::{draw, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const SIZE: Size = Size {
    columns: 200,
    lines: 60,
};

fn main() {
    divan::main();
}

/// A tree of this many nodes: appends of ten, as deep as that takes.
fn tree(nodes: usize) -> Plan {
    let scan = r#"{"Node Type": "Seq Scan", "Relation Name": "measurement_2024", "Schema": "public", "Alias": "m",
        "Startup Cost": 0.00, "Total Cost": 4711.25, "Plan Rows": 200000, "Plan Width": 44, "Filter": "(m.at >= '2024-01-01'::date)"}"#;
    let mut level: Vec<String> = vec![scan.to_owned(); nodes * 9 / 10];
    while level.len() > 1 {
        level = level.chunks(10).map(|children| {
            let mut node = r#"{"Node Type": "Append", "Startup Cost": 0.00, "Total Cost": 5000.5, "Plan Rows": 10, "Plan Width": 4, "Plans": ["#.to_owned();
            let _ = write!(node, "{}]}}", children.join(","));
            node
        }).collect();
    }
    Plan::from_json(serde_json::from_str(&format!(r#"{{"Plan": {}}}"#, level[0])).unwrap()).unwrap()
}

fn model(plans: Vec<(String, Plan)>) -> Model {
    let plans = plans
        .into_iter()
        .map(|(name, plan)| (name, Ok(ReadPlan::of_statement(plan, ""))))
        .collect();
    Model::offline(
        SessionData::of_plans("bench".to_owned(), plans),
        SIZE,
        Theme::Colours,
    )
}

fn terminal() -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(SIZE.columns, SIZE.lines)).unwrap()
}

fn frame(terminal: &mut Terminal<TestBackend>, model: &Model) {
    terminal.draw(|frame| draw(model, frame)).unwrap();
}

fn large_plan() -> Model {
    let mut model = model(vec![("large".to_owned(), tree(10_000))]);
    update(&mut model, Msg::Key(Key::Enter));
    model
}

fn five_thousand_statements() -> Model {
    let statement = |number: usize| {
        (
            format!("statement-{number}"),
            tree(10 + number % 7).with_query("SELECT * FROM measurement"),
        )
    };
    model((0..5_000).map(statement).collect())
}

#[divan::bench]
fn frame_of_a_plan_of_10_000_nodes(bencher: Bencher) {
    let (model, mut terminal) = (large_plan(), terminal());
    bencher.bench_local(|| frame(&mut terminal, &model));
}

#[divan::bench]
fn key_to_frame_in_a_plan_of_10_000_nodes(bencher: Bencher) {
    let (mut model, mut terminal) = (large_plan(), terminal());
    let keys = [
        Key::Char('c'),
        Key::Enter,
        Key::Enter,
        Key::PageDown,
        Key::Char('G'),
        Key::Char('-'),
        Key::Char('+'),
    ];
    let mut key = keys.into_iter().cycle();
    bencher.bench_local(|| {
        update(&mut model, Msg::Key(key.next().unwrap()));
        frame(&mut terminal, &model);
    });
}

#[divan::bench]
fn opening_a_plan_of_10_000_nodes(bencher: Bencher) {
    let model = model(vec![("large".to_owned(), tree(10_000))]);
    bencher
        .with_inputs(|| model.clone())
        .bench_local_refs(|model| {
            update(model, Msg::Key(Key::Enter));
        });
}

#[divan::bench]
fn key_to_frame_with_5_000_statements(bencher: Bencher) {
    let (mut model, mut terminal) = (five_thousand_statements(), terminal());
    let keys = [
        Key::Char('s'),
        Key::Char('j'),
        Key::Char('S'),
        Key::Char('G'),
        Key::Char('/'),
        Key::Char('7'),
        Key::Backspace,
        Key::Enter,
    ];
    let mut key = keys.into_iter().cycle();
    bencher.bench_local(|| {
        update(&mut model, Msg::Key(key.next().unwrap()));
        frame(&mut terminal, &model);
    });
}
