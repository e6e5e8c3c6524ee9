//! What a message says about a statement: that it begins, how long it took, or its plan.
//!
//! The server's texts are in `exec_simple_query` and `exec_execute_message`
//! (src/backend/tcop/postgres.c), auto_explain's in `explain_ExecutorEnd`. The words are
//! translated, but their order and the numbers are the same in all languages.

use super::lines::beginning;
use super::translations;

/// How a statement was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionKind {
    /// By a simple query (`statement`).
    Statement,
    /// As a prepared statement (`execute NAME`).
    Execute,
    /// By fetching more rows of a prepared statement (`execute fetch from NAME`).
    Fetch,
}

/// What a message says about a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// `duration: 12.3 ms  plan:` and auto_explain's text.
    Plan {
        /// Of the execution.
        duration_ms: f64,
        /// The rest of the message, in one of the four formats.
        body: &'a str,
    },
    /// `duration: 12.3 ms  statement: …` (log_min_duration_statement).
    Executed {
        /// Of the execution.
        duration_ms: f64,
        /// How it was sent.
        kind: ExecutionKind,
        /// The text.
        sql: &'a str,
    },
    /// `duration: 12.3 ms`: of the statement that this process logged last, or of a parse or bind.
    Duration(f64),
    /// `duration: 12.3 ms  parse NAME: …`, and of a bind.
    Prepared(f64),
    /// `statement: …` (log_statement).
    Begun {
        /// How it was sent.
        kind: ExecutionKind,
        /// The text.
        sql: &'a str,
    },
    /// Nothing about a statement.
    Other,
}

#[cfg(test)]
impl Event<'_> {
    /// The logged duration.
    pub fn duration_ms(&self) -> Option<f64> {
        match self {
            Event::Plan { duration_ms, .. } | Event::Executed { duration_ms, .. } => {
                Some(*duration_ms)
            }
            Event::Duration(duration) | Event::Prepared(duration) => Some(*duration),
            Event::Begun { .. } | Event::Other => None,
        }
    }
}

/// Reads a message.
pub(super) fn read(message: &str) -> Event<'_> {
    let Some((duration_ms, rest)) = duration(message) else {
        return match kind(message) {
            Some((kind, sql)) => Event::Begun { kind, sql },
            None => Event::Other,
        };
    };
    // The French message has a comma here.
    let rest = rest.trim_start_matches([' ', ',', '\u{a0}']);
    if let Some(body) = rest.strip_prefix("plan:") {
        let body = body.strip_prefix('\n').unwrap_or(body);
        return Event::Plan { duration_ms, body };
    }
    match kind(rest) {
        Some((kind, sql)) => Event::Executed {
            duration_ms,
            kind,
            sql,
        },
        None if rest.is_empty() => Event::Duration(duration_ms),
        None => Event::Prepared(duration_ms),
    }
}

/// `duration: 12.345 ms`: some words, a number with three decimals, and the unit. The words and the
/// unit are translated.
fn duration(message: &str) -> Option<(f64, &str)> {
    const MAX_WORDS_BYTES: usize = 80;
    let digits = message
        .bytes()
        .take(MAX_WORDS_BYTES)
        .position(|byte| byte.is_ascii_digit() || byte == b'\n')?;
    let (words, rest) = message.split_at(digits);
    words
        .trim_end()
        .strip_suffix(':')
        .filter(|words| !words.contains(':'))?;
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
        .count();
    let (number, rest) = rest.split_at(length);
    let has_three_decimals = number
        .split_once('.')
        .is_some_and(|(_, decimals)| decimals.len() == 3);
    let rest = rest.trim_start_matches([' ', '\u{a0}']);
    let after_unit = translations::MILLISECONDS
        .iter()
        .find_map(|unit| rest.strip_prefix(unit))?;
    // The Georgian message has a plural s here.
    let after_unit = after_unit.strip_prefix('s').unwrap_or(after_unit);
    has_three_decimals
        .then(|| number.parse().ok())
        .flatten()
        .map(|number| (number, after_unit))
}

/// `statement: …`, `execute NAME: …`, `execute fetch from NAME: …`.
fn kind(text: &str) -> Option<(ExecutionKind, &str)> {
    // Names have at most 63 bytes, and there are two with a slash between them.
    const MAX_LABEL_BYTES: usize = 240;
    let searched = beginning(text, MAX_LABEL_BYTES);
    let colon = searched.find(": ").or_else(|| searched.find(":\n"))?;
    let label = searched[..colon].trim();
    let begins = |words: &[&str]| words.iter().any(|word| begins_with_word(label, word));
    let kind = if translations::STATEMENT.contains(&label) {
        ExecutionKind::Statement
    } else if begins(translations::FETCH) {
        ExecutionKind::Fetch
    } else if begins(translations::EXECUTE) {
        ExecutionKind::Execute
    } else {
        return None;
    };
    Some((kind, text[colon + 1..].trim_start_matches(' ')))
}

fn begins_with_word(label: &str, word: &str) -> bool {
    label
        .strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_about_statements_are_read_in_many_languages() {
        for (message, duration_ms, expected) in [
            (
                "duration: 12.345 ms  statement: select 1",
                12.345,
                ExecutionKind::Statement,
            ),
            (
                "Dauer: 12.345 ms  Anweisung: select 1",
                12.345,
                ExecutionKind::Statement,
            ),
            (
                "durée : 12.345 ms, instruction : select 1",
                12.345,
                ExecutionKind::Statement,
            ),
            (
                "期間: 12.345 ミリ秒  実行 <unnamed>: select 1",
                12.345,
                ExecutionKind::Execute,
            ),
            (
                "duration: 0.001 ms  execute S_1/C_2: select 1",
                0.001,
                ExecutionKind::Execute,
            ),
            (
                "duration: 0.001 ms  execute fetch from S_1/C_2: select 1",
                0.001,
                ExecutionKind::Fetch,
            ),
        ] {
            assert_eq!(
                read(message),
                Event::Executed {
                    duration_ms,
                    kind: expected,
                    sql: "select 1"
                },
                "{message}"
            );
        }
    }

    #[test]
    fn durations_plans_and_beginnings_are_told_apart() {
        assert_eq!(read("duration: 1.000 ms"), Event::Duration(1.0));
        assert_eq!(
            read("duration: 1.000 ms  bind a: select 1"),
            Event::Prepared(1.0)
        );
        assert_eq!(
            read("duration: 1.000 ms  parse <unnamed>: select 1"),
            Event::Prepared(1.0)
        );
        assert_eq!(
            read("duration: 1.000 ms  plan:\nx"),
            Event::Plan {
                duration_ms: 1.0,
                body: "x"
            }
        );
        assert_eq!(
            read("statement: a\nb"),
            Event::Begun {
                kind: ExecutionKind::Statement,
                sql: "a\nb"
            }
        );
        assert_eq!(
            read("execute <unnamed>: a"),
            Event::Begun {
                kind: ExecutionKind::Execute,
                sql: "a"
            }
        );
    }

    #[test]
    fn other_messages_do_not() {
        for message in [
            "",
            "checkpoint complete: wrote 3 buffers (0.0%); write=0.001 s",
            "temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 1000",
            "process 12 still waiting for ShareLock on transaction 1 after 1000.123 ms",
            "duration: 12 ms",
            "statement_timeout: x",
            "executed: x",
        ] {
            assert_eq!(read(message), Event::Other, "{message}");
        }
    }
}
