//! The label of a line (`LOG:  `, `DETAIL:  `), and what can be read from the `log_line_prefix`
//! before it.
//!
//! The prefix may be anything
//! (<https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-LOG-LINE-PREFIX>), so
//! it is not parsed: the label is searched first, and the prefix is the text before it.

use std::sync::LazyLock;

use regex::Regex;

use super::lines::beginning;
use super::translations::{self, Label, Severity};

/// Labels are looked for in this many bytes of a line; user, database and application name have at
/// most 63 each.
const MAX_PREFIX_BYTES: usize = 1000;

/// Labels that are recognized directly after a prefix that ends in a letter, such as `%t`.
const GLUED: &[&str] = &[
    "DETAIL",
    "CONTEXT",
    "STATEMENT",
    "HINT",
    "QUERY",
    "LOCATION",
    "WARNING",
    "ERROR",
    "FATAL",
    "LOG",
];

/// A line that begins an entry or one of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Labelled<'a> {
    pub(super) prefix: &'a str,
    pub(super) label: Label,
    /// What follows the label.
    pub(super) rest: &'a str,
}

/// The first label of the line. With a quote before it, the line is SQL with a similar text.
pub(super) fn find(line: &str) -> Option<Labelled<'_>> {
    let searched = beginning(line, MAX_PREFIX_BYTES);
    let bytes = searched.as_bytes();
    let ends = |byte: &u8| matches!(byte, b':' | b'\'');
    let mut from = 0;
    loop {
        let colon = from + bytes.get(from..)?.iter().position(ends)?;
        if bytes.get(colon) == Some(&b'\'') {
            return None;
        }
        if bytes.get(colon + 1..colon + 3) == Some(b"  ")
            && let Some((start, label)) = label_at_end(searched[..colon].trim_end())
        {
            return Some(Labelled {
                prefix: &line[..start],
                label,
                rest: &line[colon + 3..],
            });
        }
        from = colon + 1;
    }
}

fn label_at_end(text: &str) -> Option<(usize, Label)> {
    let word = text
        .rsplit(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or(text);
    if let Some(label) = translations::label(word) {
        return Some((text.len() - word.len(), label));
    }
    let glued = GLUED.iter().find(|label| word.ends_with(**label))?;
    Some((text.len() - glued.len(), translations::label(glued)?))
}

impl Labelled<'_> {
    /// Is this line certainly from a server log? psql prints `ERROR:  …` and
    /// `psql:FILE:LINE: NOTICE:  …` too.
    pub(super) fn is_from_a_log(&self) -> bool {
        match self.label {
            Label::Severity(Severity::Log) => true,
            Label::Severity(_) => time(self.prefix).is_some(),
            Label::Field(_) => false,
        }
    }
}

/// `2024-05-01 12:00:00` with a digit for each zero.
const TIME: &[u8; 19] = b"0000-00-00 00:00:00";

/// The time in a prefix, with its zone: `2024-05-01 12:00:00.123 UTC`, `2024-05-01T12:00:00+02:00`.
pub(super) fn time(prefix: &str) -> Option<&str> {
    let is_time = |text: &[u8]| {
        let fits = |(byte, expected): (&u8, &u8)| match expected {
            b'0' => byte.is_ascii_digit(),
            b' ' => matches!(byte, b' ' | b'T'),
            _ => byte == expected,
        };
        text.iter().zip(TIME).all(fits)
    };
    let start = prefix.as_bytes().windows(TIME.len()).position(is_time)?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = start + TIME.len();
    let fraction = prefix[end..].strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        end += 1 + fraction;
    }
    let rest = &prefix[end..];
    let blank = usize::from(rest.starts_with(' '));
    end += zone_length(&rest[blank..]).map_or(0, |length| blank + length);
    Some(&prefix[start..end])
}

/// The length of a zone (`UTC`, `+02`, `+05:30`) at the beginning of a text.
fn zone_length(text: &str) -> Option<usize> {
    let is_whole = |length: &usize| {
        let next = text.get(*length..).and_then(|rest| rest.chars().next());
        !next.is_some_and(|next| next.is_alphanumeric() || next == '_')
    };
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    if (2..=5).contains(&letters) {
        return Some(letters).filter(is_whole);
    }
    let two_digits = |from: usize| {
        let digits = text.as_bytes().get(from..from + 2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
    };
    if !(text.starts_with(['+', '-']) && two_digits(1)) {
        return None;
    }
    let colon = usize::from(text[3..].starts_with(':'));
    let with_minutes = two_digits(3 + colon).then_some(5 + colon);
    with_minutes.into_iter().chain([3]).find(is_whole)
}

/// The process in a prefix. Tried in this order: 1. `[123]`; 2. `pid=123`; 3. the session id `%c`,
/// whose second half is the process in hexadecimal; 4. a number between blanks.
pub(super) fn process_id(prefix: &str) -> Option<u32> {
    static PROCESS: LazyLock<Vec<(Regex, u32)>> = LazyLock::new(|| {
        let patterns = [
            (r"(?i)\bp(?:id)?=(\d{1,10})\b", 10),
            (r"\b[0-9a-f]{8}\.([0-9a-f]{1,8})\b", 16),
            (r"(?:^|\s)(\d{1,10})(?:\s|$)", 10),
        ];
        patterns
            .into_iter()
            .filter_map(|(pattern, base)| Some((Regex::new(pattern).ok()?, base)))
            .collect()
    });
    // The usual one comes first, and needs no pattern.
    let mut bracketed = prefix.split('[').skip(1).filter_map(|behind| {
        let (number, _) = behind.split_once(']')?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| number.parse().ok()).flatten()
    });
    let mut found = PROCESS
        .iter()
        .filter_map(|(pattern, base)| Some((pattern.captures(prefix)?, *base)));
    bracketed
        .next()
        .or_else(|| found.find_map(|(captures, base)| u32::from_str_radix(&captures[1], base).ok()))
}

/// The user and the database that a prefix names: `user=app,db=shop`, `user="app" database="shop"`
/// (Heroku), or `app@shop`. No name is guessed from its place.
pub(super) fn user_and_database(prefix: &str) -> (Option<String>, Option<String>) {
    let (mut user, mut database) = (None, None);
    if !prefix.contains(['=', '@']) {
        return (user, database);
    }
    let known =
        |name: &str| (!name.is_empty() && !name.starts_with("[unknown")).then(|| name.to_owned());
    let separators =
        |c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';' | ':' | '/' | '|');
    for word in prefix.split(separators) {
        if let Some((name, value)) = word.split_once('=') {
            let value = value.trim_end_matches(']').trim_matches('"');
            match name.trim_start_matches('[').to_ascii_lowercase().as_str() {
                "user" | "usr" | "username" | "u" => user = known(value),
                "db" | "database" | "dbname" | "d" => database = known(value),
                _ => {}
            }
        } else if let Some((one, other)) = word.split_once('@') {
            let is_name = |name: &str| {
                name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    && name
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
            };
            let (one, other) = (one.trim_start_matches('['), other.trim_end_matches(']'));
            if is_name(one) && is_name(other) {
                (user, database) = (known(one), known(other));
            }
        }
    }
    (user, database)
}

/// Is the application of this prefix ours? Only a whole word, also after `app=`, not a database or
/// user of that name.
pub(super) fn is_ours(prefix: &str) -> bool {
    static OURS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?:^|[\s,\[(:/]|app=|application=|application_name=)"?pgrehearse"?(?:$|[\s,\])/:])"#,
        )
        .ok()
    });
    prefix.contains("pgrehearse") && OURS.as_ref().is_some_and(|ours| ours.is_match(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zones() {
        for (prefix, time) in [
            (
                "2024-05-01 12:00:00.123 UTC [7] ",
                Some("2024-05-01 12:00:00.123 UTC"),
            ),
            (
                "x 2024-05-01T12:00:00+05:30 y",
                Some("2024-05-01T12:00:00+05:30"),
            ),
            (
                "2024-05-01 12:00:00 -0330 ",
                Some("2024-05-01 12:00:00 -0330"),
            ),
            ("2024-05-01 12:00:00+02:", Some("2024-05-01 12:00:00+02")),
            ("2024-05-01 12:00:00+021 ", Some("2024-05-01 12:00:00")),
            ("2024-05-01 12:00:00 UTCSHOP ", Some("2024-05-01 12:00:00")),
            ("2024-05-01 12:00:00 UTCä", Some("2024-05-01 12:00:00")),
            ("2024-05-01 12:00:00.", Some("2024-05-01 12:00:00")),
            ("2024-05-01 12:00:00", Some("2024-05-01 12:00:00")),
            ("2024-05-01 12:00", None),
            ("ä2024-05-01", None),
        ] {
            assert_eq!(super::time(prefix), time, "{prefix}");
        }
    }

    #[test]
    fn our_own_application_is_known_with_and_without_quotes() {
        for (prefix, ours) in [
            ("[7] app=pgrehearse,db=x ", true),
            ("user=\"web\" application_name=\"pgrehearse\" ", true),
            ("application_name=pgrehearse ", true),
            ("database=\"pgrehearse\" application_name=\"puma\" ", false),
            ("user=\"pgrehearse\" ", false),
        ] {
            assert_eq!(is_ours(prefix), ours, "{prefix}");
        }
    }

    proptest::proptest! {
        /// The pattern that [`time`] stands for.
        #[test]
        fn times_are_those_of_a_pattern(text in "[0-9]{0,2}2024-05-01[ T]12:00:00(\\.[0-9]{0,3})? ?([A-Z]{0,6}|[+-][0-9]{0,4}:?[0-9]{0,3})[a_ ]?") {
            let pattern = Regex::new(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?: ?(?:[A-Z]{2,5}\b|[+-][0-9]{2}(?::?[0-9]{2})?\b))?").unwrap();
            proptest::prop_assert_eq!(super::time(&text), pattern.find(&text).map(|found| found.as_str()));
        }
    }

    #[test]
    fn users_and_databases_are_read_where_they_are_named() {
        for (prefix, user, database) in [
            (
                "2024-01-01 10:00:00 UTC [7]: user=app,db=shop,app=x,client=::1 ",
                Some("app"),
                Some("shop"),
            ),
            (
                "2024-01-01 10:00:00 UTC:10.0.0.1(5432):app@shop:[7]:",
                Some("app"),
                Some("shop"),
            ),
            ("[7] app@shop ", Some("app"), Some("shop")),
            ("[7] [unknown]@[unknown] ", None, None),
            ("2024-01-01 10:00:00 UTC [7] ", None, None),
            ("db=shop ", None, Some("shop")),
            (
                "log_line=\"1\" database=\"shop\" connection_source=\"10.0.0.1(1)\" user=\"app\" application_name=\"x\" ",
                Some("app"),
                Some("shop"),
            ),
        ] {
            let found = user_and_database(prefix);
            assert_eq!(
                (found.0.as_deref(), found.1.as_deref()),
                (user, database),
                "{prefix}"
            );
        }
    }
}
