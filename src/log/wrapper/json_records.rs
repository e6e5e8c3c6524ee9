//! JSON of a collector: records in a list, in an object, or one a line. The server's text is a
//! member of each record (`textPayload`, `message`, `log`, `MESSAGE`, …). Which one is found by what
//! it holds, not by its name.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::lines::{Lines, begins_entry, is_servers_own};
use super::message::{is_bare_event, push_entries};
use crate::log::label;

/// Texts of which at least one is in every log; others are not parsed.
const MARKS: &[&str] = &["LOG:", "duration: ", "error_severity"];

/// Where a text is in its record: names of members, without positions in lists.
type Path = Vec<String>;

/// A text in a record.
struct Member<'v> {
    path: Path,
    text: &'v str,
    /// The object it is in.
    object: &'v Map<String, Value>,
    /// The record it is in.
    line: usize,
}

pub(super) fn unwrap(text: &str) -> Option<Lines> {
    let begins = text.trim_start().starts_with(['{', '[']);
    let is_log = || MARKS.iter().any(|mark| text.contains(mark)) || has_bytes(text);
    if !begins || !is_log() || is_servers_own(text) {
        return None;
    }
    let mut values = values(text);
    values.iter_mut().for_each(|(value, _)| expand(value, 0));
    let (mut members, no_object) = (Vec::new(), Map::new());
    for (value, line) in &values {
        collect(value, &no_object, &mut Vec::new(), *line, &mut members);
    }
    let of_kind = |is_it: &dyn Fn(&Member<'_>) -> bool| {
        let path = &members.iter().find(|member| is_it(member))?.path;
        Some(members.iter().filter(move |member| member.path == *path))
    };
    if let Some(entries) = of_kind(&|member| begins_entry(member.text)) {
        return Some(with_labels(&entries.collect::<Vec<_>>()));
    }
    let messages = of_kind(&|member| is_bare_event(member.text))?;
    let mut lines = Lines::default();
    for member in messages {
        lines.push(&as_jsonlog(member), member.line);
    }
    Some(lines)
}

/// The values of a text, with the line each begins in. What is no JSON is skipped.
fn values(text: &str) -> Vec<(Value, usize)> {
    let (mut values, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.trim().is_empty()) {
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', ',']).len();
        line += feeds(rest.get(..blank));
        let rest = rest.get(blank..).unwrap_or_default();
        at += blank;
        let mut parsed = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let length = match parsed.next() {
            Some(Ok(value)) if value.is_object() || value.is_array() => {
                values.push((value, line));
                parsed.byte_offset()
            }
            _ => rest.find('\n').map_or(rest.len(), |feed| feed + 1),
        };
        line += feeds(rest.get(..length));
        at += length.max(1);
    }
    values
}

/// Puts records that are texts of JSON within a record, and texts that are lists of bytes (journald has
/// them where a text has control characters), in place of these texts.
fn expand(value: &mut Value, depth: usize) {
    const MAX_DEPTH: usize = 8;
    if depth > MAX_DEPTH {
        return;
    }
    if let Value::Object(object) = value {
        object.values_mut().for_each(|it| expand(it, depth + 1));
    } else if let Some(text) = text_of_bytes(value) {
        *value = Value::String(text);
    } else if let Value::Array(items) = value {
        items.iter_mut().for_each(|it| expand(it, depth + 1));
    } else if let Value::String(text) = value {
        let begin = text.trim_start();
        let may_be = begin.starts_with(['{', '[']) && MARKS.iter().any(|mark| text.contains(mark));
        let own = is_servers_own(text);
        let inner = (may_be && !own).then(|| serde_json::from_str::<Value>(begin));
        if let Some(Ok(mut inner)) = inner {
            expand(&mut inner, depth + 1);
            *value = inner;
        }
    }
}

/// Whether a text may have messages as lists of bytes.
fn has_bytes(text: &str) -> bool {
    text.contains("\"MESSAGE\":[") || text.contains("\"MESSAGE\": [")
}

fn text_of_bytes(value: &Value) -> Option<String> {
    const MIN_BYTES: usize = 10;
    let items = value.as_array().filter(|items| items.len() >= MIN_BYTES)?;
    let bytes: Option<Vec<u8>> = items
        .iter()
        .map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok()))
        .collect();
    String::from_utf8(bytes?).ok()
}

fn feeds(text: Option<&str>) -> usize {
    text.unwrap_or_default().matches('\n').count()
}

/// All texts of a value, in their order.
fn collect<'v>(
    value: &'v Value,
    object: &'v Map<String, Value>,
    path: &mut Path,
    line: usize,
    members: &mut Vec<Member<'v>>,
) {
    match value {
        Value::String(text) => members.push(Member {
            path: path.clone(),
            text,
            object,
            line,
        }),
        Value::Array(items) => {
            // Loki has pairs of a time and a line.
            let is_simple = |item: &Value| !item.is_object() && !item.is_array();
            let is_pair = items.len() == 2 && items.iter().all(is_simple);
            for (index, item) in items.iter().enumerate() {
                if is_pair {
                    path.push(index.to_string());
                }
                collect(item, object, path, line, members);
                if is_pair {
                    path.pop();
                }
            }
        }
        Value::Object(object) => {
            // CloudWatch Logs Insights has each field as an object of its name and its value.
            let named = named_field(object);
            for (name, value) in object {
                let field = named.filter(|_| name == "value");
                path.push(field.unwrap_or(name).to_owned());
                collect(value, object, path, line, members);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The name in `{"field": "@message", "value": "…"}`.
fn named_field(object: &Map<String, Value>) -> Option<&str> {
    let is_field = object.len() == 2 && object.contains_key("value");
    object.get("field").filter(|_| is_field)?.as_str()
}

/// Texts that hold entries with their labels, or lines of them. Where each text ends with a line
/// feed, one without it is a part of a long line (Docker).
fn with_labels(members: &[&Member<'_>]) -> Lines {
    let mut lines = Lines::default();
    let ended = members
        .iter()
        .filter(|member| member.text.ends_with('\n'))
        .count();
    let are_lines = ended > 0 && ended * 2 >= members.len();
    let mut part = String::new();
    let mut delivered = HashSet::new();
    for member in members {
        if !are_lines {
            // Collectors deliver a record at least once: the same entry of the same process at the
            // same time is one.
            let has_time =
                label::find(member.text).is_some_and(|it| label::time(it.prefix).is_some());
            if has_time && !delivered.insert(member.text) {
                continue;
            }
            push_entries(&mut lines, member.text, member.line);
            continue;
        }
        part.push_str(member.text);
        if part.ends_with('\n') {
            push_entries(&mut lines, &part, member.line);
            part.clear();
        }
    }
    if let Some(last) = members.last().filter(|_| !part.is_empty()) {
        push_entries(&mut lines, &part, last.line);
    }
    lines
}

/// The message of a record whose other members are columns of an entry, as jsonlog has it.
fn as_jsonlog(member: &Member<'_>) -> String {
    let column = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| deep(member.object, name, 0))
            .filter(|text| !text.is_empty())
    };
    let mut entry = Map::new();
    let mut put = |name: &str, text: Option<String>| {
        text.map(|text| entry.insert(name.to_owned(), Value::String(text)))
    };
    let time = column(&["log_time", "timestamp", "time", "ts"]);
    put("timestamp", Some(time.unwrap_or_default()));
    let severity = column(&["error_severity", "errorLevel"]);
    put(
        "error_severity",
        Some(severity.unwrap_or_else(|| "LOG".to_owned())),
    );
    put("message", Some(member.text.to_owned()));
    put("detail", column(&["detail"]));
    put("context", column(&["context"]));
    put("statement", column(&["statement", "query"]));
    put("application_name", column(&["application_name"]));
    put("dbname", column(&["dbname", "database_name", "datname"]));
    let process = column(&["pid", "process_id", "processId"]);
    if let Some(process) = process.and_then(|process| process.parse::<u32>().ok()) {
        entry.insert("pid".to_owned(), process.into());
    }
    Value::Object(entry).to_string()
}

/// The first member of that name in an object or the objects in it.
fn deep(object: &Map<String, Value>, name: &str, depth: usize) -> Option<String> {
    const MAX_DEPTH: usize = 4;
    match object.get(name) {
        Some(Value::String(text)) => return Some(text.clone()),
        Some(Value::Number(number)) => return Some(number.to_string()),
        _ if depth >= MAX_DEPTH => return None,
        _ => {}
    }
    object.values().find_map(|value| match value {
        Value::Object(inner) => deep(inner, name, depth + 1),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_object)
            .find_map(|inner| deep(inner, name, depth + 1)),
        _ => None,
    })
}
