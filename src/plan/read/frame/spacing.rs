//! A blank line after each line, as some editors paste text.

use super::line::FramedLine;
use super::marks::has_numbers;

/// Fewer lines do not show that all are followed by a blank one.
const MIN_LINES: usize = 3;

/// Removes blank lines from a text in which no two lines of a plan follow each other.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let Some(first) = lines.iter().position(|line| has_numbers(&line.text)) else {
        return false;
    };
    let plan = lines.get(first..).unwrap_or_default();
    let is_blank = |line: &FramedLine<'_>| line.text.trim().is_empty();
    let written = plan.iter().filter(|line| !is_blank(line)).count();
    let follow = |pair: &[FramedLine<'_>]| pair.iter().all(|line| !is_blank(line));
    let is_spaced = written >= MIN_LINES && !plan.windows(2).any(follow);
    let is_indented = plan.iter().any(|line| line.text.starts_with([' ', '\t']));
    if !is_spaced || !is_indented {
        return false;
    }
    let before = lines.len();
    let mut index = 0;
    lines.retain(|line| {
        index += 1;
        index <= first || !line.text.trim().is_empty()
    });
    lines.len() < before
}
