//! Every text from outside (identifiers, literals, server messages, files) passes through here
//! before it reaches a terminal.
//!
//! A plan or a table name may contain escape sequences that move the cursor, change the title or
//! hide text. Users must be able to read a report about a database that they do not trust.

use std::borrow::Cow;

/// The text with every character that affects a terminal or cannot be seen written out: `\u{1b}` for
/// ESC; C1 controls, bidirectional controls and invisible characters likewise. Newlines and tabs
/// become spaces, so one value stays on one line.
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
        let before = &rest[..start];
        let quoted = if before.ends_with(['E', 'e']) && quote == "'" {
            escape_quoted
        } else if before.ends_with("U&") || before.ends_with("u&") {
            already_unicode_quoted
        } else {
            unicode_quoted
        };
        clean.push_str(&quoted(&rest[start..start + length], quote));
        rest = &rest[start + length..];
    }
    clean.push_str(&printable(rest));
    Cow::Owned(clean)
}

/// JSON with the same meaning in which such characters are written as `\uXXXX`. Outside of strings
/// JSON has none, except newlines.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    let stays = |character: char| character == '\n' || is_harmless(character);
    if json.chars().all(stays) {
        return Cow::Borrowed(json);
    }
    let mut clean = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if stays(character) {
            clean.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            clean.push_str(&format!("\\u{unit:04x}"));
        }
    }
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

/// Inside `U&'…'` and `U&"…"`, whose own escapes stay as they are.
fn already_unicode_quoted(text: &str, _quote: &str) -> String {
    let escape = |character: char| match character {
        harmless if is_harmless(harmless) => harmless.to_string(),
        other => format!("\\+{:06X}", u32::from(other)),
    };
    text.chars().map(escape).collect()
}

/// Inside `E'…'`, whose own escapes stay as they are.
fn escape_quoted(text: &str, _quote: &str) -> String {
    let escape = |character: char| match character {
        harmless if is_harmless(harmless) => harmless.to_string(),
        other => format!("\\U{:08X}", u32::from(other)),
    };
    text.chars().map(escape).collect()
}

/// Is this a character that can be seen (or a space) and leaves the others where they are?
fn is_harmless(character: char) -> bool {
    !character.is_control() && !INVISIBLE.iter().any(|range| range.contains(&character))
}

/// Characters that change the order of others, take no room, or carry hidden text: those that
/// Unicode calls default-ignorable, and separators of lines and paragraphs
/// (<https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point>).
const INVISIBLE: &[std::ops::RangeInclusive<char>] = &[
    // Soft hyphen, combining grapheme joiner, Arabic letter mark, fillers, vowels that are not shown.
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    // Zero-width characters and directional marks.
    '\u{200b}'..='\u{200f}',
    // Line and paragraph separators, directional embeddings and overrides.
    '\u{2028}'..='\u{202e}',
    // Word joiner, invisible operators, directional isolates.
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    // Variation selectors, and the byte order mark.
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    // Interlinear annotations.
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    // Tags, and more variation selectors.
    '\u{e0000}'..='\u{e0fff}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_written_out() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(printable("a\u{9b}2J"), "a\\u{9b}2J");
        assert_eq!(printable("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(
            printable("a\u{61c}b\u{200b}c\u{e0041}d"),
            "a\\u{61c}b\\u{200b}c\\u{e0041}d"
        );
        assert_eq!(
            printable("a\u{2028}b\u{fe0f}c\u{feff}d\u{ad}"),
            "a\\u{2028}b\\u{fe0f}c\\u{feff}d\\u{ad}"
        );
        assert_eq!(printable("one\ntwo\tthree"), "one two three");
        assert_eq!(printable("größe ☃"), "größe ☃");
        assert_eq!(printable_lines("a\u{7}\nb"), "a\\u{7}\nb");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "a\u{7f}b\u{202e}c\u{e0041}d\u{9b}e\"\\";
        let json = serde_json::to_string_pretty(&[text, "größe"]).unwrap();
        let shown = printable_json(&json);
        assert_eq!(
            shown,
            "[\n  \"a\\u007fb\\u202ec\\udb40\\udc41d\\u009be\\\"\\\\\",\n  \"größe\"\n]"
        );
        assert_eq!(
            serde_json::from_str::<Vec<String>>(&shown).unwrap(),
            [text, "größe"]
        );
        assert_eq!(printable_json("[\n1\n]"), "[\n1\n]");
    }

    #[test]
    fn sql_keeps_its_meaning() {
        assert_eq!(
            printable_sql("U&'\\00e9\u{200b}' = \"a\u{200b}\\\""),
            "U&'\\00e9\\+00200B' = U&\"a\\+00200B\\\\\""
        );
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
