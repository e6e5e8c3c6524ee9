//! Helpers of all screens: a line at a position, a selected row, a heading.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use unicode_width::UnicodeWidthStr;

use crate::text_layout::truncate;
use crate::tui::theme::Theme;

/// Writes a line into an area; where it is cut at the edge, it says so.
pub fn line<'t>(buffer: &mut Buffer, area: Rect, number: usize, text: impl Into<Line<'t>>) {
    if number >= usize::from(area.height) || area.width == 0 {
        return;
    }
    let text = text.into();
    let y = area.y + number as u16;
    buffer.set_line(area.x, y, &text, area.width);
    let written: String = text
        .spans
        .iter()
        .map(|span| span.content.as_ref())
        .collect();
    if written.trim_end().width() > usize::from(area.width) {
        let last = area.x + area.width - 1;
        let style = buffer[(last, y)].style();
        buffer.set_string(last, y, "…", style);
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

/// A vertical line left of an area that is beside another.
pub fn divider(buffer: &mut Buffer, area: Rect, theme: Theme) {
    if area.x == 0 {
        return;
    }
    for y in area.y..area.y + area.height {
        buffer.set_string(area.x - 1, y, "│", theme.dim());
    }
}
