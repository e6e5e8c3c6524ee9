//! JSON, XML and YAML that are cut off: read as far as they go.

use std::collections::VecDeque;

use super::builder::Builder;
use super::error::{OffsetError, Reason};
use super::text::{Arity, arity};
use super::{json, xml, yaml};
use crate::plan::{Node, Plan};

/// Ends after members that are tried, from the last one.
const MAX_TRIES: usize = 60;

/// The plans of a JSON text that ends too early, without the member it ends in. None when what is
/// left is no plan.
pub(super) fn cut_off_json(text: &str) -> Option<Vec<Plan>> {
    let mut ends = ends_of_members(text);
    while let Some((end, open)) = ends.pop() {
        let mut repaired = text.get(..end)?.to_owned();
        repaired.extend(open.iter().rev());
        let mut builder = Builder::default();
        if json::read_document(&repaired, 0, &mut builder).is_ok() {
            let plans = builder.finish();
            return (!plans.is_empty()).then_some(plans);
        }
    }
    None
}

/// Where the last members end, each with the brackets that would close what is open there.
fn ends_of_members(text: &str) -> Vec<(usize, Vec<char>)> {
    let mut ends: VecDeque<(usize, Vec<char>)> = VecDeque::new();
    let mut open: Vec<char> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        let end = match character {
            _ if escaped => {
                escaped = false;
                None
            }
            '\\' if in_string => {
                escaped = true;
                None
            }
            '"' => {
                in_string = !in_string;
                None
            }
            _ if in_string => None,
            '{' => {
                open.push('}');
                None
            }
            '[' => {
                open.push(']');
                None
            }
            '}' | ']' => {
                open.pop();
                Some(at + 1)
            }
            ',' => Some(at),
            _ => None,
        };
        if let Some(end) = end {
            ends.push_back((end, open.clone()));
            if ends.len() > MAX_TRIES {
                ends.pop_front();
            }
        }
    }
    ends.into()
}

/// The plans of an XML text that ends too early, without the element it ends in.
pub(super) fn cut_off_xml(text: &str) -> Option<Vec<Plan>> {
    let mut ends = ends_of_elements(text);
    while let Some((end, open)) = ends.pop_back() {
        let mut repaired = text.get(..end)?.to_owned();
        for name in open.iter().rev() {
            repaired.push_str(&format!("</{name}>"));
        }
        let mut builder = Builder::default();
        if xml::read_document(&repaired, 0, &mut builder).is_ok() {
            let plans = builder.finish();
            return (!plans.is_empty()).then_some(plans);
        }
    }
    None
}

/// Where the last elements end, each with the names of the elements that are open there.
fn ends_of_elements(text: &str) -> VecDeque<(usize, Vec<&str>)> {
    let mut ends: VecDeque<(usize, Vec<&str>)> = VecDeque::new();
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(begin) = text.get(at..).and_then(|rest| rest.find('<')) {
        let begin = at + begin + 1;
        let Some(length) = text.get(begin..).and_then(|rest| rest.find('>')) else {
            break;
        };
        let tag = text.get(begin..begin + length).unwrap_or_default();
        at = begin + length + 1;
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if tag.starts_with('/') {
            open.pop();
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap_or(tag));
            continue;
        }
        ends.push_back((at, open.clone()));
        if ends.len() > MAX_TRIES {
            ends.pop_front();
        }
    }
    ends
}

/// The plans of a YAML text whose last line is damaged, without that line.
pub(super) fn cut_off_yaml(text: &str, error: &OffsetError, start: usize) -> Option<Vec<Plan>> {
    let is_truncated = matches!(error.reason, Reason::Truncated(_));
    let damaged = error.offset.saturating_sub(start);
    let is_last = text.get(damaged..)?.trim_end().lines().count() <= 1;
    let before = text.get(..damaged)?;
    let line = before.rfind('\n').map_or(0, |feed| feed + 1);
    let mut builder = Builder::default();
    let read = yaml::read_document(before.get(..line)?, 0, &mut builder);
    let plans = builder.finish();
    // A line with a key and a value is damaged, not cut off.
    let value = text.get(line..)?.trim_end_matches('\n').split_once(": ");
    let is_cut = is_truncated || value.is_none_or(|(_, value)| is_begun(value));
    (is_last && is_cut && read.is_ok() && !plans.is_empty()).then_some(plans)
}

/// Whether a value is the beginning of a number, `true` or `false`.
fn is_begun(value: &str) -> bool {
    value.is_empty()
        || value.ends_with('.')
        || ["true", "false"].iter().any(|word| word.starts_with(value))
}

/// Whether a YAML plan ends too early, which its format does not show: EXPLAIN ANALYZE ends with the
/// triggers (`ExplainPrintTriggers`, src/backend/commands/explain.c) or with times, each node has the
/// numbers that the first one has, and joins have two inputs.
pub(super) fn ends_early(plan: &Plan) -> bool {
    let (root, Some(last)) = (plan.root(), plan.nodes().last()) else {
        return false;
    };
    let has = |node: &Node, property: &str| node.properties.contains(property);
    let summary = |name: &str| plan.summary.contains_key(name);
    let lacks_end = has(root, "Actual Loops")
        && !["Triggers", "Execution Time", "Total Runtime", "Query Text"]
            .iter()
            .any(|name| summary(name));
    let lacks_numbers = ["Plan Width", "Actual Loops"]
        .iter()
        .any(|property| has(root, property) && !has(last, property));
    let lacks_children = |node: &Node| match arity(&node.title()) {
        Arity::Exactly(children) => node.children.len() < children,
        Arity::Any => false,
    };
    let path = std::iter::once(last).chain(plan.ancestors(last.id));
    lacks_end || lacks_numbers || path.into_iter().any(lacks_children)
}
