//! A node's headline: operation, index, target and numbers.

use serde_json::{Map, Value};

use super::identifier::{find_outside_quotes, take};
use super::{numbers, operation};
use crate::plan::read::error::Reason;
use crate::plan::read::lines::SourceLine;

/// A node's relationship to its parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attachment {
    /// `Outer`, `Inner`, `InitPlan`, …; none for the first node.
    pub(super) relationship: Option<&'static str>,
    /// `InitPlan 1 (returns $0)`, `CTE x`, …
    pub(super) name: Option<String>,
}

/// The properties that a headline expresses.
pub(super) fn read(headline: &str, attachment: Attachment) -> Result<Map<String, Value>, Reason> {
    let split = numbers::split(headline)?;
    let Title {
        wording,
        index,
        target,
    } = title(split.title);
    let operation = operation::operation(wording);
    let mut properties = operation.properties;
    let mut add =
        |property: &str, text: String| properties.insert(property.to_owned(), Value::String(text));
    if let Some(relationship) = attachment.relationship {
        add("Parent Relationship", relationship.to_owned());
    }
    if let Some(name) = attachment.name {
        add("Subplan Name", name);
    }
    if let Some(index) = index {
        add("Index Name", index);
    }
    properties.extend(operation.flags);
    if let Some(target) = target {
        properties.extend(target);
    }
    if let Some(cost) = split.cost {
        numbers::add_cost(cost, &mut properties)?;
    }
    if let Some(actual) = split.actual {
        numbers::add_actual(actual, &mut properties)?;
    }
    if split.never_executed {
        numbers::add(&mut properties, "Actual Rows", "0")?;
        numbers::add(&mut properties, "Actual Loops", "0")?;
    }
    Ok(properties)
}

/// Whether a text is a title that begins with an operation of PostgreSQL, as `Seq Scan on t`.
pub(crate) fn begins_with_operation(text: &str) -> bool {
    let title = title(text.trim_end());
    operation::operation(title.wording).is_known
}

struct Title<'a> {
    wording: &'a str,
    index: Option<String>,
    target: Option<Map<String, Value>>,
}

/// `Index Scan using i on s.t a`: operation, index, target. Words that do not fit remain in the
/// operation.
fn title(text: &str) -> Title<'_> {
    let whole = Title {
        wording: text,
        index: None,
        target: None,
    };
    let using = find_outside_quotes(text, " using ");
    let on = find_outside_quotes(text, " on ");
    let (wording, index, rest) = match (using, on) {
        (Some(using), _) => {
            let Some((index, rest)) = text.get(using + 7..).and_then(take) else {
                return whole;
            };
            (
                text.get(..using).unwrap_or_default(),
                Some(index),
                rest.strip_prefix(" on "),
            )
        }
        (None, Some(on)) => (text.get(..on).unwrap_or_default(), None, text.get(on + 4..)),
        (None, None) => return whole,
    };
    let Some(rest) = rest else {
        return Title {
            wording,
            index,
            target: None,
        };
    };
    if wording == "Bitmap Index Scan" || wording == "Parallel Bitmap Index Scan" {
        return match take(rest) {
            Some((index, "")) => Title {
                wording,
                index: Some(index),
                target: None,
            },
            _ => whole,
        };
    }
    match target(wording, rest) {
        Some(target) => Title {
            wording,
            index,
            target: Some(target),
        },
        None => whole,
    }
}

/// `s.t a`: what an operation works on. The alias is printed only when it differs from the name.
pub(super) fn target(wording: &str, text: &str) -> Option<Map<String, Value>> {
    let (first, rest) = take(text)?;
    let (schema, name, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (name, rest) = take(rest)?;
            (Some(first), name, rest)
        }
        None => (None, first, rest),
    };
    let alias = match rest.strip_prefix(' ') {
        None if rest.is_empty() => name.clone(),
        None => return None,
        Some(rest) => match take(rest)? {
            (alias, "") => alias,
            _ => return None,
        },
    };
    let mut properties = Map::new();
    if let Some(property) = target_property(wording) {
        properties.insert(property.to_owned(), Value::String(name));
    }
    if let Some(schema) = schema {
        properties.insert("Schema".to_owned(), Value::String(schema));
    }
    properties.insert("Alias".to_owned(), Value::String(alias));
    Some(properties)
}

/// Under which name the JSON format has the target (`ExplainTargetRel`).
fn target_property(wording: &str) -> Option<&'static str> {
    let wording = wording
        .trim_start_matches("Parallel ")
        .trim_start_matches("Async ");
    match wording {
        "Function Scan" => Some("Function Name"),
        "Table Function Scan" => Some("Table Function Name"),
        "CTE Scan" | "WorkTable Scan" => Some("CTE Name"),
        "Named Tuplestore Scan" => Some("Tuplestore Name"),
        // These node types read no named object: what follows is the alias.
        "Subquery Scan" | "Values Scan" => None,
        _ => Some("Relation Name"),
    }
}

/// Whether a plan begins with this line: it has costs or, with COSTS OFF, a known operation and a
/// fitting next line.
pub(super) fn begins_plan<'a>(
    line: &SourceLine<'a>,
    next: impl FnOnce() -> Option<SourceLine<'a>>,
) -> bool {
    let text = line.text.trim();
    let (text, has_arrow) = match text.strip_prefix("->") {
        Some(rest) => (rest.trim_start(), true),
        None => (text, false),
    };
    if text.starts_with(|first: char| first.is_alphabetic()) && has_numbers(text) {
        return true;
    }
    let title = title(text.strip_suffix(" (never executed)").unwrap_or(text));
    if has_arrow || !operation::operation(title.wording).is_known {
        return false;
    }
    // Words such as "Limit", "Sort" or "Update on x" occur in prose; a scan with a target, or a
    // line that fits below a headline, does not.
    (title.target.is_some() && title.wording.ends_with("Scan"))
        || next().is_none_or(|next| follows_headline(line, &next))
}

/// Whether a line without an arrow is the first node of a plan: PostgreSQL's name of a node, and
/// numbers.
pub(super) fn is_root(text: &str) -> bool {
    let words = text.split(" (").next().unwrap_or(text);
    has_numbers(text) && begins_with_operation(words.trim_end())
}

/// Whether parentheses with numbers follow; prose may mention "(cost=…".
fn has_numbers(text: &str) -> bool {
    let cost = text.find(" (cost=").and_then(|at| text.get(at + 7..));
    let is_cost = cost
        .is_some_and(|cost| cost.starts_with(|c: char| c.is_ascii_digit()) || cost.contains(".."));
    is_cost || text.contains(" (actual time=") || text.contains(" (actual rows=")
}

/// Whether the next line fits below a headline: indented further, and a node, a label or a detail;
/// or empty.
fn follows_headline(line: &SourceLine<'_>, next: &SourceLine<'_>) -> bool {
    let text = next.text.trim();
    if text.is_empty() {
        return true;
    }
    let deeper = next.indent() > line.indent();
    (deeper
        && (text.starts_with("->") || text.contains(": ") || super::relationship::is_label(text)))
        || super::summary::is_summary(text)
        || text.starts_with('(')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn properties(headline: &str) -> Value {
        Value::Object(read(headline, Attachment::default()).unwrap())
    }

    #[test]
    fn headlines_become_properties() {
        assert_eq!(
            properties("Index Scan Backward using \"I 1\" on s.t a  (never executed)"),
            json!({"Node Type": "Index Scan", "Scan Direction": "Backward", "Index Name": "I 1", "Relation Name": "t", "Schema": "s",
                   "Alias": "a", "Actual Rows": 0, "Actual Loops": 0})
        );
        assert_eq!(
            properties("Bitmap Index Scan on i"),
            json!({"Node Type": "Bitmap Index Scan", "Index Name": "i"})
        );
        assert_eq!(
            properties("CTE Scan on recent r"),
            json!({"Node Type": "CTE Scan", "CTE Name": "recent", "Alias": "r"})
        );
        assert_eq!(
            properties("Values Scan on \"*VALUES*\""),
            json!({"Node Type": "Values Scan", "Alias": "*VALUES*"})
        );
        assert_eq!(
            properties("XN Quantum Leap  (cost=0.00..1.00 rows=1 width=4)"),
            json!({"Node Type": "XN Quantum Leap", "Startup Cost": 0.0, "Total Cost": 1.0, "Plan Rows": 1, "Plan Width": 4})
        );
    }
}
