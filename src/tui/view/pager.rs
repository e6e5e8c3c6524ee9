//! A long text over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::paint::{line, rule, style};
use super::sql_line;
use crate::model::printable;
use crate::tui::model::Model;
use crate::tui::pager::Pager;

/// Draws it over the whole screen but tabs, status line and footer.
pub fn draw(model: &Model, pager: &Pager, buffer: &mut Buffer, area: Rect) {
    let theme = model.theme;
    for number in 0..usize::from(area.height) {
        let blank = " ".repeat(usize::from(area.width));
        line(buffer, area, number, Line::raw(blank));
        style(buffer, area, number, ratatui::style::Style::reset());
    }
    let room = usize::from(area.height).saturating_sub(1);
    let last = (pager.list.offset + room).min(pager.lines.len());
    let title = format!(
        "{} · lines {}–{last} of {}",
        printable(&pager.title),
        pager.list.offset + 1,
        pager.lines.len()
    );
    rule(buffer, area, 0, &title, theme);
    let shown = pager.lines.iter().skip(pager.list.offset).take(room);
    for (number, text) in shown.enumerate() {
        line(buffer, area, 1 + number, sql_line(text, theme));
        let whole: String = text.iter().map(|(_, piece)| piece.as_str()).collect();
        if pager.find.is_active() && pager.find.is_in(&whole) {
            style(buffer, area, 1 + number, theme.hot());
        }
        let is_match = pager.list.offset + number == pager.list.selected;
        if pager.find.is_active() && is_match {
            style(buffer, area, 1 + number, theme.selected());
        }
    }
}
