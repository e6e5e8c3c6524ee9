//! Plans whose lines all begin in the same column: the tree follows from how many children each type
//! of node has. Where that does not tell, the text stays as it is, and is refused.

use std::borrow::Cow;

use super::super::text::{Arity, arity, is_label, is_summary_line};
use super::line::FramedLine;
use super::marks::has_numbers;

/// Indents the lines of such plans. Returns the numbers of their first lines.
pub(super) fn rebuild(lines: &mut [FramedLine<'_>]) -> Vec<usize> {
    let mut rebuilt = Vec::new();
    let mut start = 0;
    while start < lines.len() {
        let length = plan_length(lines.get(start..).unwrap_or_default());
        let plan = lines.get_mut(start..start + length).unwrap_or_default();
        if length > 1
            && let Some(columns) = columns(plan)
        {
            rebuilt.extend(plan.first().map(|line| line.number));
            for (line, column) in plan.iter_mut().zip(columns) {
                let text = format!("{}{}", " ".repeat(column), line.text.trim());
                line.text = Cow::Owned(text);
            }
        }
        start += length.max(1);
    }
    rebuilt
}

/// The lines of a plan without indentation: a headline, and the lines in the same column below it,
/// at least one of them with an arrow.
fn plan_length(lines: &[FramedLine<'_>]) -> usize {
    let Some(first) = lines.first() else { return 0 };
    let indent = |text: &str| text.len() - text.trim_start().len();
    let begins = has_numbers(&first.text)
        && !first.text.trim_start().starts_with("->")
        && first
            .text
            .trim_start()
            .starts_with(|c: char| c.is_ascii_uppercase());
    if !begins {
        return 0;
    }
    let column = indent(&first.text);
    let same =
        |line: &&FramedLine<'_>| !line.text.trim().is_empty() && indent(&line.text) == column;
    let body: Vec<&FramedLine<'_>> = lines.iter().skip(1).take_while(same).collect();
    let next_plan = body
        .iter()
        .position(|line| has_numbers(&line.text) && !line.text.trim_start().starts_with("->"))
        .unwrap_or(body.len());
    let has_arrow = body
        .iter()
        .take(next_plan)
        .any(|line| line.text.trim_start().starts_with("->"));
    if has_arrow { next_plan + 1 } else { 0 }
}

/// A node whose children may follow.
struct Open {
    column: usize,
    /// How many children follow; none when any number can.
    missing: Option<usize>,
    /// The subplans that its details name.
    details: String,
}

/// The column of each line; none when the tree is not certain.
fn columns(plan: &[FramedLine<'_>]) -> Option<Vec<usize>> {
    let mut columns = Vec::with_capacity(plan.len());
    let mut open: Vec<Open> = Vec::new();
    let mut label: Option<usize> = None;
    let mut in_summary = false;
    for (index, line) in plan.iter().enumerate() {
        let text = line.text.trim();
        if index == 0 {
            open.push(node(text, 0));
            columns.push(0);
        } else if let Some(headline) = text.strip_prefix("->") {
            let column = match label.take() {
                Some(column) => column,
                None => child_column(&mut open)?,
            };
            open.push(node(headline.trim_start(), column + 4));
            columns.push(column);
        } else if in_summary || is_summary_line(text) {
            in_summary = true;
            columns.push(0);
        } else if is_label(text) {
            let parent = parent_of_label(&open, text)?;
            columns.push(parent + 2);
            label = Some(parent + 4);
        } else {
            let node = open.last_mut()?;
            node.details.push_str(text);
            node.details.push('\n');
            columns.push(node.column + 2);
        }
    }
    let complete = open.iter().all(|node| node.missing.unwrap_or(0) == 0);
    complete.then_some(columns)
}

/// The column of the arrow of the next child: of the innermost node that has not all of its own.
fn child_column(open: &mut Vec<Open>) -> Option<usize> {
    while open.last().is_some_and(|node| node.missing == Some(0)) {
        open.pop();
    }
    // Which of two nodes with any number of children it belongs to is not known.
    let uncertain = open.iter().filter(|node| node.missing.is_none()).count();
    let parent = open.last_mut()?;
    if uncertain > 1 {
        return None;
    }
    if let Some(missing) = &mut parent.missing {
        *missing -= 1;
    }
    Some(parent.column + 2)
}

/// The node whose subplan is named: an InitPlan or CTE stands below the node above it, a SubPlan
/// below the innermost one that names it.
fn parent_of_label(open: &[Open], label: &str) -> Option<usize> {
    let name = label.split(" (").next().unwrap_or(label);
    let names_it = |node: &&Open| {
        node.details.match_indices(name).any(|(at, _)| {
            !node
                .details
                .get(at + name.len()..)
                .unwrap_or_default()
                .starts_with(|c: char| c.is_ascii_digit())
        })
    };
    let named = if label.starts_with("SubPlan") {
        open.iter().rev().find(names_it)
    } else {
        None
    };
    named.or(open.last()).map(|node| node.column)
}

fn node(headline: &str, column: usize) -> Open {
    Open {
        column,
        missing: match arity(headline) {
            Arity::Exactly(children) => Some(children),
            Arity::Any => None,
        },
        details: String::new(),
    }
}
