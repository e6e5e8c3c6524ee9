//! What is missing in a TEXT plan, and lines that are not understood.

use serde_json::{Map, Value};

use super::arity::{self, Arity};
use super::detail;
use super::headline;
use super::logical::{self, LogicalLine};
use super::operation;
use super::summary;
use crate::plan::Node;
use crate::plan::read::lines::lines_from;
use crate::plan::read::warning::{OffsetWarning, WarningKind};

type PropertyMap = Map<String, Value>;

/// Lines that are searched for the rest of a plan below one that is not understood.
const MAX_ODD_LINES: usize = 200;

/// Whether a line stands for lines that were left out.
pub(super) fn is_gap(text: &str) -> bool {
    let inner = text
        .trim_matches(|c: char| matches!(c, '(' | ')' | '[' | ']' | '<' | '>' | '-' | '*' | ' '))
        .to_ascii_lowercase();
    let is_dots = inner.len() >= 2 && inner.chars().all(|c| matches!(c, '.' | '…' | ' '));
    is_dots
        || inner == "…"
        || matches!(
            inner.trim_matches(['.', '…', ' ']),
            "snip" | "snipped" | "cut" | "truncated" | "omitted" | "skipped"
        )
}

/// Whether the plan goes on below a line that is not understood: with a node, or with what is about
/// the whole plan.
pub(super) fn goes_on_below(text: &str, odd: &LogicalLine<'_>, base: usize) -> bool {
    let is_count = odd.text.starts_with('(') && odd.text.contains("row");
    if is_count {
        return false;
    }
    for line in lines_from(text, odd.next).take(MAX_ODD_LINES) {
        let trimmed = line.text.trim();
        if trimmed.is_empty() {
            return false;
        }
        let is_node = trimmed.starts_with("->") && line.indent() > base && trimmed.contains('(');
        if is_node || summary::is_summary(trimmed) {
            return true;
        }
        let next = || lines_from(text, line.next).next();
        if headline::begins_plan(&line, next) {
            return false;
        }
    }
    false
}

/// The words of a headline whose numbers are cut off.
pub(super) fn title_of_cut(headline: &str) -> Option<&str> {
    let end = headline.rfind("  (").or_else(|| headline.rfind(" ("))?;
    let title = headline.get(..end)?.trim();
    let title = title.split("  (").next().unwrap_or(title);
    (!title.is_empty()).then_some(title)
}

/// Whether a node of these properties has no children.
pub(super) fn is_leaf(properties: Option<&PropertyMap>) -> bool {
    children_of(properties) == Arity::Exactly(0)
}

/// What was read of a plan.
pub(super) struct ReadNodes<'a> {
    pub(super) nodes: &'a [Node],
    pub(super) properties: &'a [PropertyMap],
    /// Where the headline of each node begins.
    pub(super) offsets: &'a [usize],
    /// The nodes that could have more children at the end.
    pub(super) open: Vec<usize>,
    /// Was there something about the whole plan?
    pub(super) has_summary: bool,
    /// Is the node of a subplan missing?
    pub(super) misses_subplan: bool,
}

fn children_of(properties: Option<&PropertyMap>) -> Arity {
    let node_type = text(properties, "Node Type");
    arity::of_type(
        node_type,
        operation::operation(node_type).is_known || is_split(node_type),
    )
}

/// Types whose words in TEXT are more than their name.
fn is_split(node_type: &str) -> bool {
    matches!(
        node_type,
        "Aggregate" | "Hash Join" | "Merge Join" | "Nested Loop"
    )
}

fn text<'p>(properties: Option<&'p PropertyMap>, property: &str) -> &'p str {
    let value = properties.and_then(|properties| properties.get(property));
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Adds warnings about nodes that lost their children or numbers, and about a text that is cut off.
pub(super) fn report(
    reader: &ReadNodes<'_>,
    source: &str,
    end: usize,
    warnings: &mut Vec<OffsetWarning>,
) {
    let has_cut = warnings
        .iter()
        .any(|warning| warning.kind == WarningKind::CutOff);
    let mut warn = |offset: usize, kind: WarningKind| warnings.push(OffsetWarning { offset, kind });
    let incomplete: Vec<usize> = (0..reader.nodes.len())
        .filter(|node| lacks_children(reader, *node))
        .collect();
    let rest = source.get(end..).unwrap_or_default();
    let is_last = rest.trim().is_empty() && !reader.has_summary;
    let last_line = source.get(..end).unwrap_or_default().trim_end();
    let last_line_at = last_line.rfind('\n').map_or(0, |feed| feed + 1);
    let is_open = |node: &usize| reader.open.contains(node);
    let ends_early = is_last
        && (incomplete.iter().any(is_open)
            || reader.misses_subplan
            || is_cut_headline(reader, last_line_at)
            || ends_within(reader, source, end));
    let lost: Vec<usize> = incomplete
        .into_iter()
        .filter(|node| !(ends_early && is_open(node)))
        .collect();
    if ends_early && !has_cut {
        warn(last_line_at, WarningKind::CutOff);
    } else if reader.misses_subplan {
        warn(end.saturating_sub(1), WarningKind::ChildrenMissing);
    }
    for node in lost {
        let offset = reader.offsets.get(node).copied().unwrap_or(0);
        warn(offset, WarningKind::ChildrenMissing);
    }
    if let Some(offset) = too_many_children(reader) {
        warn(offset, WarningKind::ChildrenTooMany);
    }
    report_numbers(reader, warnings);
    report_names(reader, warnings);
    warnings.sort_by_key(|warning| warning.offset);
}

/// Whether the text ends with a headline that has no numbers although the first one has them.
fn is_cut_headline(reader: &ReadNodes<'_>, last_line_at: usize) -> bool {
    let has_numbers = |node: usize| {
        reader.properties.get(node).is_some_and(|known| {
            known.contains_key("Total Cost") || known.contains_key("Actual Loops")
        })
    };
    let last = reader.nodes.len().saturating_sub(1);
    let is_headline = reader
        .offsets
        .get(last)
        .is_some_and(|at| *at >= last_line_at);
    last > 0 && is_headline && has_numbers(0) && !has_numbers(last)
}

/// Whether the plan ends within a literal, a name or parentheses. A line that is open and that a known
/// one follows was not open (a file name with an apostrophe).
fn ends_within(reader: &ReadNodes<'_>, source: &str, end: usize) -> bool {
    let mut at = reader.offsets.last().copied().unwrap_or(0);
    let mut is_open = false;
    while let Some(line) = logical::logical_at(source, at).filter(|line| line.offset < end) {
        let is_detail = detail::is_known(&line.text);
        if is_detail || !is_open {
            is_open = line.text.contains(": ") && logical::is_open(&line.text);
        }
        at = line.next;
    }
    is_open
}

/// Whether a node has fewer children than its type needs; those of subplans do not count.
fn lacks_children(reader: &ReadNodes<'_>, node: usize) -> bool {
    match children_of(reader.properties.get(node)) {
        Arity::Exactly(needed) => own_children(reader, node).len() < needed,
        Arity::Any => false,
    }
}

/// Where the first child begins that its parent has no place for: the indentation is not that of the
/// plan.
fn too_many_children(reader: &ReadNodes<'_>) -> Option<usize> {
    (0..reader.nodes.len()).find_map(|node| match children_of(reader.properties.get(node)) {
        Arity::Exactly(needed) => {
            let child = own_children(reader, node).get(needed).copied()?;
            reader.offsets.get(child).copied()
        }
        Arity::Any => None,
    })
}

/// Children that are no subplans.
fn own_children(reader: &ReadNodes<'_>, node: usize) -> Vec<usize> {
    let children = reader
        .nodes
        .get(node)
        .map_or(&[][..], |node| &node.children);
    let is_own = |child: &usize| {
        !matches!(
            text(reader.properties.get(*child), "Parent Relationship"),
            "InitPlan" | "SubPlan"
        )
    };
    children
        .iter()
        .map(|child| child.0)
        .filter(is_own)
        .collect()
}

/// The server prints the same numbers for all nodes. Nodes of other programs, and what is below them,
/// may have none.
fn report_numbers(reader: &ReadNodes<'_>, warnings: &mut Vec<OffsetWarning>) {
    for number in ["Total Cost", "Actual Loops"] {
        let has = |node: usize| {
            reader
                .properties
                .get(node)
                .is_some_and(|known| known.contains_key(number))
        };
        if !has(0) {
            continue;
        }
        let lost: Vec<usize> = (0..reader.nodes.len())
            .filter(|node| !has(*node) && is_of_postgresql(reader, *node))
            .collect();
        for node in lost {
            let offset = reader.offsets.get(node).copied().unwrap_or(0);
            let known = warnings.iter().any(|warning| warning.offset == offset);
            if !known {
                warnings.push(OffsetWarning {
                    offset,
                    kind: WarningKind::NumbersMissing,
                });
            }
        }
    }
}

/// Names that no server prints: the rest of a frame that was not recognized is in them.
fn report_names(reader: &ReadNodes<'_>, warnings: &mut Vec<OffsetWarning>) {
    const ODD: [&str; 10] = [
        "'", "{", "}", "[", "]", ";", "=>", "(cost=", "(actual ", "|",
    ];
    for (properties, offset) in reader.properties.iter().zip(reader.offsets) {
        let node_type = text(Some(properties), "Node Type");
        let is_known = operation::operation(node_type).is_known || is_split(node_type);
        // Greenplum's `Gather Motion 3:1  (slice1; segments: 3)`.
        let is_motion = node_type.contains(" Motion ") && node_type.contains("(slice");
        if !is_known && !is_motion && ODD.iter().any(|odd| node_type.contains(odd)) {
            warnings.push(OffsetWarning {
                offset: *offset,
                kind: WarningKind::OddName,
            });
        }
    }
}

/// Whether a node and all above it are PostgreSQL's own.
fn is_of_postgresql(reader: &ReadNodes<'_>, node: usize) -> bool {
    let mut at = Some(node);
    while let Some(index) = at {
        let node_type = text(reader.properties.get(index), "Node Type");
        let is_known = operation::operation(node_type).is_known
            || is_split(node_type)
            || matches!(node_type, "ModifyTable" | "SetOp");
        if !is_known || matches!(node_type, "Custom Scan" | "Foreign Scan") {
            return false;
        }
        at = reader
            .nodes
            .get(index)
            .and_then(|node| node.parent)
            .map(|parent| parent.0);
    }
    true
}
