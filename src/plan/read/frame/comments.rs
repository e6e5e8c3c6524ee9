//! Plans in comments of SQL and programs: each line begins with the same mark.

use std::borrow::Cow;

use super::line::FramedLine;
use super::marks::looks_like_plan;

const MARKS: &[&str] = &["--", "//", "#", "*", ";", "%", "|"];

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let mut firsts: Vec<char> = lines
        .iter()
        .filter_map(|line| line.text.trim_start().chars().next())
        .collect();
    firsts.sort_unstable();
    firsts.dedup();
    // In psql's expanded output these stand before the further lines of a value.
    let is_expanded = lines
        .iter()
        .any(|line| line.text.starts_with("QUERY PLAN "));
    MARKS
        .iter()
        .filter(|mark| !(is_expanded && matches!(**mark, ";" | "|")))
        .any(|mark| firsts.iter().any(|first| mark.starts_with(*first)) && strip_mark(lines, mark))
}

/// Removes a mark from each run of lines that begin with it and hold a plan.
fn strip_mark(lines: &mut [FramedLine<'_>], mark: &str) -> bool {
    let mut changed = false;
    let mut start = 0;
    while start < lines.len() {
        let run = lines.get(start..).unwrap_or_default();
        let length = run
            .iter()
            .take_while(|line| is_marked(&line.text, mark))
            .count();
        if length == 0 {
            start += 1;
            continue;
        }
        let run = lines.get_mut(start..start + length).unwrap_or_default();
        if run.iter().any(|line| looks_like_plan(&line.text)) {
            remove(run, mark);
            changed = true;
        }
        start += length;
    }
    changed
}

fn is_marked(line: &str, mark: &str) -> bool {
    let Some(behind) = line.trim_start().strip_prefix(mark) else {
        return false;
    };
    // `-->` is an arrow.
    let is_table = mark == "|" && behind.trim_end().ends_with('|');
    let is_arrow = mark == "--" && behind.starts_with('>');
    !is_table && !is_arrow
}

/// Removes the mark, and a blank when all lines have one.
fn remove(run: &mut [FramedLine<'_>], mark: &str) {
    let behind: Vec<String> = run
        .iter()
        .map(|line| {
            let trimmed = line.text.trim_start();
            trimmed.strip_prefix(mark).unwrap_or(trimmed).to_owned()
        })
        .collect();
    let has_blank = behind
        .iter()
        .all(|text| text.is_empty() || text.starts_with(' '));
    for (line, text) in run.iter_mut().zip(behind) {
        let text = match text.strip_prefix(' ') {
            Some(rest) if has_blank => rest.to_owned(),
            _ => text,
        };
        line.text = Cow::Owned(text);
    }
}
