//! A column that is cast, by the statement or because a constant has another type.

use sqlparser::tokenizer::Token;

use super::super::conditions::{Place, Replacement};
use super::super::constants::{
    Constant, Value, constant, is_constant_expression, type_name, without_modifiers,
};
use super::super::from_tables::KnownColumn;
use super::super::select::{Span, closing, unwrapped};
use super::super::whole::listed as parts;
use super::comparison::{Alone, Comparison, Operator, bare, outer};
use super::decimal::Decimal;
use crate::sql::tokens::Tokens;

/// A column, and the type that the statement casts it to.
struct Operand<'s> {
    known: KnownColumn,
    /// As the statement names it.
    text: &'s str,
    /// By the name that `format_type` prints.
    cast: Option<String>,
}

impl<'s> Operand<'s> {
    fn read(place: &Place<'_, 's>, span: Span) -> Option<Operand<'s>> {
        let tokens = place.tokens;
        let (from, to) = unwrapped(tokens, span);
        let of = |column: Span, cast: Span| {
            let (known, text) = bare(place, column)?;
            let cast = type_name(tokens, cast)?;
            Some(Operand {
                known,
                text,
                cast: Some(cast),
            })
        };
        if tokens.is_word(from, "cast") && tokens.at(from + 1) == Some(&Token::LParen) {
            let end = closing(tokens, from + 1).filter(|end| end + 1 == to)?;
            let as_word = outer(tokens, (from + 2, end), |at| tokens.is_word(at, "as")).next()?;
            return of((from + 2, as_word), (as_word + 1, end));
        }
        let is_cast = |at: usize| tokens.at(at) == Some(&Token::DoubleColon);
        if let Some(colons) = outer(tokens, (from, to), is_cast).last() {
            return of((from, colons), (colons + 1, to));
        }
        let (known, text) = bare(place, (from, to))?;
        Some(Operand {
            known,
            text,
            cast: None,
        })
    }

    fn type_name(&self) -> String {
        without_modifiers(&self.known.type_name)
    }
}

const INTEGERS: [&str; 3] = ["smallint", "integer", "bigint"];

/// Types whose values are compared in one family of operators, each without a loss in the next
/// (<https://www.postgresql.org/docs/current/btree.html#BTREE-BEHAVIOR>).
const WIDER: [&[&str]; 2] = [
    &INTEGERS,
    &[
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
    ],
];

pub(super) fn compared(place: &Place<'_, '_>, comparison: Comparison) -> Option<Alone> {
    let operand = Operand::read(place, comparison.left)?;
    let operator = comparison.operator;
    if let Some(value) = wider(place.tokens, &operand, comparison.right) {
        return Some(Alone::exact(operand.text, operator, &value));
    }
    let value = constant(place.tokens, comparison.right)?;
    if operator == Operator::Equal
        && let Some(value) = of_text(&operand, &value)
    {
        return Some(Alone::exact(operand.text, operator, &value));
    }
    let (operator, bound) = of_number(&operand, operator, &value)?;
    Some(Alone::exact(operand.text, operator, &bound.to_string()))
}

/// `column::numeric IN (1, 2)`, `column::text = ANY (ARRAY['1', '2'])`
pub(super) fn listed(place: &Place<'_, '_>) -> Option<Replacement> {
    let tokens = place.tokens;
    let (from, to) = place.span;
    let opening = |word: &str, after: usize| {
        let at = outer(tokens, place.span, |at| tokens.is_word(at, word)).next()?;
        let open = at + after;
        let is_list = tokens.at(open) == Some(&Token::LParen) && closing(tokens, open)? + 1 == to;
        is_list.then_some((at, open))
    };
    let (left, list, (before, after)) = if let Some((at, open)) = opening("in", 1) {
        ((from, at), (open + 1, to - 1), ("IN (", ")"))
    } else {
        let (at, open) = opening("any", 1)?;
        let array = unwrapped(tokens, (open + 1, to - 1));
        let is_array = tokens.at(at - 1) == Some(&Token::Eq)
            && tokens.is_word(array.0, "array")
            && tokens.at(array.0 + 1) == Some(&Token::LBracket)
            && closing(tokens, array.0 + 1)? + 1 == array.1;
        let list = is_array.then_some((array.0 + 2, array.1 - 1))?;
        ((from, at - 1), list, ("= ANY (ARRAY[", "])"))
    };
    if left.1 <= from || tokens.is_word(left.1 - 1, "not") {
        return None;
    }
    let operand = Operand::read(place, left)?;
    let values: Vec<String> = parts(tokens, list)
        .into_iter()
        .map(|part| {
            let value = constant(tokens, part)?;
            of_text(&operand, &value).or_else(|| {
                let (_, bound) = of_number(&operand, Operator::Equal, &value)?;
                Some(bound.to_string())
            })
        })
        .collect::<Option<_>>()?;
    Some(Replacement {
        text: format!("{} {before}{}{after}", operand.text, values.join(", ")),
        column: operand.text.to_owned(),
    })
}

/// What a column is compared with that was cast to a wider type of its family.
fn wider(tokens: &Tokens<'_>, operand: &Operand<'_>, right: Span) -> Option<String> {
    let cast = operand.cast.as_deref()?;
    let rank = |name: &str| {
        let mut families = WIDER.iter().enumerate();
        families.find_map(|(family, names)| {
            let rank = names.iter().position(|known| *known == name)?;
            Some((family, rank))
        })
    };
    let (from, to) = (rank(&operand.type_name())?, rank(cast)?);
    if from.0 != to.0 || from.1 >= to.1 {
        return None;
    }
    let text = tokens.text(right.0, right.1)?;
    match constant(tokens, right) {
        Some(Constant {
            value: Value::Number(number),
            cast: None,
            ..
        }) => (cast == "bigint" || cast == "integer")
            .then(|| number.parse::<i64>().ok().map(|_| text.to_owned()))?,
        // Its type is that of the other side.
        Some(Constant { cast: None, .. }) => Some(format!("{text}::{cast}")),
        Some(Constant {
            cast: Some(type_of_value),
            ..
        }) => rank(&type_of_value)
            .filter(|rank| rank.0 == to.0)
            .map(|_| text.to_owned()),
        None => is_constant_expression(tokens, right)
            .then(|| text.to_owned())
            .filter(|_| from.0 == 1),
    }
}

/// The value whose text this is: of a number and of a UUID there is only one text, so any other
/// text is that of no value.
fn of_text(operand: &Operand<'_>, value: &Constant<'_>) -> Option<String> {
    let texts = ["text", "character varying"];
    let is_text = |name: &Option<String>| name.as_deref().is_some_and(|name| texts.contains(&name));
    let Value::String(text) = &value.value else {
        return None;
    };
    if !is_text(&operand.cast) || !(value.cast.is_none() || is_text(&value.cast)) {
        return None;
    }
    let type_name = operand.type_name();
    if INTEGERS.contains(&type_name.as_str()) {
        let number: i64 = text.parse().ok()?;
        return (number.to_string() == *text).then(|| text.clone());
    }
    (type_name == "uuid" && is_uuid(text)).then(|| format!("'{text}'::uuid"))
}

/// As PostgreSQL prints it.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// The comparison of an integer with a number that makes it another type.
fn of_number(
    operand: &Operand<'_>,
    operator: Operator,
    value: &Constant<'_>,
) -> Option<(Operator, i64)> {
    let inexact = |name: &Option<String>| name.as_deref() == Some("double precision");
    let known = |name: &Option<String>| {
        name.as_deref().is_none_or(|name| name == "numeric") || inexact(name)
    };
    let other = operand.cast.is_some() || value.cast.is_some();
    let is_integer = INTEGERS.contains(&operand.type_name().as_str());
    if !is_integer || !known(&operand.cast) || !known(&value.cast) {
        return None;
    }
    let number = match &value.value {
        Value::Number(text) if other || text.contains('.') => Decimal::parse(text)?,
        Value::String(text) if other => Decimal::parse(text)?,
        _ => return None,
    };
    // A double precision has 15 digits for certain.
    if (inexact(&operand.cast) || inexact(&value.cast)) && !number.has_digits(15) {
        return None;
    }
    bound(operator, number)
}

/// What an integer is compared with instead of a number.
pub(super) fn bound(operator: Operator, number: Decimal) -> Option<(Operator, i64)> {
    let bound = match operator {
        Operator::Equal => number.integer()?,
        Operator::Greater | Operator::LessOrEqual => number.floor()?,
        Operator::GreaterOrEqual | Operator::Less => number.ceiling()?,
    };
    let bound = i64::try_from(bound)
        .ok()
        .filter(|bound| *bound > i64::MIN)?;
    Some((operator, bound))
}
