//! What a program printed of a query's result: rows of `QUERY PLAN`, tuples, lists of lines, JSON in
//! a JSON string, objects around a plan, a node without the object around it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::line::FramedLine;
use super::literal;
use super::marks::holds_plan;

/// Plans within plans' texts deeper than this are not searched.
const MAX_DEPTH: usize = 100;

/// Replaces each value that begins at the beginning of a line and holds plans by these plans.
pub(super) fn unwrap(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let text = joined(lines);
    if is_plain_json(&text) || !holds_plan(&text) {
        return false;
    }
    if rows_on_lines(lines) {
        return true;
    }
    let mut unwrapped = Vec::with_capacity(lines.len());
    let (mut changed, mut at, mut index) = (false, 0, 0);
    while let Some(line) = lines.get(index) {
        let rest = text.get(at..).unwrap_or_default();
        // What is within EXPLAIN's own JSON, perhaps in a table, is no value of its own.
        if is_plain_json(rest) && line.text.trim_start().starts_with(['[', '{']) {
            unwrapped.extend(lines.iter().skip(index).cloned());
            break;
        }
        if let Some((documents, length)) = value_with_plans(rest) {
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
        if !text.starts_with(['(', '{', '[']) && !is_string {
            return None;
        }
        let (value, length) = literal::value(text)?;
        let behind = text.get(length..)?.trim();
        matches!(behind, "" | "," | "+").then_some(match value {
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
        let run: Vec<Value> = rows
            .iter()
            .skip(start)
            .map_while(Option::as_ref)
            .cloned()
            .collect();
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

/// EXPLAIN's own JSON is read as it is, so that errors have positions.
pub(super) fn is_plain_json(text: &str) -> bool {
    let begin = text.trim_start();
    let object = begin.strip_prefix('[').unwrap_or(begin).trim_start();
    let Some(members) = object.strip_prefix('{') else {
        return false;
    };
    [
        "\"Plan\"",
        "\"Query Text\"",
        "\"Query Identifier\"",
        "\"Query Parameters\"",
    ]
    .iter()
    .any(|key| members.trim_start().starts_with(key))
}

/// The plans of the value that a text begins with, and the value's length.
fn value_with_plans(text: &str) -> Option<(Vec<String>, usize)> {
    const MAX_BLANKS: usize = 200;
    let trimmed = text.trim_start_matches([' ', '\t']);
    let trimmed = assigned(trimmed).unwrap_or(trimmed);
    let blanks = text.len() - trimmed.len();
    let first_line = trimmed.lines().next().unwrap_or_default();
    let may_be = match trimmed.bytes().next()? {
        b'[' | b'{' => !first_line.starts_with("[ ") || first_line.contains('"'),
        b'(' => {
            first_line.starts_with("(\"")
                || first_line.starts_with("('")
                || first_line.starts_with("([")
                || first_line.starts_with("({")
        }
        // A single string is one only when it holds lines; quotes around lines are a frame of their own.
        b'"' | b'\'' => first_line.contains("\\n") || first_line.contains("\\\""),
        byte => {
            byte.is_ascii_uppercase() && first_line.contains("([") && !first_line.contains("(cost=")
        }
    };
    if !may_be || blanks > MAX_BLANKS || is_plain_json(trimmed) {
        return None;
    }
    let (value, length) = literal::value(trimmed)?;
    let mut documents = Vec::new();
    collect(&value, 0, &mut documents);
    (!documents.is_empty()).then_some((documents, blanks + length))
}

/// The value of `plan = [{…`, `const plan = …`.
fn assigned(text: &str) -> Option<&str> {
    let line = text.lines().next()?;
    let (name, value) = line.split_once(" = ")?;
    let is_name = name.len() < 40
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ' | b'.'));
    let begins = value.starts_with(['[', '{', '(']);
    (is_name && begins)
        .then(|| text.get(name.len() + 3..))
        .flatten()
}

/// All plans of a value, each as a text that a reader reads.
fn collect(value: &Value, depth: usize, documents: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::String(text) => document(text, depth, documents),
        Value::Array(items) => match lines_of(items) {
            Some(lines) => documents.push(lines),
            None => items
                .iter()
                .for_each(|item| collect(item, depth + 1, documents)),
        },
        Value::Object(object) => {
            if object.get("Plan").is_some_and(Value::is_object) {
                documents.push(value.to_string());
            } else if object.get("Node Type").is_some_and(Value::is_string) {
                let whole = Map::from_iter([("Plan".to_owned(), value.clone())]);
                documents.push(Value::Object(whole).to_string());
            } else {
                object
                    .values()
                    .for_each(|value| collect(value, depth + 1, documents));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text that is a plan, or a value with plans in it.
fn document(text: &str, depth: usize, documents: &mut Vec<String>) {
    if !holds_plan(text) {
        return;
    }
    let begin = text.trim_start();
    // A line of JSON in a string of its own is no document.
    let is_member = begin.starts_with('"') && begin.contains("\":");
    if is_member && text.trim_end().lines().count() == 1 {
        return;
    }
    if begin.starts_with(['[', '{', '(', '"'])
        && !is_plain_json(begin)
        && let Some((value, _)) = literal::value(begin)
    {
        collect(&value, depth + 1, documents);
        return;
    }
    documents.push(text.to_owned());
}

/// Rows of which one column has the lines of a plan, as one text.
fn lines_of(rows: &[Value]) -> Option<String> {
    const MAX_COLUMNS: usize = 8;
    (0..MAX_COLUMNS).find_map(|column| lines_of_column(rows, column))
}

fn lines_of_column(rows: &[Value], column: usize) -> Option<String> {
    let lines: Vec<&str> = rows
        .iter()
        .map(|row| cell(row, column))
        .collect::<Option<_>>()?;
    let is_value = |line: &&str| line.trim_start().starts_with(['[', '{', '"']);
    let is_one_value = lines.len() == 1 && lines.iter().any(is_value);
    let are_values = lines.len() > 1 && lines.iter().all(|line| line.contains("\"Plan\""));
    let text = lines.join("\n");
    (!is_one_value && !are_values && holds_plan(&text)).then_some(text)
}

/// The text in a column of a row: a text by itself, a tuple, an object, or a list of names and values.
fn cell(row: &Value, column: usize) -> Option<&str> {
    match row {
        Value::String(text) if column == 0 => Some(text),
        Value::Array(cells) => match cells.as_slice() {
            [only @ (Value::Array(_) | Value::Object(_))] => cell(only, column),
            cells => cells.get(column)?.as_str(),
        },
        Value::Object(cells) => cells.values().nth(column)?.as_str(),
        _ => None,
    }
}
