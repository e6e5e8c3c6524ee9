//! The lines below a plan about the whole statement: `Planning Time: …`, `Trigger …`,
//! `Settings: …`, `Serialization: …`.

use serde_json::{Map, Value};

use super::detail;
use crate::plan::read::error::Reason;
use crate::plan::read::number::number;

type PropertyMap = Map<String, Value>;

/// Labels that are about the whole plan, with the names the JSON format has for them. 9.6 and
/// before wrote the times in lower case.
const LABELS: &[(&str, &str)] = &[
    ("Planning Time", "Planning Time"),
    ("Planning time", "Planning Time"),
    ("Execution Time", "Execution Time"),
    ("Execution time", "Execution Time"),
    ("Total runtime", "Total Runtime"),
    ("Query Identifier", "Query Identifier"),
    ("Settings", "Settings"),
    ("Serialization", "Serialization"),
    // Greenplum
    ("Optimizer", "Optimizer"),
    ("Optimizer status", "Optimizer status"),
    ("Memory used", "Memory used"),
    ("Memory wanted", "Memory wanted"),
];

/// Whether a line is about the whole plan.
pub(crate) fn is_summary(text: &str) -> bool {
    if matches!(
        text,
        "Planning:" | "JIT:" | "Slice statistics:" | "Statement statistics:"
    ) {
        return true;
    }
    match text.split_once(": ") {
        Some((label, value)) => {
            LABELS.iter().any(|(known, _)| *known == label)
                || (label.starts_with("Trigger ") && trigger(label, value).is_some())
        }
        None => false,
    }
}

/// Whether a line is about the whole plan even where the details of its first node are.
pub(super) fn is_of_whole_plan(text: &str) -> bool {
    let label = text.split_once(": ").map_or(text, |(label, _)| label);
    text == "JIT:" || LABELS.iter().any(|(known, _)| *known == label)
}

/// The block a line opens, whose lines are indented below it.
pub(super) fn block(text: &str) -> Option<&'static str> {
    match text {
        "Planning:" => Some("Planning"),
        "JIT:" => Some("JIT"),
        "Slice statistics:" => Some("Slice statistics"),
        "Statement statistics:" => Some("Statement statistics"),
        _ if text.starts_with("Serialization: ") => Some("Serialization"),
        _ => None,
    }
}

/// Reads a line about the whole plan.
pub(super) fn read(text: &str, summary: &mut PropertyMap) -> Result<(), Reason> {
    let Some((label, value)) = text.split_once(": ") else {
        return Ok(());
    };
    let damaged = || Reason::Syntax(format!("\"{label}:\" has an unexpected value"));
    match label {
        "Settings" => {
            summary.insert(
                label.to_owned(),
                Value::Object(settings(value).ok_or_else(damaged)?),
            );
        }
        "Serialization" => {
            summary.insert(
                label.to_owned(),
                Value::Object(serialization(value).ok_or_else(damaged)?),
            );
        }
        _ if label.starts_with("Trigger ") => {
            let trigger = trigger(label, value).ok_or_else(damaged)?;
            if let Value::Array(triggers) = summary
                .entry("Triggers")
                .or_insert_with(|| Value::Array(Vec::new()))
            {
                triggers.push(Value::Object(trigger));
            }
        }
        _ => {
            let name = LABELS
                .iter()
                .find(|(known, _)| *known == label)
                .map_or(label, |(_, name)| name);
            detail::read(name, value, summary)?;
        }
    }
    Ok(())
}

/// `Trigger t for constraint c on r: time=0.1 calls=2`: the name only with VERBOSE or without a
/// constraint, the relation only when there are several.
fn trigger(label: &str, value: &str) -> Option<PropertyMap> {
    let mut names = label.strip_prefix("Trigger")?;
    let mut trigger = PropertyMap::new();
    let mut put = |property: &str, text: &str| {
        trigger.insert(property.to_owned(), Value::String(text.to_owned()))
    };
    let relation = names.rsplit_once(" on ").map(|(rest, relation)| {
        names = rest;
        relation
    });
    match names.split_once(" for constraint ") {
        Some((name, constraint)) => {
            if !name.trim().is_empty() {
                put("Trigger Name", name.trim());
            }
            put("Constraint Name", constraint);
        }
        None => {
            put("Trigger Name", names.trim());
        }
    }
    if let Some(relation) = relation {
        put("Relation", relation);
    }
    for word in value.split(' ') {
        let (what, digits) = word.split_once('=')?;
        let property = match what {
            "time" => "Time",
            "calls" => "Calls",
            _ => return None,
        };
        trigger.insert(property.to_owned(), number(digits)?);
    }
    Some(trigger)
}

/// `a = 'x', b = NULL`; quotes within a value are printed as they are.
fn settings(text: &str) -> Option<PropertyMap> {
    if !text.contains(" = ") {
        return settings_of_greenplum(text);
    }
    let mut settings = PropertyMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, value) = rest.split_once(" = ")?;
        let (value, behind) = match value.strip_prefix('\'') {
            Some(quoted) => {
                let end = end_of_setting(quoted)?;
                (
                    Value::String(quoted.get(..end)?.to_owned()),
                    quoted.get(end + 1..)?,
                )
            }
            None => (Value::Null, value.strip_prefix("NULL")?),
        };
        settings.insert(name.to_owned(), value);
        rest = behind.strip_prefix(", ").unwrap_or(behind);
    }
    Some(settings)
}

/// `enable_hashjoin=off; optimizer=on`.
fn settings_of_greenplum(text: &str) -> Option<PropertyMap> {
    let pairs = text.split("; ").map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        Some((name.to_owned(), Value::String(value.to_owned())))
    });
    pairs.collect()
}

/// The quote after which the text ends or another setting begins.
fn end_of_setting(text: &str) -> Option<usize> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    };
    let begins_setting = |rest: &str| {
        rest.strip_prefix(", ")
            .and_then(|rest| rest.split_once(" = "))
            .is_some_and(|(name, _)| is_name(name))
    };
    let ends = |(at, _): &(usize, &str)| {
        text.get(at + 1..)
            .is_some_and(|rest| rest.is_empty() || begins_setting(rest))
    };
    text.match_indices('\'').find(ends).map(|(at, _)| at)
}

/// `time=0.1 ms  output=5kB  format=text`
fn serialization(value: &str) -> Option<PropertyMap> {
    let mut properties = PropertyMap::new();
    for part in value.split("  ") {
        let (what, amount) = part.split_once('=')?;
        let (property, value) = match what {
            "time" => ("Time", number(amount.strip_suffix(" ms")?)?),
            "output" => ("Output Volume", number(amount.strip_suffix("kB")?)?),
            "format" => ("Format", Value::String(amount.to_owned())),
            _ => return None,
        };
        properties.insert(property.to_owned(), value);
    }
    Some(properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn summaries_become_properties() {
        let mut summary = PropertyMap::new();
        for line in [
            "Planning time: 0.5 ms",
            "Trigger a b: time=0.5 calls=2",
            "Trigger RI_x for constraint c on t: calls=1",
            "Trigger for constraint d: time=1.5 calls=1",
            "Settings: search_path = '\"a'b\", public', jit = 'off', x.y = NULL",
            "Serialization: time=0.5 ms  output=3kB  format=text",
        ] {
            assert!(is_summary(line), "{line}");
            read(line, &mut summary).unwrap();
        }
        assert_eq!(
            Value::Object(summary),
            json!({"Planning Time": 0.5,
                   "Triggers": [{"Trigger Name": "a b", "Time": 0.5, "Calls": 2},
                                {"Trigger Name": "RI_x", "Constraint Name": "c", "Relation": "t", "Calls": 1},
                                {"Constraint Name": "d", "Time": 1.5, "Calls": 1}],
                   "Settings": {"search_path": "\"a'b\", public", "jit": "off", "x.y": null},
                   "Serialization": {"Time": 0.5, "Output Volume": 3, "Format": "text"}})
        );
    }
}
