//! A function or cast around a column in a condition: an index on the column cannot serve it.
//!
//! Casts come from comparing with a value of another type (`id = 5.0` compares as numeric). A cast
//! of varchar to text is only a relabelling and harmless (src/include/catalog/pg_cast.dat,
//! castmethod `b`).

use super::fixed_expression::is_fixed;
use super::index_proposal::{create_index, has_column_lookup, scan_use};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use super::waste::waste;
use crate::model::quote_identifier;
use crate::plan::{Node, NodeType};
use crate::predicate::Relation;
use crate::sql::{Expression, Shape};

pub(super) const RULE: Rule = Rule {
    name: "wrapped-column",
    max_severity: Severity::Critical,
    looks_for: "a filter that throws away most rows and compares a function or a cast of a column",
    why: "an index on the column is kept in the order of the column, not of the function's results",
    source: "https://www.postgresql.org/docs/current/indexes-expressional.html",
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
    let waste = waste(subject, node)?;
    let node = subject.node(node.id);
    let relation = subject.relation(node)?;
    let filter = subject.condition(node, "Filter")?;
    // A plain condition beside it is the better key; another rule reports it.
    if has_column_lookup(&filter, relation, node) {
        return None;
    }
    let wrapped = filter
        .conjuncts()
        .iter()
        .find_map(|conjunct| wrapped(conjunct, relation))?;
    let table = subject.table_name(node)?;
    let (why, action) = why(subject, node, wrapped, &filter)?;
    let message = format!(
        "the filter on {table} {}: {why} ({}).",
        waste.text(),
        subject.impact_text(waste.impact)
    );
    Some(Draft::new(node, waste.impact, message).action(action))
}

/// Why no index on the column serves, and what creates one that does.
fn why(
    subject: &Subject<'_>,
    node: &Node,
    wrapped: &Expression,
    filter: &Expression,
) -> Option<(String, Option<String>)> {
    let relation = subject.relation(node)?;
    let (column, text) = (wrapped.columns.iter().next()?, &wrapped.text);
    Some(match &wrapped.shape {
        Shape::Cast { operand, .. }
            if !matches!(operand.shape, Shape::Column(_)) && is_fixed(wrapped) =>
        {
            (
                format!("an index on {column} does not serve {text}; one on the expression does"),
                Some(format!("{} (({text}));", subject.create_index_on(node)?)),
            )
        }
        _ if depends_on_settings(wrapped, filter) => (
            format!(
                "no index on {column} serves {text}, and none can hold it, because it depends on settings such as the time zone; a range of \
                 {column} itself ({column} >= … AND {column} < …), where it is a time, is served by an index on {column}"
            ),
            Some(format!(
                "{} ({});",
                subject.create_index_on(node)?,
                quote_identifier(column)
            ))
            .filter(|_| {
                // What an index-only scan returns is in its index.
                *node.node_type() != NodeType::IndexOnlyScan && !has_index_on(subject, node, column)
            }),
        ),
        Shape::Cast { type_name, .. } => {
            let known = relation
                .table
                .column(column)
                .map(|column| column.type_name.as_str())
                .filter(|type_name| !type_name.is_empty());
            let is = known.map_or_else(String::new, |own| format!(" ({own})"));
            (
                format!(
                    "{column}{is} is cast to {type_name} row by row, so no index on {column} serves; compare it with a value of its own type"
                ),
                None,
            )
        }
        _ if subject.plan_catalog().volatile_call(text).is_some() => (
            format!("no index can hold {text}, because what it calls is VOLATILE"),
            None,
        ),
        _ => {
            let wanted = scan_use(subject, node, &["Filter"])?;
            let action = create_index(subject, node, &wanted);
            (
                format!(
                    "no index on {column} serves {text}; an index on the expression would, or a condition on {column} itself"
                ),
                action,
            )
        }
    })
}

/// Does this rule say why the node's filter is not served?
pub(super) fn applies(subject: &Subject<'_>, node: &Node) -> bool {
    check(subject, node).is_some()
}

/// Whether a call of a column is STABLE (pg_proc.dat): it depends on the time zone, the locale or
/// another setting. That of `date_trunc` is for times with a time zone, which the comparison tells. A
/// cast to a date of a time is told to be one by nothing, but a range serves all of them.
fn depends_on_settings(wrapped: &Expression, filter: &Expression) -> bool {
    const STABLE: [&str; 4] = ["to_char", "to_date", "to_timestamp", "age"];
    let of_time_zone = || filter.text.contains("::timestamp with time zone");
    let is_column = |part: &Expression| matches!(part.shape, Shape::Column(_));
    match &wrapped.shape {
        Shape::Call {
            function,
            arguments,
        } if arguments.iter().any(is_column) => {
            let name = function.rsplit('.').next().unwrap_or(function);
            STABLE.contains(&name) || (matches!(name, "date_trunc" | "date_part") && of_time_zone())
        }
        Shape::Cast { operand, type_name } => type_name == "date" && is_column(operand),
        _ => false,
    }
}

/// Whether the catalog has an index that begins with the column.
fn has_index_on(subject: &Subject<'_>, node: &Node, column: &str) -> bool {
    let indexes = subject
        .table(node)
        .into_iter()
        .flat_map(|table| &table.indexes);
    indexes
        .filter_map(|existing| existing.index.as_ref()?.keys.first()?.key.column())
        .any(|first| first == column)
}

/// The call or cast of a column that a comparison has on one side.
fn wrapped<'e>(conjunct: &'e Expression, relation: Relation<'_>) -> Option<&'e Expression> {
    let (left, right) = match &conjunct.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } if matches!(operator.as_str(), "=" | "<" | "<=" | ">" | ">=") => {
            (left.as_ref(), right.as_ref())
        }
        Shape::AnyOf {
            operator,
            operand,
            array,
        } if operator == "=" => (operand.as_ref(), array.as_ref()),
        _ => return None,
    };
    let (own, other) = if relation.reads_only_this(left) {
        (left, right)
    } else {
        (right, left)
    };
    let is_wrapper = matches!(own.shape, Shape::Call { .. } | Shape::Cast { .. })
        && relation.column(own).is_none();
    (is_wrapper && relation.reads_only_this(own) && !relation.reads_only_this(other)).then_some(own)
}
