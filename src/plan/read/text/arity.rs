//! How many children a type of node has, without those of subplans.

use super::{numbers, operation};

/// Children of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    /// This number.
    Exactly(usize),
    /// Any number.
    Any,
}

/// The number that a headline's node has.
pub(crate) fn arity(headline: &str) -> Arity {
    let title = numbers::split(headline).map_or(headline, |split| split.title);
    let wording = title.split(" using ").next().unwrap_or(title);
    let wording = wording.split(" on ").next().unwrap_or(wording);
    let operation = operation::operation(wording);
    let text = |property: &str| {
        operation
            .properties
            .get(property)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    of_type(text("Node Type"), operation.is_known)
}

/// The number that nodes of a type have.
pub(crate) fn of_type(node_type: &str, is_known: bool) -> Arity {
    match node_type {
        "Nested Loop" | "Hash Join" | "Merge Join" | "Recursive Union" => Arity::Exactly(2),
        "Append" | "Merge Append" | "BitmapAnd" | "BitmapOr" | "Custom Scan" | "Foreign Scan"
        | "SetOp" | "Result" | "ModifyTable" => Arity::Any,
        "Bitmap Heap Scan" | "Subquery Scan" => Arity::Exactly(1),
        scan if scan.ends_with(" Scan") => Arity::Exactly(0),
        _ if is_known => Arity::Exactly(1),
        _ => Arity::Any,
    }
}
