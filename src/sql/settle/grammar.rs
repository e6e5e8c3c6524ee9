//! Where the grammar wants a constant: `interval $1`, `extract($1 from x)`.

use sqlparser::tokenizer::Token;

use super::groups::is_parameter;
use crate::sql::tokens::Tokens;

/// Unquoted words that a value may follow. Every other word before a constant names its type
/// (`ConstTypename Sconst` and `func_name Sconst` in gram.y).
#[rustfmt::skip]
const BEFORE_VALUES: &[&str] = &[
    "all", "and", "any", "array", "as", "asymmetric", "between", "both", "by", "case", "content", "default", "distinct", "document", "else",
    "escape", "except", "exists", "fetch", "filter", "first", "for", "from", "groups", "having", "ilike", "in", "intersect", "into", "is",
    "isnull", "leading", "like", "limit", "next", "not", "notnull", "offset", "on", "operator", "or", "over", "passing", "placing", "range",
    "return", "returning", "rows", "select", "set", "similar", "some", "symmetric", "then", "to", "trailing", "union", "using", "value",
    "values", "variadic", "when", "where", "with", "xmlattributes", "zone", "ref", "path", "error", "empty",
];

/// The fields of `interval '1' year to month`.
const FIELDS: &[&str] = &["year", "month", "day", "hour", "minute", "second"];

/// The text with casts and function calls, which may have parameters. None where nothing is to be
/// changed.
pub(super) fn corrected(tokens: &Tokens<'_>) -> Option<String> {
    let mut replacements: Vec<(usize, usize, String)> = Vec::new();
    let mut position = 0;
    while position < tokens.len() {
        let found = typed_constant(tokens, position).or_else(|| extract(tokens, position));
        match found {
            Some(replacement) => {
                position = replacement.1;
                replacements.push(replacement);
            }
            None => position += 1,
        }
    }
    if replacements.is_empty() {
        return None;
    }
    tokens.replaced(&replacements)
}

/// `interval $1 day` → `CAST($1 AS interval day)`.
fn typed_constant(tokens: &Tokens<'_>, start: usize) -> Option<(usize, usize, String)> {
    tokens.name(start)?;
    let before = start.checked_sub(1);
    let is_part = before.is_some_and(|before| {
        matches!(tokens.at(before), Some(Token::Period | Token::DoubleColon))
            || tokens.is_word(before, "as")
    });
    if is_part || is_keyword(tokens, start) {
        return None;
    }
    let parameter = end_of_type(tokens, start)?;
    is_parameter(tokens.at(parameter)?).then_some(())?;
    let name = tokens.text(start, parameter)?;
    let mut end = parameter + 1;
    if tokens.is_word(start, "interval") {
        end = end_of_fields(tokens, end);
    }
    let fields = match tokens.text(parameter + 1, end) {
        Some(fields) if end > parameter + 1 => format!(" {fields}"),
        _ => String::new(),
    };
    let number = tokens.text(parameter, parameter + 1)?;
    Some((start, end, format!("CAST({number} AS {name}{fields})")))
}

fn is_keyword(tokens: &Tokens<'_>, position: usize) -> bool {
    tokens.is_one_of(position, BEFORE_VALUES)
}

/// Past the name of a type: `pg_catalog.date`, `double precision`, `timestamp(3) with time zone`.
fn end_of_type(tokens: &Tokens<'_>, start: usize) -> Option<usize> {
    let mut end = start + 1;
    while tokens.at(end) == Some(&Token::Period) {
        tokens.name(end + 1)?;
        end += 2;
    }
    let second = [
        ("double", "precision"),
        ("character", "varying"),
        ("bit", "varying"),
    ];
    if second
        .iter()
        .any(|(first, second)| tokens.is_word(start, first) && tokens.is_word(end, second))
    {
        end += 1;
    }
    if tokens.at(end) == Some(&Token::LParen) {
        let close = (end + 1..tokens.len()).find(|at| tokens.at(*at) == Some(&Token::RParen))?;
        let is_number = |at: usize| matches!(tokens.at(at), Some(Token::Number(..) | Token::Comma));
        (end + 1..close).all(is_number).then_some(())?;
        end = close + 1;
    }
    let has_zone = tokens.is_one_of(end, &["with", "without"])
        && tokens.is_word(end + 1, "time")
        && tokens.is_word(end + 2, "zone");
    Some(if has_zone { end + 3 } else { end })
}

fn end_of_fields(tokens: &Tokens<'_>, start: usize) -> usize {
    let one = |at: usize| {
        if !tokens.is_one_of(at, FIELDS) {
            return at;
        }
        match tokens.at(at + 1) {
            Some(Token::LParen) if tokens.at(at + 3) == Some(&Token::RParen) => at + 4,
            _ => at + 1,
        }
    };
    let end = one(start);
    if end > start && tokens.is_word(end, "to") {
        one(end + 1)
    } else {
        end
    }
}

/// `extract($1 from x)` → `pg_catalog.date_part($1, x)`, which every version has.
fn extract(tokens: &Tokens<'_>, start: usize) -> Option<(usize, usize, String)> {
    let is_extract = tokens.is_word(start, "extract")
        && tokens.at(start + 1) == Some(&Token::LParen)
        && is_parameter(tokens.at(start + 2)?)
        && tokens.is_word(start + 3, "from");
    let field = tokens.text(start + 2, start + 3)?;
    is_extract.then(|| (start, start + 4, format!("pg_catalog.date_part({field}, ")))
}
