//! `at::date = '2024-01-01'`, `date_trunc('month', at) = …`, `extract(year FROM at) = 2024`: the
//! column is hidden in an expression, and a range on the column itself can use its index.
//!
//! Of a `timestamp` or a `date` that range is the same condition, and takes its place. What day a
//! `timestamptz` is depends on the session's TimeZone. Its clocks may be set back over midnight (in
//! Havana, on the Azores), and then hours before the midnight that `'2024-11-03'::date` means
//! already were that day. So the condition stays, and the range beside it is wider at either end:
//! by 4 hours, because no clock was set back by more since 1995, or by a day, because none ever
//! was. It is computed from instants, since a day that was skipped has no midnight of its own. So
//! it holds for every row of the period in every time zone, and the result is the same, NULLs and
//! infinities included.
//!
//! A parameter may be an infinity, which has no next day; so with one the condition stays as well.

use sqlparser::tokenizer::Token;

use super::conditions::{Place, Replacement, replaced};
use super::constants::{Constant, Value, constant, without_modifiers};
use super::days::Day;
use super::from_tables::{Rewriting, Schema};
use super::select::{Span, closing, unwrapped};
use crate::sql::tokens::{Column, Tokens};

/// A statement with such ranges, for sessions of this TimeZone.
pub fn bounded(sql: &str, schema: &Schema<'_>, time_zone: Option<&str>) -> Option<Rewriting> {
    replaced(sql, schema, |place| rule(place, time_zone))
}

/// A zone whose clocks are never changed, by the names that the time zone database has for it
/// (`etcetera` and `backward` of tzdata).
fn is_utc(time_zone: &str) -> bool {
    const NAMES: [&str; 8] = [
        "utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct", "zulu", "etc/zulu",
    ];
    NAMES.contains(&time_zone.to_ascii_lowercase().as_str())
}

/// What the column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zoned,
    Local,
    Date,
}

impl Kind {
    fn of(type_name: &str) -> Option<Kind> {
        let plain = without_modifiers(type_name);
        [Kind::Zoned, Kind::Local, Kind::Date]
            .into_iter()
            .find(|kind| kind.type_name() == plain)
    }

    fn type_name(self) -> &'static str {
        match self {
            Kind::Zoned => "timestamp with time zone",
            Kind::Local => "timestamp without time zone",
            Kind::Date => "date",
        }
    }
}

/// What is made of the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// An expression of a column that says in which period it is.
struct Period<'s> {
    column: Column,
    text: &'s str,
    zone: Option<Zone<'s>>,
    unit: Unit,
    source: Source,
}

/// Where it is that day.
#[derive(Debug, Clone, Copy)]
struct Zone<'s> {
    /// `AT TIME ZONE '…'`, as the statement writes it.
    text: &'s str,
    is_utc: bool,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// `at::date`: a date.
    Cast,
    /// `date_trunc('month', at)`: a timestamp.
    Truncated,
    /// `extract(year FROM at)`: a number.
    Year,
}

/// The ends of the rows that are wanted, as SQL; the first is included, the second is not.
struct Ends {
    lower: Option<Edge>,
    upper: Option<Edge>,
}

/// A date.
#[derive(Clone)]
enum Edge {
    Day(Day),
    /// So many days after `current_date`.
    Today {
        days_later: u32,
    },
    /// So many days after a parameter, whose value may be an infinity.
    Parameter {
        number: String,
        days_later: u32,
    },
}

fn rule(place: &Place<'_, '_>, time_zone: Option<&str>) -> Option<Replacement> {
    half_of_month(place).or_else(|| whole_range(place, time_zone))
}

fn whole_range(place: &Place<'_, '_>, time_zone: Option<&str>) -> Option<Replacement> {
    let (tokens, (from, to)) = (place.tokens, place.span);
    let (period, end) = period(tokens, from)?;
    let known = place.block.column(&period.column, place.schema)?;
    let kind = Kind::of(&known.type_name)?;
    let operator = tokens.at(end)?.clone();
    let ends = if tokens.is_word(end, "between") {
        let and = (end + 1..to).find(|position| tokens.is_word(*position, "and"))?;
        let first = value(tokens, &period, (end + 1, and))?;
        let last = value(tokens, &period, (and + 1, to))?;
        Ends {
            lower: Some(first),
            upper: Some(after(&last, period.unit)?),
        }
    } else {
        let value = value(tokens, &period, (end + 1, to))?;
        let next = after(&value, period.unit);
        match operator {
            Token::Eq => Ends {
                lower: Some(value),
                upper: Some(next?),
            },
            Token::GtEq => Ends {
                lower: Some(value),
                upper: None,
            },
            Token::Gt => Ends {
                lower: Some(next?),
                upper: None,
            },
            Token::LtEq => Ends {
                lower: None,
                upper: Some(next?),
            },
            Token::Lt => Ends {
                lower: None,
                upper: Some(value),
            },
            _ => return None,
        }
    };
    // A date is its own day, and of a date `date_trunc` makes a timestamptz.
    let plain_date = kind == Kind::Date && period.source != Source::Year;
    if plain_date {
        return None;
    }
    // AT TIME ZONE makes a timestamptz of a timestamp, whose day is that of the session.
    if period.zone.is_some() && kind != Kind::Zoned {
        return None;
    }
    let ends = narrowed(place, &period, ends);
    let condition = tokens.text(from, to)?;
    let same_clock = match period.zone {
        Some(zone) => zone.is_utc,
        None => kind != Kind::Zoned || time_zone.is_some_and(is_utc),
    };
    Some(Replacement {
        text: ends.written((kind, same_clock), &period, condition),
        column: period.text.to_owned(),
    })
}

impl Ends {
    /// As conditions on the column; with a clock that is never changed they are the condition itself.
    fn written(
        &self,
        (kind, same_clock): (Kind, bool),
        period: &Period<'_>,
        condition: &str,
    ) -> String {
        let column = period.text;
        let edges = [&self.lower, &self.upper];
        let exact = same_clock
            && !edges
                .iter()
                .any(|edge| matches!(edge, Some(Edge::Parameter { .. })));
        let margin = |edge: &Edge, sign: &str| match same_clock {
            true => String::new(),
            false => format!(" {sign} interval '{} hours'", edge.margin_hours()),
        };
        let mut parts = Vec::new();
        if !exact {
            parts.push(condition.to_owned());
        }
        if let Some(edge) = &self.lower {
            let instant = edge.instant(kind, period.zone);
            parts.push(format!("{column} >= {instant}{}", margin(edge, "-")));
        }
        if let Some(edge) = &self.upper {
            let operator = if exact { "<" } else { "<=" };
            let instant = edge.instant(kind, period.zone);
            parts.push(format!(
                "{column} {operator} {instant}{}",
                margin(edge, "+")
            ));
        }
        match parts.as_slice() {
            [only] => only.clone(),
            parts => format!("({})", parts.join(" AND ")),
        }
    }
}

/// No clock was set back by more than 4 hours since then.
const SMALL_CHANGES_SINCE: i32 = 1995;

impl Edge {
    /// So much can be between two midnights of one day, where clocks were set back.
    fn margin_hours(&self) -> u32 {
        match self {
            Edge::Day(day) if day.year >= SMALL_CHANGES_SINCE => 4,
            _ => 24,
        }
    }

    /// Its beginning, as the column's type has it.
    fn instant(&self, kind: Kind, zone: Option<Zone<'_>>) -> String {
        let (first, days_later) = match self {
            Edge::Day(day) => (format!("'{day}'::date"), 0),
            Edge::Today { days_later } => ("current_date".to_owned(), *days_later),
            Edge::Parameter { number, days_later } => (format!("{number}::date"), *days_later),
        };
        let day = match (days_later, kind) {
            (0, _) => first,
            (days_later, Kind::Zoned) => format!("({first} + {days_later})"),
            (days_later, _) => format!("{first} + {days_later}"),
        };
        match (kind, zone) {
            (Kind::Zoned, Some(zone)) => format!("({day}::timestamp {})", zone.text),
            (Kind::Zoned, None) => format!("{day}::timestamptz"),
            _ => day,
        }
    }
}

/// The beginning of the next period.
fn after(edge: &Edge, unit: Unit) -> Option<Edge> {
    match edge {
        Edge::Day(day) => Some(Edge::Day(match unit {
            Unit::Day => day.next()?,
            Unit::Week => day.days_later(7)?,
            Unit::Month => day.months_later(1)?,
            Unit::Quarter => day.months_later(3)?,
            Unit::Year => day.months_later(12)?,
        })),
        Edge::Today { days_later } => (unit == Unit::Day).then_some(Edge::Today {
            days_later: days_later + 1,
        }),
        Edge::Parameter { number, days_later } => (unit == Unit::Day).then(|| Edge::Parameter {
            number: number.clone(),
            days_later: days_later + 1,
        }),
    }
}

/// The beginning of the period that it is compared with.
fn value(tokens: &Tokens<'_>, period: &Period<'_>, span: Span) -> Option<Edge> {
    let (from, to) = unwrapped(tokens, span);
    if period.source == Source::Cast && to == from + 1 && tokens.is_word(from, "current_date") {
        return Some(Edge::Today { days_later: 0 });
    }
    let found = constant(tokens, span)?;
    let Constant { value, cast, .. } = &found;
    match (period.source, value) {
        (Source::Year, Value::Number(number)) if cast.is_none() => {
            Day::new(number.parse().ok()?, 1, 1).map(Edge::Day)
        }
        (Source::Cast, Value::String(text)) if is_none_or(cast, &["date"]) => {
            Day::parse(text).map(Edge::Day)
        }
        (Source::Cast, Value::Parameter) if is_none_or(cast, &["date"]) => {
            let number = tokens.text(from, from + 1)?.to_owned();
            number.starts_with('$').then_some(Edge::Parameter {
                number,
                days_later: 0,
            })
        }
        (Source::Truncated, Value::String(text))
            if is_none_or(cast, &["date", Kind::Local.type_name()]) =>
        {
            let day = Day::parse(text.strip_suffix(" 00:00:00").unwrap_or(text))?;
            begins(day, period.unit).then_some(Edge::Day(day))
        }
        _ => None,
    }
}

fn is_none_or(cast: &Option<String>, wanted: &[&str]) -> bool {
    cast.as_ref()
        .is_none_or(|cast| wanted.contains(&cast.as_str()))
}

/// Is it the first day of such a period? No other is equal to what `date_trunc` makes.
fn begins(day: Day, unit: Unit) -> bool {
    match unit {
        Unit::Day => true,
        Unit::Week => day.weekday() == 0,
        Unit::Month => day.day == 1,
        Unit::Quarter => day.day == 1 && day.month % 3 == 1,
        Unit::Year => day.day == 1 && day.month == 1,
    }
}

/// The expression here and where it ends.
fn period<'s>(tokens: &Tokens<'s>, from: usize) -> Option<(Period<'s>, usize)> {
    let opened = tokens.at(from + 1) == Some(&Token::LParen) && tokens.name(from).is_some();
    let (argument, unit, source, next) = if opened {
        let end = closing(tokens, from + 1)?;
        let (argument, unit, source) = call(tokens, from, end)?;
        (argument, unit, source, end + 1)
    } else {
        let end = match tokens.at(from)? {
            Token::LParen => closing(tokens, from)? + 1,
            _ => tokens.column(from)?.1,
        };
        let cast = tokens.at(end) == Some(&Token::DoubleColon) && tokens.is_word(end + 1, "date");
        cast.then_some(((from, end), Unit::Day, Source::Cast, end + 2))?
    };
    let (column, text, zone) = zoned(tokens, argument)?;
    let found = Period {
        column,
        text,
        zone,
        unit,
        source,
    };
    Some((found, next))
}

/// `at` or `at AT TIME ZONE 'UTC'`: the column, its text, and the rest.
fn zoned<'s>(tokens: &Tokens<'s>, span: Span) -> Option<(Column, &'s str, Option<Zone<'s>>)> {
    let (from, to) = unwrapped(tokens, span);
    let (start, stop) = match tokens.at(from)? {
        Token::LParen => (from, closing(tokens, from)? + 1),
        _ => (from, tokens.column(from)?.1),
    };
    let (inner, inner_stop) = unwrapped(tokens, (start, stop));
    let (column, end) = tokens.column(inner)?;
    let text = tokens.text(inner, end).filter(|_| end == inner_stop)?;
    if stop == to {
        return Some((column, text, None));
    }
    let words = ["at", "time", "zone"];
    let is_zone = words
        .iter()
        .zip(stop..)
        .all(|(word, position)| tokens.is_word(position, word))
        && stop + 4 == to;
    let Some(Token::SingleQuotedString(name)) = tokens.at(stop + 3).filter(|_| is_zone) else {
        return None;
    };
    let zone = Zone {
        text: tokens.text(stop, to)?,
        is_utc: is_utc(name),
    };
    Some((column, text, Some(zone)))
}

/// The column's place in a call, and what the call makes of it.
fn call(tokens: &Tokens<'_>, from: usize, end: usize) -> Option<(Span, Unit, Source)> {
    let first = from + 2;
    if tokens.is_word(from, "date") {
        return Some(((first, end), Unit::Day, Source::Cast));
    }
    if tokens.is_word(from, "cast") {
        let cast =
            end >= first + 3 && tokens.is_word(end - 2, "as") && tokens.is_word(end - 1, "date");
        return cast.then_some(((first, end - 2), Unit::Day, Source::Cast));
    }
    if tokens.is_word(from, "extract") {
        let year = field(tokens, first).is_some_and(|field| field == "year")
            && tokens.is_word(first + 1, "from");
        return year.then_some(((first + 2, end), Unit::Year, Source::Year));
    }
    let field = field(tokens, first).filter(|_| tokens.at(first + 1) == Some(&Token::Comma))?;
    let argument = (first + 2, end);
    if tokens.is_word(from, "date_part") {
        return (field == "year").then_some((argument, Unit::Year, Source::Year));
    }
    let unit = match field.as_str() {
        "day" => Unit::Day,
        "week" => Unit::Week,
        "month" => Unit::Month,
        "quarter" => Unit::Quarter,
        "year" => Unit::Year,
        _ => return None,
    };
    tokens
        .is_word(from, "date_trunc")
        .then_some((argument, unit, Source::Truncated))
}

/// `year` or `'year'`
fn field(tokens: &Tokens<'_>, position: usize) -> Option<String> {
    match tokens.at(position)? {
        Token::SingleQuotedString(text) => Some(text.to_lowercase()),
        _ => tokens.name(position),
    }
}

/// `extract(year FROM day) = 2024 AND extract(month FROM day) = 9` together are the range of that month: the
/// year becomes its beginning and the month its end. Not of a `timestamptz`, where both conditions stay.
fn half_of_month(place: &Place<'_, '_>) -> Option<Replacement> {
    let tokens = place.tokens;
    let year_of = |span: &Span| {
        let (period, end) = period(tokens, span.0)?;
        let is_year = period.source == Source::Year && tokens.at(end) == Some(&Token::Eq);
        let Some(Edge::Day(year)) = value(tokens, &period, (end + 1, span.1)) else {
            return None;
        };
        is_year.then_some((*span, period, year.year))
    };
    let own = |text: &str| {
        let conjunction = place.conjunction.iter();
        let is_own = |span: &&Span| month(tokens, **span, text).is_some();
        let mut months = conjunction.filter(is_own);
        months.next().copied().filter(|_| months.next().is_none())
    };
    let mut years = place.conjunction.iter().filter_map(year_of);
    let (year_at, period, year) = years.next()?;
    let month_at = own(period.text)?;
    if years.next().is_some() || ![year_at, month_at].contains(&place.span) {
        return None;
    }
    let known = place.block.column(&period.column, place.schema)?;
    let exact = Kind::of(&known.type_name)? != Kind::Zoned && period.zone.is_none();
    let first = Day::new(year, month(tokens, month_at, period.text)?, 1).filter(|_| exact)?;
    let (operator, edge) = match place.span == year_at {
        true => (">=", first),
        false => ("<", first.months_later(1)?),
    };
    Some(Replacement {
        text: format!("{} {operator} '{edge}'::date", period.text),
        column: period.text.to_owned(),
    })
}

/// A year of which only one month is wanted, as another condition says, is that month. That
/// condition stays.
fn narrowed(place: &Place<'_, '_>, period: &Period<'_>, ends: Ends) -> Ends {
    let Some(Edge::Day(year)) = ends
        .lower
        .as_ref()
        .filter(|_| period.source == Source::Year)
    else {
        return ends;
    };
    let one_year = matches!(&ends.upper, Some(Edge::Day(end)) if end.year == year.year + 1);
    let months = place
        .conjunction
        .iter()
        .filter_map(|span| month(place.tokens, *span, period.text));
    let month = months
        .filter_map(|month| Day::new(year.year, month, 1))
        .next();
    match month.filter(|_| one_year) {
        Some(first) => Ends {
            lower: Some(Edge::Day(first)),
            upper: first.months_later(1).map(Edge::Day),
        },
        None => ends,
    }
}

/// `extract(month FROM at) = 9`
fn month(tokens: &Tokens<'_>, (from, to): Span, column: &str) -> Option<u32> {
    let extract = tokens.is_word(from, "extract");
    if !extract && !tokens.is_word(from, "date_part") {
        return None;
    }
    let end = closing(tokens, from + 1)?;
    let separated = if extract {
        tokens.is_word(from + 3, "from")
    } else {
        tokens.at(from + 3) == Some(&Token::Comma)
    };
    let same = field(tokens, from + 2)? == "month"
        && separated
        && tokens.text(from + 4, end)? == column
        && tokens.at(end + 1) == Some(&Token::Eq);
    match constant(tokens, (end + 2, to)).filter(|_| same)?.value {
        Value::Number(number) => number.parse().ok(),
        Value::String(_) | Value::Parameter => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, only_t};
    use super::*;

    fn rewritten(condition: &str) -> Option<String> {
        rewritten_in("Europe/Lisbon", condition)
    }

    fn rewritten_in(time_zone: &str, condition: &str) -> Option<String> {
        let sql = format!("SELECT * FROM t -- é, a comment\n WHERE {condition}");
        let schema = |table: &FromTable| {
            let columns = [
                ("at", "timestamp(3) with time zone"),
                ("local", "timestamp without time zone"),
                ("day", "date"),
                ("n", "integer"),
            ];
            only_t(&columns, table)
        };
        let rewriting = bounded(&sql, &schema, Some(time_zone))?;
        rewriting
            .sql
            .split_once("WHERE ")
            .map(|(_, condition)| condition.to_owned())
    }

    #[test]
    fn a_period_of_a_timestamptz_gets_a_range_beside_it() {
        let range = |condition: &str| {
            format!(
                "({condition} AND at >= '2024-01-31'::date::timestamptz - interval '4 hours' \
                 AND at <= '2024-02-01'::date::timestamptz + interval '4 hours')"
            )
        };
        for condition in [
            "at::date = '2024-01-31'",
            "at :: DATE = '2024-01-31'::date",
            "date(at) = DATE '2024-01-31'",
            "CAST(at AS date) = '2024-01-31'",
            "date_trunc('day', at) = '2024-01-31'",
            "at::date = ('2024-01-31')",
            "(at)::date = '2024-01-31'",
        ] {
            assert_eq!(rewritten(condition), Some(range(condition)));
            assert_eq!(
                rewritten(&format!("b = 'x' AND {condition} ORDER BY b")),
                Some(format!("b = 'x' AND {} ORDER BY b", range(condition)))
            );
        }
        assert_eq!(
            rewritten("t.at::date >= '1969-01-31'").unwrap(),
            "(t.at::date >= '1969-01-31' AND t.at >= '1969-01-31'::date::timestamptz - interval '24 hours')"
        );
        assert_eq!(
            rewritten("at::date < current_date").unwrap(),
            "(at::date < current_date AND at <= current_date::timestamptz + interval '24 hours')"
        );
        assert_eq!(
            rewritten("date(at) = $1").unwrap(),
            "(date(at) = $1 AND at >= $1::date::timestamptz - interval '24 hours' AND at <= ($1::date + 1)::timestamptz + interval '24 hours')"
        );
        let zoned = "at >= ('2024-01-31'::date::timestamp AT TIME ZONE 'Europe/Berlin') - interval '4 hours' \
                     AND at <= ('2024-02-01'::date::timestamp AT TIME ZONE 'Europe/Berlin') + interval '4 hours')";
        for condition in [
            "(at AT TIME ZONE 'Europe/Berlin')::date = '2024-01-31'::date",
            "date(((at) AT TIME ZONE 'Europe/Berlin')) = '2024-01-31'",
            "date_trunc('day', at AT TIME ZONE 'Europe/Berlin') = '2024-01-31'",
        ] {
            assert_eq!(
                rewritten(condition),
                Some(format!("({condition} AND {zoned}"))
            );
        }
        let month = rewritten("date_trunc('month', at) = '2023-12-01'").unwrap();
        assert!(
            month.ends_with("AND at <= '2024-01-01'::date::timestamptz + interval '4 hours')"),
            "{month}"
        );
    }

    #[test]
    fn where_no_clock_is_ever_changed_the_range_is_the_condition() {
        for (condition, wanted) in [
            (
                "at::date = '2024-01-31'",
                "(at >= '2024-01-31'::date::timestamptz AND at < '2024-02-01'::date::timestamptz)",
            ),
            (
                "at::date = current_date",
                "(at >= current_date::timestamptz AND at < (current_date + 1)::timestamptz)",
            ),
            (
                "date_trunc('month', at) = '1969-02-01'",
                "(at >= '1969-02-01'::date::timestamptz AND at < '1969-03-01'::date::timestamptz)",
            ),
            (
                "date(at) <= $1",
                "(date(at) <= $1 AND at <= ($1::date + 1)::timestamptz)",
            ),
        ] {
            assert_eq!(rewritten_in("Etc/UTC", condition).as_deref(), Some(wanted));
        }
        let elsewhere = "(at AT TIME ZONE 'America/Havana')::date = '2024-01-31'";
        assert_eq!(rewritten_in("UTC", elsewhere), rewritten(elsewhere));
        assert_eq!(
            rewritten("(at AT TIME ZONE 'utc')::date >= '2024-01-31'").unwrap(),
            "at >= ('2024-01-31'::date::timestamp AT TIME ZONE 'utc')"
        );
        assert_eq!(
            rewritten("local::date > current_date").unwrap(),
            "local >= current_date + 1"
        );
    }

    #[test]
    fn a_period_without_time_zone_is_a_range() {
        for (condition, wanted) in [
            (
                "local::date = '2024-02-29'",
                "(local >= '2024-02-29'::date AND local < '2024-03-01'::date)",
            ),
            (
                "date(t.local) BETWEEN '2024-02-01' AND '2024-02-03' AND n = 1",
                "(t.local >= '2024-02-01'::date AND t.local < '2024-02-04'::date) AND n = 1",
            ),
            ("local::date <= '2024-12-31'", "local < '2025-01-01'::date"),
            ("local::date < '2024-12-31'", "local < '2024-12-31'::date"),
            ("local::date > '2024-12-31'", "local >= '2025-01-01'::date"),
            (
                "local::date >= $1",
                "(local::date >= $1 AND local >= $1::date)",
            ),
            (
                "date_trunc('quarter', local) = '2024-10-01 00:00:00'",
                "(local >= '2024-10-01'::date AND local < '2025-01-01'::date)",
            ),
            (
                "date_trunc('week', \"local\") = '2024-01-01'",
                "(\"local\" >= '2024-01-01'::date AND \"local\" < '2024-01-08'::date)",
            ),
            (
                "extract(year from day) = 2024",
                "(day >= '2024-01-01'::date AND day < '2025-01-01'::date)",
            ),
            (
                "EXTRACT(YEAR FROM day) = 2024 AND EXTRACT(month from day) = 9",
                "day >= '2024-09-01'::date AND day < '2024-10-01'::date",
            ),
            (
                "n = 1 AND date_part('month', local) = 12 AND date_part('year', local) = 2024",
                "n = 1 AND local < '2025-01-01'::date AND local >= '2024-12-01'::date",
            ),
            // What contradicts itself is not put together.
            (
                "EXTRACT(YEAR FROM day) = 2024 AND EXTRACT(month from day) = 9 AND EXTRACT(month from day) = 8",
                "(day >= '2024-09-01'::date AND day < '2024-10-01'::date) AND EXTRACT(month from day) = 9 AND EXTRACT(month from day) = 8",
            ),
            (
                "date_part('year', local) >= 2024",
                "local >= '2024-01-01'::date",
            ),
        ] {
            assert_eq!(rewritten(condition).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_is_not_certain_stays_as_it_is() {
        for condition in [
            "other::date = '2024-01-31'",
            "x.at::date = '2024-01-31'",
            "at::date = '31.1.2024'",
            "at::date = 'infinity'",
            "at::date = NULL",
            "at::date = '2024-01-31' + 1",
            "1 + at::date = '2024-01-31'",
            "NOT at::date = '2024-01-31'",
            "(local AT TIME ZONE 'UTC')::date = '2024-01-31'",
            "(at AT TIME ZONE zone)::date = '2024-01-31'",
            "(at + '1 day')::date = '2024-01-31'",
            "at::date <> '2024-01-31'",
            "date_trunc('month', at) >= '2024-01-02'",
            "date_trunc('week', at) = '2024-01-02'",
            "date_trunc('hour', at) = '2024-01-01'",
            "date_trunc('month', day) = '2024-01-01'",
            "day::date = '2024-01-01'",
            "extract(month from at) = 9",
            "extract(year from at) = 2024.5",
            "extract(year from n) = 2024",
            "at::date BETWEEN '2024-01-01' AND n",
            "at::date BETWEEN SYMMETRIC '2024-01-01' AND '2023-01-01'",
        ] {
            assert_eq!(rewritten(condition), None, "{condition}");
        }
    }
}
