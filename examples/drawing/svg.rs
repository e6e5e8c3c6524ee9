//! Draws the cells of a terminal as SVG.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// A cell's size in pixels.
pub const WIDTH: usize = 9;
pub const HEIGHT: usize = 19;

const BACKGROUND: &str = "#1b1e28";
const TEXT: &str = "#d5d8e0";

/// The beginning of a picture of so many cells.
pub fn beginning(columns: u16, lines: u16) -> String {
    let (width, height) = (usize::from(columns) * WIDTH, usize::from(lines) * HEIGHT);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', \
         Menlo, Consolas, monospace\" font-size=\"15\">\n<rect width=\"100%\" height=\"100%\" fill=\"{BACKGROUND}\"/>\n"
    )
}

/// Writes all cells.
pub fn write_cells(svg: &mut String, buffer: &Buffer) {
    let columns = usize::from(buffer.area.width);
    for (number, row) in buffer.content().chunks(columns).enumerate() {
        write_row(svg, number, row);
    }
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
    let text = escaped(text);
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

/// Text between tags.
#[allow(dead_code, reason = "used by one of the examples")]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
