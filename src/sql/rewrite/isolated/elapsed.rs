//! Times that are computed from a column: how long ago it was, when it will be over, and seconds
//! since 1970.

use sqlparser::tokenizer::Token;

use super::super::conditions::Place;
use super::super::constants::{
    Constant, Value, constant, is_constant_expression, without_modifiers,
};
use super::super::select::{Span, closing, unwrapped};
use super::comparison::{Alone, Comparison, Operator, bare, outer, sum};
use super::interval::{DAY_MICROS, HOUR_MICROS, Interval, SECOND_MICROS, written};
use crate::sql::tokens::Tokens;

pub(super) fn compared(place: &Place<'_, '_>, comparison: Comparison) -> Option<Alone> {
    since(place, comparison)
        .or_else(|| until(place, comparison))
        .or_else(|| epoch(place, comparison))
}

/// Types of points in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// `timestamp with time zone`
    Zoned,
    /// `timestamp without time zone`
    Local,
    Date,
}

impl Clock {
    const ALL: [Clock; 3] = [Clock::Zoned, Clock::Local, Clock::Date];

    fn type_name(self) -> &'static str {
        match self {
            Clock::Zoned => "timestamp with time zone",
            Clock::Local => "timestamp without time zone",
            Clock::Date => "date",
        }
    }

    fn named(type_name: &str) -> Option<Clock> {
        let plain = without_modifiers(type_name);
        Clock::ALL.into_iter().find(|one| one.type_name() == plain)
    }

    /// With a time added to it.
    fn with_time(self) -> Clock {
        match self {
            Clock::Date => Clock::Local,
            other => other,
        }
    }
}

/// A column that is a point in time.
fn column<'s>(place: &Place<'_, 's>, span: Span) -> Option<(&'s str, Clock)> {
    let (known, text) = bare(place, span)?;
    Some((text, Clock::named(&known.type_name)?))
}

/// A point in time that is the same for every row, as SQL, and its type: the other side's, where it
/// has none of its own.
fn moment(tokens: &Tokens<'_>, span: Span, other: Clock) -> Option<(String, Clock)> {
    let text = tokens.text(span.0, span.1)?;
    if let Some(found) = constant(tokens, span) {
        let clock = match &found.cast {
            Some(cast) => Clock::named(cast)?,
            None if matches!(found.value, Value::Number(_)) => return None,
            None => return Some((format!("{text}::{}", other.type_name()), other)),
        };
        return Some((text.to_owned(), clock));
    }
    let (from, to) = unwrapped(tokens, span);
    let has_cast = (from..to).any(|at| tokens.at(at) == Some(&Token::DoubleColon));
    if has_cast || !is_constant_expression(tokens, (from, to)) {
        return None;
    }
    let zoned = [
        "now",
        "current_timestamp",
        "transaction_timestamp",
        "statement_timestamp",
    ];
    let clock = if tokens.is_one_of(from, &zoned) {
        Clock::Zoned
    } else if tokens.is_word(from, "localtimestamp") {
        Clock::Local
    } else if tokens.is_word(from, "current_date") && to == from + 1 {
        Clock::Date
    } else {
        return None;
    };
    Some((text.to_owned(), clock))
}

/// What a difference of two points in time is compared with, in microseconds; and whether the
/// comparison says all.
struct Length {
    operator: Operator,
    micros: i64,
    is_exact: bool,
}

impl Length {
    fn exact(operator: Operator, micros: i64) -> Length {
        Length {
            operator,
            micros,
            is_exact: true,
        }
    }
}

/// `now() - column < interval '10 days'`, and what is made of such a difference: its seconds or its
/// days. A difference has days of 24 hours, so it is compared by its time
/// (`timestamp_mi`, src/backend/utils/adt/timestamp.c).
fn since(place: &Place<'_, '_>, comparison: Comparison) -> Option<Alone> {
    let tokens = place.tokens;
    let lengths = |span: Span| -> Option<(Span, Vec<Length>)> {
        let found = Interval::read(tokens, comparison.right, true);
        if let Some(micros) = found.and_then(Interval::compared_micros) {
            return Some((span, vec![Length::exact(comparison.operator, micros)]));
        }
        field_of(tokens, comparison)
    };
    let (difference, lengths) = lengths(comparison.left)?;
    let (first, at, second) = sum(tokens, difference)?;
    if tokens.at(at) != Some(&Token::Minus) {
        return None;
    }
    let (text, clock, moment, is_first) = match (column(place, first), column(place, second)) {
        (Some((text, clock)), None) => (text, clock, moment(tokens, second, clock)?, true),
        (None, Some((text, clock))) => (text, clock, moment(tokens, first, clock)?, false),
        _ => return None,
    };
    // A difference of dates is a number; of a timestamptz and a local one it depends on the zone.
    let dates = clock == Clock::Date && moment.1 == Clock::Date;
    if dates || (clock == Clock::Zoned && moment.1 != Clock::Zoned) {
        return None;
    }
    let bounds = lengths.iter().map(|length| {
        let (sign, operator) = match is_first {
            true => ("+", length.operator),
            false => ("-", length.operator.turned()),
        };
        let (operator, length) = (operator.text(), written(length.micros));
        format!("{text} {operator} {} {sign} {length}", moment.0)
    });
    Some(Alone {
        bounds: bounds.collect(),
        is_exact: lengths.iter().all(|length| length.is_exact),
        column: text.to_owned(),
    })
}

/// `extract(epoch FROM difference) / 60 > 5`, `date_part('day', difference) >= 30`
fn field_of(tokens: &Tokens<'_>, comparison: Comparison) -> Option<(Span, Vec<Length>)> {
    let number = whole_number(tokens, comparison.right)?;
    let operator = comparison.operator;
    let span = unwrapped(tokens, comparison.left);
    let is_div = |at: usize| tokens.at(at) == Some(&Token::Div);
    if let Some(at) = outer(tokens, span, is_div).last() {
        let divisor = whole_number(tokens, (at + 1, span.1)).filter(|divisor| *divisor > 0)?;
        let (field, argument) = field(tokens, (span.0, at))?;
        let seconds = number.checked_mul(divisor).filter(|_| field == "epoch")?;
        return Some((argument, around(operator, seconds)?));
    }
    let (field, argument) = field(tokens, span)?;
    let lengths = match field.as_str() {
        "epoch" => vec![Length::exact(operator, number.checked_mul(SECOND_MICROS)?)],
        "day" => whole_days(operator, number)?,
        _ => return None,
    };
    Some((argument, lengths))
}

/// So many seconds, rounded somewhere.
fn around(operator: Operator, seconds: i64) -> Option<Vec<Length>> {
    let micros = seconds.checked_mul(SECOND_MICROS)?;
    let mut lengths = Vec::new();
    if !operator.is_upper_bound() {
        lengths.push((Operator::GreaterOrEqual, micros - SECOND_MICROS));
    }
    if !operator.is_lower_bound() {
        lengths.push((Operator::LessOrEqual, micros + SECOND_MICROS));
    }
    let inexact = |(operator, micros)| Length {
        operator,
        micros,
        is_exact: false,
    };
    Some(lengths.into_iter().map(inexact).collect())
}

/// The days of a difference, truncated toward zero: of a positive number of them.
fn whole_days(operator: Operator, days: i64) -> Option<Vec<Length>> {
    let micros = |days: i64| days.checked_mul(DAY_MICROS);
    let (at_least, less) = (Operator::GreaterOrEqual, Operator::Less);
    Some(match operator {
        Operator::Greater if days >= 0 => vec![Length::exact(at_least, micros(days + 1)?)],
        Operator::LessOrEqual if days >= 0 => vec![Length::exact(less, micros(days + 1)?)],
        Operator::GreaterOrEqual if days >= 1 => vec![Length::exact(at_least, micros(days)?)],
        Operator::Less if days >= 1 => vec![Length::exact(less, micros(days)?)],
        Operator::Equal if days >= 1 => vec![
            Length::exact(at_least, micros(days)?),
            Length::exact(less, micros(days + 1)?),
        ],
        _ => return None,
    })
}

fn whole_number(tokens: &Tokens<'_>, span: Span) -> Option<i64> {
    const MOST: i64 = 1_000_000_000_000;
    match constant(tokens, span)? {
        Constant {
            value: Value::Number(text),
            cast: None,
            ..
        } => text
            .parse()
            .ok()
            .filter(|number: &i64| number.abs() <= MOST),
        _ => None,
    }
}

/// `extract(epoch FROM argument)`, `date_part('epoch', argument)`
fn field(tokens: &Tokens<'_>, span: Span) -> Option<(String, Span)> {
    let (from, to) = unwrapped(tokens, span);
    closing(tokens, from + 1).filter(|end| end + 1 == to)?;
    let name = match tokens.at(from + 2)? {
        Token::SingleQuotedString(text) => text.to_lowercase(),
        _ => tokens.name(from + 2)?,
    };
    let is_extract = tokens.is_word(from, "extract") && tokens.is_word(from + 3, "from");
    let is_part = tokens.is_word(from, "date_part") && tokens.at(from + 3) == Some(&Token::Comma);
    (is_extract || is_part).then_some((name, (from + 4, to - 1)))
}

/// A day of a time zone has 24 hours, more or less this: clocks are set forward and back by up to 2
/// hours, and zones that changed sides of the date line left out a day (Samoa, 2011-12-30).
const ZONES_MICROS: i64 = 26 * HOUR_MICROS;

/// `column + interval '30 days' > now()`
fn until(place: &Place<'_, '_>, comparison: Comparison) -> Option<Alone> {
    let tokens = place.tokens;
    let (first, at, second) = sum(tokens, comparison.left)?;
    let is_plus = tokens.at(at) == Some(&Token::Plus);
    let (text, clock, interval) = match column(place, first) {
        Some((text, clock)) => (text, clock, Interval::read(tokens, second, false)?),
        None => {
            let (text, clock) = column(place, second).filter(|_| is_plus)?;
            (text, clock, Interval::read(tokens, first, false)?)
        }
    };
    let interval = if is_plus {
        interval
    } else {
        interval.negated()
    };
    let (moment, other) = moment(tokens, comparison.right, clock.with_time())?;
    let zoned = clock == Clock::Zoned || other == Clock::Zoned;
    let (least, most) = interval.range_micros()?;
    let is_time = interval.months == 0 && interval.days == 0;
    // A timestamptz and a time; or no zone, where every day has 24 hours.
    let is_exact = match zoned {
        true => clock == other && is_time,
        false => interval.months == 0,
    };
    let margin = if zoned { ZONES_MICROS } else { 0 };
    let operator = comparison.operator;
    let bound = |operator: Operator, micros: i64| {
        format!("{text} {} {moment} - {}", operator.text(), written(micros))
    };
    if is_exact {
        return Some(Alone {
            bounds: vec![bound(operator, least)],
            is_exact,
            column: text.to_owned(),
        });
    }
    let mut bounds = Vec::new();
    if !operator.is_upper_bound() {
        bounds.push(bound(Operator::GreaterOrEqual, most.checked_add(margin)?));
    }
    if !operator.is_lower_bound() {
        bounds.push(bound(Operator::LessOrEqual, least.checked_sub(margin)?));
    }
    Some(Alone {
        bounds,
        is_exact,
        column: text.to_owned(),
    })
}

/// `extract(epoch FROM column) >= 1700000000`
fn epoch(place: &Place<'_, '_>, comparison: Comparison) -> Option<Alone> {
    let tokens = place.tokens;
    let (from, to) = unwrapped(tokens, comparison.left);
    let is_cast = |at: usize| tokens.at(at) == Some(&Token::DoubleColon);
    let cast = outer(tokens, (from, to), is_cast).next();
    let rounded = match cast {
        Some(at) => {
            let integers = ["int", "integer", "int4", "bigint", "int8"];
            (at + 2 == to && tokens.is_one_of(at + 1, &integers)).then_some(true)?
        }
        None => false,
    };
    let (name, argument) = field(tokens, (from, cast.unwrap_or(to)))?;
    let (text, clock) = column(place, argument).filter(|_| name == "epoch")?;
    // Such a double precision has microseconds.
    const MOST: i64 = 4_000_000_000;
    let seconds = whole_number(tokens, comparison.right).filter(|seconds| seconds.abs() <= MOST)?;
    let instant = |seconds: i64| match clock {
        Clock::Zoned => format!("to_timestamp({seconds})"),
        Clock::Local | Clock::Date => format!("(to_timestamp({seconds}) AT TIME ZONE 'UTC')"),
    };
    let operator = comparison.operator;
    if !rounded {
        return Some(Alone::exact(text, operator, &instant(seconds)));
    }
    let mut bounds = Vec::new();
    if !operator.is_upper_bound() {
        bounds.push(format!("{text} >= {}", instant(seconds - 1)));
    }
    if !operator.is_lower_bound() {
        bounds.push(format!("{text} <= {}", instant(seconds + 1)));
    }
    Some(Alone {
        bounds,
        is_exact: false,
        column: text.to_owned(),
    })
}
