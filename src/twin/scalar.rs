//! Values of built-in types with a distance: read from PostgreSQL's output (`DateStyle` ISO),
//! moved, and written again.

use super::snapshot::Oid;

/// Types whose values have differences (src/include/catalog/pg_type.dat).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// `smallint`, `integer`, `bigint`, with their maximum.
    Integer(i64),
    /// `real` and `double precision`.
    Float,
    /// `numeric`.
    Numeric,
    /// `date`.
    Date,
    /// `timestamp` without (false) or with time zone (true).
    Timestamp(bool),
}

/// A value as a number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum Position {
    /// Whole numbers, days, microseconds.
    Whole(i128),
    /// With the number of digits after the point that it was written with.
    Real(f64, usize),
}

impl Scale {
    /// The scale of a type.
    pub fn of(type_oid: Oid) -> Option<Scale> {
        Some(match type_oid {
            21 => Scale::Integer(i16::MAX.into()),
            23 => Scale::Integer(i32::MAX.into()),
            20 => Scale::Integer(i64::MAX),
            700 | 701 => Scale::Float,
            1700 => Scale::Numeric,
            1082 => Scale::Date,
            1114 => Scale::Timestamp(false),
            1184 => Scale::Timestamp(true),
            _ => return None,
        })
    }

    /// A point in time?
    pub fn is_time(self) -> bool {
        matches!(self, Scale::Date | Scale::Timestamp(_))
    }

    /// Reads a value. None for values without a distance to others: infinities, NaN, years before
    /// Christ.
    pub fn read(self, text: &str) -> Option<Position> {
        match self {
            Scale::Integer(_) => text.parse().ok().map(Position::Whole),
            Scale::Float | Scale::Numeric => {
                let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
                let decimals = text.split_once('.').map_or(0, |(_, digits)| digits.len());
                Some(Position::Real(value, decimals))
            }
            Scale::Date => Some(Position::Whole(read_date(text)?.into())),
            Scale::Timestamp(_) => Some(Position::Whole(read_timestamp(text)?)),
        }
    }

    /// Writes a value; one beyond the type's range becomes the end of the range.
    pub fn write(self, position: Position) -> String {
        match (self, position) {
            (Scale::Integer(largest), Position::Whole(whole)) => whole
                .clamp(-i128::from(largest) - 1, largest.into())
                .to_string(),
            (Scale::Date, Position::Whole(days)) => {
                write_date(days.clamp(FIRST_DAY, LAST_DAY) as i64)
            }
            (Scale::Timestamp(zone), Position::Whole(at)) => write_timestamp(at, zone),
            (Scale::Float, Position::Real(value, _)) => value.to_string(),
            (_, Position::Real(value, decimals)) => format!("{value:.decimals$}"),
            (_, Position::Whole(whole)) => whole.to_string(),
        }
    }
}

impl Position {
    /// The distance from that value to this one.
    pub fn minus(self, other: Position) -> f64 {
        match (self, other) {
            (Position::Whole(one), Position::Whole(other)) => (one - other) as f64,
            (one, other) => one.value() - other.value(),
        }
    }

    /// The value at this distance.
    pub fn plus(self, distance: f64) -> Position {
        match self {
            // Also for distances beyond the integers that a double represents exactly.
            Position::Whole(whole) => {
                Position::Whole(whole.saturating_add(distance.round() as i128))
            }
            Position::Real(value, decimals) => Position::Real(value + distance, decimals),
        }
    }

    fn value(self) -> f64 {
        match self {
            Position::Whole(whole) => whole as f64,
            Position::Real(value, _) => value,
        }
    }
}

const MICROSECONDS_OF_A_DAY: i128 = 86_400_000_000;

/// 0001-01-01 and 9999-12-31 in days since 1970-01-01: the range that is read and written here.
const FIRST_DAY: i128 = -719_162;
const LAST_DAY: i128 = 2_932_896;

/// Days since 1970-01-01 (<https://howardhinnant.github.io/date_algorithms.html>).
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// `2024-01-31`.
fn read_date(text: &str) -> Option<i64> {
    let [year, month, day] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
    let (year, month, day) = (digits(year)?, digits(month)?, digits(day)?);
    let days = days_of(year, month, day);
    (year <= 9999 && date_of(days) == (year, month, day)).then_some(days)
}

fn write_date(days: i64) -> String {
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2024-01-31 12:00:00.25+05:30`, as microseconds since 1970-01-01 00:00 UTC.
fn read_timestamp(text: &str) -> Option<i128> {
    let (date, time) = text.split_once(' ')?;
    let zone = time.find(['+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let offset = match zone.chars().next() {
        Some('-') => -seconds(zone.get(1..)?)?,
        Some(_) => seconds(zone.get(1..)?)?,
        None => 0,
    };
    let fraction = digits(&format!("{fraction:0<6}")).filter(|_| fraction.len() <= 6)?;
    let at = i128::from(read_date(date)?) * MICROSECONDS_OF_A_DAY;
    Some(at + i128::from(seconds(whole)? - offset) * 1_000_000 + i128::from(fraction))
}

/// `12:30:59`, `05:30`, `05`.
fn seconds(text: &str) -> Option<i64> {
    let mut sum = 0;
    let mut unit = 3_600;
    for part in text.split(':') {
        sum += digits(part)? * unit;
        unit /= 60;
    }
    Some(sum)
}

fn write_timestamp(at: i128, zone: bool) -> String {
    let at = at.clamp(
        FIRST_DAY * MICROSECONDS_OF_A_DAY,
        (LAST_DAY + 1) * MICROSECONDS_OF_A_DAY - 1,
    );
    let date = write_date(at.div_euclid(MICROSECONDS_OF_A_DAY) as i64);
    let of_day = at.rem_euclid(MICROSECONDS_OF_A_DAY);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let mut text = format!(
        "{date} {:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction > 0 {
        text.push('.');
        text.push_str(format!("{fraction:06}").trim_end_matches('0'));
    }
    if zone {
        text.push_str("+00");
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_in_time_are_read_wherever_they_were_written() {
        let zoned = Scale::Timestamp(true);
        assert_eq!(
            zoned.read("1970-01-02 05:30:00.5+05:30"),
            Some(Position::Whole(86_400_500_000))
        );
        assert_eq!(
            zoned.read("1970-01-01 00:00:00-03"),
            Some(Position::Whole(3 * 3_600_000_000))
        );
        assert_eq!(
            zoned.write(Position::Whole(86_400_500_000)),
            "1970-01-02 00:00:00.5+00"
        );
        assert_eq!(
            Scale::Date.read("2024-02-29"),
            Some(Position::Whole(19_782))
        );
        for text in ["infinity", "0044-03-15 BC", "2023-02-29", "29/02/2024", ""] {
            assert_eq!(Scale::Date.read(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_their_ends() {
        let price = Scale::Numeric.read("12.50").unwrap();
        assert_eq!(Scale::Numeric.write(price.plus(2.25)), "14.75");
        assert_eq!(
            Scale::Integer(i16::MAX.into()).write(Position::Whole(40_000)),
            "32767"
        );
        assert_eq!(Scale::Float.read("NaN"), None);
    }

    proptest! {
        #[test]
        fn every_day_and_moment_comes_back(day in FIRST_DAY..LAST_DAY, of_day in 0..MICROSECONDS_OF_A_DAY) {
            for (line, position) in [(Scale::Date, day), (Scale::Timestamp(false), day * MICROSECONDS_OF_A_DAY + of_day),
                                     (Scale::Timestamp(true), day * MICROSECONDS_OF_A_DAY + of_day)] {
                let position = Position::Whole(position);
                prop_assert_eq!(line.read(&line.write(position)), Some(position));
            }
        }
    }
}
