//! The plans in a value that a program printed: EXPLAIN's objects at any depth, a node without the
//! object around it, a text that is a plan, and rows of which one column has the lines of a plan.

use serde_json::{Map, Value};

use super::literal;
use super::marks::{has_numbers, holds_plan};

/// Plans within plans' texts deeper than this are not searched.
const MAX_DEPTH: usize = 100;

/// Texts in the first row of a table that may be the column with the lines.
const MAX_COLUMNS: usize = 16;

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
    .filter_map(|key| members.trim_start().strip_prefix(key))
    .any(|behind| behind.trim_start().starts_with(':'))
}

/// All plans of a value, each as a text that a reader reads.
pub(super) fn documents(value: &Value) -> Vec<String> {
    let mut documents = Vec::new();
    collect(value, 0, &mut documents);
    documents
}

fn collect(value: &Value, depth: usize, documents: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::String(text) => document(text, depth, documents),
        Value::Array(items) => {
            let items: Vec<&Value> = items.iter().collect();
            collect_items(&items, depth, documents);
        }
        Value::Object(object) if is_plan(object) => documents.push(value.to_string()),
        Value::Object(object) if has_text(object, "Node Type") => {
            let whole = Map::from_iter([("Plan".to_owned(), value.clone())]);
            documents.push(Value::Object(whole).to_string());
        }
        Value::Object(object) => {
            let items: Vec<&Value> = object.values().collect();
            if is_numbered(object) {
                collect_items(&items, depth, documents);
            } else {
                items
                    .iter()
                    .for_each(|value| collect(value, depth + 1, documents));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn collect_items(items: &[&Value], depth: usize, documents: &mut Vec<String>) {
    match lines_of(items) {
        Some(lines) => documents.push(lines),
        None => items
            .iter()
            .for_each(|item| collect(item, depth + 1, documents)),
    }
}

/// Whether an object is EXPLAIN's: the plan in it is a node.
fn is_plan(object: &Map<String, Value>) -> bool {
    let plan = object.get("Plan").and_then(Value::as_object);
    plan.is_some_and(|plan| has_text(plan, "Node Type"))
}

fn has_text(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_some_and(Value::is_string)
}

/// Whether the names of an object are the numbers of a list, in their order.
fn is_numbered(object: &Map<String, Value>) -> bool {
    let begins_at = |first: usize| {
        let mut names = object.keys().enumerate();
        names.all(|(index, name)| name.parse() == Ok(first + index))
    };
    object.len() > 1 && (begins_at(0) || begins_at(1))
}

/// A text that is a plan, or a value with plans in it.
fn document(text: &str, depth: usize, documents: &mut Vec<String>) {
    if !holds_plan(text) {
        return;
    }
    let begin = text.trim();
    if begin.starts_with(['[', '{', '(', '"'])
        && !is_plain_json(begin)
        && let Some((value, length)) = literal::value(begin)
        && length == begin.len()
    {
        collect(&value, depth + 1, documents);
        return;
    }
    // A line of JSON in a string of its own is no document.
    let is_member = begin.starts_with('"') && begin.contains("\":");
    if is_member && begin.lines().count() == 1 {
        return;
    }
    documents.push(text.to_owned());
}

/// Rows of which one column has the lines of a plan, as one text.
pub(super) fn lines_of(rows: &[&Value]) -> Option<String> {
    let first = rows.first()?;
    let mut columns = Vec::new();
    add_columns(first, &mut Vec::new(), &mut columns);
    // A single row is no list of lines; what is in it may be one.
    if rows.len() == 1 && !first.is_string() {
        return None;
    }
    columns
        .iter()
        .find_map(|column| lines_of_column(rows, column))
}

/// A member of a row: its name, or its position.
#[derive(Debug, Clone)]
enum Step {
    Name(String),
    Position(usize),
}

/// Where the texts of a row are.
fn add_columns(row: &Value, path: &mut Vec<Step>, columns: &mut Vec<Vec<Step>>) {
    const MAX_PATH: usize = 6;
    if columns.len() >= MAX_COLUMNS || path.len() > MAX_PATH {
        return;
    }
    let mut add = |step: Step, value: &Value| {
        path.push(step);
        add_columns(value, path, columns);
        path.pop();
    };
    match row {
        Value::String(_) => columns.push(path.clone()),
        Value::Array(items) => items
            .iter()
            .take(MAX_COLUMNS)
            .enumerate()
            .for_each(|(index, item)| add(Step::Position(index), item)),
        Value::Object(object) => object
            .iter()
            .take(MAX_COLUMNS)
            .for_each(|(name, value)| add(Step::Name(name.clone()), value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn text_at<'v>(row: &'v Value, column: &[Step]) -> Option<&'v str> {
    let mut value = row;
    for step in column {
        value = match step {
            Step::Name(name) => value.get(name)?,
            Step::Position(index) => value.get(index)?,
        };
    }
    value.as_str()
}

fn lines_of_column(rows: &[&Value], column: &[Step]) -> Option<String> {
    let lines: Vec<&str> = rows
        .iter()
        .map(|row| text_at(row, column).map(|line| line.strip_suffix('\n').unwrap_or(line)))
        .collect::<Option<_>>()?;
    let is_value = |line: &&str| line.trim_start().starts_with(['[', '{', '"']);
    let is_one_value = lines.len() == 1 && lines.iter().any(is_value);
    let are_values = lines.len() > 1 && lines.iter().all(|line| line.contains("\"Plan\""));
    let are_plans = lines.len() > 1 && lines.iter().all(|line| is_whole(line));
    let text = lines.join("\n");
    (!is_one_value && !are_values && !are_plans && holds_plan(&text)).then_some(text)
}

/// Whether a text is a plan of several lines by itself.
fn is_whole(text: &str) -> bool {
    let mut lines = text.trim_start().lines();
    lines.next().is_some_and(has_numbers) && lines.next().is_some()
}
