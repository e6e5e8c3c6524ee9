//! The one door between text from outside (identifiers, literals, server messages, files) and a terminal.
//!
//! A plan or a table name may hold escape sequences that move the cursor, change the title or hide text; nobody should
//! have to trust the database to read a report about it.

use std::borrow::Cow;

/// The text with every character that a terminal would act on written out: `\u{1b}` for ESC, C1 controls and the
/// bidirectional overrides likewise. Newlines and tabs become spaces, so one value stays on one line.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\t' | '\r' => clean.push(' '),
            harmless if is_harmless(harmless) => clean.push(harmless),
            other => clean.extend(other.escape_unicode()),
        }
    }
    Cow::Owned(clean)
}

/// As [`printable`], but newlines stay: for texts of several lines such as SQL and error details.
pub fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

fn is_harmless(character: char) -> bool {
    let bidirectional_control =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !character.is_control() && !bidirectional_control
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_written_out() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(printable("a\u{9b}2J"), "a\\u{9b}2J");
        assert_eq!(printable("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(printable("one\ntwo\tthree"), "one two three");
        assert_eq!(printable("größe ☃"), "größe ☃");
        assert_eq!(printable_lines("a\u{7}\nb"), "a\\u{7}\nb");
    }
}
