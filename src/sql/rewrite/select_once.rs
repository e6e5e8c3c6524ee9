//! `column = f()` of a STABLE function: the planner may call it for every row, while a subquery,
//! `column = (SELECT f())`, is evaluated once. The result of a STABLE function is the same within a
//! statement (<https://www.postgresql.org/docs/current/xfunc-volatility.html>), so the two mean the
//! same. Of a VOLATILE function they do not.

use sqlparser::tokenizer::Token;

use super::conditions::{Place, Replacement, replaced};
use super::from_tables::{Rewriting, Schema};
use super::select::{Span, closing};
use crate::sql::tokens::Tokens;

/// Which comparisons are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparisons {
    /// All.
    All,
    /// All but `=`, for which an index is the better remedy, and whose estimate becomes that of any
    /// value: a cost that falls by that says nothing.
    Ranges,
}

/// A statement in which calls of STABLE functions, without columns in their arguments, that are
/// compared with a column stand in a subquery.
pub fn select_once(
    sql: &str,
    schema: &Schema<'_>,
    comparisons: Comparisons,
    is_stable: &dyn Fn(&str) -> bool,
) -> Option<Rewriting> {
    replaced(sql, schema, |place| rule(place, comparisons, is_stable))
}

fn rule(
    place: &Place<'_, '_>,
    comparisons: Comparisons,
    is_stable: &dyn Fn(&str) -> bool,
) -> Option<Replacement> {
    let (tokens, (from, to)) = (place.tokens, place.span);
    let operator = (from..to).find(|position| is_comparison(tokens.at(*position)))?;
    if comparisons == Comparisons::Ranges && tokens.at(operator) == Some(&Token::Eq) {
        return None;
    }
    let sides = [
        ((from, operator), (operator + 1, to)),
        ((operator + 1, to), (from, operator)),
    ];
    let is_known = |(column, call): &(Span, Span)| {
        let found = tokens.column(column.0).filter(|(_, end)| *end == column.1);
        found.is_some_and(|(column, _)| place.block.column(&column, place.schema).is_some())
            && called(tokens, *call).is_some_and(|name| is_stable(&name))
    };
    let (column, call) = sides.into_iter().find(is_known)?;
    let text = |span: Span| tokens.text(span.0, span.1);
    let (column, call_text) = (text(column)?, text(call)?);
    let once = format!("(SELECT {call_text})");
    let comparison = tokens.text(operator, operator + 1)?;
    let text = if call.0 > operator {
        format!("{column} {comparison} {once}")
    } else {
        format!("{once} {comparison} {column}")
    };
    Some(Replacement {
        text,
        column: column.to_owned(),
    })
}

fn is_comparison(token: Option<&Token>) -> bool {
    matches!(
        token,
        Some(Token::Eq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq)
    )
}

/// The name of the function that these tokens call, without its schema; its arguments name no
/// columns.
fn called(tokens: &Tokens<'_>, (from, to): Span) -> Option<String> {
    let open = (from..to).find(|position| tokens.at(*position) == Some(&Token::LParen))?;
    let is_name = match open - from {
        1 => true,
        3 => tokens.at(from + 1) == Some(&Token::Period) && tokens.name(from).is_some(),
        _ => false,
    };
    if !is_name || closing(tokens, open) != to.checked_sub(1) {
        return None;
    }
    let is_constant = |position: usize| match tokens.at(position) {
        Some(
            Token::SingleQuotedString(_)
            | Token::Number(_, false)
            | Token::Placeholder(_)
            | Token::Minus
            | Token::Comma
            | Token::DoubleColon,
        ) => true,
        Some(Token::Word(_)) => tokens.at(position - 1) == Some(&Token::DoubleColon),
        _ => false,
    };
    let arguments = (open + 1..to - 1).all(is_constant);
    tokens.name(open - 1).filter(|_| arguments)
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, only_t};
    use super::*;

    fn rewritten(condition: &str) -> Option<String> {
        of(Comparisons::All, condition)
    }

    fn of(comparisons: Comparisons, condition: &str) -> Option<String> {
        let schema = |table: &FromTable| only_t(&[("owner", "text"), ("at", "text")], table);
        let sql = format!("SELECT * FROM t WHERE {condition}");
        let is_stable = |name: &str| matches!(name, "uid" | "since");
        let rewriting = select_once(&sql, &schema, comparisons, &is_stable)?;
        let (_, condition) = rewriting.sql.split_once("WHERE ")?;
        Some(condition.to_owned())
    }

    #[test]
    fn a_stable_function_is_called_once() {
        for (condition, wanted) in [
            ("owner = uid()", "owner = (SELECT uid())"),
            ("auth.uid() = t.owner", "(SELECT auth.uid()) = t.owner"),
            (
                "at >= since('day', $1::text) AND owner = 'x'",
                "at >= (SELECT since('day', $1::text)) AND owner = 'x'",
            ),
        ] {
            assert_eq!(rewritten(condition).as_deref(), Some(wanted));
        }
        let ranges = |condition| of(Comparisons::Ranges, condition);
        assert_eq!(ranges("owner = uid()"), None);
        assert_eq!(
            ranges("at < since()").as_deref(),
            Some("at < (SELECT since())")
        );
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for condition in [
            "owner = other()",
            "owner = uid() || 'x'",
            "owner = since(at)",
            "owner = (SELECT uid())",
            "upper(owner) = uid()",
            "owner = now()",
        ] {
            assert_eq!(rewritten(condition), None, "{condition}");
        }
    }
}
