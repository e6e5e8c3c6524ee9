//! What a program printed of a query's result: rows of `QUERY PLAN`, tuples, lists of lines, JSON in
//! a JSON string, objects around a plan, a node without the object around it.

use std::borrow::Cow;

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::text::begins_with_operation;
use super::line::FramedLine;
use super::marks::{has_numbers, holds_plan};
use super::values::{documents, is_plain_json, lines_of};
use super::{dumps, literal};

/// Places in a line where a value may begin that are tried.
const MAX_PLACES: usize = 8;

/// Characters before a value in its line, at most.
const MAX_PREFIX: usize = 400;

/// Replaces each value that begins at the beginning of a line and holds plans by these plans.
pub(super) fn unwrap(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let text = joined(lines);
    if is_plain_json(&text) || !holds_plan(&text) {
        return false;
    }
    if rows_on_lines(lines) {
        return true;
    }
    let mut search = Search::of(&text, lines);
    let mut unwrapped = Vec::with_capacity(lines.len());
    let (mut changed, mut at, mut index) = (false, 0, 0);
    while let Some(line) = lines.get(index) {
        let rest = text.get(at..).unwrap_or_default();
        // What is within EXPLAIN's own JSON, perhaps in a table, is no value of its own.
        if is_plain_json(rest) && line.text.trim_start().starts_with(['[', '{']) {
            unwrapped.extend(lines.iter().skip(index).cloned());
            break;
        }
        if let Some((documents, length)) = search.value_with_plans(&text, at) {
            let number = line.number;
            let push = |text: &str| FramedLine {
                number,
                text: Cow::Owned(text.to_owned()),
            };
            for document in documents {
                unwrapped.extend(document.lines().map(push));
                unwrapped.push(push(""));
            }
            // What follows in the value's last line is not the plan's.
            let end = at + length;
            while at < end && index < lines.len() {
                at += lines.get(index).map_or(0, |line| line.text.len() + 1);
                index += 1;
            }
            changed = true;
            continue;
        }
        unwrapped.push(line.clone());
        at += line.text.len() + 1;
        index += 1;
    }
    if changed {
        *lines = unwrapped;
    }
    changed
}

/// Replaces rows that stand each on a line of their own (JSON lines, tuples that were printed one by
/// one) by the lines of the plan that they hold.
fn rows_on_lines(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let row = |line: &FramedLine<'_>| {
        let text = line.text.trim();
        // Quotes alone are CSV's, unless an escape stands in them.
        let is_string = text.starts_with(['"', '\'']) && text.contains("\\n");
        let is_typed = text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.ends_with([')', '>', '}', ','])
            && may_be_value(text);
        if !text.starts_with(['(', '{', '[']) && !is_string && !is_typed {
            return None;
        }
        let (value, length) = literal::value(text)?;
        let behind = text.get(length..)?.trim();
        matches!(behind, "" | "," | ";" | "+").then_some(match value {
            Value::String(line) => Value::String(line.trim_end_matches('\n').to_owned()),
            value => value,
        })
    };
    let rows: Vec<Option<Value>> = lines.iter().map(row).collect();
    let mut start = 0;
    while start < rows.len() {
        // The plan's first lines may be in a list that goes on here.
        if rows.get(start).is_some_and(Option::is_none)
            && lines.get(start).is_some_and(|line| holds_plan(&line.text))
        {
            return false;
        }
        let run: Vec<&Value> = rows.iter().skip(start).map_while(Option::as_ref).collect();
        let length = run.len();
        let of_plan = || lines_of(&run).filter(|text| text.lines().count() == length);
        if length > 1
            && let Some(text) = of_plan()
        {
            for (line, text) in lines.iter_mut().skip(start).zip(text.lines()) {
                line.text = Cow::Owned(text.to_owned());
            }
            return true;
        }
        start += length.max(1);
    }
    false
}

pub(super) fn joined(lines: &[FramedLine<'_>]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

/// Searches lines for values with plans. What is read without success is limited, so that the time is
/// proportional to the size of the text.
struct Search {
    /// Bytes that may still be read without success.
    left: usize,
    /// Whether a value may begin behind other words of a line: not where the text itself has a plan.
    within_lines: bool,
    /// How many nodes the text has, as far as TEXT plans have them.
    nodes: usize,
    /// Up to there the text belongs to a value that could not be read; what is in it is a part.
    behind: usize,
}

impl Search {
    fn of(text: &str, lines: &[FramedLine<'_>]) -> Search {
        const TIMES: usize = 16;
        let is_plan = |line: &FramedLine<'_>| {
            let text = line.text.trim_start();
            let text = text.strip_prefix("->").unwrap_or(text).trim_start();
            (has_numbers(text) && begins_with_operation(title_of(text)))
                || text.starts_with("- Plan:")
                || text.starts_with("<explain")
        };
        Search {
            left: text.len().saturating_mul(TIMES).saturating_add(1 << 20),
            within_lines: !lines.iter().any(is_plan),
            nodes: nodes(text),
            behind: 0,
        }
    }

    /// The plans of the value that begins in the line at an offset, and where it ends.
    fn value_with_plans(&mut self, text: &str, at: usize) -> Option<(Vec<String>, usize)> {
        let line = text.get(at..)?.lines().next()?;
        for place in self.places(line) {
            if at + place < self.behind || self.left == 0 {
                continue;
            }
            let rest = text.get(at + place..)?;
            // A reader reads EXPLAIN's own JSON, with positions.
            let is_own = is_plain_json(rest) && line.get(..place)?.trim().is_empty();
            if is_own || !may_be_value(rest) {
                continue;
            }
            let is_sql = rest.starts_with('\'') && is_sql(line.get(..place)?);
            let read = if is_sql {
                sql_string(rest)
            } else {
                self.plans_of(rest, at + place)
            };
            if let Some((documents, length)) = read {
                return Some((documents, place + length));
            }
        }
        None
    }

    fn plans_of(&mut self, text: &str, at: usize) -> Option<(Vec<String>, usize)> {
        let (value, length) = if dumps::begins(text) {
            dumps::read(text)
        } else {
            literal::read(text)
        };
        let documents = value.as_ref().map(documents).unwrap_or_default();
        // A line of a plan whose other lines are somewhere else.
        let is_part = |document: &String| {
            let is_line = document.lines().count() == 1 && has_numbers(document);
            is_line && (nodes(document) < self.nodes || !begins_with_operation(title_of(document)))
        };
        let is_useless = match documents.as_slice() {
            [] => true,
            [only] => is_part(only),
            _ => false,
        };
        if !is_useless {
            return Some((documents, length));
        }
        self.left = self.left.saturating_sub(length);
        if value.is_none() && !text.starts_with(['"', '\'', '`']) {
            self.behind = self.behind.max(at + length);
        }
        None
    }

    /// Where in a line a value may begin.
    fn places(&self, line: &str) -> Vec<usize> {
        const MAX_BLANKS: usize = 200;
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        if blanks > MAX_BLANKS {
            return Vec::new();
        }
        let mut places = vec![blanks];
        places.extend(assigned(line));
        if !self.within_lines || line.trim_start().starts_with('"') {
            return places;
        }
        // What is within a plan is a part of it.
        let plan = ["Plan\"", "Plan'", "Node Type"]
            .iter()
            .filter_map(|key| line.find(key));
        let end = plan.min().unwrap_or(MAX_PREFIX).min(MAX_PREFIX);
        let (mut before, mut prefix) = (None, None);
        for (at, character) in line.char_indices().take_while(|(at, _)| *at < end) {
            let begins = matches!(character, '[' | '{' | '"' | '\'');
            let separates = |character: Option<char>| {
                matches!(
                    character,
                    Some(' ' | '\t' | '=' | ':' | '>' | '(' | ',' | '|')
                )
            };
            // `E'…'`, `b'…'`
            let is_prefixed = matches!(before, Some('E' | 'b' | 'u' | 'r')) && character != '[';
            let is_free = separates(before) || (is_prefixed && separates(prefix));
            if begins && is_free && places.len() < MAX_PLACES && !places.contains(&at) {
                places.push(at);
            }
            (prefix, before) = (before, Some(character));
        }
        places
    }
}

/// Whether a statement begins before a string: its backslashes are no escapes, unless an `E` is
/// before it.
fn is_sql(before: &str) -> bool {
    let lower = before.to_ascii_lowercase();
    let words = ["select ", "values", "insert ", "update ", "set "];
    words.iter().any(|word| lower.contains(word)) && !lower.ends_with('e')
}

fn sql_string(text: &str) -> Option<(Vec<String>, usize)> {
    let (value, length) = literal::sql_string(text)?;
    let documents = documents(&value);
    (!documents.is_empty()).then_some((documents, length))
}

/// What stands before a node's numbers.
fn title_of(line: &str) -> &str {
    let line = line.trim_start();
    let line = line.strip_prefix("->").unwrap_or(line).trim_start();
    line.split(" (").next().unwrap_or_default()
}

/// How many nodes a text has by their numbers.
fn nodes(text: &str) -> usize {
    let of = |numbers: &str| text.matches(numbers).count();
    of("(cost=").max(of("(actual "))
}

/// Whether a text begins as a value with plans does.
fn may_be_value(text: &str) -> bool {
    static TYPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:%?[A-Z][\w.]*(?:\(\[|\(\{|\([A-Za-z_]+=['\x22]| ?\{| \[)|%\{|array ?\(|map\[string\]|(?:RealDict|Ordered)\w+\(|object\(|b['\x22])").ok()
    });
    let first_line = text.lines().next().unwrap_or_default();
    let Some(first) = first_line.chars().next() else {
        return false;
    };
    match first {
        '[' | '{' => !first_line.starts_with("[ ") || first_line.contains(['"', '\'']),
        '(' => ["(\"", "('", "([", "({", "(b'"]
            .iter()
            .any(|start| first_line.starts_with(start)),
        // A single string is one only when it holds lines; quotes around lines are a frame of their own.
        '"' | '\'' => {
            let inner = first_line.trim_start_matches(first);
            first_line.contains("\\n")
                || first_line.contains("\\\"")
                || matches!(inner.trim_end(), "[" | "{" | "- Plan:")
                || ["[{", "{\"", "<explain "]
                    .iter()
                    .any(|begin| inner.starts_with(begin))
        }
        _ => {
            let is_typed = TYPED.as_ref().is_some_and(|typed| typed.is_match(text));
            (is_typed && !first_line.contains("(cost=")) || dumps::begins(text) || {
                is_typed && first_line.contains(['"', '\''])
            }
        }
    }
}

/// Where the value of `plan = [{…`, `const plan = …`, `$VAR1 = …` begins.
fn assigned(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(" = ")?;
    let is_name = name.len() < 40
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ' | b'.' | b'$'));
    (is_name && may_be_value(value)).then_some(name.len() + 3)
}
