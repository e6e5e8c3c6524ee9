//! Constants as statements write them: literals and parameters, with casts around them.

use sqlparser::tokenizer::Token;

use super::select::{Span, closing, unwrapped};
use crate::sql::tokens::Tokens;

/// A literal or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constant<'s> {
    pub(super) value: Value,
    /// The type that it is cast to, by the name that `format_type` prints.
    pub(super) cast: Option<String>,
    /// As the statement writes it.
    pub(super) text: &'s str,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// `'…'`, unquoted.
    String(String),
    /// `5`, `-5.0`.
    Number(String),
    /// `$1`.
    Parameter,
}

/// A constant that takes up all of these tokens.
pub(super) fn constant<'s>(tokens: &Tokens<'s>, span: Span) -> Option<Constant<'s>> {
    let (from, to) = unwrapped(tokens, span);
    let text = tokens.text(span.0, span.1)?;
    if tokens.is_word(from, "cast") && tokens.at(from + 1) == Some(&Token::LParen) {
        let end = closing(tokens, from + 1).filter(|end| end + 1 == to)?;
        let as_word = (from + 2..end).find(|position| tokens.is_word(*position, "as"))?;
        let inner = constant(tokens, (from + 2, as_word)).filter(|inner| inner.cast.is_none())?;
        let cast = type_name(tokens, (as_word + 1, end))?;
        return Some(Constant {
            cast: Some(cast),
            text,
            ..inner
        });
    }
    if let Some(colons) =
        (from..to).rfind(|position| tokens.at(*position) == Some(&Token::DoubleColon))
    {
        let inner = constant(tokens, (from, colons)).filter(|inner| inner.cast.is_none())?;
        let cast = type_name(tokens, (colons + 1, to))?;
        return Some(Constant {
            cast: Some(cast),
            text,
            ..inner
        });
    }
    let last = tokens.at(to.checked_sub(1)?)?;
    let (value, start) = match last {
        Token::SingleQuotedString(value) => (Value::String(value.clone()), to - 1),
        Token::Number(number, false) => {
            let negative = to > from + 1 && tokens.at(to - 2) == Some(&Token::Minus);
            let sign = if negative { "-" } else { "" };
            (
                Value::Number(format!("{sign}{number}")),
                to - 1 - usize::from(negative),
            )
        }
        Token::Placeholder(name) if name.starts_with('$') => (Value::Parameter, to - 1),
        _ => return None,
    };
    let cast = match (start == from, &value) {
        (true, _) => None,
        (false, Value::String(_)) => Some(type_name(tokens, (from, start))?),
        (false, _) => return None,
    };
    Some(Constant { value, cast, text })
}

/// A type without modifiers, by the name that `format_type` prints.
pub(super) fn type_name(tokens: &Tokens<'_>, (from, to): Span) -> Option<String> {
    let words: Vec<String> = (from..to)
        .map(|position| tokens.name(position))
        .collect::<Option<_>>()?;
    let known = match words.join(" ").as_str() {
        "" => return None,
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "varchar" => "character varying",
        "decimal" => "numeric",
        "float8" => "double precision",
        "float4" => "real",
        "bool" => "boolean",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        other => return Some(other.to_owned()),
    };
    Some(known.to_owned())
}

/// A type without its modifiers: `timestamp(3) with time zone` → `timestamp with time zone`.
pub fn without_modifiers(type_name: &str) -> String {
    match type_name.split_once('(') {
        Some((before, rest)) => match rest.split_once(')') {
            Some((_, after)) => format!("{before}{after}"),
            None => type_name.to_owned(),
        },
        None => type_name.to_owned(),
    }
}

/// Words that expressions without columns may consist of. None of them is volatile, and none is
/// NULL.
const CONSTANT_WORDS: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "localtimestamp",
    "transaction_timestamp",
    "statement_timestamp",
    "interval",
    "timestamp",
    "timestamptz",
    "date",
    "with",
    "without",
    "time",
    "zone",
    "integer",
    "int",
    "int4",
    "int8",
    "bigint",
    "numeric",
    "date_trunc",
];

/// Does this name no column, and is it never NULL? Parameters may be NULL.
pub(super) fn is_constant_expression(tokens: &Tokens<'_>, (from, to): Span) -> bool {
    from < to
        && (from..to).all(|position| match tokens.at(position) {
            Some(
                Token::SingleQuotedString(_)
                | Token::Number(_, false)
                | Token::Plus
                | Token::Minus
                | Token::LParen
                | Token::RParen
                | Token::Comma
                | Token::DoubleColon,
            ) => true,
            Some(Token::Word(_)) => tokens.is_one_of(position, CONSTANT_WORDS),
            _ => false,
        })
}
