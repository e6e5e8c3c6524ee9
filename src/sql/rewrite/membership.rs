//! `me() IN (SELECT member FROM members WHERE members.team = documents.team)`, as row-level security
//! policies have it: the subquery names a column of the row, and so it is evaluated for every row.
//! `documents.team IN (SELECT team FROM members WHERE member = (SELECT me()))` names none and is
//! evaluated once, as a hash table. Both are true if the same row of `members` exists. One may be false
//! where the other is NULL, so this is done only where that makes no difference: not below NOT or any
//! other operator but AND and OR.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Query, Select, SelectItem, SetExpr, TableFactor, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use crate::sql::parser::{bare, parse_all, syntax};

/// What a policy's condition became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The condition.
    pub condition: String,
    /// The columns of the row that are looked up in what is now evaluated once.
    pub columns: Vec<String>,
}

/// The condition with such subqueries turned around; none if it has none. Of functions that are not
/// the same within a statement nothing is turned around.
pub fn membership(
    condition: &str,
    table: &str,
    is_stable: &(dyn Fn(&str) -> bool + Sync),
) -> Option<Membership> {
    let found = parse_all(condition, |parser| {
        let mut parsed = parser.parse_expr().map_err(|error| syntax(&error))?;
        let mut columns = Vec::new();
        turn(&mut parsed, &Turning { table, is_stable }, &mut columns);
        Ok(Membership {
            condition: parsed.to_string(),
            columns,
        })
    });
    found.ok().filter(|found| !found.columns.is_empty())
}

struct Turning<'t> {
    /// The table of the policy, which its columns are qualified with in subqueries.
    table: &'t str,
    is_stable: &'t (dyn Fn(&str) -> bool + Sync),
}

fn turn(part: &mut Expr, turning: &Turning<'_>, columns: &mut Vec<String>) {
    match part {
        Expr::Nested(inner) => turn(inner, turning, columns),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And | BinaryOperator::Or,
            right,
        } => {
            turn(left, turning, columns);
            turn(right, turning, columns);
        }
        Expr::InSubquery {
            expr,
            subquery,
            negated: false,
        } => {
            if let Some((column, found)) = turned(expr, subquery, turning) {
                columns.extend(column.last().map(|name| name.value.clone()));
                *part = found;
            }
        }
        _ => {}
    }
}

/// The column of the row, and the condition that looks for it.
fn turned(value: &Expr, subquery: &Query, turning: &Turning<'_>) -> Option<(Vec<Ident>, Expr)> {
    let value = evaluated_once(value, turning)?;
    let mut query = subquery.clone();
    let is_plain = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.locks.is_empty();
    let SetExpr::Select(select) = &mut *query.body else {
        return None;
    };
    let inner = only_table(select).filter(|_| is_plain)?;
    let [SelectItem::UnnamedExpr(member) | SelectItem::ExprWithAlias { expr: member, .. }] =
        select.projection.as_slice()
    else {
        return None;
    };
    let member = member.clone();
    qualified(&member).filter(|parts| parts[0].value == inner)?;
    let mut terms = Vec::new();
    split(select.selection.take()?, &mut terms);
    let of_row = |parts: &[Ident]| parts[0].value == turning.table && inner != turning.table;
    let link = terms.iter().position(|term| {
        let sides = equal(term);
        sides.is_some_and(|sides| sides.iter().any(|parts| of_row(parts)))
    })?;
    let sides = equal(&terms.remove(link))?;
    let outer = sides.iter().find(|parts| of_row(parts))?.clone();
    let own = sides.iter().find(|parts| parts[0].value == inner)?.clone();
    // Everything else is about the table of the subquery alone.
    let is_own = |term: &Expr| {
        all_columns(term).is_some_and(|found| found.iter().all(|parts| parts[0].value == inner))
    };
    if !terms.iter().all(is_own) || terms.iter().any(has_subquery) {
        return None;
    }
    let mut selection = Expr::BinaryOp {
        left: Box::new(member),
        op: BinaryOperator::Eq,
        right: Box::new(value),
    };
    for term in terms {
        selection = Expr::BinaryOp {
            left: Box::new(selection),
            op: BinaryOperator::And,
            right: Box::new(term),
        };
    }
    select.selection = Some(selection);
    select.projection = vec![SelectItem::UnnamedExpr(Expr::CompoundIdentifier(own))];
    let found = Expr::InSubquery {
        expr: Box::new(Expr::CompoundIdentifier(outer.clone())),
        subquery: Box::new(query),
        negated: false,
    };
    Some((outer, found))
}

/// The name that the columns of the only table of a SELECT are qualified with; none where anything but
/// its WHERE decides which rows there are.
fn only_table(select: &Select) -> Option<String> {
    let [from] = select.from.as_slice() else {
        return None;
    };
    let is_plain = select.distinct.is_none()
        && select.top.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
        && from.joins.is_empty()
        && matches!(&select.group_by, sqlparser::ast::GroupByExpr::Expressions(keys, more) if keys.is_empty() && more.is_empty());
    match &from.relation {
        TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } if is_plain => match alias {
            Some(alias) => Some(alias.name.value.clone()),
            None => Some(name.0.last()?.as_ident()?.value.clone()),
        },
        _ => None,
    }
}

/// A value without columns, with its calls in a subquery of their own.
fn evaluated_once(value: &Expr, turning: &Turning<'_>) -> Option<Expr> {
    let mut calls = Calls::default();
    let _ = value.visit(&mut calls);
    let is_same = |name: &String| {
        matches!(name.as_str(), "current_setting" | "nullif" | "coalesce")
            || (turning.is_stable)(name)
    };
    if calls.reads_columns || !calls.functions.iter().all(is_same) {
        return None;
    }
    if calls.functions.is_empty() || matches!(bare(value), Expr::Subquery(_)) {
        return Some(value.clone());
    }
    let text = format!("(SELECT {value})");
    let parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(&text);
    parser.ok()?.parse_expr().ok()
}

/// What an expression calls and reads.
#[derive(Default)]
struct Calls {
    functions: Vec<String>,
    reads_columns: bool,
}

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let reads = match &*query.body {
            SetExpr::Select(select) => !select.from.is_empty(),
            _ => true,
        };
        self.reads_columns |= reads;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
        match part {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.reads_columns = true,
            Expr::Function(function) => {
                let name = function.name.0.last().and_then(|part| part.as_ident());
                self.functions
                    .push(name.map_or_else(String::new, |name| name.value.clone()));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The columns that an expression reads, with what they are qualified with; none where one is not.
fn all_columns(part: &Expr) -> Option<Vec<Vec<Ident>>> {
    struct Columns(Option<Vec<Vec<Ident>>>);
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
            match (part, &mut self.0) {
                (Expr::CompoundIdentifier(parts), Some(found)) if parts.len() == 2 => {
                    found.push(parts.clone())
                }
                (Expr::Identifier(_) | Expr::CompoundIdentifier(_), found) => *found = None,
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut columns = Columns(Some(Vec::new()));
    let _ = part.visit(&mut columns);
    columns.0
}

fn has_subquery(part: &Expr) -> bool {
    struct Found(bool);
    impl Visitor for Found {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 = true;
            ControlFlow::Break(())
        }
    }
    let mut found = Found(false);
    let _ = part.visit(&mut found);
    found.0
}

/// `table.column`.
fn qualified(part: &Expr) -> Option<&Vec<Ident>> {
    match bare(part) {
        Expr::CompoundIdentifier(parts) if parts.len() == 2 => Some(parts),
        _ => None,
    }
}

/// Both sides of `a.x = b.y`.
fn equal(part: &Expr) -> Option<[Vec<Ident>; 2]> {
    match bare(part) {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } => Some([qualified(left)?.clone(), qualified(right)?.clone()]),
        _ => None,
    }
}

/// The parts of a conjunction.
fn split(part: Expr, terms: &mut Vec<Expr>) {
    match part {
        Expr::Nested(inner)
            if matches!(
                *inner,
                Expr::BinaryOp {
                    op: BinaryOperator::And,
                    ..
                }
            ) =>
        {
            split(*inner, terms);
        }
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            split(*left, terms);
            split(*right, terms);
        }
        other => terms.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(condition: &str) -> Option<String> {
        let found = membership(condition, "doc", &|name| name == "me")?;
        assert_eq!(found.columns, ["team"]);
        Some(found.condition)
    }

    #[test]
    fn a_subquery_that_names_the_row_is_turned_around() {
        for (condition, wanted) in [
            (
                "(me() IN ( SELECT m.person FROM m WHERE (m.team = doc.team)))",
                "(doc.team IN (SELECT m.team FROM m WHERE m.person = (SELECT me())))",
            ),
            (
                "((owner = me()) OR ((SELECT auth.me() AS me) IN ( SELECT m_1.person FROM org.m m_1 WHERE ((doc.team = m_1.team) AND m_1.active))))",
                "((owner = me()) OR (doc.team IN (SELECT m_1.team FROM org.m m_1 WHERE m_1.person = (SELECT auth.me() AS me) AND m_1.active)))",
            ),
            (
                "(((current_setting('app.user'::text))::uuid IN ( SELECT m.person FROM m WHERE ((m.role = 'a'::text) AND (m.team = doc.team)))) AND (NOT hidden))",
                "((doc.team IN (SELECT m.team FROM m WHERE m.person = (SELECT (current_setting('app.user'::TEXT))::UUID) AND (m.role = 'a'::TEXT))) AND (NOT hidden))",
            ),
        ] {
            assert_eq!(of(condition).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for condition in [
            "(NOT (me() IN ( SELECT m.person FROM m WHERE (m.team = doc.team))))",
            "(me() <> ALL ( SELECT m.person FROM m WHERE (m.team = doc.team)))",
            "(other() IN ( SELECT m.person FROM m WHERE (m.team = doc.team)))",
            "(doc.owner IN ( SELECT m.person FROM m WHERE (m.team = doc.team)))",
            "(me() IN ( SELECT m.person FROM m WHERE (m.team = doc.team) LIMIT 1))",
            "(me() IN ( SELECT m.person FROM m WHERE (m.team > doc.team)))",
            "(me() IN ( SELECT m.person FROM m WHERE ((m.team = doc.team) AND (m.since < doc.made))))",
            "(me() IN ( SELECT m.person FROM m WHERE ((m.team = doc.team) OR m.admin)))",
            "(me() IN ( SELECT max(m.person) AS max FROM m WHERE (m.team = doc.team)))",
            "(me() IN ( SELECT m.person FROM m JOIN n ON true WHERE (m.team = doc.team)))",
            "(me() IN ( SELECT m.person FROM m))",
        ] {
            assert_eq!(of(condition), None, "{condition}");
        }
    }
}
