//! A sequential scan that keeps few of the rows it reads, where a plain column index would find
//! them.

use super::function_per_row::call_without_columns;
use super::index_proposal::{IndexProposal, looks_up_columns, propose, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use super::waste::waste;
use crate::model::quote_identifier;
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, Shape, literal_value};

pub(super) const RULE: Rule = Rule {
    name: "selective-seq-scan",
    max_severity: Severity::Critical,
    looks_for: "a sequential scan whose filter on plain columns keeps at most a tenth of the rows",
    why: "the whole table is read for rows that an index would lead to",
    source: "https://www.postgresql.org/docs/current/indexes-intro.html",
    check: Check::Node(&[NodeType::SeqScan], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    // Repeated scans have a rule of their own.
    if subject.repetitions(node).is_some_and(|loops| loops > 1.0) {
        return None;
    }
    let waste = waste(subject, node)?;
    let node = subject.node(node.id);
    let wanted = scan_use(subject, node, &["Filter"]).filter(looks_up_columns)?;
    let table = subject.table_name(node)?;
    if let Some(column) = doubtful_cast(subject, node) {
        let message = format!(
            "the sequential scan of {table} {} ({}). {column} is cast to text in the comparison: unless it is a text already, an index on \
             {column} cannot serve that. Compare {column} with a value of its own type, which the plan does not tell; then an index on \
             {column} does.",
            waste.text(),
            subject.impact_text(waste.impact)
        );
        return Some(Draft::new(node, waste.impact, message));
    }
    let proposal = propose(subject, &wanted);
    let volatile = node.filter().and_then(|filter| {
        let known = subject.plan_catalog().volatile_call(filter);
        let called = known.map(|call| call.called.to_string());
        called.or_else(|| built_in_volatile(filter))
    });
    if let Some(called) = volatile {
        let message = format!(
            "the sequential scan of {table} {} ({}). {called} is VOLATILE: it is evaluated for every row, and no index can be used. Written as \
             a subquery, (SELECT …), it is evaluated once, and an index can.",
            waste.text(),
            subject.impact_text(waste.impact)
        );
        return Some(Draft::new(node, waste.impact, message));
    }
    let unused = match &proposal {
        Some(IndexProposal::Existing(index)) => format!(
            " The index {index} exists and was not chosen: its columns may be too unselective, or the statistics too old."
        ),
        _ => String::new(),
    };
    let called = subject
        .condition(node, "Filter")
        .and_then(|filter| call_without_columns(&filter));
    let if_volatile = called.map_or_else(String::new, |call| {
        format!(
            " If {call} is VOLATILE, as functions are that say nothing else, it is called for every row and no index can be used: declare it \
             STABLE, or write (SELECT {call})."
        )
    });
    let message = format!(
        "the sequential scan of {table} {} ({}).{unused}{if_volatile}",
        waste.text(),
        subject.impact_text(waste.impact)
    );
    let action = proposal.and_then(|proposal| proposal.statement(subject, node));
    Some(Draft::new(node, waste.impact, message).action(action))
}

/// A function of PostgreSQL itself that a condition calls and that is VOLATILE (pg_proc.dat).
fn built_in_volatile(filter: &str) -> Option<String> {
    const VOLATILE: [&str; 6] = [
        "random()",
        "clock_timestamp()",
        "timeofday()",
        "gen_random_uuid()",
        "uuid_generate_v4()",
        "nextval(",
    ];
    let found = VOLATILE.iter().find(|call| filter.contains(**call))?;
    Some(found.trim_end_matches(['(', ')']).to_owned())
}

/// The only column that a filter compares as text with what looks like a number, a UUID or a date.
/// Of a varchar the cast is nothing; the plan does not tell the column's type.
fn doubtful_cast(subject: &Subject<'_>, node: &Node) -> Option<String> {
    if subject.table(node).is_some() {
        return None;
    }
    let filter = subject.condition(node, "Filter")?;
    let [conjunct] = filter.conjuncts() else {
        return None;
    };
    let Shape::Binary {
        operator,
        left,
        right,
    } = &conjunct.shape
    else {
        return None;
    };
    let (cast, value) = match (&left.shape, &right.shape) {
        (Shape::Cast { .. }, Shape::Constant) => (left, right),
        (Shape::Constant, Shape::Cast { .. }) => (right, left),
        _ => return None,
    };
    let column = cast_column(cast)?;
    let text = literal_value(&value.text);
    let is_key = text.len() > 1 || text.bytes().all(|byte| byte.is_ascii_digit());
    let of_key = |c: char| c.is_ascii_hexdigit() || matches!(c, '-' | ':' | '.' | ' ');
    let looks_typed = is_key
        && text.chars().all(of_key)
        && text.starts_with(|c: char| c.is_ascii_hexdigit())
        && text.contains(|c: char| c.is_ascii_digit());
    (operator == "=" && looks_typed).then_some(column)
}

/// The column that is cast to text.
fn cast_column(expression: &Expression) -> Option<String> {
    match &expression.shape {
        Shape::Cast { operand, type_name } if type_name == "text" => match &operand.shape {
            Shape::Column(name) => Some(quote_identifier(name).into_owned()),
            _ => None,
        },
        _ => None,
    }
}
