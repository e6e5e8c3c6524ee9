//! The report, to scroll and to search in.

use ratatui::buffer::Buffer;
use ratatui::text::Line;

use super::paint::{line, style};
use crate::tui::layout::Areas;
use crate::tui::model::Model;

/// Draws the screen.
pub fn draw(model: &Model, buffer: &mut Buffer, areas: Areas) {
    let (theme, state) = (model.theme, &model.report);
    let room = usize::from(areas.list.height);
    let last = (state.list.offset + room).min(state.lines.len());
    let place = format!(
        "lines {}–{last} of {} · :report FILE writes it as .txt, .html, .md, .json or .sql",
        state.list.offset + 1,
        state.lines.len()
    );
    line(buffer, areas.headings, 0, Line::styled(place, theme.dim()));
    let shown = state.lines.iter().skip(state.list.offset).take(room);
    for (number, text) in shown.enumerate() {
        line(buffer, areas.list, number, Line::raw(text.clone()));
        if state.find.is_active() && state.find.is_in(text) {
            style(buffer, areas.list, number, theme.hot());
            if state.list.offset + number == state.list.selected {
                style(buffer, areas.list, number, theme.selected());
            }
        }
    }
}
