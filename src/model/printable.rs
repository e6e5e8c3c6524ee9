//! Every text from outside (identifiers, literals, server messages, files) passes through here
//! before it reaches a terminal.
//!
//! A plan or a table name may contain escape sequences that move the cursor, change the title or
//! hide text. Users must be able to read a report about a database that they do not trust.

use std::borrow::Cow;

/// The text with every character that affects a terminal written out: `\u{1b}` for ESC; C1 controls
/// and bidirectional overrides likewise. Newlines and tabs become spaces, so one value stays on one
/// line.
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

/// SQL that runs and cannot affect a terminal: as [`printable`], but inside literals and quoted
/// identifiers such characters are written in SQL's own escapes, so that the meaning does not
/// change.
pub fn printable_sql(sql: &str) -> Cow<'_, str> {
    if sql.chars().all(is_harmless) {
        return Cow::Borrowed(sql);
    }
    let mut clean = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = &rest[start..=start];
        let length = quoted_length(&rest[start..], quote);
        clean.push_str(&printable(&rest[..start]));
        let escape_string = rest[..start].ends_with(['E', 'e']) && quote == "'";
        let quoted = if escape_string {
            escape_quoted
        } else {
            unicode_quoted
        };
        clean.push_str(&quoted(&rest[start..start + length], quote));
        rest = &rest[start + length..];
    }
    clean.push_str(&printable(rest));
    Cow::Owned(clean)
}

/// The length of a quoted thing, doubled quotes inside it included.
fn quoted_length(text: &str, quote: &str) -> usize {
    let mut from = 1;
    loop {
        match text[from..].find(quote) {
            None => return text.len(),
            Some(found) if text[from + found + 1..].starts_with(quote) => from += found + 2,
            Some(found) => return from + found + 1,
        }
    }
}

/// `U&'…'` and `U&"…"` (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html>, "Unicode
/// escapes").
fn unicode_quoted(text: &str, quote: &str) -> String {
    if text.chars().all(is_harmless) {
        return text.to_owned();
    }
    let escape = |character: char| match character {
        '\\' => "\\\\".to_owned(),
        harmless if is_harmless(harmless) => harmless.to_string(),
        other => format!("\\+{:06X}", u32::from(other)),
    };
    let inside = text.strip_prefix(quote).unwrap_or(text);
    let inside = inside.strip_suffix(quote).unwrap_or(inside);
    format!(
        "U&{quote}{}{quote}",
        inside.chars().map(escape).collect::<String>()
    )
}

/// Inside `E'…'`, whose own escapes stay as they are.
fn escape_quoted(text: &str, _quote: &str) -> String {
    let escape = |character: char| match character {
        harmless if is_harmless(harmless) => harmless.to_string(),
        other => format!("\\U{:08X}", u32::from(other)),
    };
    text.chars().map(escape).collect()
}

fn is_harmless(character: char) -> bool {
    let bidirectional_control = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
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

    #[test]
    fn sql_keeps_its_meaning() {
        assert_eq!(printable_sql("WHERE a = 'x'"), "WHERE a = 'x'");
        assert_eq!(
            printable_sql("WHERE a = 'new\nli''ne\\' AND\nb"),
            "WHERE a = U&'new\\+00000Ali''ne\\\\' AND b"
        );
        assert_eq!(
            printable_sql("ON \"t\u{1b}[2J\" (a)"),
            "ON U&\"t\\+00001B[2J\" (a)"
        );
        assert_eq!(printable_sql("E'a\\\\b\u{7}'"), "E'a\\\\b\\U00000007'");
        assert_eq!(printable_sql("'open\u{1b}"), "U&'open\\+00001B'");
    }
}
