//! Lines that a mail program or an editor broke between words, without indentation: a node's numbers
//! stand in the next line, and so may the end of its name, or the rest of a detail's values.

use std::borrow::Cow;

use super::super::text::begins_with_operation;
use super::broken_lines::begins_own_line;
use super::line::FramedLine;
use super::marks::has_numbers;

/// What begins the rest of a detail of several values.
const RESTS: &[&str] = &[
    "Batches: ",
    "Memory Usage: ",
    "Memory: ",
    "Disk Usage: ",
    "Disk: ",
    "Evictions: ",
    "Overflows: ",
    "Misses: ",
];

pub(super) fn join(lines: &mut Vec<FramedLine<'_>>) -> bool {
    if !lines.iter().any(|line| has_numbers(&line.text)) {
        return false;
    }
    let mut joined: Vec<FramedLine<'_>> = Vec::with_capacity(lines.len());
    let mut changed = false;
    for line in lines.iter() {
        match joined.last_mut() {
            Some(last) if goes_on(&last.text, &line.text) => {
                let is_value = RESTS.iter().any(|rest| line.text.starts_with(rest));
                let is_far = line.text.starts_with('(') || is_value;
                let separator = if is_far { "  " } else { " " };
                let text = last.text.to_mut();
                text.truncate(text.trim_end().len());
                text.push_str(separator);
                text.push_str(line.text.trim());
                changed = true;
            }
            _ => joined.push(FramedLine {
                number: line.number,
                text: Cow::Owned(line.text.clone().into_owned()),
            }),
        }
    }
    if changed {
        *lines = joined;
    }
    changed
}

/// Whether a line without indentation belongs to the one above.
fn goes_on(line: &str, next: &str) -> bool {
    let (above, below) = (line.trim(), next.trim());
    // The first node is not indented either.
    let is_flush = !next.starts_with([' ', '\t']) && line.starts_with([' ', '\t']);
    if !is_flush || below.is_empty() {
        return false;
    }
    match above.strip_prefix("->") {
        // The numbers of the execution, or all of them.
        Some(node) if has_numbers(node) => {
            let is_whole = node.contains("(actual ") || node.contains("(never ");
            !is_whole && (below.starts_with("(actual ") || below.starts_with("(never "))
        }
        Some(node) if begins_with_operation(node.trim()) || is_unnamed(node) => {
            let name = below.split("  (").next().unwrap_or(below);
            has_numbers(below) && (below.starts_with("(cost=") || !begins_with_operation(name))
        }
        Some(_) => false,
        None => {
            let is_detail = (above.contains(": ") || above.ends_with(':')) && !has_numbers(above);
            let is_rest = RESTS.iter().any(|rest| below.starts_with(rest));
            is_detail
                && !has_numbers(below)
                && (is_rest || !begins_own_line(below))
                && below != "Planning:"
                && below != "JIT:"
        }
    }
}

/// `Seq Scan on`, of which the name stands in the next line.
fn is_unnamed(node: &str) -> bool {
    [" on", " using"].iter().any(|end| node.ends_with(end))
}
