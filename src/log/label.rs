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
    static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let patterns = [
            r"(?i)\b(?:user|usr|username|u)=([^\s,\])]+)",
            r"(?i)\b(?:db|database|dbname|d)=([^\s,\])]+)",
            r"(?:^|[\s:\[(,])([A-Za-z_][\w$-]*)@([A-Za-z_][\w$-]*)(?:$|[\s:\]),])",
        ];
        let patterns = patterns.into_iter().map(Regex::new);
        patterns.filter_map(Result::ok).collect()
    });
    let owned = |found: Option<regex::Match<'_>>| {
        let name = found?.as_str();
        (name != "[unknown").then(|| name.to_owned())
    };
    if !prefix.contains(['=', '@']) {
        return (None, None);
    }
    let group =
        |pattern: usize, group: usize| owned(NAMED.get(pattern)?.captures(prefix)?.get(group));
    let (user, database) = (group(0, 1), group(1, 1));
    if user.is_none() && database.is_none() && prefix.contains('@') {
        return (group(2, 1), group(2, 2));
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
