//! Reads the words of a headline: `Parallel Hash Left Join` is a parallel-aware Hash Join of join
//! type Left.

use serde_json::{Map, Value};

/// Node types whose name is the headline itself, after which a target may follow.
const PLAIN: &[&str] = &[
    "Result",
    "ProjectSet",
    "Append",
    "Merge Append",
    "Recursive Union",
    "BitmapAnd",
    "BitmapOr",
    "Nested Loop",
    "Seq Scan",
    "Sample Scan",
    "Gather",
    "Gather Merge",
    "Index Scan",
    "Index Only Scan",
    "Bitmap Index Scan",
    "Bitmap Heap Scan",
    "Tid Scan",
    "Tid Range Scan",
    "Subquery Scan",
    "Function Scan",
    "Table Function Scan",
    "Values Scan",
    "CTE Scan",
    "Named Tuplestore Scan",
    "WorkTable Scan",
    "Foreign Scan",
    "Custom Scan",
    "Materialize",
    "Memoize",
    "Result Cache",
    "Sort",
    "Incremental Sort",
    "Group",
    "WindowAgg",
    "Unique",
    "LockRows",
    "Limit",
    "Hash",
];

const JOIN_TYPES: &[&str] = &[
    "Left",
    "Full",
    "Right",
    "Semi",
    "Anti",
    "Right Semi",
    "Right Anti",
];

const MODIFICATIONS: &[&str] = &["Insert", "Update", "Delete", "Merge"];

/// The properties that the words of an operation express.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    /// `Node Type` first, then the other properties in the words.
    pub(super) properties: Map<String, Value>,
    /// `Parallel Aware`, `Async Capable`, which come after the relationship in the JSON format.
    pub(super) flags: Map<String, Value>,
    /// Whether PostgreSQL itself has such nodes.
    pub(super) is_known: bool,
}

/// Reads the words of an operation; an unknown node type keeps its name.
pub(super) fn operation(wording: &str) -> Operation {
    let mut flags = Map::new();
    let mut name = wording;
    if let Some(rest) = name.strip_prefix("Parallel ") {
        flags.insert("Parallel Aware".to_owned(), Value::Bool(true));
        name = rest;
    }
    if let Some(rest) = name.strip_prefix("Async ") {
        flags.insert("Async Capable".to_owned(), Value::Bool(true));
        name = rest;
    }
    let readings = [
        plain,
        join,
        aggregate,
        set_operation,
        modification,
        custom_scan,
    ];
    match readings.iter().find_map(|reading| reading(name)) {
        Some(properties) => Operation {
            properties,
            flags,
            is_known: true,
        },
        None => Operation {
            properties: pairs(&[("Node Type", wording)]),
            flags: Map::new(),
            is_known: false,
        },
    }
}

fn pairs(texts: &[(&str, &str)]) -> Map<String, Value> {
    texts
        .iter()
        .map(|(key, text)| ((*key).to_owned(), Value::String((*text).to_owned())))
        .collect()
}

fn plain(name: &str) -> Option<Map<String, Value>> {
    let (node_type, backward) = match name.strip_suffix(" Backward") {
        Some(forward @ ("Index Scan" | "Index Only Scan")) => (forward, true),
        _ => (name, false),
    };
    if !PLAIN.contains(&node_type) {
        return None;
    }
    let direction = if backward { "Backward" } else { "Forward" };
    Some(match node_type {
        "Index Scan" | "Index Only Scan" => {
            pairs(&[("Node Type", node_type), ("Scan Direction", direction)])
        }
        "Foreign Scan" => pairs(&[("Node Type", node_type), ("Operation", "Select")]),
        "Nested Loop" => pairs(&[("Node Type", node_type), ("Join Type", "Inner")]),
        _ => pairs(&[("Node Type", node_type)]),
    })
}

/// `Hash Join`, `Merge Left Join`, `Nested Loop Anti Join`.
fn join(name: &str) -> Option<Map<String, Value>> {
    let wording = name.strip_suffix(" Join")?;
    for (method, node_type) in [
        ("Nested Loop", "Nested Loop"),
        ("Hash", "Hash Join"),
        ("Merge", "Merge Join"),
    ] {
        let Some(rest) = wording.strip_prefix(method) else {
            continue;
        };
        let join_type = match rest.trim_start() {
            "" if method != "Nested Loop" => "Inner",
            join_type if JOIN_TYPES.contains(&join_type) => join_type,
            _ => continue,
        };
        return Some(pairs(&[("Node Type", node_type), ("Join Type", join_type)]));
    }
    None
}

fn aggregate(name: &str) -> Option<Map<String, Value>> {
    let (mode, kind) = match name.split_once(' ') {
        Some((mode @ ("Partial" | "Finalize"), kind)) => (mode, kind),
        _ => ("Simple", name),
    };
    let strategy = match kind {
        "Aggregate" => "Plain",
        "GroupAggregate" => "Sorted",
        "HashAggregate" => "Hashed",
        "MixedAggregate" => "Mixed",
        _ => return None,
    };
    Some(pairs(&[
        ("Node Type", "Aggregate"),
        ("Strategy", strategy),
        ("Partial Mode", mode),
    ]))
}

fn set_operation(name: &str) -> Option<Map<String, Value>> {
    let (strategy, command) = match name.strip_prefix("HashSetOp ") {
        Some(command) => ("Hashed", command),
        None => ("Sorted", name.strip_prefix("SetOp ")?),
    };
    let known = ["Intersect", "Intersect All", "Except", "Except All"].contains(&command);
    known.then(|| {
        pairs(&[
            ("Node Type", "SetOp"),
            ("Strategy", strategy),
            ("Command", command),
        ])
    })
}

fn modification(name: &str) -> Option<Map<String, Value>> {
    if MODIFICATIONS.contains(&name) {
        return Some(pairs(&[("Node Type", "ModifyTable"), ("Operation", name)]));
    }
    let operation = name
        .strip_prefix("Foreign ")
        .filter(|operation| MODIFICATIONS.contains(operation))?;
    Some(pairs(&[
        ("Node Type", "Foreign Scan"),
        ("Operation", operation),
    ]))
}

fn custom_scan(name: &str) -> Option<Map<String, Value>> {
    let provider = name.strip_prefix("Custom Scan (")?.strip_suffix(')')?;
    Some(pairs(&[
        ("Node Type", "Custom Scan"),
        ("Custom Plan Provider", provider),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wordings_become_properties() {
        for (wording, expected) in [
            (
                "Hash Left Join",
                json!({"Node Type": "Hash Join", "Join Type": "Left"}),
            ),
            (
                "Hash Right Anti Join",
                json!({"Node Type": "Hash Join", "Join Type": "Right Anti"}),
            ),
            (
                "Merge Join",
                json!({"Node Type": "Merge Join", "Join Type": "Inner"}),
            ),
            (
                "Nested Loop",
                json!({"Node Type": "Nested Loop", "Join Type": "Inner"}),
            ),
            (
                "Nested Loop Anti Join",
                json!({"Node Type": "Nested Loop", "Join Type": "Anti"}),
            ),
            (
                "HashAggregate",
                json!({"Node Type": "Aggregate", "Strategy": "Hashed", "Partial Mode": "Simple"}),
            ),
            (
                "Partial GroupAggregate",
                json!({"Node Type": "Aggregate", "Strategy": "Sorted", "Partial Mode": "Partial"}),
            ),
            (
                "Index Scan Backward",
                json!({"Node Type": "Index Scan", "Scan Direction": "Backward"}),
            ),
            (
                "HashSetOp Except All",
                json!({"Node Type": "SetOp", "Strategy": "Hashed", "Command": "Except All"}),
            ),
            (
                "Update",
                json!({"Node Type": "ModifyTable", "Operation": "Update"}),
            ),
            (
                "Foreign Delete",
                json!({"Node Type": "Foreign Scan", "Operation": "Delete"}),
            ),
            (
                "Custom Scan (ChunkAppend)",
                json!({"Node Type": "Custom Scan", "Custom Plan Provider": "ChunkAppend"}),
            ),
        ] {
            let operation = operation(wording);
            assert_eq!(Value::Object(operation.properties), expected);
            assert!(operation.is_known);
        }
    }

    #[test]
    fn parallel_is_a_flag_of_known_operations_only() {
        assert_eq!(
            operation("Parallel Seq Scan").flags.get("Parallel Aware"),
            Some(&json!(true))
        );
        assert_eq!(
            operation("Parallel Quantum Scan")
                .properties
                .get("Node Type"),
            Some(&json!("Parallel Quantum Scan"))
        );
    }
}
