//! Small tools of all screens: a line at a place, a selected row, a heading.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::text_layout::{fit, truncate};
use crate::tui::theme::Theme;

/// Writes a line of an area; nothing beyond its edges.
pub fn line<'t>(buffer: &mut Buffer, area: Rect, number: usize, text: impl Into<Line<'t>>) {
    if number < usize::from(area.height) {
        buffer.set_line(area.x, area.y + number as u16, &text.into(), area.width);
    }
}

/// The style of a whole line of an area.
pub fn style(buffer: &mut Buffer, area: Rect, number: usize, style: Style) {
    if number < usize::from(area.height) {
        buffer.set_style(
            Rect {
                y: area.y + number as u16,
                height: 1,
                ..area
            },
            style,
        );
    }
}

/// Text cut and filled to so many columns.
pub fn left(text: &str, columns: usize, style: Style) -> Span<'static> {
    Span::styled(fit(text, columns), style)
}

/// Text cut to so many columns and moved to their right edge.
pub fn right(text: &str, columns: usize, style: Style) -> Span<'static> {
    let text = truncate(text, columns);
    let padding = columns.saturating_sub(unicode_width::UnicodeWidthStr::width(text.as_str()));
    Span::styled(" ".repeat(padding) + &text, style)
}

/// A line filled up to so many columns.
pub fn filled(text: Line<'static>, columns: usize) -> Vec<Span<'static>> {
    let padding = columns.saturating_sub(text.width());
    let mut spans = text.spans;
    // What styles a whole line is lost when it becomes part of another.
    spans
        .iter_mut()
        .for_each(|span| span.style = text.style.patch(span.style));
    spans.push(Span::raw(" ".repeat(padding)));
    spans
}

/// `── title ─────`, across the area.
pub fn rule(buffer: &mut Buffer, area: Rect, number: usize, title: &str, theme: Theme) {
    let title = truncate(title, usize::from(area.width).saturating_sub(6));
    let taken = unicode_width::UnicodeWidthStr::width(title.as_str()) + 4;
    let rest = "─".repeat(usize::from(area.width).saturating_sub(taken));
    let parts = vec![
        Span::styled("── ", theme.dim()),
        Span::styled(title, theme.bold()),
        Span::styled(format!(" {rest}"), theme.dim()),
    ];
    line(buffer, area, number, Line::from(parts));
}

/// A thin line from top to bottom, left of an area that stands beside another.
pub fn divider(buffer: &mut Buffer, area: Rect, theme: Theme) {
    if area.x == 0 {
        return;
    }
    for y in area.y..area.y + area.height {
        buffer.set_string(area.x - 1, y, "│", theme.dim());
    }
}
