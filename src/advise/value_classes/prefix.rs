//! `name LIKE $1 || '%'`: what somebody has typed so far. Without a value the planner cannot use an
//! index for it; with one it makes a range of it
//! (`match_pattern_prefix`, src/backend/utils/adt/like_support.c).

use super::slot::Values;
use crate::candidate::begins_with_parameter;
use crate::catalog::{Column, Table};
use crate::predicate::Condition;

/// How many characters behind those that nearly all values begin with.
const SHORT: usize = 1;
const MEDIUM: usize = 2;
const LONG: usize = 4;

/// The column whose beginning is searched: the key itself, or the only one of an expression such as
/// `lower(name)`.
pub(super) fn column<'t>(condition: &Condition, table: &'t Table) -> Option<&'t Column> {
    let columns = condition.key.columns()?;
    let mut columns = columns.iter();
    let only = columns.next().filter(|_| columns.next().is_none())?;
    begins_with_parameter(condition).then(|| table.column(only))?
}

/// Beginnings of three lengths: of the value in the middle, and the longest one of another value next
/// to it. The planner counts the bounds of its histogram that a pattern matches
/// (`histogram_selectivity`, src/backend/utils/adt/selfuncs.c), and the value in the middle is one.
pub(super) fn values(column: &Column) -> Option<Values> {
    let statistics = column.statistics.as_ref()?;
    let histogram = &statistics.histogram;
    let middle = histogram.get(histogram.len() / 2)?;
    let common = common_beginning(histogram);
    let of_length = |more: usize| {
        let mut letters: Vec<char> = middle.chars().take(common + more).collect();
        if more == LONG {
            let last = letters.pop()?;
            letters.push(beside(last));
        }
        let beginning = String::from_iter(letters);
        // These stand for something else in a pattern.
        let is_plain = !beginning.contains(['%', '_', '\\']);
        is_plain.then_some((beginning, 0.0))
    };
    let short = of_length(SHORT)?;
    Some([Some(short), of_length(MEDIUM), of_length(LONG), None])
}

/// How many characters the values begin with alike, leaving out those at the ends.
fn common_beginning(sorted: &[String]) -> usize {
    let tenth = sorted.len() / 10;
    let inner = &sorted[tenth..sorted.len() - tenth];
    let (Some(first), Some(last)) = (inner.first(), inner.last()) else {
        return 0;
    };
    let same = first.chars().zip(last.chars());
    same.take_while(|(first, last)| first == last).count()
}

/// Another letter or digit next to this one.
fn beside(letter: char) -> char {
    let code = u32::from(letter);
    let next = [code + 1, code.saturating_sub(1)];
    let mut next = next.into_iter().filter_map(char::from_u32);
    let is_digit = letter.is_numeric();
    let is_alike = |other: &char| other.is_alphanumeric() && other.is_numeric() == is_digit;
    next.find(is_alike).unwrap_or(letter)
}
