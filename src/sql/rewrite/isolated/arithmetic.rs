//! Sums, products and quotients of a column and a number.

use sqlparser::tokenizer::Token;

use super::super::conditions::Place;
use super::super::constants::{Constant, Value, constant, without_modifiers};
use super::super::select::{Span, unwrapped};
use super::comparison::{Alone, Comparison, Operator, bare, outer, sum};
use super::decimal::Decimal;
use super::types;
use crate::sql::tokens::Tokens;

pub(super) fn compared(place: &Place<'_, '_>, comparison: Comparison) -> Option<Alone> {
    let number = number(place.tokens, comparison.right)?;
    let solved = added(place, comparison, number)
        .or_else(|| negated(place, comparison, number))
        .or_else(|| multiplied(place, comparison, number))?;
    solved.alone()
}

/// A literal without a cast.
fn number(tokens: &Tokens<'_>, span: Span) -> Option<Decimal> {
    match constant(tokens, span)? {
        Constant {
            value: Value::Number(text),
            cast: None,
            ..
        } => Decimal::parse(&text),
        _ => None,
    }
}

/// A column compared with a number.
struct Solved<'s> {
    column: &'s str,
    kind: Kind,
    /// All of them must be true.
    comparisons: Vec<(Operator, Decimal)>,
}

impl Solved<'_> {
    fn alone(&self) -> Option<Alone> {
        let bounds = self.comparisons.iter().map(|(operator, number)| {
            let number = match self.kind {
                Kind::Integer => types::bound(*operator, *number)?.1.to_string(),
                Kind::Numeric => number.to_string(),
            };
            Some(format!("{} {} {number}", self.column, operator.text()))
        });
        Some(Alone {
            bounds: bounds.collect::<Option<_>>()?,
            is_exact: true,
            column: self.column.to_owned(),
        })
    }
}

/// What the column is. Sums of either kind are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Numeric,
}

fn operand<'s>(place: &Place<'_, 's>, span: Span) -> Option<(&'s str, Kind)> {
    let (known, text) = bare(place, span)?;
    let kind = match without_modifiers(&known.type_name).as_str() {
        "smallint" | "integer" | "bigint" => Kind::Integer,
        "numeric" => Kind::Numeric,
        _ => return None,
    };
    Some((text, kind))
}

/// `column + 10`, `10 - column`
fn added<'s>(
    place: &Place<'_, 's>,
    Comparison { left, operator, .. }: Comparison,
    value: Decimal,
) -> Option<Solved<'s>> {
    let tokens = place.tokens;
    let (first, at, second) = sum(tokens, left)?;
    let is_plus = tokens.at(at) == Some(&Token::Plus);
    let ((column, kind), operator, value) = match (number(tokens, first), number(tokens, second)) {
        (None, Some(number)) => {
            let number = if is_plus { number } else { number.negated() };
            (operand(place, first)?, operator, value.minus(number)?)
        }
        (Some(number), None) if is_plus => {
            (operand(place, second)?, operator, value.minus(number)?)
        }
        // NaN is greater than every number, and so is what it is taken from.
        (Some(number), None) => {
            let operand = operand(place, second).filter(|(_, kind)| *kind == Kind::Integer)?;
            (operand, operator.turned(), number.minus(value)?)
        }
        _ => return None,
    };
    Some(Solved {
        column,
        kind,
        comparisons: vec![(operator, value)],
    })
}

/// `-column`; NaN is greater than every number with either sign, so not of a numeric.
fn negated<'s>(
    place: &Place<'_, 's>,
    Comparison { left, operator, .. }: Comparison,
    value: Decimal,
) -> Option<Solved<'s>> {
    let (from, to) = unwrapped(place.tokens, left);
    let is_minus = place.tokens.at(from) == Some(&Token::Minus);
    let (column, kind) = operand(place, (from + 1, to)).filter(|_| is_minus)?;
    (kind == Kind::Integer).then(|| Solved {
        column,
        kind,
        comparisons: vec![(operator.turned(), value.negated())],
    })
}

/// `column * 100`, `column / 60`
fn multiplied<'s>(
    place: &Place<'_, 's>,
    Comparison { left, operator, .. }: Comparison,
    value: Decimal,
) -> Option<Solved<'s>> {
    let tokens = place.tokens;
    let span = unwrapped(tokens, left);
    let signs = [
        Token::Mul,
        Token::Div,
        Token::Mod,
        Token::Plus,
        Token::Minus,
    ];
    let is_sign = |at: usize| tokens.at(at).is_some_and(|token| signs.contains(token));
    let mut found = outer(tokens, span, is_sign);
    let at = found.next().filter(|_| found.next().is_none())?;
    let (first, second) = ((span.0, at), (at + 1, span.1));
    let is_product = tokens.at(at) == Some(&Token::Mul);
    let (column, factor) = match (number(tokens, first), number(tokens, second)) {
        (None, Some(factor)) => (first, factor),
        (Some(factor), None) if is_product => (second, factor),
        _ => return None,
    };
    let is_quotient = tokens.at(at) == Some(&Token::Div);
    let (text, kind) = operand(place, column).filter(|_| is_product || is_quotient)?;
    let written_as_integer = !tokens.text(second.0, second.1)?.contains('.');
    let comparisons = match (kind, is_product) {
        (Kind::Integer, true) => of_product(operator, factor.integer()?, value)?,
        (Kind::Integer, false) if written_as_integer => {
            of_quotient(operator, factor.integer()?, value)?
        }
        // numeric / numeric rounds, but not by a power of ten that is small enough
        // (`select_div_scale`, src/backend/utils/adt/numeric.c: at least 16 digits).
        (Kind::Integer, false) => {
            let power = factor.power_of_ten().filter(|power| *power <= 12)?;
            vec![(operator, value.times_power_of_ten(power)?)]
        }
        (Kind::Numeric, true) => {
            let power = factor.power_of_ten()?;
            vec![(operator, value.over_power_of_ten(power))]
        }
        (Kind::Numeric, false) => return None,
    };
    Some(Solved {
        column: text,
        kind,
        comparisons,
    })
}

/// Of an integer times a positive one.
fn of_product(
    operator: Operator,
    factor: i128,
    value: Decimal,
) -> Option<Vec<(Operator, Decimal)>> {
    let factor = Some(factor).filter(|factor| *factor > 0)?;
    let (_, bound) = types::bound(operator, value)?;
    let bound = i128::from(bound);
    let solved = match operator {
        Operator::Equal => (bound % factor == 0).then_some(bound / factor)?,
        Operator::Greater | Operator::LessOrEqual => bound.div_euclid(factor),
        Operator::GreaterOrEqual | Operator::Less => -(-bound).div_euclid(factor),
    };
    Some(vec![(operator, Decimal::of(solved))])
}

/// Of an integer by a positive one, which truncates toward zero.
fn of_quotient(
    operator: Operator,
    divisor: i128,
    value: Decimal,
) -> Option<Vec<(Operator, Decimal)>> {
    let divisor = Some(divisor).filter(|divisor| *divisor > 0)?;
    let (_, bound) = types::bound(operator, value)?;
    // The least column whose quotient is at least that.
    let least = |quotient: i128| {
        let product = quotient * divisor;
        Decimal::of(if quotient > 0 {
            product
        } else {
            product - (divisor - 1)
        })
    };
    let bound = i128::from(bound);
    let (at_least, less) = (Operator::GreaterOrEqual, Operator::Less);
    Some(match operator {
        Operator::Equal => vec![(at_least, least(bound)), (less, least(bound + 1))],
        Operator::GreaterOrEqual => vec![(at_least, least(bound))],
        Operator::Greater => vec![(at_least, least(bound + 1))],
        Operator::LessOrEqual => vec![(less, least(bound + 1))],
        Operator::Less => vec![(less, least(bound))],
    })
}
