//! Lines of a fixed number of terminal columns: cutting, padding and wrapping by display width, not by bytes or characters.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns a text takes, escape sequences not counted.
pub fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

/// The text cut to so many columns, with `…` where something is missing, and padded to them. For text without escape sequences.
pub fn fitted(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    let padding = columns.saturating_sub(cut.width());
    cut + &" ".repeat(padding)
}

/// The text cut to at most so many columns, with `…` where something is missing. For text without escape sequences.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut taken = 0;
    let mut kept: String = text
        .chars()
        .take_while(|character| {
            taken += character.width().unwrap_or(0);
            taken < columns
        })
        .collect();
    kept.push('…');
    kept
}

/// `── left ───────── right ──`, to the full width; the parts may be styled.
pub fn padded_line(left: &str, right: &str, fill: char, columns: usize) -> String {
    let taken = width(left) + width(right) + 8;
    let middle = columns.saturating_sub(taken).max(2);
    let bar = |length: usize| fill.to_string().repeat(length);
    format!("{} {left} {} {right} {}", bar(2), bar(middle), bar(2))
}

/// The text wrapped at spaces to the width, every line behind the indent.
pub fn indented(text: &str, indent: &str, columns: usize) -> String {
    let room = columns.saturating_sub(indent.width()).max(20);
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.width());
        if line > 0 && line + 1 + word.width() > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fitted("日本語", 6), "日本語");
        assert_eq!(fitted("日本語", 5), "日本…");
        assert_eq!(fitted("日本語", 4).width(), 4);
        assert_eq!(fitted("ab", 4), "ab  ");
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn lines_fill_the_width_whatever_their_style() {
        let plain = padded_line("left", "right", '─', 40);
        let styled = padded_line("\u{1b}[1mleft\u{1b}[0m", "right", '─', 40);
        assert_eq!(width(&plain), 40);
        assert_eq!(width(&styled), 40);
    }

    #[test]
    fn text_is_wrapped_at_spaces() {
        assert_eq!(indented("one two three four five six", "  ", 22), "  one two three four\n  five six");
    }
}
