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
    let quote = searched.find('\'').unwrap_or(searched.len());
    for (colon, _) in searched
        .match_indices(":  ")
        .take_while(|(colon, _)| *colon < quote)
    {
        let before = searched[..colon].trim_end();
        if let Some((start, label)) = label_at_end(before) {
            return Some(Labelled {
                prefix: &line[..start],
                label,
                rest: &line[colon + 3..],
            });
        }
    }
    None
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

/// The time in a prefix, with its zone.
pub(super) fn time(prefix: &str) -> Option<&str> {
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:[A-Z]{2,5}\b|[+-]\d\d(?::?\d\d)?\b))?").ok()
    });
    TIME.as_ref()?.find(prefix).map(|found| found.as_str())
}

/// The process in a prefix. Tried in this order: 1. `[123]`; 2. `pid=123`; 3. the session id `%c`,
/// whose second half is the process in hexadecimal; 4. a number between blanks.
pub(super) fn process_id(prefix: &str) -> Option<u32> {
    static PROCESS: LazyLock<Vec<(Regex, u32)>> = LazyLock::new(|| {
        let patterns = [
            (r"\[(\d{1,10})\]", 10),
            (r"(?i)\bp(?:id)?=(\d{1,10})\b", 10),
            (r"\b[0-9a-f]{8}\.([0-9a-f]{1,8})\b", 16),
            (r"(?:^|\s)(\d{1,10})(?:\s|$)", 10),
        ];
        patterns
            .into_iter()
            .filter_map(|(pattern, base)| Some((Regex::new(pattern).ok()?, base)))
            .collect()
    });
    let mut found = PROCESS
        .iter()
        .filter_map(|(pattern, base)| Some((pattern.captures(prefix)?, *base)));
    found.find_map(|(captures, base)| u32::from_str_radix(&captures[1], base).ok())
}

/// The user and the database that a prefix names: `user=app,db=shop`, or `app@shop`. No name is
/// guessed from its place.
pub(super) fn user_and_database(prefix: &str) -> (Option<String>, Option<String>) {
    let (mut user, mut database) = (None, None);
    let known =
        |name: &str| (!name.is_empty() && !name.starts_with("[unknown")).then(|| name.to_owned());
    let separators =
        |c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';' | ':' | '/' | '|');
    for word in prefix.split(separators) {
        if let Some((name, value)) = word.split_once('=') {
            let value = value.trim_end_matches(']');
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
        Regex::new(r"(?:^|[\s,\[(:/]|app=|application=)pgrehearse(?:$|[\s,\])/:])").ok()
    });
    prefix.contains("pgrehearse") && OURS.as_ref().is_some_and(|ours| ours.is_match(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

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
