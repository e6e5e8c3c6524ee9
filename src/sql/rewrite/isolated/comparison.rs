//! A comparison, and what of it a rule has to find.

use sqlparser::tokenizer::Token;

use super::super::conditions::Place;
use super::super::from_tables::KnownColumn;
use super::super::select::{Span, closing, unwrapped};
use crate::sql::tokens::Tokens;

/// How two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Operator {
    pub(super) fn of(token: &Token) -> Option<Operator> {
        Some(match token {
            Token::Lt => Operator::Less,
            Token::LtEq => Operator::LessOrEqual,
            Token::Eq => Operator::Equal,
            Token::GtEq => Operator::GreaterOrEqual,
            Token::Gt => Operator::Greater,
            _ => return None,
        })
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Equal => "=",
            Operator::GreaterOrEqual => ">=",
            Operator::Greater => ">",
        }
    }

    /// Of the sides, exchanged; or of both, with the other sign.
    pub(super) fn turned(self) -> Operator {
        match self {
            Operator::Less => Operator::Greater,
            Operator::LessOrEqual => Operator::GreaterOrEqual,
            Operator::Equal => Operator::Equal,
            Operator::GreaterOrEqual => Operator::LessOrEqual,
            Operator::Greater => Operator::Less,
        }
    }

    /// Is it true of a side that is great enough?
    pub(super) fn is_lower_bound(self) -> bool {
        matches!(self, Operator::Greater | Operator::GreaterOrEqual)
    }

    pub(super) fn is_upper_bound(self) -> bool {
        matches!(self, Operator::Less | Operator::LessOrEqual)
    }
}

/// `left operator right`, where the left side has the column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison {
    pub(super) left: Span,
    pub(super) operator: Operator,
    pub(super) right: Span,
}

/// What is the same as a comparison.
pub(super) struct Alone {
    /// Conditions on the column alone.
    pub(super) bounds: Vec<String>,
    /// They are the comparison, instead of following from it.
    pub(super) is_exact: bool,
    /// The column, as the statement names it.
    pub(super) column: String,
}

impl Alone {
    pub(super) fn exact(column: &str, operator: Operator, value: &str) -> Alone {
        Alone {
            bounds: vec![format!("{column} {} {value}", operator.text())],
            is_exact: true,
            column: column.to_owned(),
        }
    }
}

/// Places outside of parentheses.
pub(super) fn outer<'t>(
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
pub(super) fn sum(tokens: &Tokens<'_>, span: Span) -> Option<(Span, usize, Span)> {
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
pub(super) fn bare<'s>(place: &Place<'_, 's>, span: Span) -> Option<(KnownColumn, &'s str)> {
    let (from, to) = unwrapped(place.tokens, span);
    let (column, end) = place.tokens.column(from)?;
    let known = place.block.column(&column, place.schema)?;
    let text = place.tokens.text(from, to)?;
    (end == to).then_some((known, text))
}
