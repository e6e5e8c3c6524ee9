//! The lines below a headline: `Label: value`, by a table of what their values are.

use serde_json::{Map, Value};

use super::composite;
use super::identifier::split_list;
use crate::plan::read::error::Reason;
use crate::plan::read::number::number;
use crate::plan::read::property::{PropertyType, property_type};

type PropertyMap = Map<String, Value>;

/// Reads one label's value into properties; none when it is damaged.
type ValueReader = fn(&str, &mut PropertyMap) -> Option<()>;

/// Lines that hold several properties, or whose label is not the property's name. All others are
/// one property named as the label.
const COMPOSITES: &[(&str, ValueReader)] = &[
    ("Buffers", composite::buffers),
    ("I/O Timings", composite::io_timings),
    ("WAL", composite::wal),
    ("Heap Blocks", composite::heap_blocks),
    ("Tuples", composite::tuples),
    ("Memory", composite::memory),
    ("Sort Method", composite::sort_method),
    ("Buckets", composite::buckets),
    ("Batches", composite::hash_aggregate_batches),
    ("Planned Partitions", composite::planned_partitions),
    ("Hits", composite::memoize),
    ("Storage", composite::storage),
    ("Full-sort Groups", composite::full_sort_groups),
    ("Pre-sorted Groups", composite::presorted_groups),
    ("Presorted Groups", composite::presorted_groups),
    ("Sampling", composite::sampling),
    ("Options", composite::jit_options),
    ("Timing", composite::jit_timing),
    ("Estimates", composite::memoize_estimates),
];

/// Whether a line begins with a label PostgreSQL prints.
pub(super) fn is_known(text: &str) -> bool {
    match text.split_once(": ") {
        Some((label, _)) => {
            COMPOSITES.iter().any(|(known, _)| *known == label)
                || property_type(label).is_some()
                || is_worker(label)
        }
        None => matches!(text, "Planning:" | "JIT:"),
    }
}

fn is_worker(label: &str) -> bool {
    label
        .strip_prefix("Worker ")
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Reads a detail into the properties of what it belongs to.
pub(super) fn read(label: &str, value: &str, properties: &mut PropertyMap) -> Result<(), Reason> {
    let composite = COMPOSITES.iter().find(|(known, _)| *known == label);
    if let Some((_, reading)) = composite {
        let odd = || Reason::Syntax(format!("\"{label}:\" has an unexpected value"));
        if ONCE.contains(&label) {
            return add_once(|own| reading(value, own).ok_or_else(odd), label, properties);
        }
        return reading(value, properties).ok_or_else(odd);
    }
    if is_grouping(label, properties) {
        add_grouping(label, value, properties);
        return Ok(());
    }
    if properties.contains_key(label) {
        add_other_line(properties, &format!("{label}: {value}"));
        return Ok(());
    }
    let value = typed(label, value)?;
    properties.insert(label.to_owned(), value);
    Ok(())
}

/// Lines that a node has once: another one belongs to something whose line is lost (`Planning:`).
const ONCE: &[&str] = &["Buffers", "I/O Timings", "WAL"];

/// Adds what such a line says, unless the node has it already with other numbers.
fn add_once(
    reading: impl FnOnce(&mut PropertyMap) -> Result<(), Reason>,
    label: &str,
    properties: &mut PropertyMap,
) -> Result<(), Reason> {
    let mut own = PropertyMap::new();
    reading(&mut own)?;
    let differs =
        |(name, value): (&String, &Value)| properties.get(name).is_some_and(|known| known != value);
    if own.iter().any(differs) {
        return Err(Reason::Syntax(format!("\"{label}:\" stands there twice")));
    }
    properties.extend(own);
    Ok(())
}

/// The value of a line with one property.
fn typed(label: &str, text: &str) -> Result<Value, Reason> {
    let wrong = |kind: PropertyType| Reason::WrongType {
        property: label.to_owned(),
        expected: kind.expected(),
    };
    match property_type(label) {
        // A unit may follow: "0.120 ms", "3 b".
        Some(PropertyType::Number) => {
            let digits = text.split(' ').next().unwrap_or_default();
            number(digits).ok_or_else(|| wrong(PropertyType::Number))
        }
        Some(PropertyType::Flag) => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong(PropertyType::Flag)),
        },
        Some(PropertyType::Texts) => Ok(texts(text)),
        Some(PropertyType::Text) => Ok(Value::String(text.to_owned())),
        // TEXT never prints these as a line.
        Some(kind @ (PropertyType::Object | PropertyType::Objects | PropertyType::Lists)) => {
            Err(wrong(kind))
        }
        // An unknown property is a number in JSON when its value is only a number.
        None => Ok(number(text).unwrap_or_else(|| Value::String(text.to_owned()))),
    }
}

/// Keeps a line without a label (of an extension or a later version), or with a label that occurred
/// before.
pub(super) fn add_other_line(properties: &mut PropertyMap, text: &str) {
    if let Value::Array(lines) = properties
        .entry("Other Lines")
        .or_insert_with(|| Value::Array(Vec::new()))
    {
        lines.push(Value::String(text.to_owned()));
    }
}

fn texts(text: &str) -> Value {
    Value::Array(split_list(text).into_iter().map(Value::String).collect())
}

/// Whether a key belongs to grouping sets: an aggregate's second one, or one only they have.
fn is_grouping(label: &str, properties: &PropertyMap) -> bool {
    let is_aggregate = properties.get("Node Type").and_then(Value::as_str) == Some("Aggregate");
    is_aggregate && matches!(label, "Hash Key" | "Group Key" | "Sort Key")
}

/// `Group Key` of an aggregate, alone; or one of its grouping sets (`show_grouping_sets`): TEXT
/// prints the sets' keys one below the other, `Sort Key` beginning a new pass, and each hashed set
/// is a pass of its own.
fn add_grouping(label: &str, value: &str, properties: &mut PropertyMap) {
    let keys = if value == "()" {
        Value::Array(Vec::new())
    } else {
        texts(value)
    };
    let is_first = !properties.contains_key("Grouping Sets");
    if is_first && label == "Group Key" && value != "()" && !properties.contains_key("Group Key") {
        properties.insert(label.to_owned(), keys);
        return;
    }
    let alone = properties.shift_remove("Group Key");
    let entry = properties
        .entry("Grouping Sets")
        .or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(sets) = entry else { return };
    if let Some(alone) = alone {
        sets.push(set("Group Keys", vec![alone]));
    }
    match (label, sets.last_mut()) {
        ("Sort Key", _) => sets.push(set("Sort Key", keys)),
        ("Group Key", Some(Value::Object(last))) if !last.contains_key("Hash Keys") => {
            if let Value::Array(all) = last
                .entry("Group Keys")
                .or_insert_with(|| Value::Array(Vec::new()))
            {
                all.push(keys);
            }
        }
        ("Group Key", _) => sets.push(set("Group Keys", vec![keys])),
        _ => sets.push(set("Hash Keys", vec![keys])),
    }
}

fn set(key: &str, value: impl Into<Value>) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn properties(node_type: &str, lines: &[&str]) -> Value {
        let mut properties = Map::from_iter([("Node Type".to_owned(), json!(node_type))]);
        for line in lines {
            let (label, value) = line.split_once(": ").unwrap();
            read(label, value, &mut properties).unwrap();
        }
        properties.shift_remove("Node Type");
        Value::Object(properties)
    }

    #[test]
    fn values_get_the_types_of_the_json_format() {
        let lines = [
            "Rows Removed by Filter: 7",
            "Disabled: true",
            "Output: a, f(b, c)",
            "Filter: (a = 5)",
            "Chunks: 3",
            "Order: x",
        ];
        let expected = json!({"Rows Removed by Filter": 7, "Disabled": true, "Output": ["a", "f(b, c)"], "Filter": "(a = 5)",
                              "Chunks": 3, "Order": "x"});
        assert_eq!(properties("Sort", &lines), expected);
    }

    #[test]
    fn grouping_sets_are_told_from_a_group_key() {
        assert_eq!(
            properties("Aggregate", &["Group Key: a, b"]),
            json!({"Group Key": ["a", "b"]})
        );
        assert_eq!(
            properties(
                "Aggregate",
                &[
                    "Hash Key: a",
                    "Group Key: b",
                    "Group Key: ()",
                    "Sort Key: c",
                    "Group Key: c"
                ]
            ),
            json!({"Grouping Sets": [{"Hash Keys": [["a"]]}, {"Group Keys": [["b"], []]}, {"Sort Key": ["c"], "Group Keys": [["c"]]}]})
        );
        assert_eq!(
            properties("Group", &["Group Key: a"]),
            json!({"Group Key": ["a"]})
        );
    }
}
