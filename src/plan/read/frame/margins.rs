//! What stands before and after each line of a plan: prefixes of consoles, containers, CI and
//! loggers, marks of a diff, what is left of tables and arrays. The line of the plan's first node (in
//! the other formats: the one in which the plan begins) shows both: what comes before the words of a
//! node, and after its last parenthesis.

use std::borrow::Cow;

use regex::Regex;

use super::super::text::begins_with_operation;
use super::line::FramedLine;
use super::marks::{has_numbers, looks_like_plan};

/// Removes what stands before and after each line, when all nodes have it.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let margins = of_text(lines)
        .or_else(|| of_json(lines))
        .or_else(|| of_document(lines));
    let Some((root, pattern)) = margins else {
        return false;
    };
    let is_framed = |line: &FramedLine<'_>| pattern.inner(&line.text).is_some();
    let behind = lines.get(root..).unwrap_or_default();
    let all_nodes = behind
        .iter()
        .filter(|line| has_numbers(&line.text))
        .all(is_framed);
    let framed = behind.iter().filter(|line| is_framed(line)).count();
    if framed < 2 || !all_nodes {
        return false;
    }
    let is_bracket = |line: &&FramedLine<'_>| {
        let text = line.text.trim();
        text.chars()
            .all(|c| matches!(c, ')' | ']' | '}' | ',' | ';' | '('))
    };
    let last = behind.iter().rposition(is_framed).unwrap_or(0);
    let closing = behind.iter().skip(last + 1).take_while(is_bracket).count();
    let last = root + last + closing;
    let between = || lines.get(root..=last).unwrap_or_default().iter();
    let is_odd = |line: &FramedLine<'_>| !is_framed(line) && !line.text.trim().is_empty();
    // Brackets and names between the lines (dumps of arrays); another line of the plan has a colon.
    let is_noise =
        |text: &str| !text.contains(": ") && !looks_like_plan(text.trim()) && text.len() < 80;
    let odd = between().filter(|line| is_odd(line)).count();
    let drops = odd > 0
        && between()
            .filter(|line| is_odd(line))
            .all(|line| is_noise(&line.text));
    let mut index = 0;
    lines.retain(|line| {
        let is_within = (root..=last).contains(&index);
        index += 1;
        !(drops && is_within && !is_framed(line))
    });
    for line in lines.iter_mut() {
        if let Some(inner) = pattern.inner(&line.text) {
            // Cells of Jira and Markdown.
            let inner = inner.to_owned();
            line.text = Cow::Owned(if pattern.after.ends_with('|') {
                inner.replace("\\|", "|")
            } else {
                inner
            });
        }
    }
    true
}

/// The first line of a TEXT plan, and its margins.
fn of_text(lines: &[FramedLine<'_>]) -> Option<(usize, Margins)> {
    let root = lines.iter().position(|line| has_numbers(&line.text))?;
    Some((root, Margins::of(&lines.get(root)?.text)?))
}

/// The first line of a JSON plan over several lines, and its margins: a bracket, below which `"Plan": {`
/// has the same margins. Its indentation means nothing.
fn of_json(lines: &[FramedLine<'_>]) -> Option<(usize, Margins)> {
    const KEY: &str = "\"Plan\":";
    let key = lines.iter().position(|line| line.text.contains(KEY))?;
    let (before, after) = lines.get(key)?.text.split_once(KEY)?;
    let after = after.trim().strip_prefix('{')?.trim();
    let before = before.trim_end();
    if before.trim().is_empty() && after.is_empty() {
        return None;
    }
    let margins = Margins {
        before: match before.trim() {
            "" => None,
            _ => Some(Regex::new(&pattern_of(before)).ok()?),
        },
        after: after.to_owned(),
    };
    let above = margins.inner(&lines.get(key.checked_sub(1)?)?.text)?;
    let root = match above.trim() {
        "{" | "[{" => key - 1,
        _ => return None,
    };
    let bracket = root
        .checked_sub(1)
        .filter(|above| inner_is(&margins, lines, *above, "["));
    Some((bracket.unwrap_or(root), margins))
}

/// The first line of an XML or YAML plan, and its margins.
fn of_document(lines: &[FramedLine<'_>]) -> Option<(usize, Margins)> {
    const BEGINS: [&str; 2] = ["<explain ", "- Plan:"];
    let (root, at) = lines.iter().enumerate().find_map(|(index, line)| {
        let at = BEGINS.iter().find_map(|begin| line.text.find(begin))?;
        Some((index, at))
    })?;
    let (before, first) = lines.get(root)?.text.split_at_checked(at)?;
    let after = match first.split_once('>') {
        Some((_, after)) if first.starts_with('<') => after,
        _ => first.strip_prefix("- Plan:").unwrap_or_default(),
    };
    let after = after.trim().to_owned();
    if before.trim().is_empty() && after.is_empty() {
        return None;
    }
    let before = match before.trim() {
        "" => None,
        _ => Some(Regex::new(&pattern_of(before)).ok()?),
    };
    Some((root, Margins { before, after }))
}

fn inner_is(margins: &Margins, lines: &[FramedLine<'_>], at: usize, text: &str) -> bool {
    let inner = lines.get(at).and_then(|line| margins.inner(&line.text));
    inner.is_some_and(|inner| inner.trim() == text)
}

/// What stands around a line: before it with any numbers, after it behind any blanks.
struct Margins {
    before: Option<Regex>,
    after: String,
}

impl Margins {
    /// The margins of a plan's first node; none when there are none.
    fn of(line: &str) -> Option<Margins> {
        let end = line.rfind(')')? + 1;
        let after = line.get(end..)?.trim().to_owned();
        let numbers = line.find(" (cost=").or_else(|| line.find(" (actual "))?;
        let start = title_start(line.get(..numbers)?)?;
        let before = line.get(..start)?;
        let is_blank = before.trim().is_empty();
        // Marks of psql for a line that goes on are not the frame of a line.
        let is_mark = matches!(after.as_str(), "+" | "↵" | "." | "…");
        if is_mark || (is_blank && after.is_empty()) || before.trim_start().starts_with("->") {
            return None;
        }
        let before = if is_blank {
            None
        } else {
            Some(Regex::new(&pattern_of(before)).ok()?)
        };
        Some(Margins { before, after })
    }

    /// The line without its margins; none when it has others.
    fn inner<'l>(&self, line: &'l str) -> Option<&'l str> {
        let behind = match &self.before {
            None => line,
            Some(before) => match before.find(line) {
                Some(found) => line.get(found.end()..)?,
                // An empty line has lost the blanks at its end.
                None => return None,
            },
        };
        if self.after.is_empty() {
            return Some(behind);
        }
        behind
            .trim_end()
            .strip_suffix(self.after.as_str())
            .map(str::trim_end)
    }
}

/// Where the words of a node begin in what stands before its numbers: at the first word from which
/// on all is a node's title, which is at the beginning for an unknown node.
fn title_start(text: &str) -> Option<usize> {
    let mut previous: Option<char> = None;
    for (at, character) in text.char_indices() {
        let begins_word = !previous.is_some_and(|previous| previous.is_alphanumeric());
        if begins_word
            && character.is_ascii_uppercase()
            && text.get(at..).is_some_and(begins_with_operation)
        {
            return Some(at);
        }
        previous = Some(character);
    }
    None
}

/// A pattern for the same text with other numbers, and other blanks except those before the plan.
fn pattern_of(before: &str) -> String {
    let written = before.trim_end();
    let blanks = before.get(written.len()..).unwrap_or_default();
    let mut pattern = String::from("^");
    let mut rest = written;
    while let Some(first) = rest.chars().next() {
        let is_same = |character: char| {
            (first.is_ascii_digit() && character.is_ascii_digit())
                || (first.is_whitespace() && character.is_whitespace())
        };
        let length = if first.is_ascii_digit() || first.is_whitespace() {
            rest.find(|character| !is_same(character))
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (part, behind) = rest.split_at(length);
        if first.is_ascii_digit() {
            pattern.push_str(r"\d+");
        } else if first.is_whitespace() {
            pattern.push_str(if pattern == "^" { r"\s*" } else { r"\s+" });
        } else {
            pattern.push_str(&regex::escape(part));
        }
        rest = behind;
    }
    pattern + &regex::escape(blanks)
}
