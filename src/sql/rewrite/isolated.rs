//! A column that is computed with on one side of a comparison, alone on its side:
//! `now() - at < interval '10 days'`, `id = 5.0`, `id::text = '5'`, `cents / 100 >= 7`. The index of
//! the column then serves, as it is.
//!
//! The condition that takes the place is true for the same rows, whatever the settings. Where that
//! cannot be said of one comparison (a day of a time zone may have 23 or 25 hours, a month 28 to 31
//! days), the condition stays, and a wider one stands beside it. Where the sum overflows the
//! statement is an error, and as rewritten it is none.

mod arithmetic;
mod decimal;
mod elapsed;
mod interval;
mod types;

use sqlparser::tokenizer::Token;

use super::conditions::{Place, Replacement, replaced};
use super::from_tables::{KnownColumn, Rewriting, Schema};
use super::select::{Span, closing, unwrapped};
use crate::sql::tokens::Tokens;

/// A statement with such conditions.
pub fn isolated(sql: &str, schema: &Schema<'_>) -> Option<Rewriting> {
    replaced(sql, schema, |place| {
        types::listed(place).or_else(|| compared(place))
    })
}

/// How two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Operator {
    fn of(token: &Token) -> Option<Operator> {
        Some(match token {
            Token::Lt => Operator::Less,
            Token::LtEq => Operator::LessOrEqual,
            Token::Eq => Operator::Equal,
            Token::GtEq => Operator::GreaterOrEqual,
            Token::Gt => Operator::Greater,
            _ => return None,
        })
    }

    fn text(self) -> &'static str {
        match self {
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Equal => "=",
            Operator::GreaterOrEqual => ">=",
            Operator::Greater => ">",
        }
    }

    /// Of the sides, exchanged; or of both, with the other sign.
    fn turned(self) -> Operator {
        match self {
            Operator::Less => Operator::Greater,
            Operator::LessOrEqual => Operator::GreaterOrEqual,
            Operator::Equal => Operator::Equal,
            Operator::GreaterOrEqual => Operator::LessOrEqual,
            Operator::Greater => Operator::Less,
        }
    }

    /// Is it true of a side that is great enough?
    fn is_lower_bound(self) -> bool {
        matches!(self, Operator::Greater | Operator::GreaterOrEqual)
    }

    fn is_upper_bound(self) -> bool {
        matches!(self, Operator::Less | Operator::LessOrEqual)
    }
}

/// `left operator right`, where the left side has the column.
#[derive(Debug, Clone, Copy)]
struct Comparison {
    left: Span,
    operator: Operator,
    right: Span,
}

/// What is the same as a comparison.
struct Alone {
    /// Conditions on the column alone.
    bounds: Vec<String>,
    /// They are the comparison, instead of following from it.
    is_exact: bool,
    /// The column, as the statement names it.
    column: String,
}

impl Alone {
    fn exact(column: &str, operator: Operator, value: &str) -> Alone {
        Alone {
            bounds: vec![format!("{column} {} {value}", operator.text())],
            is_exact: true,
            column: column.to_owned(),
        }
    }
}

const RULES: [fn(&Place<'_, '_>, Comparison) -> Option<Alone>; 3] =
    [types::compared, elapsed::compared, arithmetic::compared];

fn compared(place: &Place<'_, '_>) -> Option<Replacement> {
    let alone = |comparison| RULES.iter().find_map(|rule| rule(place, comparison));
    let comparisons = comparisons(place.tokens, place.span)?;
    let found: Vec<Alone> = match comparisons.as_slice() {
        [one] => {
            let turned = Comparison {
                left: one.right,
                operator: one.operator.turned(),
                right: one.left,
            };
            vec![alone(*one).or_else(|| alone(turned))?]
        }
        both => both.iter().map(|one| alone(*one)).collect::<Option<_>>()?,
    };
    let column = found.first()?.column.clone();
    let is_exact = found.iter().all(|one| one.is_exact);
    let mut parts: Vec<String> = found.into_iter().flat_map(|one| one.bounds).collect();
    if !is_exact {
        parts.insert(0, place.tokens.text(place.span.0, place.span.1)?.to_owned());
    }
    let text = match parts.as_slice() {
        [only] => only.clone(),
        parts => format!("({})", parts.join(" AND ")),
    };
    Some(Replacement { text, column })
}

/// One, or the two of BETWEEN.
fn comparisons(tokens: &Tokens<'_>, span: Span) -> Option<Vec<Comparison>> {
    let (from, to) = span;
    let mut between = outer(tokens, span, |at| tokens.is_word(at, "between"));
    if let (Some(word), None) = (between.next(), between.next()) {
        let and = outer(tokens, (word + 1, to), |at| tokens.is_word(at, "and")).next()?;
        let left = (from, word);
        let is_plain = !tokens.is_word(word - 1, "not") && !tokens.is_word(word + 1, "symmetric");
        let of = |operator, right| Comparison {
            left,
            operator,
            right,
        };
        let lower = of(Operator::GreaterOrEqual, (word + 1, and));
        let upper = of(Operator::LessOrEqual, (and + 1, to));
        return is_plain.then(|| vec![lower, upper]);
    }
    let operators = [
        Token::Lt,
        Token::LtEq,
        Token::Eq,
        Token::GtEq,
        Token::Gt,
        Token::Neq,
    ];
    let mut found = outer(tokens, span, |at| {
        tokens.at(at).is_some_and(|token| operators.contains(token))
    });
    let at = found.next().filter(|_| found.next().is_none())?;
    // `a = b IS NULL`, `NOT a = b`
    let words = ["is", "isnull", "notnull", "in", "any", "some", "all", "not"];
    if outer(tokens, span, |at| tokens.is_one_of(at, &words))
        .next()
        .is_some()
    {
        return None;
    }
    Some(vec![Comparison {
        left: (from, at),
        operator: Operator::of(tokens.at(at)?)?,
        right: (at + 1, to),
    }])
}

/// Places outside of parentheses.
fn outer<'t>(
    tokens: &'t Tokens<'_>,
    (from, to): Span,
    wanted: impl Fn(usize) -> bool + 't,
) -> impl Iterator<Item = usize> + 't {
    let mut position = from;
    std::iter::from_fn(move || {
        while position < to {
            let here = position;
            position += 1;
            if matches!(tokens.at(here), Some(Token::LParen | Token::LBracket)) {
                position = closing(tokens, here).map_or(to, |end| end + 1);
            } else if wanted(here) {
                return Some(here);
            }
        }
        None
    })
}

/// `left + right` or `left - right`, where the right side is no sum: both, and the operator's place.
fn sum(tokens: &Tokens<'_>, span: Span) -> Option<(Span, usize, Span)> {
    let (from, to) = unwrapped(tokens, span);
    let is_sign = |at: usize| {
        let sign = matches!(tokens.at(at), Some(Token::Plus | Token::Minus));
        // Not that of a number.
        let before = at.checked_sub(1).filter(|before| *before >= from);
        let binary = before.is_some_and(|before| {
            !matches!(
                tokens.at(before),
                Some(Token::Plus | Token::Minus | Token::Mul | Token::Div)
            )
        });
        sign && binary
    };
    let at = outer(tokens, (from, to), is_sign).last()?;
    (at + 1 < to).then_some(((from, at), at, (at + 1, to)))
}

/// A column and nothing else: what is known of it, and how the statement names it.
fn bare<'s>(place: &Place<'_, 's>, span: Span) -> Option<(KnownColumn, &'s str)> {
    let (from, to) = unwrapped(place.tokens, span);
    let (column, end) = place.tokens.column(from)?;
    let known = place.block.column(&column, place.schema)?;
    let text = place.tokens.text(from, to)?;
    (end == to).then_some((known, text))
}

#[cfg(test)]
mod tests;
