//! Logs of ORMs: what Rails, Django, Hibernate, SQLAlchemy, Prisma and Sequelize write about the
//! statements that they send, with their values.
//!
//! Each reader takes lines and gives statements with the values in their places, as if they had been
//! sent as literals.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::model::quote_literal;
use crate::sql::fingerprint::can_be_planned;
use crate::sql::settle::numbered;
use crate::sql::{ValuePlace, with_values};

/// A statement in the log of an ORM.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrmStatement {
    pub(super) sql: String,
    pub(super) duration_ms: Option<f64>,
    /// The line in the text, counted from 1.
    pub(super) line: usize,
}

/// Does the text have a line that an ORM writes?
pub(super) fn looks_like_orm_log(text: &str) -> bool {
    text.lines()
        .take(MAX_LINES_TO_TELL)
        .any(|line| begins(line).is_some())
}

const MAX_LINES_TO_TELL: usize = 20_000;

/// The statements of a log, in order.
pub(super) fn statements(text: &str) -> Vec<OrmStatement> {
    let mut reader = Reader::default();
    for (number, line) in text.lines().enumerate() {
        reader.line(number + 1, line);
    }
    reader.finish();
    reader.found
}

/// The statement with the values that Rails writes behind it: `… = $1  [["id", 5]]`.
pub(super) fn with_logged_binds(sql: &str) -> Option<String> {
    let (sql, binds) = rails_binds(sql);
    with_list(sql, &binds?)
}

/// What a line begins.
enum Begun<'l> {
    /// A statement, whole or with further lines.
    Statement {
        sql: &'l str,
        duration_ms: Option<f64>,
        /// Values stand in lines that follow.
        style: Style,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Style {
    /// Values in the same line, or none.
    #[default]
    Whole,
    /// SQLAlchemy: `[generated in 0.1s] {'id': 5}` or `(5, 'x')`.
    SqlAlchemy,
    /// Hibernate: `binding parameter (1:BIGINT) <- [5]`, or `[1] as [BIGINT] - [5]`.
    Hibernate,
    /// Prisma: `Params: [5,10]`.
    Prisma,
}

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// What this line begins, if an ORM writes such lines.
fn begins(line: &str) -> Option<Begun<'_>> {
    static RAILS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        regex(
            r"(?:\x1b\[[\d;]*m)*\(?(?:[A-Z][\w:]* )*(?:\x1b\[[\d;]*m)*\((\d+(?:\.\d+)?)ms\)(?:\x1b\[[\d;]*m)*\s+(?:\x1b\[[\d;]*m)*(\S.*)$",
        )
    });
    static DJANGO: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"\((\d+\.\d+)\) (\S.*); args=(.*?)(?:; alias=\S+)?$"));
    static HIBERNATE: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"(?:org\.hibernate\.SQL\s*(?:-|:)\s*|^Hibernate:\s*)(\S.*)$"));
    static SQLALCHEMY: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"INFO:?\s*sqlalchemy\.engine\.\S+[: ]\s*(\S.*)$"));
    static PRISMA: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"prisma:query\s+(\S.*)$"));
    static SEQUELIZE: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"Execut(?:ing|ed) \([^)]*\): (\S.*)$"));
    let statement = |sql, duration_ms, style| Begun::Statement {
        sql,
        duration_ms,
        style,
    };
    let capture = |pattern: &'static LazyLock<Option<Regex>>| pattern.as_ref()?.captures(line);
    let group = |found: &regex::Captures<'_>, number: usize| {
        found
            .get(number)
            .map(|group| group.range())
            .and_then(|range| line.get(range))
    };
    if let Some(found) = capture(&DJANGO) {
        // The values are taken from the whole line.
        let seconds: Option<f64> = group(&found, 1).and_then(|text| text.parse().ok());
        let start = found.get(2)?.start();
        return Some(statement(
            &line[start..],
            seconds.map(|seconds| seconds * 1_000.0),
            Style::Whole,
        ));
    }
    if let Some(found) = capture(&PRISMA) {
        return Some(statement(group(&found, 1)?, None, Style::Prisma));
    }
    if let Some(found) = capture(&SEQUELIZE) {
        return Some(statement(group(&found, 1)?, None, Style::Whole));
    }
    if let Some(found) = capture(&SQLALCHEMY) {
        let sql = group(&found, 1)?;
        return Some(statement(sql, None, Style::SqlAlchemy)).filter(|_| can_be_planned(sql));
    }
    if let Some(found) = capture(&HIBERNATE) {
        return Some(statement(group(&found, 1)?, None, Style::Hibernate));
    }
    let found = capture(&RAILS)?;
    let sql = group(&found, 2)?;
    let duration_ms = group(&found, 1).and_then(|text| text.parse().ok());
    can_be_planned(sql).then(|| statement(sql, duration_ms, Style::Whole))
}

/// A statement whose values are still to come.
#[derive(Debug, Default)]
struct Open {
    sql: String,
    duration_ms: Option<f64>,
    line: usize,
    style: Style,
    values: BTreeMap<usize, String>,
}

#[derive(Debug, Default)]
struct Reader {
    open: Option<Open>,
    found: Vec<OrmStatement>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        if let Some(Begun::Statement {
            sql,
            duration_ms,
            style,
        }) = begins(line)
        {
            self.finish();
            self.open = Some(Open {
                sql: sql.trim_end().to_owned(),
                duration_ms,
                line: number,
                style,
                values: BTreeMap::new(),
            });
            return;
        }
        if self.values(line) {
            return;
        }
        let Some(open) = &mut self.open else { return };
        // Formatted statements have further lines; other messages begin with a time or a level.
        let is_further =
            line.starts_with([' ', '\t']) || open.style == Style::SqlAlchemy && !has_level(line);
        if let Some(elapsed) = line.trim().strip_prefix("Elapsed time:") {
            open.duration_ms = elapsed.trim().trim_end_matches("ms").trim().parse().ok();
        } else if is_further && !has_level(line) {
            open.sql += "\n";
            open.sql += line.trim_end();
        } else {
            self.finish();
        }
    }

    /// Takes a line of values; false when it is none.
    fn values(&mut self, line: &str) -> bool {
        static SQLALCHEMY: LazyLock<Option<Regex>> = LazyLock::new(|| {
            regex(
                r"sqlalchemy\.engine\.\S+[: ]\s*(?:\[(?:generated|cached|no key|caching|raw|dialect)[^\]]*\]\s*)?([\[({].*)$",
            )
        });
        static HIBERNATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            regex(
                r"binding parameter (?:\((\d+):[^)]*\) <-|\[(\d+)\] as \[[^\]]*\] -) \[(.*)\]\s*$",
            )
        });
        let Some(open) = &mut self.open else {
            return false;
        };
        let list = match open.style {
            Style::Prisma => line.trim().strip_prefix("Params:").map(str::trim),
            Style::SqlAlchemy => SQLALCHEMY
                .as_ref()
                .and_then(|pattern| pattern.captures(line))
                .and_then(|found| found.get(1))
                .map(|group| group.as_str()),
            Style::Hibernate => {
                let found = HIBERNATE
                    .as_ref()
                    .and_then(|pattern| pattern.captures(line));
                let Some(found) = found else { return false };
                let number = found
                    .get(1)
                    .or(found.get(2))
                    .and_then(|n| n.as_str().parse().ok());
                if let (Some(number), Some(value)) = (number, found.get(3)) {
                    open.values.insert(number, literal_of_text(value.as_str()));
                }
                return true;
            }
            Style::Whole => None,
        };
        let Some(list) = list else { return false };
        if let Some(sql) = with_list(&open.sql, list) {
            open.sql = sql;
        }
        self.finish();
        true
    }

    /// Adds the statement that is open.
    fn finish(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut sql = open.sql;
        if let Some((text, arguments)) = django_arguments(&sql) {
            sql = with_list(text, arguments).unwrap_or_else(|| text.to_owned());
        } else if let (text, Some(binds)) = rails_binds(&sql) {
            sql = with_list(text, &binds).unwrap_or_else(|| text.to_owned());
        } else if let Some((text, bind)) = sql.rsplit_once("; {") {
            // Sequelize: `…; {"1":5}`.
            let with_values = with_list(text, &format!("{{{bind}"));
            sql = with_values.unwrap_or_else(|| text.to_owned());
        } else if !open.values.is_empty() {
            let numbered = numbered(&sql).map_or_else(|| sql.clone(), |found| found.sql);
            let values = open.values.iter().filter_map(|(number, value)| {
                Some((
                    ValuePlace::Parameter(u32::try_from(*number).ok()?),
                    value.clone(),
                ))
            });
            sql = with_values(&numbered, &values.collect()).unwrap_or(numbered);
        } else if let Some(numbered) = numbered(&sql) {
            sql = numbered.sql;
        }
        let sql = sql.trim().trim_end_matches(';').to_owned();
        if can_be_planned(&sql) {
            self.found.push(OrmStatement {
                sql,
                duration_ms: open.duration_ms,
                line: open.line,
            });
        }
    }
}

/// Does a line begin as messages of loggers do?
fn has_level(line: &str) -> bool {
    static LEVEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
        regex(
            r"^(?:[A-Z], \[|\d{4}-\d\d-\d\d|\[?\d\d:\d\d|(?:DEBUG|INFO|WARN|WARNING|ERROR|TRACE)\b|prisma:)",
        )
    });
    LEVEL.as_ref().is_some_and(|level| level.is_match(line))
}

/// Django: `SELECT …; args=(5, 'x'); alias=default`. The statement has its values in it when the
/// logger's `debug_sql` printed it.
fn django_arguments(sql: &str) -> Option<(&str, &str)> {
    let (text, rest) = sql.rsplit_once("; args=")?;
    let arguments = rest
        .rsplit_once("; alias=")
        .map_or(rest, |(arguments, _)| arguments);
    Some((text, arguments))
}

/// Rails: `SELECT …  [["id", 5], ["LIMIT", 1]]`, as a list of the values.
fn rails_binds(sql: &str) -> (&str, Option<String>) {
    let trimmed = sql.trim_end();
    let found = trimmed
        .rsplit_once("  [[")
        .filter(|(_, list)| list.ends_with("]]"));
    let Some((text, list)) = found else {
        return (sql, None);
    };
    let pairs: Result<Vec<(Option<String>, serde_json::Value)>, _> =
        serde_json::from_str(&format!("[[{}", list.replace("nil", "null")));
    let values = pairs.map(|pairs| {
        let values: Vec<serde_json::Value> = pairs.into_iter().map(|(_, value)| value).collect();
        serde_json::Value::from(values).to_string()
    });
    (text, values.ok())
}

/// The statement with the values of a list (JSON or Python's) in the places of its placeholders.
/// None where they do not fit.
fn with_list(sql: &str, list: &str) -> Option<String> {
    let (text, names) = match numbered(sql) {
        Some(found) => (found.sql, found.names),
        None => (sql.to_owned(), Vec::new()),
    };
    let values = values(list)?;
    let place = |(position, (name, value)): (usize, (Option<String>, String))| {
        let named = name.as_ref().and_then(|name| {
            let number: Option<u32> = name.parse().ok();
            let known = names.iter().position(|known| known.as_ref() == Some(name));
            number.or(known.and_then(|known| u32::try_from(known + 1).ok()))
        });
        let number = if name.is_some() {
            named?
        } else {
            u32::try_from(position + 1).ok()?
        };
        Some((ValuePlace::Parameter(number), value))
    };
    let places = values.into_iter().enumerate().filter_map(place);
    let places: BTreeMap<ValuePlace, String> = places.collect();
    if places.is_empty() && !names.is_empty() {
        return None;
    }
    with_values(&text, &places)
}

/// Values of a list or an object, with their names, as SQL literals.
fn values(list: &str) -> Option<Vec<(Option<String>, String)>> {
    let json = as_json(list);
    match serde_json::from_str(&json).ok()? {
        serde_json::Value::Array(values) => {
            Some(values.iter().map(|value| (None, literal(value))).collect())
        }
        serde_json::Value::Object(values) => Some(
            values
                .iter()
                .map(|(name, value)| (Some(name.clone()), literal(value)))
                .collect(),
        ),
        serde_json::Value::Null => Some(Vec::new()),
        _ => None,
    }
}

/// Python's tuples and dictionaries as JSON: `(5, 'x', None)` → `[5, "x", null]`. What is a call
/// (`datetime.datetime(2024, 1, 2)`) becomes a text.
fn as_json(list: &str) -> String {
    let mut json = String::with_capacity(list.len());
    let mut rest = list;
    while let Some(first) = rest.chars().next() {
        let quoted = (first == '\'' || first == '"')
            .then(|| python_string(rest))
            .flatten();
        if let Some((value, length)) = quoted {
            json += &serde_json::Value::from(value).to_string();
            rest = &rest[length..];
            continue;
        }
        let word = rest
            .find(|c: char| !c.is_alphabetic() && c != '.')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(word);
        match word {
            "" => {
                match first {
                    '(' => json.push('['),
                    ')' => {
                        if json.trim_end().ends_with(',') {
                            json.truncate(json.trim_end().len() - 1);
                        }
                        json.push(']');
                    }
                    other => json.push(other),
                }
                rest = &rest[first.len_utf8()..];
                continue;
            }
            "None" | "nil" => json += "null",
            "True" => json += "true",
            "False" => json += "false",
            "null" | "true" | "false" => json += word,
            "Decimal" | "UUID" | "uuid.UUID" | "decimal.Decimal" => {
                // Its only argument is the value.
                let inner = after
                    .strip_prefix('(')
                    .and_then(|inner| inner.split_once(')'));
                if let Some((inner, behind)) = inner {
                    json += &as_json(inner);
                    rest = behind;
                    continue;
                }
            }
            _ => {
                let end = after.find(')').map_or(after.len(), |at| at + 1);
                json += "null";
                rest = after.get(end..).unwrap_or_default();
                continue;
            }
        }
        rest = after;
    }
    json
}

/// A string of Python or JSON at the beginning of a text, and its length.
fn python_string(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next()?;
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            end if end == quote => return Some((value, at + 1)),
            other => value.push(other),
        }
    }
    None
}

fn literal(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "NULL".to_owned(),
        serde_json::Value::Bool(value) => value.to_string(),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(text) => quote_literal(text),
        other => quote_literal(&other.to_string()),
    }
}

/// A value as Hibernate prints it, without quotes.
fn literal_of_text(text: &str) -> String {
    match text {
        "null" => "NULL".to_owned(),
        text if text.parse::<f64>().is_ok() => text.to_owned(),
        text => quote_literal(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &str) -> Vec<(String, Option<f64>)> {
        assert!(looks_like_orm_log(log), "{log}");
        statements(log)
            .into_iter()
            .map(|found| (found.sql, found.duration_ms))
            .collect()
    }

    fn one(sql: &str, duration_ms: Option<f64>) -> Vec<(String, Option<f64>)> {
        vec![(sql.to_owned(), duration_ms)]
    }

    #[test]
    fn rails() {
        let log = "D, [2026-05-02T08:00:00.1 #9] DEBUG -- :   \x1b[1m\x1b[36mTicket Load (1.5ms)\x1b[0m  \x1b[1m\x1b[34mSELECT \"tickets\".* FROM \"tickets\" WHERE \"tickets\".\"owner\" = $1 LIMIT $2\x1b[0m  [[\"owner\", \"it's\"], [\"LIMIT\", 1]]\n\
                   D, [2026-05-02T08:00:00.2 #9] DEBUG -- :   TRANSACTION (0.1ms)  BEGIN\n";
        let log = log.replace("\x1b[0m  [[", "  [[");
        assert_eq!(
            read(&log),
            one(
                "SELECT \"tickets\".* FROM \"tickets\" WHERE \"tickets\".\"owner\" = 'it''s' LIMIT 1",
                Some(1.5)
            )
        );
        assert_eq!(
            with_logged_binds("select a from t where b = $1  [[\"b\", nil]]").as_deref(),
            Some("select a from t where b = NULL")
        );
    }

    #[test]
    fn django() {
        let log = "(0.003) SELECT \"t\".\"id\" FROM \"t\" WHERE \"t\".\"a\" = 5 AND b = 'x; args=y'; args=(5, 'x'); alias=default\n\
                   (0.004) SELECT a FROM t WHERE b = %s AND c = %s; args=('it\\'s', None)\n";
        assert_eq!(
            read(log),
            [
                (
                    "SELECT \"t\".\"id\" FROM \"t\" WHERE \"t\".\"a\" = 5 AND b = 'x; args=y'"
                        .to_owned(),
                    Some(3.0)
                ),
                (
                    "SELECT a FROM t WHERE b = 'it''s' AND c = NULL".to_owned(),
                    Some(4.0)
                )
            ]
        );
    }

    #[test]
    fn hibernate() {
        let log = "2026-05-02 08:00:00.000 DEBUG 9 --- [main] org.hibernate.SQL : select t1_0.id from ticket t1_0 where t1_0.owner=? and t1_0.kind=?\n\
                   2026-05-02 08:00:00.001 TRACE 9 --- [main] org.hibernate.orm.jdbc.bind : binding parameter (1:BIGINT) <- [7]\n\
                   2026-05-02 08:00:00.001 TRACE 9 --- [main] org.hibernate.orm.jdbc.bind : binding parameter (2:VARCHAR) <- [new one]\n";
        assert_eq!(
            read(log),
            one(
                "select t1_0.id from ticket t1_0 where t1_0.owner=7 and t1_0.kind='new one'",
                None
            )
        );
        let log = "Hibernate: \n    select\n        t1_0.id \n    from\n        ticket t1_0 \n    where\n        t1_0.owner=?\n";
        assert_eq!(
            read(&log.replace("Hibernate: \n    select", "Hibernate: select"))[0]
                .0
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            "select t1_0.id from ticket t1_0 where t1_0.owner=$1"
        );
    }

    #[test]
    fn sqlalchemy() {
        let log = "2026-05-02 08:00:00,000 INFO sqlalchemy.engine.Engine BEGIN (implicit)\n\
                   2026-05-02 08:00:00,001 INFO sqlalchemy.engine.Engine SELECT ticket.id \n\
                   FROM ticket \n\
                   WHERE ticket.owner = %(owner_1)s AND ticket.at > %(at_1)s\n\
                   2026-05-02 08:00:00,002 INFO sqlalchemy.engine.Engine [generated in 0.00012s] {'owner_1': 7, 'at_1': '2026-01-01'}\n\
                   2026-05-02 08:00:00,003 INFO sqlalchemy.engine.Engine COMMIT\n";
        assert_eq!(
            read(log),
            one(
                "SELECT ticket.id\nFROM ticket\nWHERE ticket.owner = 7 AND ticket.at > '2026-01-01'",
                None
            )
        );
    }

    #[test]
    fn prisma_and_sequelize() {
        let log = "prisma:query SELECT \"t\".\"id\" FROM \"t\" WHERE \"t\".\"a\" = $1 LIMIT $2 OFFSET $3\nParams: [5,10,0]\n";
        assert_eq!(
            read(log),
            one(
                "SELECT \"t\".\"id\" FROM \"t\" WHERE \"t\".\"a\" = 5 LIMIT 10 OFFSET 0",
                None
            )
        );
        let log = "Executing (default): SELECT \"id\" FROM \"t\" AS \"T\" WHERE \"T\".\"a\" = $1;\nElapsed time: 3ms\nExecuted (default): SELECT \"id\" FROM \"t\" WHERE \"a\" = 5\n";
        assert_eq!(
            read(log),
            [
                (
                    "SELECT \"id\" FROM \"t\" AS \"T\" WHERE \"T\".\"a\" = $1".to_owned(),
                    Some(3.0)
                ),
                ("SELECT \"id\" FROM \"t\" WHERE \"a\" = 5".to_owned(), None)
            ]
        );
    }

    #[test]
    fn other_texts_are_no_logs() {
        for text in [
            "select 1;",
            "GET / (3ms) done",
            "2024-01-01 10:00:00 UTC [1] LOG:  ready",
            "Hibernate is a library",
            "",
        ] {
            assert!(!looks_like_orm_log(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(Executing \\(default\\): |\\(0.1\\) |select |\\$1|; args=\\(|'|\\)|\\[\\[|\\]\\]|\n|%s|Params: |prisma:query ){0,20}") {
            statements(&text);
            with_logged_binds(&text);
        }
    }
}
