//! Renders the interface's screens from its own buffer to SVG, for the README:
//! `cargo run --example screens`. The pictures are what the program draws from the recording in
//! fixtures/recordings, cell by cell.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool of the project itself"
)]

#[path = "drawing/svg.rs"]
mod svg;

use pgrehearse::internals::advise::advise;
use pgrehearse::internals::planner::recording::{Recording, Replay};
use pgrehearse::internals::tui::keymap::Key;
use pgrehearse::internals::tui::model::{Model, Msg, Size};
use pgrehearse::internals::tui::session_data::SessionData;
use pgrehearse::internals::tui::theme::Theme;
use pgrehearse::internals::tui::{draw, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const SIZE: Size = Size {
    columns: 120,
    lines: 30,
};

fn main() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/recordings/002-table-sync.json"
    );
    let recording: Recording =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let advice = advise(
        &recording.workload,
        &recording.limits,
        &mut Replay::new(&recording),
        &|_| {},
    )
    .unwrap();
    let session_data = SessionData::new("002-table-sync.json".to_owned(), advice, &recording);
    let mut model = Model::offline(session_data, SIZE, Theme::Colours);
    let down = Key::Char('j');
    press(&mut model, &[down, Key::Char(' '), down, Key::Char(' ')]);
    save("workload", &model);
    press(&mut model, &[Key::Esc, Key::Char('g')]);
    press(&mut model, &[Key::Enter, Key::Char('c')]);
    save("plan", &model);
    press(&mut model, &[Key::Char('b'), down, down, down, down]);
    save("before-after", &model);
    press(&mut model, &[Key::Char('4'), down, Key::Char(' ')]);
    save("indexes", &model);
    press(&mut model, &[Key::Char('u'), Key::Char('5')]);
    save("report", &model);
}

fn press(model: &mut Model, keys: &[Key]) {
    for key in keys {
        update(model, Msg::Key(*key));
    }
}

fn save(name: &str, model: &Model) {
    let mut terminal = Terminal::new(TestBackend::new(SIZE.columns, SIZE.lines)).unwrap();
    terminal.draw(|frame| draw(model, frame)).unwrap();
    let path = format!("{}/docs/screens/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    let mut picture = svg::beginning(SIZE.columns, SIZE.lines);
    svg::write_cells(&mut picture, terminal.backend().buffer());
    std::fs::write(&path, picture + "</svg>\n").unwrap();
    println!("{path}");
}
