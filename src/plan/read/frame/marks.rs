//! What tells lines of a plan from prose.

/// Whether a line looks like one of a plan in any format.
pub(super) fn looks_like_plan(text: &str) -> bool {
    has_numbers(text)
        || ["->  ", "\"Plan\"", "Plan:", "Node Type", "<explain"]
            .iter()
            .any(|mark| text.contains(mark))
        || text.contains(" Scan on ")
        || text == "Result"
}

/// Whether a line has the parentheses of a node.
pub(super) fn has_numbers(text: &str) -> bool {
    text.contains("(cost=") || text.contains("(actual ")
}

/// Whether a text is, or holds, a plan.
pub(super) fn holds_plan(text: &str) -> bool {
    text.lines().any(|line| looks_like_plan(line.trim()))
}
