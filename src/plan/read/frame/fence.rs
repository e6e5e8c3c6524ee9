//! Code fences of Markdown, Jira (`{code}`, `{noformat}`) and forums (`[code]`). Text outside of them
//! is prose. The plan may begin on the line of the fence.

use std::borrow::Cow;

use super::line::FramedLine;
use super::marks::{has_numbers, looks_like_plan};

/// How fences begin.
const MARKS: [&str; 6] = ["```", "~~~", "{code", "{noformat", "[code", "[/code]"];

/// How fences end that may stand behind the last line of a plan.
const CLOSING: [&str; 5] = ["```", "~~~", "{code}", "{noformat}", "[/code]"];

/// Empties the lines of the fences and those outside of them, if a fence contains a plan. An
/// unclosed fence ends at the end of the text.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    separate(lines);
    let Some(inside) = inside_fences(lines) else {
        return false;
    };
    for (line, inside) in lines.iter_mut().zip(inside) {
        if !inside {
            line.text = Cow::Borrowed("");
        }
    }
    true
}

/// For each line whether it is in a fence; none when no fence contains a plan.
fn inside_fences(lines: &[FramedLine<'_>]) -> Option<Vec<bool>> {
    let mut fence: Option<&str> = None;
    let mut holds_plan = false;
    let mut inside = Vec::with_capacity(lines.len());
    for line in lines {
        let text = line.text.trim();
        match (fence, mark(text)) {
            (None, Some(mark)) => {
                fence = Some(mark);
                inside.push(false);
            }
            (Some(open), Some(mark)) if closes(open, mark, text) => {
                fence = None;
                inside.push(false);
            }
            _ => {
                holds_plan |= fence.is_some() && looks_like_plan(text);
                inside.push(fence.is_some());
            }
        }
    }
    holds_plan.then_some(inside)
}

/// Whether a line ends the fence of that kind.
fn closes(open: &str, mark: &str, text: &str) -> bool {
    match open {
        "[code" => mark == "[/code]",
        "{code" | "{noformat" => mark == open && text.ends_with('}'),
        _ => mark == open && text == mark,
    }
}

/// The kind of fence that a line is.
fn mark(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    MARKS.into_iter().find(|mark| lower.starts_with(mark))
}

/// Puts a fence that has text of the plan before or after it on a line of its own.
fn separate(lines: &mut Vec<FramedLine<'_>>) {
    let mut separated = Vec::with_capacity(lines.len());
    for line in lines.drain(..) {
        let parts = parts(&line.text);
        if parts.len() < 2 {
            separated.push(line);
            continue;
        }
        separated.extend(parts.into_iter().map(|part| FramedLine {
            number: line.number,
            text: Cow::Owned(part),
        }));
    }
    *lines = separated;
}

fn parts(line: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = line;
    let trimmed = line.trim_start();
    if let Some(mark) = mark(trimmed) {
        let end = if mark.starts_with(['{', '[']) {
            trimmed.find(['}', ']']).map_or(mark.len(), |at| at + 1)
        } else {
            mark.len()
        };
        let behind = trimmed.get(end..).unwrap_or_default();
        let begin = behind.trim_start();
        if has_numbers(behind) || begin.starts_with(['[', '{', '<']) || begin.starts_with("- Plan:")
        {
            parts.push(trimmed.get(..end).unwrap_or_default().to_owned());
            rest = behind;
        }
    }
    let end = rest.trim_end();
    let closing = CLOSING.iter().find_map(|mark| {
        let before = end.strip_suffix(mark)?;
        (!before.trim().is_empty()).then_some((before, *mark))
    });
    match closing {
        Some((before, mark)) => parts.extend([before.to_owned(), mark.to_owned()]),
        None => parts.push(rest.to_owned()),
    }
    parts
}
