//! Basic values that all rooms use: costs, sizes, durations and qualified names, and how they
//! print.
//!
//! Two numbers that could be swapped by mistake have different types. Nothing in this room does
//! I/O.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

mod escape_sequences;
mod gap;
pub mod identifier;
pub mod period;
pub mod printable;

pub use escape_sequences::without_escape_sequences;
pub use gap::{Gap, GapCause, HiddenStatistics, Unprotected};
pub use identifier::{quote_identifier, quote_literal};
pub use printable::printable;

/// The planner's arbitrary unit: 1.0 is one sequentially read page
/// (<https://www.postgresql.org/docs/current/runtime-config-query.html#RUNTIME-CONFIG-QUERY-CONSTANTS>).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cost(pub f64);

impl Cost {
    /// How many times cheaper `after` is than this cost; 1.0 when nothing changed.
    pub fn factor_to(self, after: Cost) -> f64 {
        if after.0 > 0.0 {
            self.0 / after.0
        } else if self.0 > 0.0 {
            f64::INFINITY
        } else {
            1.0
        }
    }

    /// The share of this cost that `after` saves: 0.9 for 100 → 10, negative when it got worse.
    pub fn saved_share(self, after: Cost) -> f64 {
        if self.0 > 0.0 {
            (self.0 - after.0) / self.0
        } else {
            0.0
        }
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        Cost(costs.map(|cost| cost.0).sum())
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.0.abs() < 100.0 { 2 } else { 0 };
        formatter.pad(&group_thousands(self.0, digits))
    }
}

/// A size in bytes. Prints in the units of `pg_size_pretty`: kB is 1024 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// One kB as PostgreSQL counts it.
    pub const KB: u64 = 1024;
    /// One MB as PostgreSQL counts it.
    pub const MB: u64 = 1024 * Self::KB;
    /// One GB as PostgreSQL counts it.
    pub const GB: u64 = 1024 * Self::MB;

    /// Reads `512MB`, `1 GB`, `64kB`, `1.5TB` or a plain number of bytes; the units are
    /// PostgreSQL's and case does not matter.
    ///
    /// # Errors
    /// A sentence for the user when the text is no size.
    pub fn parse(text: &str) -> Result<Bytes, String> {
        let text = text.trim();
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" | "k" => Self::KB,
            "mb" | "m" => Self::MB,
            "gb" | "g" => Self::GB,
            "tb" | "t" => 1024 * Self::GB,
            other => return Err(format!("unknown unit {other:?}: use B, kB, MB, GB or TB")),
        };
        let number: f64 = number
            .parse()
            .map_err(|_| format!("{text:?} is not a size such as 512MB or 1GB"))?;
        Ok(Bytes((number * factor as f64) as u64))
    }
}

impl std::iter::Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(sizes: I) -> Bytes {
        Bytes(sizes.map(|size| size.0).sum())
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            bytes if bytes < 10 * Self::KB => {
                format!("{} kB", group_thousands(bytes as f64 / Self::KB as f64, 1))
            }
            bytes if bytes < 10 * Self::MB => format!("{} kB", bytes / Self::KB),
            bytes if bytes < 10 * Self::GB => format!("{:.1} MB", bytes as f64 / Self::MB as f64),
            bytes => format!("{:.1} GB", bytes as f64 / Self::GB as f64),
        };
        formatter.pad(&text)
    }
}

/// A duration in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub f64);

impl Millis {
    /// Reads PostgreSQL's durations: `1s`, `500ms`, `2min`, `1h`; a plain number is milliseconds.
    ///
    /// # Errors
    /// A sentence for the user when the text is no duration.
    pub fn parse(text: &str) -> Result<Millis, String> {
        let text = text.trim();
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" | "ms" => 1.0,
            "s" => 1_000.0,
            "min" => 60_000.0,
            "h" => 3_600_000.0,
            other => return Err(format!("unknown unit {other:?}: use ms, s, min or h")),
        };
        let number: f64 = number
            .parse()
            .map_err(|_| format!("{text:?} is not a duration such as 500ms or 10s"))?;
        let milliseconds = number * factor;
        if milliseconds > f64::from(i32::MAX) {
            return Err(format!(
                "{text:?} is too long: PostgreSQL takes at most {} ms",
                i32::MAX
            ));
        }
        Ok(Millis(milliseconds))
    }

    /// The same duration for the standard library.
    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs_f64((self.0 / 1_000.0).max(0.0))
    }
}

impl From<std::time::Duration> for Millis {
    fn from(duration: std::time::Duration) -> Self {
        Millis(duration.as_secs_f64() * 1_000.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            ms if ms < 10.0 => format!("{ms:.1} ms"),
            ms if ms < 10_000.0 => format!("{} ms", group_thousands(ms, 0)),
            ms => format!("{} s", group_thousands(ms / 1_000.0, 1)),
        };
        formatter.pad(&text)
    }
}

/// A schema-qualified name as the catalog holds it (unquoted); prints as SQL, quoted where
/// PostgreSQL needs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct QualifiedName {
    /// The schema, unquoted.
    pub schema: String,
    /// The object's own name, unquoted.
    pub name: String,
}

impl QualifiedName {
    /// A name in a schema, both unquoted.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        QualifiedName {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.name)
        )
    }
}

/// `1234567.8` → `1,234,568` (digits after the point as asked).
pub fn group_thousands(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return number.to_string();
    }
    let plain = format!("{number:.digits$}");
    let (sign, unsigned) = plain
        .strip_prefix('-')
        .map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, fraction) = unsigned
        .split_once('.')
        .map_or((unsigned, None), |(whole, part)| (whole, Some(part)));
    let mut grouped = String::with_capacity(plain.len() + plain.len() / 3);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(part) => format!("{sign}{grouped}.{part}"),
        None => format!("{sign}{grouped}"),
    }
}

/// A gain as text: `43.6×`, `1,204×`, `1.05×`.
pub fn factor_text(factor: f64) -> Cow<'static, str> {
    match factor {
        infinite if infinite.is_infinite() => Cow::Borrowed("∞×"),
        small if small < 10.0 => Cow::Owned(format!("{small:.2}×")),
        middle if middle < 100.0 => Cow::Owned(format!("{middle:.1}×")),
        large => Cow::Owned(format!("{}×", group_thousands(large, 0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_postgresql_writes_them() {
        for (text, bytes) in [
            ("1GB", Bytes::GB),
            ("512 mb", 512 * Bytes::MB),
            ("64kB", 64 * Bytes::KB),
            ("17", 17),
            ("1.5k", 1536),
        ] {
            assert_eq!(Bytes::parse(text), Ok(Bytes(bytes)), "{text}");
        }
        assert!(Bytes::parse("1 parsec").unwrap_err().contains("parsec"));
        assert!(Bytes::parse("GB").is_err());
        assert!(Bytes::parse("").is_err());
    }

    #[test]
    fn durations_read_as_postgresql_writes_them() {
        for (text, ms) in [
            ("1s", 1_000.0),
            ("500ms", 500.0),
            ("2 min", 120_000.0),
            ("250", 250.0),
        ] {
            assert_eq!(Millis::parse(text), Ok(Millis(ms)), "{text}");
        }
        assert!(Millis::parse("soon").is_err());
        assert!(Millis::parse("1000h").unwrap_err().contains("too long"));
    }

    #[test]
    fn numbers_print_grouped() {
        assert_eq!(Cost(933_678.34).to_string(), "933,678");
        assert_eq!(Cost(8.437).to_string(), "8.44");
        assert_eq!(Bytes(8192).to_string(), "8.0 kB");
        assert_eq!(Bytes(90 * Bytes::MB).to_string(), "90.0 MB");
        assert_eq!(Bytes(90 * Bytes::KB).to_string(), "90 kB");
        assert_eq!(group_thousands(-1_234.5, 1), "-1,234.5");
        assert_eq!(factor_text(43.62), "43.6×");
    }

    #[test]
    fn names_are_quoted_where_sql_needs_it() {
        assert_eq!(
            QualifiedName::new("public", "jobs").to_string(),
            "public.jobs"
        );
        assert_eq!(
            QualifiedName::new("My App", "order").to_string(),
            "\"My App\".\"order\""
        );
    }

    #[test]
    fn gains_are_shares_and_factors() {
        assert_eq!(Cost(100.0).saved_share(Cost(10.0)), 0.9);
        assert_eq!(Cost(100.0).factor_to(Cost(10.0)), 10.0);
        assert_eq!(Cost(0.0).factor_to(Cost(0.0)), 1.0);
    }
}
