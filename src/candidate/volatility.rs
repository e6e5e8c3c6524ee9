//! Expressions that no index may hold, because their result depends on a setting:
//! `created_at::date` of a `timestamptz` on TimeZone, `to_char` on lc_time. The note names a
//! rewrite that an index can serve
//! (<https://www.postgresql.org/docs/current/xfunc-volatility.html>).

use super::context::CandidateContext;
use super::expression_types::{plain, type_of};
use crate::catalog::{CallKind, Catalog, Mutable, Table};
use crate::index::{Index, Key};
use crate::predicate::ConditionKind;
use crate::sql::{DISTINCT, Expression, Shape, with_column_replaced};
use crate::workload::StatementId;

/// An expression that no index can hold: a call in it is not immutable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotIndexable {
    /// The statement.
    pub statement: StatementId,
    /// The text of the call in the plan.
    pub expression: String,
    /// What is called.
    pub call: Mutable,
    /// How to write it so that an index can serve it.
    pub alternative: Alternative,
}

/// How to write a condition or an order so that an index can serve it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alternative {
    /// Compare the column with the two ends of the period.
    ComparePeriod {
        /// The column, quoted.
        column: String,
        /// The condition that this replaces.
        instead_of: Option<String>,
        /// The same expression with a fixed time zone, which an index can hold.
        at_utc: Option<String>,
    },
    /// Name the text search configuration.
    NameConfiguration {
        /// The condition that this replaces.
        instead_of: Option<String>,
    },
    /// Declare the function IMMUTABLE, if it is.
    DeclareImmutable,
    /// Concatenate with `||`.
    Concatenate {
        /// The condition that this replaces.
        instead_of: Option<String>,
    },
    /// Compare the column itself, or store the result.
    CompareColumn,
}

impl NotIndexable {
    /// Does the result depend on the session's TimeZone?
    pub fn depends_on_time_zone(&self) -> bool {
        depends_on_time_zone(&self.call)
    }
}

/// May an index hold all its keys and its predicate? An expression that cannot be parsed may.
pub(super) fn is_immutable(index: &Index, table: &Table, catalog: &Catalog) -> bool {
    let keys = index.keys.iter().filter_map(|key| key.key.expression());
    keys.chain(&index.predicate)
        .all(|expression| mutable_call(expression, table, catalog).is_none())
}

/// Which conditions and orders would have an index if their expression were immutable.
pub(super) fn notes(context: CandidateContext<'_>, statement: &StatementId) -> Vec<NotIndexable> {
    let keyed = context
        .conditions(|condition| condition.kind != ConditionKind::RowPredicate)
        .into_iter();
    let conditions = keyed.map(|condition| (&condition.key, Some(&condition.expression)));
    let orders = context
        .relation
        .orders
        .iter()
        .flatten()
        .map(|term| (&term.key, None));
    conditions
        .chain(orders)
        .filter_map(|(key, condition)| note(context, statement, key, condition))
        .collect()
}

fn note(
    context: CandidateContext<'_>,
    statement: &StatementId,
    key: &Key,
    condition: Option<&Expression>,
) -> Option<NotIndexable> {
    let expression = key.expression()?;
    let (call, called) = mutable_call(expression, context.table, context.catalog)?;
    let alternative = alternative(&call, expression, condition, context.table);
    Some(NotIndexable {
        statement: statement.clone(),
        expression: called,
        call,
        alternative,
    })
}

fn depends_on_time_zone(call: &Mutable) -> bool {
    call.arguments
        .iter()
        .any(|argument| argument == "timestamp with time zone")
}

fn alternative(
    call: &Mutable,
    expression: &Expression,
    condition: Option<&Expression>,
    table: &Table,
) -> Alternative {
    let of_zone = |name: &&String| {
        table
            .column(name)
            .is_some_and(|column| plain(&column.type_name) == "timestamp with time zone")
    };
    let column = expression.columns.iter().find(of_zone);
    let instead_of = condition.map(ToString::to_string);
    match (call.called.as_str(), column) {
        ("date" | "date_trunc" | "to_char" | "extract" | "date_part", Some(name))
            if depends_on_time_zone(call) =>
        {
            let column = crate::model::quote_identifier(name).into_owned();
            let at_utc = format!("{column} AT TIME ZONE 'UTC'");
            let at_utc = with_column_replaced(&expression.text, name, &at_utc)
                .filter(|_| call.called != "to_char");
            Alternative::ComparePeriod {
                column,
                instead_of,
                at_utc,
            }
        }
        ("to_tsvector", _) => Alternative::NameConfiguration { instead_of },
        _ if call.own => Alternative::DeclareImmutable,
        ("concat" | "concat_ws", _) => Alternative::Concatenate { instead_of },
        _ => Alternative::CompareColumn,
    }
}

/// The first call in an expression that is not immutable, with its text.
fn mutable_call(
    expression: &Expression,
    table: &Table,
    catalog: &Catalog,
) -> Option<(Mutable, String)> {
    if catalog.mutable.is_empty() {
        return None;
    }
    find(expression, table, catalog)
}

fn find(expression: &Expression, table: &Table, catalog: &Catalog) -> Option<(Mutable, String)> {
    let typed = |part: &Expression| type_of(part, table);
    let inside = |parts: &[&Expression]| parts.iter().find_map(|part| find(part, table, catalog));
    let matching = |kind, called: &str, arguments: Vec<Option<String>>| {
        let found = catalog
            .mutable
            .iter()
            .find(|known| is_call(known, kind, called, &arguments))?;
        Some((found.clone(), expression.text.clone()))
    };
    match &expression.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } => {
            // IS DISTINCT FROM uses the operator `=` (`make_distinct_op`,
            // src/backend/parser/parse_expr.c).
            let operator = if operator == DISTINCT { "=" } else { operator };
            let operands = [typed(left), typed(right)];
            inside(&[left, right]).or_else(|| match concatenated(operator, &operands) {
                Some(other) => matching(CallKind::Cast, "text", vec![Some(other)]),
                None => matching(CallKind::Operator, operator, operands.to_vec()),
            })
        }
        Shape::Cast { operand, type_name } => inside(&[operand])
            .or_else(|| matching(CallKind::Cast, &plain(type_name), vec![typed(operand)])),
        Shape::Call {
            function,
            arguments,
        } => {
            let types = arguments.iter().map(typed).collect();
            let parts: Vec<&Expression> = arguments.iter().collect();
            let name = function.rsplit('.').next().unwrap_or(function);
            inside(&parts).or_else(|| matching(CallKind::Function, name, types))
        }
        Shape::And(parts) | Shape::Or(parts) => inside(&parts.iter().collect::<Vec<_>>()),
        Shape::Not(operand)
        | Shape::NullTest { operand, .. }
        | Shape::TruthTest { operand, .. }
        | Shape::Collate { operand, .. } => inside(&[operand]),
        Shape::AnyOf { operand, array, .. } => inside(&[operand, array]),
        Shape::Extract { source, .. } => inside(&[source]).or_else(|| {
            let found = extraction(&typed(source)?, catalog)?;
            Some((found.clone(), expression.text.clone()))
        }),
        Shape::Column(_) | Shape::Constant | Shape::RunTime | Shape::Other | Shape::Unparsed => {
            None
        }
    }
}

/// The type that is written as text behind or before a text: `text || integer`. Its operator is
/// STABLE, for any type may stand there, but PostgreSQL inlines it, and what remains is the cast
/// (`textanycat` in src/include/catalog/pg_proc.dat, `CheckMutability` in
/// src/backend/commands/indexcmds.c).
fn concatenated(operator: &str, operands: &[Option<String>; 2]) -> Option<String> {
    let is_text = |operand: &Option<String>| operand.as_deref() == Some("text");
    let other = match operands {
        [left, right] if is_text(left) => right,
        [left, right] if is_text(right) => left,
        _ => return None,
    };
    (operator == "||").then(|| other.clone().unwrap_or_else(|| "text".to_owned()))
}

/// EXTRACT from a value of this type.
fn extraction<'c>(source_type: &str, catalog: &'c Catalog) -> Option<&'c Mutable> {
    let takes = |last: &String| last == source_type;
    let known =
        |known: &&Mutable| known.called == "extract" && known.arguments.last().is_some_and(takes);
    catalog.mutable.iter().find(known)
}

/// All argument types have to be known: `date_trunc` of a `timestamp` is immutable.
fn is_call(known: &Mutable, kind: CallKind, called: &str, arguments: &[Option<String>]) -> bool {
    let variadic = known.arguments.last().is_some_and(|last| last == "\"any\"");
    let same_number = known.arguments.len() == arguments.len()
        || (variadic && arguments.len() >= known.arguments.len());
    let same = |(known, given): (&String, &Option<String>)| match known.as_str() {
        "\"any\"" | "anyelement" | "anynonarray" => true,
        "anyarray" => given.as_ref().is_some_and(|given| given.ends_with("[]")),
        known => given.as_deref() == Some(plain(known).as_str()),
    };
    known.kind == kind
        && same_number
        && plain(&known.called).eq_ignore_ascii_case(called)
        && known.arguments.iter().zip(arguments).all(same)
}
