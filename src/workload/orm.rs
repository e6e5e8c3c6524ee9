//! Logs of ORMs: what Rails, Django, Hibernate, SQLAlchemy, Prisma and Sequelize write about the
//! statements that they send, with their values.
//!
//! Each reader takes lines and gives statements with the values in their places, as if they had been
//! sent as literals.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::model::{quote_literal, without_escape_sequences};
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
        .any(|line| begins(&without_escape_sequences(line)).is_some())
}

const MAX_LINES_TO_TELL: usize = 20_000;

/// The statements of a log, in order.
pub(super) fn statements(text: &str) -> Vec<OrmStatement> {
    let mut reader = Reader::default();
    for (number, line) in text.lines().enumerate() {
        reader.line(number + 1, &without_escape_sequences(line));
    }
    reader.finish();
    reader.found
}

/// The statement with the values that Rails writes behind it: `… = $1  [["id", 5]]`.
pub(super) fn with_logged_binds(sql: &str) -> Option<String> {
    let (sql, binds) = rails_binds(sql);
    with_list(sql, &binds?)
}

/// A statement that a line begins, whole or with further lines.
struct Begun<'l> {
    sql: Cow<'l, str>,
    duration_ms: Option<f64>,
    style: Style,
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
    /// Prisma: `Params: [5,10]`, perhaps with `Duration: 3ms`.
    Prisma,
    /// Prisma's events as Node prints them: `query: 'SELECT …',`, `params: '[5]',`, `duration: 3,`.
    PrismaEvent,
    /// Sequelize: `…; {"1":5}` or `…; 5, "x"`.
    Sequelize,
    /// Rails: `…  [["id", 5]]`.
    Rails,
}

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// What this line begins, if an ORM writes such lines.
fn begins(line: &str) -> Option<Begun<'_>> {
    static DJANGO: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"\((\d+\.\d+)\) (\S.*); args=(.*?)(?:; alias=\S+)?$"));
    static HIBERNATE: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"(?:org\.hibernate\.SQL\s*[-:]|^Hibernate:)\s*(\S.*)?$"));
    static SQLALCHEMY: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"INFO:?\s*sqlalchemy\.engine\.[\w.]+[: ]\s*(\S.*)$"));
    static SEQUELIZE: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"Execut(?:ing|ed) \([^)]*\): (\S.*)$"));
    let capture = |pattern: &'static LazyLock<Option<Regex>>| pattern.as_ref()?.captures(line);
    if let Some(found) = capture(&DJANGO) {
        let seconds: Option<f64> = group(&found, 1).parse().ok();
        // The values are taken from the whole line.
        let start = found.get(2)?.start();
        return Some(Begun {
            sql: line[start..].into(),
            duration_ms: seconds.map(|seconds| seconds * 1_000.0),
            style: Style::Whole,
        });
    }
    let statement = |sql: &str, style| {
        let begins = sql.trim().is_empty() || can_be_planned(sql);
        begins.then(|| Begun {
            sql: sql.to_owned().into(),
            duration_ms: None,
            style,
        })
    };
    if let Some(found) = capture(&SEQUELIZE) {
        return statement(group(&found, 1), Style::Sequelize);
    }
    if let Some(found) = capture(&SQLALCHEMY) {
        return statement(group(&found, 1), Style::SqlAlchemy);
    }
    if let Some(found) = capture(&HIBERNATE) {
        // Formatted statements begin in the next line.
        return statement(group(&found, 1), Style::Hibernate);
    }
    prisma(line).or_else(|| rails(line))
}

/// A group of a pattern, empty where it took part in no match.
fn group<'l>(found: &regex::Captures<'l>, number: usize) -> &'l str {
    found.get(number).map_or("", |group| group.as_str())
}

/// Prisma: `prisma:query SELECT …`, `Query: SELECT …` as its manual prints the events, and events as
/// Node prints them or as JSON.
fn prisma(line: &str) -> Option<Begun<'_>> {
    static TEXT: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"(?:prisma:query|^Query:)\s+(\S.*)$"));
    static EVENT: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r#"^\s+"?query"?: ['"`](\S.*)['"`],?$"#));
    let (sql, style) = if let Some(found) = TEXT.as_ref()?.captures(line) {
        (Cow::Borrowed(group(&found, 1)), Style::Prisma)
    } else if let Some(found) = EVENT.as_ref()?.captures(line) {
        let sql = group(&found, 1).replace("\\\"", "\"").replace("\\'", "'");
        (sql.into(), Style::PrismaEvent)
    } else {
        return prisma_json(line);
    };
    can_be_planned(&sql).then_some(Begun {
        sql,
        duration_ms: None,
        style,
    })
}

/// `{"timestamp":…,"query":"SELECT …","params":"[5]","duration":3,"target":…}`.
fn prisma_json(line: &str) -> Option<Begun<'static>> {
    let object = line.get(line.find('{')?..)?.trim_end();
    if !object.contains("\"query\"") || !object.contains("\"params\"") {
        return None;
    }
    let event: serde_json::Value = serde_json::from_str(object).ok()?;
    let text = |name: &str| event.get(name)?.as_str();
    let sql = text("query").filter(|sql| can_be_planned(sql))?;
    let with_values = text("params").and_then(|list| with_list(sql, list));
    Some(Begun {
        sql: with_values.unwrap_or_else(|| sql.to_owned()).into(),
        duration_ms: event.get("duration").and_then(serde_json::Value::as_f64),
        style: Style::Whole,
    })
}

/// Rails: `User Load (0.5ms)  SELECT …  [["id", 5]]`. What came from its cache was not executed.
fn rails(line: &str) -> Option<Begun<'_>> {
    static RAILS: LazyLock<Option<Regex>> =
        LazyLock::new(|| regex(r"\((\d+(?:\.\d+)?)ms\)\s+(\S.*)$"));
    let found = RAILS.as_ref()?.captures(line)?;
    let sql = group(&found, 2);
    let name = &line[..found.get(0)?.start()];
    let is_cached = name.split_whitespace().any(|word| word == "CACHE");
    (can_be_planned(sql) && !is_cached).then(|| Begun {
        sql: sql.into(),
        duration_ms: group(&found, 1).parse().ok(),
        style: Style::Rails,
    })
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

impl Open {
    /// Is this line a further one of the statement? Formatted statements have further lines; other
    /// messages begin with a time or a level.
    fn goes_on_with(&self, line: &str) -> bool {
        let is_indented = line.starts_with([' ', '\t']);
        let may_be = match self.style {
            Style::SqlAlchemy => true,
            // `↳ app/models/user.rb:5` and the next statements are indented, too.
            Style::Rails => {
                let is_whole = self.sql.ends_with("]]");
                let is_another = line.trim_start().starts_with('↳') || line.contains("ms)  ");
                is_indented && !is_whole && !is_another
            }
            Style::PrismaEvent => false,
            _ => is_indented,
        };
        may_be && !has_level(line)
    }
}

/// The time of the statement before: `Elapsed time: 3ms` (Sequelize), `Duration: 3ms` and
/// `duration: 3,` (Prisma).
fn duration(line: &str) -> Option<f64> {
    let line = line.trim();
    let names = ["Elapsed time:", "Duration:", "duration:", "\"duration\":"];
    let text = names.iter().find_map(|name| line.strip_prefix(name))?;
    let text = text.trim().trim_end_matches(',').trim_end_matches("ms");
    text.trim().parse().ok()
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        if let Some(begun) = begins(line) {
            self.finish();
            self.open = Some(Open {
                sql: begun.sql.trim_end().to_owned(),
                duration_ms: begun.duration_ms,
                line: number,
                style: begun.style,
                values: BTreeMap::new(),
            });
            return;
        }
        if self.values(line) {
            return;
        }
        let Some(open) = &mut self.open else { return };
        if let Some(duration_ms) = duration(line) {
            open.duration_ms = Some(duration_ms);
        } else if open.goes_on_with(line) {
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
                r"sqlalchemy\.engine\.[\w.]+[: ]\s*(?:\[(?:generated|cached|no key|caching|raw|dialect)[^\]]*\]\s*)?([\[({].*)$",
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
            Style::PrismaEvent => {
                let line = line.trim();
                let list = line.strip_prefix("params:");
                let list = list.or_else(|| line.strip_prefix("\"params\":"));
                list.map(|list| {
                    list.trim()
                        .trim_end_matches(',')
                        .trim_matches(['\'', '"', '`'])
                })
            }
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
            Style::Whole | Style::Sequelize | Style::Rails => None,
        };
        let Some(list) = list else { return false };
        if open.style == Style::SqlAlchemy {
            self.sqlalchemy_values(list);
        } else if let Some(sql) = with_list(&open.sql, list) {
            open.sql = sql;
        }
        true
    }

    /// Ends the statement with its values; `executemany` has several sets of them, each for an
    /// execution of its own.
    fn sqlalchemy_values(&mut self, list: &str) {
        let Some(open) = self.open.take() else { return };
        for values in parameter_sets(list) {
            let sql = values.and_then(|values| with_list(&open.sql, &values));
            self.open = Some(Open {
                sql: sql.unwrap_or_else(|| open.sql.clone()),
                values: BTreeMap::new(),
                ..open
            });
            // Only Prisma tells the time behind the values.
            self.finish();
        }
    }

    /// Adds the statement that is open.
    fn finish(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if open.style == Style::Sequelize
            && let Some((sql, duration_ms)) = sequelize_time(&open.sql)
        {
            open.duration_ms = Some(duration_ms);
            open.sql.truncate(sql);
        }
        let mut sql = open.sql;
        if let Some((text, arguments)) = django_arguments(&sql) {
            sql = with_list(text, arguments).unwrap_or_else(|| text.to_owned());
        } else if let (text, Some(binds)) = rails_binds(&sql) {
            sql = with_list(text, &binds).unwrap_or_else(|| text.to_owned());
        } else if let Some((text, list)) = sequelize_values(&sql, open.style) {
            sql = with_list(text, &list).unwrap_or_else(|| text.to_owned());
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

/// Sequelize with `benchmark: true`: `…; Elapsed time: 3ms`. The length of what is before it, and the
/// time.
fn sequelize_time(sql: &str) -> Option<(usize, f64)> {
    let (sql, time) = sql.trim_end().rsplit_once("Elapsed time:")?;
    let duration_ms = time.trim().strip_suffix("ms")?.parse().ok()?;
    Some((sql.trim_end_matches([' ', ';']).len(), duration_ms))
}

/// Sequelize: `…; {"1":5}`, or `…; 5, "x"` as a list of the values.
fn sequelize_values(sql: &str, style: Style) -> Option<(&str, String)> {
    let (text, values) = sql
        .rsplit_once("; ")
        .filter(|_| style == Style::Sequelize)?;
    let list = match values.starts_with('{') {
        true => values.to_owned(),
        false => format!("[{values}]"),
    };
    let is_list = serde_json::from_str::<serde_json::Value>(&list).is_ok();
    is_list.then_some((text, list))
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
        serde_json::from_str(&as_json(&format!("[[{list}")));
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
    let place = |(position, (name, value)): (usize, (Option<String>, Option<String>))| {
        let value = value?;
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
    with_values(&text, &places)
}

/// The sets of values that SQLAlchemy writes behind a statement: `{'id': 5}` and `(5,)` are one,
/// `[{'id': 5}, {'id': 6}]` are two. Of many it leaves out those in the middle
/// (`… displaying 10 of 100 total bound parameter sets …`), which are none here.
fn parameter_sets(list: &str) -> Vec<Option<String>> {
    static LEFT_OUT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        regex(r"\s*\.\.\. displaying (\d+) of (\d+) total bound parameter sets \.\.\.\s*")
    });
    const MAX_LEFT_OUT: usize = 10_000;
    let one = || vec![Some(list.to_owned())];
    if !list.starts_with('[') {
        return one();
    }
    let found = LEFT_OUT.as_ref().and_then(|pattern| pattern.captures(list));
    let number = |at: usize| -> Option<usize> { group(found.as_ref()?, at).parse().ok() };
    let left_out = number(2)
        .unwrap_or(0)
        .saturating_sub(number(1).unwrap_or(0));
    let whole = match found.as_ref().and_then(|found| found.get(0)) {
        Some(marker) => format!("{}, {}", &list[..marker.start()], &list[marker.end()..]),
        None => list.to_owned(),
    };
    let sets: Vec<serde_json::Value> = serde_json::from_str(&as_json(&whole)).unwrap_or_default();
    if sets.is_empty() || !sets.iter().all(|set| set.is_array() || set.is_object()) {
        return one();
    }
    let shown = sets.into_iter().map(|set| Some(set.to_string()));
    shown
        .chain(std::iter::repeat_n(None, left_out.min(MAX_LEFT_OUT)))
        .collect()
}

/// Values of a list or an object, with their names, as SQL literals; none for those that cannot be
/// told.
fn values(list: &str) -> Option<Vec<(Option<String>, Option<String>)>> {
    let parsed = serde_json::from_str(&as_json(list));
    match parsed
        .or_else(|_| serde_json::from_str(&as_json(&with_quoted_times(list))))
        .ok()?
    {
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

/// Prisma writes times without quotes: `[2026-03-01 10:00:00 UTC,"buy"]`.
fn with_quoted_times(list: &str) -> Cow<'_, str> {
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        regex(
            r#""(?:[^"\\]|\\.)*"|\b(\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?UTC| ?Z| ?[+-]\d\d(?::?\d\d)?)?)?)\b"#,
        )
    });
    let quoted = |found: &regex::Captures<'_>| match found.get(1) {
        Some(time) => format!("\"{}\"", time.as_str()),
        None => group(found, 0).to_owned(),
    };
    match TIME.as_ref() {
        Some(time) => time.replace_all(list, quoted),
        None => list.into(),
    }
}

/// Stands for a value whose text is not its value (`<memory at 0x7f…>`, `Point(1, 2)`).
const UNKNOWN: &str = "\u{0}";

/// Python's tuples and dictionaries, and Ruby's lists, as JSON: `(5, 'x', None)` → `[5, "x", null]`.
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
            .find(|c: char| !c.is_alphabetic() && c != '.' && c != '_')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(word);
        rest = match word {
            "" if first == ')' => {
                if json.trim_end().ends_with(',') {
                    json.truncate(json.trim_end().len() - 1);
                }
                json.push(']');
                &rest[1..]
            }
            "" => {
                json.push(if first == '(' { '[' } else { first });
                &rest[first.len_utf8()..]
            }
            // A number: `1.5`, `.5`.
            word if word.chars().all(|c| c == '.') => {
                json += word;
                after
            }
            "e" | "E"
                if after
                    .starts_with(['+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) =>
            {
                json += word;
                after
            }
            "None" | "nil" | "null" => {
                json += "null";
                after
            }
            "True" | "true" => {
                json += "true";
                after
            }
            "False" | "false" => {
                json += "false";
                after
            }
            word => {
                let (value, after) = call(word, after);
                json += &value;
                after
            }
        };
    }
    json
}

/// The value of a call in Python, as JSON, and what follows it: `Decimal('1.5')`, `UUID('…')`,
/// `datetime.date(2024, 1, 2)`.
fn call<'t>(name: &str, after: &'t str) -> (String, &'t str) {
    let unknown = || serde_json::Value::from(UNKNOWN).to_string();
    let Some(arguments) = after.strip_prefix('(') else {
        return (unknown(), after);
    };
    let mut depth = 1;
    let end = arguments.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    let Some(end) = end else {
        return (unknown(), "");
    };
    let (arguments, behind) = (&arguments[..end], &arguments[end + 1..]);
    let value = match name.rsplit('.').next().unwrap_or(name) {
        "Decimal" | "UUID" | "Json" | "Jsonb" => {
            let value = as_json(arguments);
            let is_value = serde_json::from_str::<serde_json::Value>(&value).is_ok();
            is_value.then_some(value)
        }
        "datetime" | "date" | "Timestamp" => python_time(arguments),
        _ => None,
    };
    (value.unwrap_or_else(unknown), behind)
}

/// `2024, 1, 2, 3, 4, tzinfo=…` as a text of JSON. A zone other than UTC has no fixed text.
fn python_time(arguments: &str) -> Option<String> {
    let (numbers, zone) = match arguments.split_once("tzinfo=") {
        Some((numbers, zone)) if zone.to_ascii_lowercase().contains("utc") => (numbers, "+00"),
        Some(_) => return None,
        None => (arguments, ""),
    };
    let numbers = numbers.split(',').map(str::trim);
    let numbers: Result<Vec<u32>, _> = numbers.filter(|n| !n.is_empty()).map(str::parse).collect();
    let text = match *numbers.ok()?.as_slice() {
        [year, month, day] => format!("{year:04}-{month:02}-{day:02}"),
        [year, month, day, hour, minute, ref rest @ ..] => {
            let second = rest.first().copied().unwrap_or_default();
            let micros = rest.get(1).copied().unwrap_or_default();
            format!(
                "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}{zone}"
            )
        }
        _ => return None,
    };
    Some(serde_json::Value::from(text).to_string())
}

/// A string of Python, Ruby or JSON at the beginning of a text, and its length.
fn python_string(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next()?;
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                (_, 'n') => value.push('\n'),
                (_, 't') => value.push('\t'),
                (at, kind @ ('u' | 'x')) => {
                    let digits = if kind == 'u' { 4 } else { 2 };
                    let code = text.get(at + 1..at + 1 + digits)?;
                    let code = u32::from_str_radix(code, 16).ok()?;
                    value.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    characters.nth(digits - 1);
                }
                (_, other) => value.push(other),
            },
            end if end == quote => return Some((value, at + 1)),
            other => value.push(other),
        }
    }
    None
}

fn literal(value: &serde_json::Value) -> Option<String> {
    Some(match value {
        serde_json::Value::String(text) if text == UNKNOWN => return None,
        serde_json::Value::Null => "NULL".to_owned(),
        serde_json::Value::Bool(value) => value.to_string(),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(text) => quote_literal(text),
        other => quote_literal(&other.to_string()),
    })
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
        assert_eq!(
            read(log),
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
        // Formatted, with a line of its own before it.
        let log = "Hibernate: \n    select\n        t1_0.id \n    from\n        ticket t1_0 \n    where\n        t1_0.owner=?\n";
        assert_eq!(
            read(log)[0]
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
    fn rails_says_where_a_statement_comes_from_and_what_it_had_in_its_cache() {
        let log = "  User Load (0.5ms)  SELECT \"users\".* FROM \"users\" WHERE \"users\".\"city\" = $1  [[\"city\", \"Manila\"]]\n\
                   \x20 \u{21b3} app/controllers/users_controller.rb:5:in `show'\n\
                   \x20 CACHE User Load (0.0ms)  SELECT \"users\".* FROM \"users\" WHERE \"users\".\"city\" = $1  [[\"city\", nil]]\n\
                   \x20 User Exists? (0.4ms)  SELECT 1 AS one FROM \"users\"\n\
                   \x20 \u{21b3} app/models/user.rb:7\n\
                   Completed 200 OK in 5ms\n";
        assert_eq!(
            read(log),
            [
                (
                    "SELECT \"users\".* FROM \"users\" WHERE \"users\".\"city\" = 'Manila'"
                        .to_owned(),
                    Some(0.5)
                ),
                ("SELECT 1 AS one FROM \"users\"".to_owned(), Some(0.4))
            ]
        );
    }

    #[test]
    fn values_that_python_prints_as_calls() {
        let sql = |values: &str| {
            let log =
                format!("(0.001) SELECT a FROM t WHERE b = %s; args=({values},); alias=default\n");
            read(&log).remove(0).0
        };
        for (value, expected) in [
            ("Decimal('1.5')", "'1.5'"),
            (
                "UUID('00000000-0000-0000-0000-000000000007')",
                "'00000000-0000-0000-0000-000000000007'",
            ),
            ("datetime.date(2024, 1, 2)", "'2024-01-02'"),
            (
                "datetime.datetime(2024, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)",
                "'2024-01-02 03:04:00.000000+00'",
            ),
            ("-1.5e-7", "-1.5e-7"),
            ("'caf\\u00e9'", "'café'"),
            // No value is better than a wrong one.
            ("Point(1, (2, 3))", "$1"),
            (
                "datetime.datetime(2024, 1, 2, 3, 4, tzinfo=zoneinfo.ZoneInfo(key='Asia/Tokyo'))",
                "$1",
            ),
        ] {
            assert_eq!(
                sql(value),
                format!("SELECT a FROM t WHERE b = {expected}"),
                "{value}"
            );
        }
    }

    #[test]
    fn sqlalchemy_with_another_logger() {
        let log = "INFO:sqlalchemy.engine.Engine:SELECT ticket.id \nFROM ticket \nWHERE ticket.owner = $1::INTEGER\n\
                   INFO:sqlalchemy.engine.Engine:[cached since 1.2s ago] (7,)\n\
                   INFO:sqlalchemy.engine.Engine:ROLLBACK\n";
        assert_eq!(
            read(log),
            one(
                "SELECT ticket.id\nFROM ticket\nWHERE ticket.owner = 7::INTEGER",
                None
            )
        );
    }

    #[test]
    fn each_set_of_values_of_sqlalchemy_is_an_execution() {
        let read = |statement: &str, values: &str| {
            let log = format!(
                "2026-03-01 10:00:00,127 INFO sqlalchemy.engine.Engine {statement}\n\
                 2026-03-01 10:00:00,127 INFO sqlalchemy.engine.Engine [generated in 0.00013s] {values}\n"
            );
            let found = read(&log).into_iter().map(|(sql, _)| sql);
            found.collect::<Vec<_>>()
        };
        assert_eq!(
            read(
                "UPDATE t SET note=%(note)s WHERE t.id = %(t_id)s",
                "[{'note': 'x', 't_id': 1}, {'note': 'y', 't_id': 2}]"
            ),
            [
                "UPDATE t SET note='x' WHERE t.id = 1",
                "UPDATE t SET note='y' WHERE t.id = 2"
            ]
        );
        assert_eq!(
            read("DELETE FROM t WHERE t.a = %s", "[(1,), (2,)]"),
            ["DELETE FROM t WHERE t.a = 1", "DELETE FROM t WHERE t.a = 2"]
        );
        assert_eq!(
            read(
                "DELETE FROM t WHERE t.a = %(a)s",
                "[{'a': 'p'}, {'a': 'q'}  ... displaying 3 of 5 total bound parameter sets ...  {'a': 'z'}]"
            ),
            [
                "DELETE FROM t WHERE t.a = 'p'",
                "DELETE FROM t WHERE t.a = 'q'",
                "DELETE FROM t WHERE t.a = 'z'",
                "DELETE FROM t WHERE t.a = $1",
                "DELETE FROM t WHERE t.a = $1"
            ]
        );
        assert_eq!(
            read("SELECT a FROM t WHERE t.b = ANY(%s)", "([1, 2],)"),
            ["SELECT a FROM t WHERE t.b = ANY('[1,2]')"]
        );
    }

    #[test]
    fn events_of_prisma_and_lists_of_sequelize() {
        let expected = |duration| one("SELECT a FROM t WHERE b = 'x' LIMIT 10", duration);
        for log in [
            "Query: SELECT a FROM t WHERE b = $1 LIMIT $2\nParams: [\"x\",10]\nDuration: 3ms\nGET /\n",
            "{\n  timestamp: 2026-03-01T10:00:00.000Z,\n  query: 'SELECT a FROM t WHERE b = $1 LIMIT $2',\n  params: '[\"x\",10]',\n  duration: 3,\n  target: 'quaint'\n}\n",
            "{\"timestamp\":1,\"query\":\"SELECT a FROM t WHERE b = $1 LIMIT $2\",\"params\":\"[\\\"x\\\",10]\",\"duration\":3}\n",
        ] {
            assert_eq!(read(log), expected(Some(3.0)), "{log}");
        }
        let log = "Executing (default): SELECT a FROM t WHERE b = $1 LIMIT $2; \"x\", 10\n";
        assert_eq!(read(log), expected(None));
        for log in [
            "Executed (default): SELECT a FROM t WHERE b = 'x' LIMIT 10; Elapsed time: 13ms\n",
            "Executed (default): SELECT a FROM t WHERE b = $1 LIMIT $2; \"x\", 10; Elapsed time: 13ms\n",
        ] {
            assert_eq!(read(log), expected(Some(13.0)), "{log}");
        }
        let log = "prisma:query SELECT a FROM t WHERE at > $1 AND kind = $2 AND day < $3\n\
                   Params: [2026-03-01 10:00:00.5 UTC,\"buy, 2026-01-01\",2026-03-02]\n";
        assert_eq!(
            read(log),
            one(
                "SELECT a FROM t WHERE at > '2026-03-01 10:00:00.5 UTC' AND kind = 'buy, 2026-01-01' AND day < '2026-03-02'",
                None
            )
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
