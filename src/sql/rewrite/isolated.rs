//! A column that is computed with on one side of a comparison, alone on its side:
//! `now() - at < interval '10 days'`, `id = 5.0`, `id::text = '5'`, `cents / 100 >= 7`. The index of
//! the column then serves, as it is.
//!
//! The condition that takes the place is true for the same rows, whatever the settings. Where that
//! cannot be said of one comparison (a day of a time zone may have 23 or 25 hours, a month 28 to 31
//! days), the condition stays, and a wider one stands beside it. Where the sum overflows the
//! statement is an error, and as rewritten it is none.

mod arithmetic;
mod comparison;
mod decimal;
mod elapsed;
mod interval;
mod types;

use sqlparser::tokenizer::Token;

use super::conditions::{Place, Replacement, replaced};
use super::from_tables::{Rewriting, Schema};
use super::select::Span;
use crate::sql::tokens::Tokens;
use comparison::{Alone, Comparison, Operator, outer};

/// A statement with such conditions.
pub fn isolated(sql: &str, schema: &Schema<'_>) -> Option<Rewriting> {
    replaced(sql, schema, |place| {
        types::listed(place).or_else(|| compared(place))
    })
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

#[cfg(test)]
mod tests;
