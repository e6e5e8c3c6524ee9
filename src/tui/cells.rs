//! Text for columns: bars, short numbers, counts, and spans of a fixed width.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::text_layout::{fit, truncate};

/// A bar of up to `columns` columns, in eighths; a share above 0 is at least one eighth.
pub fn bar(share: f64, columns: usize) -> String {
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let mut eighths = (share * (columns * 8) as f64).round() as usize;
    if share > 0.0 {
        eighths = eighths.max(1);
    }
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{}{}", "█".repeat(eighths / 8), partial[eighths % 8])
}

/// `98`, `1,204`, `98 k`, `1.2 M`.
pub fn short_number(number: f64) -> String {
    match number.abs() {
        small if small < 10_000.0 => crate::model::group_thousands(number, 0),
        middle if middle < 1e6 => format!("{:.0} k", number / 1e3),
        large if large < 1e9 => format!("{:.1} M", number / 1e6),
        larger if larger < 1e15 => format!("{:.1} G", number / 1e9),
        _ => format!("{number:.1e}"),
    }
}

/// `0.021 ms`, `4.5 ms`, `12.3 s`: of one execution, which may take microseconds.
pub fn mean_time(milliseconds: f64) -> String {
    if milliseconds < 1.0 {
        format!("{milliseconds:.3} ms")
    } else {
        crate::model::Millis(milliseconds).to_string()
    }
}

/// `1 index`, `2 indexes`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        crate::model::group_thousands(number as f64, 0),
        if number == 1 { one } else { many }
    )
}

/// Text cut and padded to `columns` columns.
pub fn left(text: &str, columns: usize, style: Style) -> Span<'static> {
    Span::styled(fit(text, columns), style)
}

/// Text cut to `columns` columns and aligned right.
pub fn right(text: &str, columns: usize, style: Style) -> Span<'static> {
    let text = truncate(text, columns);
    let padding = columns.saturating_sub(text.width());
    Span::styled(" ".repeat(padding) + &text, style)
}

/// The same with at least one blank at the left, so that neighbours never touch.
pub fn cell(text: &str, columns: usize, style: Style) -> Span<'static> {
    match columns {
        0 => Span::raw(""),
        _ => {
            let text = truncate(text, columns - 1);
            let padding = columns.saturating_sub(text.width());
            Span::styled(" ".repeat(padding) + &text, style)
        }
    }
}

/// A text from this column on, for scrolling sideways.
pub fn from_column(text: &str, hidden: usize) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    let mut columns = 0;
    let is_hidden = |grapheme: &&str| {
        let is_hidden = columns < hidden;
        columns += grapheme.width();
        is_hidden
    };
    text.graphemes(true).skip_while(is_hidden).collect()
}

/// A line padded to `columns` columns.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_never_touch() {
        let cells = [
            cell("10,000,012", 8, Style::new()),
            cell("88 ms", 6, Style::new()),
        ];
        let text: String = cells.iter().map(|span| span.content.as_ref()).collect();
        assert_eq!(text, " 10,000… 88 ms");
        assert_eq!(cell("x", 0, Style::new()).content, "");
        assert_eq!(from_column("日本 Sort", 2), "本 Sort");
        assert_eq!(from_column("abc", 5), "");
    }

    #[test]
    fn bars_and_numbers_are_short() {
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.0001, 4), "▏");
        assert_eq!(bar(f64::NAN, 4), "");
        assert_eq!(
            [mean_time(0.0213), mean_time(4.46), mean_time(12_345.0)],
            ["0.021 ms", "4.5 ms", "12.3 s"]
        );
        assert_eq!(
            [
                short_number(98.0),
                short_number(123_456.0),
                short_number(1.24e6)
            ],
            ["98", "123 k", "1.2 M"]
        );
    }
}
