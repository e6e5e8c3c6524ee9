//! Lines that a terminal broke at its width, in the middle of words and without indentation.

use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;
use super::marks::has_numbers;
use super::one_line::is_open;

/// Narrower terminals do not occur.
const MIN_WIDTH: usize = 40;

pub(super) fn join(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let width = width(lines);
    let mut joined: Vec<FramedLine<'_>> = Vec::with_capacity(lines.len());
    let (mut changed, mut previous) = (false, 0);
    for line in lines.iter() {
        let length = line.text.chars().count();
        match joined.last_mut() {
            Some(last)
                if (Some(previous) == width || ends_in_numbers(&last.text))
                    && continues(&last.text, &line.text) =>
            {
                let separator = separator(&last.text, &line.text);
                let text = last.text.to_mut();
                text.push_str(separator);
                text.push_str(&line.text);
                changed = true;
            }
            _ => joined.push(line.clone()),
        }
        previous = length;
    }
    if changed {
        *lines = joined;
    }
    changed
}

/// Whether a line ends within the parentheses of a node, so that the next one must go on.
pub(super) fn ends_in_numbers(line: &str) -> bool {
    numbers_at(line).is_some_and(|at| !line.get(at..).unwrap_or_default().contains(')'))
}

/// Where the last parentheses of a node begin; in a literal there are none.
fn numbers_at(line: &str) -> Option<usize> {
    let at = line.rfind("(cost=").max(line.rfind("(actual"))?;
    let quotes = line.get(..at)?.matches('\'').count();
    (quotes % 2 == 0).then_some(at)
}

/// The width at which lines are broken: the longest line's, when such a line's parentheses are open
/// and the next line begins in the middle of a word.
fn width(lines: &[FramedLine<'_>]) -> Option<usize> {
    let length = |line: &FramedLine<'_>| line.text.chars().count();
    let width = lines
        .iter()
        .map(length)
        .max()
        .filter(|width| *width >= MIN_WIDTH)?;
    let is_broken = |pair: &[FramedLine<'_>]| {
        let [line, next] = pair else { return false };
        length(line) == width && has_open_numbers(&line.text) && continues(&line.text, &next.text)
    };
    lines.windows(2).any(is_broken).then_some(width)
}

/// Whether a line ends within the parentheses of a node, or between them.
fn has_open_numbers(line: &str) -> bool {
    match numbers_at(line) {
        Some(at) => !line.get(at..).unwrap_or_default().contains(')') || !line.contains("(actual"),
        None => line.ends_with("(cost") || line.ends_with("  (") || line.ends_with("(co"),
    }
}

/// Whether a line is one of the plan by itself: a node, a detail, or what psql prints below a table.
pub(super) fn begins_own_line(line: &str) -> bool {
    static OWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^\s*(?:->|[A-Z][A-Za-z/ -]+\d*:(?: |$)|(?:InitPlan|SubPlan|CTE) |\(\d+ rows?\)|\.\.\.|…|```)").ok()
    });
    OWN.as_ref().is_some_and(|own| own.is_match(line))
}

/// Whether the line below belongs to a line of the full width.
fn continues(line: &str, next: &str) -> bool {
    let trimmed = next.trim();
    if trimmed.is_empty() {
        return false;
    }
    let begins_numbers = trimmed.starts_with("(actual") || trimmed.starts_with("(cost=");
    // A headline with all its numbers goes on only with those of the execution.
    if ends_with_numbers(line) {
        return begins_numbers || trimmed.starts_with("(never");
    }
    let is_own = begins_own_line(next) && !begins_numbers;
    // A node's headline has its own numbers, at once or in the next line.
    let begins_node = trimmed.starts_with(|c: char| c.is_ascii_uppercase() || c == '-');
    let is_headline = has_numbers(next) && begins_node && !is_open(line) && !line.ends_with("->");
    (is_open(line) || begins_numbers || !next.starts_with("  ")) && !is_own && !is_headline
}

/// Whether a line ends with the closed parentheses of a node.
fn ends_with_numbers(line: &str) -> bool {
    let numbers = numbers_at(line).and_then(|at| line.get(at..));
    numbers.is_some_and(|numbers| numbers.trim_end().ends_with(')'))
}

/// A blank where one was lost at the end of the line: between two words that are whole.
fn separator(line: &str, next: &str) -> &'static str {
    if next.starts_with(' ') || line.ends_with(' ') {
        return "";
    }
    let last = line.rsplit([' ', '(']).next().unwrap_or_default();
    let first = next.split([' ', ')']).next().unwrap_or_default();
    let is_whole = |word: &str| {
        word.split_once('=').is_some_and(|(name, value)| {
            matches!(name, "cost" | "rows" | "width" | "time" | "loops")
                && value.contains(|c: char| c.is_ascii_digit())
        })
    };
    let begins_word = is_whole(first) || first == "rows" || first == "width" || first == "loops";
    if (is_whole(last) || last == "actual") && begins_word {
        " "
    } else if line.ends_with(')') && next.starts_with('(') {
        "  "
    } else {
        ""
    }
}
