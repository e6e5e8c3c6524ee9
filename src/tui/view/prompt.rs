//! What is being typed: in the status line, or in a box where it is an index.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::paint::{line, rule};
use super::sql_line;
use crate::model::printable;
use crate::text_layout::wrap_anywhere;
use crate::tui::layout::{self, Areas};
use crate::tui::model::Model;
use crate::tui::prompt::{Note, Prompt, PromptPurpose};
use crate::tui::sql_text;
use crate::tui::theme::Theme;

/// Draws it; returns the cursor's position.
pub fn draw(model: &Model, prompt: &Prompt, buffer: &mut Buffer, areas: Areas) -> Position {
    match prompt.purpose {
        PromptPurpose::Index => index(model, prompt, buffer),
        _ => one_line(model.theme, prompt, buffer, areas.status),
    }
}

fn label(purpose: &PromptPurpose) -> String {
    match purpose {
        PromptPurpose::Search => "/".to_owned(),
        PromptPurpose::Command => ":".to_owned(),
        PromptPurpose::Path(export) => format!("Write {} to: ", export.name()),
        PromptPurpose::Index => String::new(),
    }
}

fn note(theme: Theme, note: Option<&Note>) -> Span<'static> {
    match note {
        Some(Note::Error(error)) => Span::styled(format!("✗ {}", printable(error)), theme.bad()),
        Some(Note::Hint(hint)) => Span::styled(printable(hint).into_owned(), theme.dim()),
        None => Span::raw(""),
    }
}

/// A long text is shown from where the cursor can be seen.
fn one_line(theme: Theme, prompt: &Prompt, buffer: &mut Buffer, area: Rect) -> Position {
    let label = label(&prompt.purpose);
    let room = usize::from(area.width).saturating_sub(label.width() + 1);
    let before = printable(prompt.input.before_cursor()).into_owned();
    let text = printable(prompt.input.text()).into_owned();
    let hidden = before.width().saturating_sub(room);
    let shown = crate::tui::cells::from_column(&text, hidden);
    let blank = " ".repeat(usize::from(area.width));
    line(buffer, area, 0, Line::raw(blank));
    let spans = vec![
        Span::styled(label.clone(), theme.key()),
        Span::raw(format!("{shown}  ")),
        note(theme, prompt.note.as_ref()),
    ];
    line(buffer, area, 0, Line::from(spans));
    let column = label.width() + before.width().saturating_sub(hidden);
    let last = usize::from(area.width).saturating_sub(1);
    Position::new(area.x + column.min(last) as u16, area.y)
}

/// The box for an index.
fn index(model: &Model, prompt: &Prompt, buffer: &mut Buffer) -> Position {
    let theme = model.theme;
    let area = layout::editor(model.size);
    for number in 0..usize::from(area.height) {
        let blank = " ".repeat(usize::from(area.width));
        line(buffer, area, number, Line::raw(blank));
    }
    let title = "Test an index in the planner twin: nothing is built on the server";
    rule(buffer, area, 0, title, theme);
    let columns = usize::from(area.width).saturating_sub(2).max(1);
    let before = wrap_anywhere(&printable(prompt.input.before_cursor()), columns);
    let all = wrap_anywhere(&printable(prompt.input.text()), columns);
    let room = usize::from(area.height).saturating_sub(2);
    let cursor_line = before.len().saturating_sub(1);
    let first = (cursor_line + 1).saturating_sub(room);
    if prompt.input.is_empty() {
        let example = "CREATE INDEX ON orders (customer_id, placed_at) WHERE state = 'open'";
        line(buffer, area, 1, Line::styled(example, theme.dim()));
    }
    for (number, text) in all.iter().skip(first).take(room).enumerate() {
        let lines = sql_text::lines(text, columns.max(8));
        if let Some(text) = lines.first() {
            line(buffer, area, 1 + number, sql_line(text, theme));
        }
    }
    let last = usize::from(area.height).saturating_sub(1);
    let said = match &prompt.note {
        None => Span::styled(
            "Enter tests it, Tab completes, ↑ is what was typed before, ^X opens $EDITOR",
            theme.dim(),
        ),
        some => note(theme, some.as_ref()),
    };
    line(buffer, area, last, Line::from(said));
    let column = before.last().map_or(0, |text| text.width());
    Position::new(
        area.x + column as u16,
        area.y + 1 + (cursor_line - first.min(cursor_line)) as u16,
    )
}
