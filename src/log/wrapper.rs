//! Removes what collectors of logs put around the lines of a server: the records of clouds and
//! containers (JSON, CSV) and what they write before each line.
//!
//! [`unwrap`] is applied to a text before it is read as a log. It knows no products but ways of
//! wrapping, one in each file of this folder; they are tried in order, and again until none applies,
//! because collectors wrap what others wrapped. A log of the server itself is not changed.

mod colours;
mod csv_table;
mod journal_export;
mod json_records;
mod line_prefix;
mod lines;
mod message;
mod process_lines;
mod quoted;

use std::borrow::Cow;

use lines::Lines;

/// Removes one way of wrapping; none when the text does not have it.
type Way = fn(&str) -> Option<Lines>;

/// In the order in which they are tried.
const WAYS: &[Way] = &[
    colours::strip,
    journal_export::unwrap,
    json_records::unwrap,
    csv_table::unwrap,
    process_lines::unwrap,
    line_prefix::strip,
    quoted::unwrap,
];

/// Collectors wrapped in more collectors than this are left as they are.
const MAX_WRAPPERS: usize = 6;

/// The server's lines of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwrapped<'a> {
    /// The lines as the server wrote them, or as they were where nothing wraps them.
    pub text: Cow<'a, str>,
    numbers: Option<Vec<usize>>,
}

impl Unwrapped<'_> {
    /// Which line of the wrapped log a line of [`Self::text`] comes from, both counted from 1.
    pub fn line(&self, line: usize) -> usize {
        let Some(numbers) = &self.numbers else {
            return line;
        };
        let at = line.saturating_sub(1).min(numbers.len().saturating_sub(1));
        numbers.get(at).copied().unwrap_or(line)
    }
}

/// The server's lines without what collectors of logs put around them.
pub fn unwrap(text: &str) -> Unwrapped<'_> {
    let mut unwrapped = Unwrapped {
        text: Cow::Borrowed(text),
        numbers: None,
    };
    for _ in 0..MAX_WRAPPERS {
        let Some(lines) = WAYS.iter().find_map(|way| way(&unwrapped.text)) else {
            break;
        };
        let numbers = lines
            .numbers
            .iter()
            .map(|number| unwrapped.line(*number))
            .collect();
        unwrapped = Unwrapped {
            text: Cow::Owned(lines.text),
            numbers: Some(numbers),
        };
    }
    unwrapped
}

#[cfg(test)]
mod tests;
