//! Renders the interface's screens from its own buffer to SVG, for the README:
//! `cargo run --example screens`. The pictures are what the program draws from the recording in
//! fixtures/recordings, cell by cell.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool of the project itself"
)]

use std::fmt::Write as _;

use pgrehearse::internals::advise::advise;
use pgrehearse::internals::planner::recording::{Recording, Replay};
use pgrehearse::internals::tui::keymap::Key;
use pgrehearse::internals::tui::model::{Model, Msg, Size};
use pgrehearse::internals::tui::session_data::SessionData;
use pgrehearse::internals::tui::theme::Theme;
use pgrehearse::internals::tui::{draw, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const SIZE: Size = Size {
    columns: 120,
    lines: 30,
};

/// A cell's size in pixels.
const WIDTH: usize = 9;
const HEIGHT: usize = 19;

const BACKGROUND: &str = "#1b1e28";
const TEXT: &str = "#d5d8e0";

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
    std::fs::write(&path, svg(terminal.backend().buffer())).unwrap();
    println!("{path}");
}

fn svg(buffer: &Buffer) -> String {
    let (width, height) = (
        usize::from(SIZE.columns) * WIDTH,
        usize::from(SIZE.lines) * HEIGHT,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', \
         Menlo, Consolas, monospace\" font-size=\"15\">\n<rect width=\"100%\" height=\"100%\" fill=\"{BACKGROUND}\"/>\n"
    );
    for (number, row) in buffer
        .content()
        .chunks(usize::from(SIZE.columns))
        .enumerate()
    {
        write_row(&mut svg, number, row);
    }
    svg + "</svg>\n"
}

/// Cells of one style that stand beside each other are one text; its length is fixed, so that any
/// font keeps the columns.
fn write_row(svg: &mut String, number: usize, row: &[Cell]) {
    let mut column = 0;
    while column < row.len() {
        let style = row[column].style();
        let length = row[column..]
            .iter()
            .take_while(|cell| cell.style() == style)
            .count();
        let text: String = row[column..column + length]
            .iter()
            .map(Cell::symbol)
            .collect();
        write_text(
            svg,
            (column, number),
            &row[column],
            text.trim_end_matches(' '),
            length,
        );
        column += length;
    }
}

fn write_text(
    svg: &mut String,
    (column, line): (usize, usize),
    cell: &Cell,
    text: &str,
    length: usize,
) {
    let reversed = cell.modifier.contains(Modifier::REVERSED);
    let colour = colour(cell.fg);
    let (fill, behind) = if reversed {
        (BACKGROUND, colour)
    } else {
        (colour, BACKGROUND)
    };
    if reversed {
        let (x, y, width) = (column * WIDTH, line * HEIGHT, length * WIDTH);
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"{behind}\"/>"
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let bold = if cell.modifier.contains(Modifier::BOLD) {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let dim = if cell.modifier.contains(Modifier::DIM) {
        " opacity=\"0.6\""
    } else {
        ""
    };
    let lead = text.width() - text.trim_start().width();
    let text = text.trim_start();
    let (x, y, span) = (
        (column + lead) * WIDTH,
        line * HEIGHT + 14,
        text.width() * WIDTH,
    );
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" textLength=\"{span}\" xml:space=\"preserve\" fill=\"{fill}\"{bold}{dim}>{text}</text>"
    );
}

fn colour(colour: Color) -> &'static str {
    match colour {
        Color::Green => "#8fd694",
        Color::Red => "#f28b82",
        Color::Yellow => "#f5c95b",
        Color::Blue => "#7aa2f7",
        Color::Cyan => "#6fd0d8",
        Color::Magenta => "#c99bf0",
        _ => TEXT,
    }
}
