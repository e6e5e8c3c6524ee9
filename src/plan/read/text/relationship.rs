//! `Parent Relationship`, which TEXT does not print: it follows from the parent's type and the
//! position among its children (`ExplainNode` calls itself with it).

/// The relationship of a node that has no label. `siblings` are those before it that have none
/// either.
pub(super) fn of_child(parent_type: &str, siblings: usize) -> &'static str {
    match parent_type {
        "Append" | "Merge Append" | "BitmapAnd" | "BitmapOr" => "Member",
        "Subquery Scan" => "Subquery",
        "Custom Scan" if siblings == 0 => "child",
        "Custom Scan" => "children",
        _ if siblings == 0 => "Outer",
        _ => "Inner",
    }
}

/// The relationship that a label expresses.
pub(super) fn of_label(label: &str) -> &'static str {
    if label.starts_with("SubPlan") {
        "SubPlan"
    } else {
        "InitPlan"
    }
}

/// `InitPlan 1 (returns $0)`, `SubPlan 2`, `CTE x`: the name of the node on the next line.
pub(crate) fn is_label(text: &str) -> bool {
    ["InitPlan ", "SubPlan ", "CTE "]
        .iter()
        .any(|prefix| text.starts_with(prefix))
        // Before 8.4 they had no numbers.
        || matches!(text, "InitPlan" | "SubPlan")
}
