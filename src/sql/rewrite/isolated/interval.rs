//! Intervals that are written as constants.

use sqlparser::tokenizer::Token;

use super::super::constants::{Constant, Value, constant};
use super::super::select::{Span, closing, unwrapped};
use super::super::whole::listed;
use super::comparison::outer;
use crate::sql::tokens::Tokens;

pub(super) const SECOND_MICROS: i64 = 1_000_000;
pub(super) const HOUR_MICROS: i64 = 3_600 * SECOND_MICROS;
pub(super) const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// Months, days and time, as PostgreSQL keeps them
/// (<https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-INTERVAL-INPUT>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interval {
    pub(super) months: i64,
    pub(super) days: i64,
    pub(super) micros: i64,
}

/// Numbers beyond this are no one's interval, and could overflow.
const MOST: i64 = 1_000_000;

impl Interval {
    /// `interval '10 days'`, `'1 day'::interval * 7`, `make_interval(days => 7)`; an untyped literal only
    /// where it can be nothing else.
    pub(super) fn read(tokens: &Tokens<'_>, span: Span, untyped: bool) -> Option<Interval> {
        let span = unwrapped(tokens, span);
        if let Some(at) = outer(tokens, span, |at| tokens.at(at) == Some(&Token::Mul)).last() {
            let sides = [(span.0, at), (at + 1, span.1)];
            let number = |side: Span| match constant(tokens, side)? {
                Constant {
                    value: Value::Number(text),
                    cast: None,
                    ..
                } => text.parse::<i64>().ok(),
                _ => None,
            };
            let (factor, interval) = match (number(sides[0]), number(sides[1])) {
                (Some(factor), None) => (factor, sides[1]),
                (None, Some(factor)) => (factor, sides[0]),
                _ => return None,
            };
            return Interval::read(tokens, interval, false)?.times(factor);
        }
        if tokens.is_word(span.0, "make_interval") {
            let end = closing(tokens, span.0 + 1).filter(|end| end + 1 == span.1)?;
            return made(tokens, (span.0 + 2, end));
        }
        let found = constant(tokens, span)?;
        let typed = found.cast.as_deref() == Some("interval");
        match found.value {
            Value::String(text) if typed || (untyped && found.cast.is_none()) => parsed(&text),
            _ => None,
        }
    }

    fn times(self, factor: i64) -> Option<Interval> {
        let factor = Some(factor).filter(|factor| factor.abs() <= MOST)?;
        Some(Interval {
            months: self.months.checked_mul(factor)?,
            days: self.days.checked_mul(factor)?,
            micros: self.micros.checked_mul(factor)?,
        })
    }

    pub(super) fn negated(self) -> Interval {
        Interval {
            months: -self.months,
            days: -self.days,
            micros: -self.micros,
        }
    }

    fn plus(self, other: Interval) -> Interval {
        Interval {
            months: self.months + other.months,
            days: self.days + other.days,
            micros: self.micros + other.micros,
        }
    }

    fn of(number: i64, unit: &str) -> Option<Interval> {
        let number = Some(number).filter(|number| number.abs() <= MOST)?;
        let time = |micros: i64| Interval {
            micros: number * micros,
            ..Interval::default()
        };
        let days = |days: i64| Interval {
            days: number * days,
            ..Interval::default()
        };
        let months = |months: i64| Interval {
            months: number * months,
            ..Interval::default()
        };
        Some(match unit.to_lowercase().as_str() {
            "millisecond" | "milliseconds" => time(1_000),
            "second" | "seconds" | "sec" | "secs" | "s" => time(SECOND_MICROS),
            "minute" | "minutes" | "min" | "mins" => time(60 * SECOND_MICROS),
            "hour" | "hours" | "hr" | "hrs" | "h" => time(HOUR_MICROS),
            "day" | "days" | "d" => days(1),
            "week" | "weeks" => days(7),
            "month" | "months" | "mon" | "mons" => months(1),
            "year" | "years" | "yr" | "yrs" => months(12),
            _ => return None,
        })
    }

    /// As two intervals are compared: a month has 30 days, a day 24 hours
    /// (`interval_cmp_value`, src/backend/utils/adt/timestamp.c).
    pub(super) fn compared_micros(self) -> Option<i64> {
        let days = self.months.checked_mul(30)?.checked_add(self.days)?;
        days.checked_mul(DAY_MICROS)?.checked_add(self.micros)
    }

    /// The shortest and the longest time that it is, added to any date: months by the calendar,
    /// days of 24 hours. Of parts with different signs nothing is said.
    pub(super) fn range_micros(self) -> Option<(i64, i64)> {
        let parts = [self.months, self.days, self.micros];
        if parts.iter().all(|part| *part <= 0) && parts.iter().any(|part| *part < 0) {
            let (least, most) = self.negated().range_micros()?;
            return Some((-most, -least));
        }
        if parts.iter().any(|part| *part < 0) {
            return None;
        }
        // 400 years of 4,800 months have 146,097 days.
        let average = self.months.checked_mul(146_097)?;
        let least = (self.months * 28).max(average / 4_800 - 3);
        let most = (self.months * 31).min(average / 4_800 + 3);
        let micros = |days: i64| {
            days.checked_add(self.days)?
                .checked_mul(DAY_MICROS)?
                .checked_add(self.micros)
        };
        Some((micros(least)?, micros(most)?))
    }
}

/// `make_interval(hours => 5, days => 7)`
fn made(tokens: &Tokens<'_>, span: Span) -> Option<Interval> {
    let mut sum = Interval::default();
    for (from, to) in listed(tokens, span) {
        let unit = tokens
            .name(from)
            .filter(|_| tokens.at(from + 1) == Some(&Token::RArrow))?;
        let Constant {
            value: Value::Number(number),
            cast: None,
            ..
        } = constant(tokens, (from + 2, to))?
        else {
            return None;
        };
        let known = ["years", "months", "weeks", "days", "hours", "mins", "secs"];
        let part =
            Interval::of(number.parse().ok()?, &unit).filter(|_| known.contains(&unit.as_str()))?;
        sum = sum.plus(part);
    }
    Some(sum)
}

/// `1 day 02:30:00`, `90 minutes`
fn parsed(text: &str) -> Option<Interval> {
    let mut words = text.split_whitespace();
    let mut sum = None;
    while let Some(word) = words.next() {
        let part = match word.split(':').collect::<Vec<_>>().as_slice() {
            [hours, minutes] => clock(hours, minutes, "0")?,
            [hours, minutes, seconds] => clock(hours, minutes, seconds)?,
            _ => Interval::of(word.parse().ok()?, words.next()?)?,
        };
        sum = Some(sum.unwrap_or(Interval::default()).plus(part));
    }
    sum
}

fn clock(hours: &str, minutes: &str, seconds: &str) -> Option<Interval> {
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| digits)
    };
    let hours = Interval::of(number(hours)?, "hours")?;
    let minutes = Interval::of(number(minutes)?, "minutes")?;
    Some(
        hours
            .plus(minutes)
            .plus(Interval::of(number(seconds)?, "seconds")?),
    )
}

/// `interval '240 hours'`: time alone.
pub(super) fn written(micros: i64) -> String {
    let (number, unit) = if micros % HOUR_MICROS == 0 {
        (micros / HOUR_MICROS, "hours")
    } else if micros % SECOND_MICROS == 0 {
        (micros / SECOND_MICROS, "seconds")
    } else {
        (micros, "microseconds")
    };
    format!("interval '{number} {unit}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read() {
        let read = |text: &str| {
            let tokens = Tokens::read(text).unwrap();
            Interval::read(&tokens, (0, tokens.len()), false)
        };
        let interval = |months, days, micros| {
            Some(Interval {
                months,
                days,
                micros,
            })
        };
        for (text, wanted) in [
            ("interval '10 days'", interval(0, 10, 0)),
            (
                "('1 year 2 mons 3 weeks 04:05:06'::interval)",
                interval(14, 21, 14_706 * SECOND_MICROS),
            ),
            ("7 * interval '1 day'", interval(0, 7, 0)),
            ("'90 min'::interval * 2", interval(0, 0, 3 * HOUR_MICROS)),
            (
                "make_interval(days => 7, hours => 1)",
                interval(0, 7, HOUR_MICROS),
            ),
            ("interval '-1 day'", interval(0, -1, 0)),
            ("'10 days'", None),
            ("interval '1.5 days'", None),
            ("interval 'P1D'", None),
            ("interval '5'", None),
            ("interval '3 days ago'", None),
            ("interval '10 days' + interval '1 hour'", None),
            ("$1::interval", None),
            ("make_interval(days => $1)", None),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_month_has_28_to_31_days() {
        let days = |months, days| {
            let interval = Interval {
                months,
                days,
                micros: 0,
            };
            let (least, most) = interval.range_micros().unwrap();
            (least / DAY_MICROS, most / DAY_MICROS)
        };
        assert_eq!(days(1, 0), (28, 31));
        assert_eq!(days(12, 1), (363, 369));
        assert_eq!(days(-1, 0), (-31, -28));
        let mixed = Interval {
            months: 1,
            days: -1,
            micros: 0,
        };
        assert_eq!(mixed.range_micros(), None);
    }
}
