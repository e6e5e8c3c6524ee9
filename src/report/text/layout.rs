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

/// The text in lines of at most so many columns, broken at spaces where there are some, each but the first behind the indent; at
/// most so many lines, the last one cut. For text without escape sequences.
pub fn wrapped(text: &str, columns: usize, indent: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.to_owned();
    while rest.width() > columns && lines.len() + 1 < most {
        let end = break_at(&rest, columns, indent.len());
        let next = format!("{indent}{}", rest[end..].trim_start());
        if next.width() >= rest.width() {
            break;
        }
        lines.push(rest[..end].trim_end().to_owned());
        rest = next;
    }
    lines.push(cut(&rest, columns));
    lines
}

/// The byte to break before: the last space that fits (behind the indent), else the last character that does.
fn break_at(text: &str, columns: usize, indent_bytes: usize) -> usize {
    let mut taken = 0;
    let fits = text.char_indices().take_while(|(_, character)| {
        taken += character.width().unwrap_or(0);
        taken <= columns
    });
    let end = fits.last().map_or(text.len(), |(start, character)| {
        start + character.len_utf8()
    });
    match text[..end].rfind(' ') {
        Some(space)
            if space > indent_bytes && !text[..space].trim().is_empty() && space > end / 2 =>
        {
            space
        }
        _ => end,
    }
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
    lines
        .iter()
        .map(|line| format!("{indent}{line}"))
        .collect::<Vec<_>>()
        .join("\n")
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
    fn long_lines_go_on_behind_their_indent() {
        assert_eq!(
            wrapped("└─ Index Scan using a_long_name on t", 20, "   ", 3),
            ["└─ Index Scan using", "   a_long_name on t"]
        );
        assert_eq!(wrapped("abcdefghij", 4, "", 2), ["abcd", "efg…"]);
        assert_eq!(wrapped("short", 20, "  ", 3), ["short"]);
    }

    #[test]
    fn text_is_wrapped_at_spaces() {
        assert_eq!(
            indented("one two three four five six", "  ", 22),
            "  one two three four\n  five six"
        );
    }
}
