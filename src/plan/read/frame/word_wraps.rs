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

/// Details whose values are separated by commas.
const LISTS: &[&str] = &[
    "Sort Key: ",
    "Presorted Key: ",
    "Group Key: ",
    "Output: ",
    "Cache Key: ",
    "Settings: ",
];

/// What begins further values of counters.
const COUNTERS: &[&str] = &[
    "shared ", "local ", "temp ", "hit=", "read=", "dirtied=", "written=", "write=", "exact=",
    "lossy=", "records=", "fpi=", "bytes=",
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
                let is_far = line.text.starts_with("(cost=") || is_value;
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
        None => is_detail(above) && !has_numbers(below) && continues_detail(above, below),
    }
}

/// `Seq Scan on`, of which the name stands in the next line.
fn is_unnamed(node: &str) -> bool {
    [" on", " using"].iter().any(|end| node.ends_with(end))
}

fn is_detail(line: &str) -> bool {
    (line.contains(": ") || line.ends_with(':')) && !has_numbers(line)
}

/// Whether a line is the rest of a detail, and not what somebody wrote below the plan.
fn continues_detail(above: &str, below: &str) -> bool {
    let begins = |words: &[&str]| words.iter().any(|word| below.starts_with(word));
    let is_usage =
        below.starts_with("Usage: ") && ["Memory", "Disk"].iter().any(|word| above.ends_with(word));
    if begins(RESTS) || is_usage {
        return true;
    }
    if begins_own_line(below) || matches!(above, "Planning:" | "JIT:") {
        return false;
    }
    let is_list = LISTS.iter().any(|label| above.starts_with(label)) && above.ends_with(',');
    let begins_value = |first: char| matches!(first, '(' | '$' | '"') || first.is_ascii_digit();
    let is_value = above.ends_with(':') && below.starts_with(begins_value);
    is_list || is_value || (above.contains(": ") && begins(COUNTERS))
}
