//! A function whose result is the same for all rows, called again for each of them: row-level security
//! policies are often written that way.
//!
//! Calls of immutable functions with constants are gone when a plan is printed. What is left is STABLE
//! or VOLATILE: as the key of an index it is called once, in a filter for each row.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, Shape};

/// At least this many rows are compared.
const MIN_ROWS: f64 = 10_000.0;
/// A comparison without such a call takes less, in milliseconds for each row.
const MS_WITHOUT: f64 = 0.000_3;
/// Less for each row shows that the function is cheap.
const MIN_MS: f64 = 0.001_5;

/// Functions that are cheap, or differ from row to row on purpose.
const LEFT_OUT: &[&str] = &[
    "now",
    "random",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "gen_random_uuid",
    "uuid_generate_v4",
    "nextval",
    "timeofday",
    "array",
    "row",
    "coalesce",
    "greatest",
    "least",
    "nullif",
];

pub(super) const RULE: Rule = Rule {
    name: "function-per-row",
    max_severity: Severity::Critical,
    looks_for: "a filter that calls a function with the same arguments for each row",
    why: "a function that is not IMMUTABLE is called again for each row that is compared; row-level security policies add such conditions",
    source: "https://www.postgresql.org/docs/current/xfunc-volatility.html",
    check: Check::Node(
        &[
            NodeType::SeqScan,
            NodeType::IndexScan,
            NodeType::IndexOnlyScan,
            NodeType::BitmapHeapScan,
        ],
        check,
    ),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let metrics = subject.of(node);
    let rows = metrics.rows_total()? + metrics.removed.by_filter;
    let reading = metrics.buffers.map_or(0.0, |buffers| buffers.read_time.0);
    let time = metrics.time?.own.0 * metrics.processes - reading;
    let each = time / rows.max(1.0);
    if rows < MIN_ROWS || each < MIN_MS {
        return None;
    }
    let node = subject.node(node.id);
    let filter = subject.condition(node, "Filter")?;
    let call = call_without_columns(&filter)?;
    let impact = (rows * (each - MS_WITHOUT) / metrics.processes).min(subject.own(node.id));
    let message = format!(
        "{call} does not depend on the row, and is called for each of {} rows of {}, in which a row takes {:.1} µs ({}). Written as (SELECT \
         {call}), in the statement or the policy, it is called once, and an index on what it is compared with can serve.",
        count(rows),
        subject.table_name(node)?,
        each * 1000.0,
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message))
}

/// The first call in a condition that reads no column and is not left out.
pub(super) fn call_without_columns(condition: &Expression) -> Option<String> {
    let mut open = vec![condition];
    while let Some(part) = open.pop() {
        if part.shape == Shape::RunTime
            && let Some(call) = slow_call(&part.text)
        {
            return Some(call.to_owned());
        }
        open.extend(part.parts().into_iter().rev());
    }
    None
}

/// The call of a function that may be slow in a text, perhaps within a cast; a subplan's result is
/// computed once.
fn slow_call(text: &str) -> Option<&str> {
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    let open = text
        .match_indices('(')
        .map(|(at, _)| at)
        .find(|at| text[..*at].ends_with(is_name))?;
    let before = text.get(..open)?;
    let begin = before.trim_end_matches(is_name).len();
    let name = before.get(begin..)?.rsplit('.').next()?;
    if text.contains("Plan ") || LEFT_OUT.contains(&name.to_lowercase().as_str()) {
        return None;
    }
    text.get(begin..open + closing(text.get(open..)?)? + 1)
}

/// Where the parenthesis closes that a text begins with.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut is_literal) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\'' => is_literal = !is_literal,
            b'(' if !is_literal => depth += 1,
            b')' if !is_literal => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
