//! `sqlparser`, called safely: limits on length, a stack that is big enough, and text left over is
//! an error.

use sqlparser::ast::Expr;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// Texts longer than this are not parsed: a condition of that length is a list of literals, and no
/// index key.
pub(super) const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Stack for parsing, converting and dropping one expression. `sqlparser` limits its own depth
/// while parsing, but not for the left-deep trees that long `AND`/`OR`/`+` chains become.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Why a text could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// Longer than the limit.
    #[error("the text is too long to parse ({0} bytes)")]
    TooLong(usize),
    /// Not in the grammar `sqlparser` knows.
    #[error("{0}")]
    Syntax(String),
}

/// Runs a parser over the whole text on a big stack; text left over is an error (`parse_expr` alone
/// would stop silently).
pub(super) fn parse_all<T: Send>(
    text: &str,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, SqlError> + Send,
) -> Result<T, SqlError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(SqlError::TooLong(text.len()));
    }
    stacker::grow(STACK_BYTES, || {
        let dialect = PostgreSqlDialect {};
        let mut parser = Parser::new(&dialect)
            .try_with_sql(text)
            .map_err(|error| syntax(&error))?;
        let parsed = parse(&mut parser)?;
        while parser.consume_token(&Token::SemiColon) {}
        match parser.peek_token().token {
            Token::EOF => Ok(parsed),
            rest => Err(SqlError::Syntax(format!(
                "unexpected {rest} after the expression"
            ))),
        }
    })
}

pub(super) fn syntax(error: &sqlparser::parser::ParserError) -> SqlError {
    use sqlparser::parser::ParserError;
    SqlError::Syntax(match error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            with_place_first(message)
        }
        ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
    })
}

/// `Expected: ), found: EOF at Line: 1, Column: 9` as PostgreSQL and its users say it.
fn with_place_first(message: &str) -> String {
    let (what, place) = match message.rsplit_once(" at Line: ") {
        Some((what, place)) => (what, Some(place)),
        None => (message, None),
    };
    let what = what
        .replace("Expected: ", "expected ")
        .replace("found: EOF", "found the end")
        .replace("found: ", "found ");
    match place.and_then(|place| place.split_once(", Column: ")) {
        Some((line, column)) => {
            format!("syntax error at line {line}, column {column}: {what}")
        }
        None => format!("syntax error: {what}"),
    }
}

/// The text of an expression without the parentheses around it.
pub(super) fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_it_is_first() {
        let read = |text: &str| {
            let parse = |parser: &mut Parser<'_>| {
                parser
                    .parse_expr()
                    .map(drop)
                    .map_err(|error| syntax(&error))
            };
            parse_all(text, parse).unwrap_err().to_string()
        };
        assert_eq!(read("(a = 1"), "syntax error: expected ), found the end");
        let error = read("(a,\n b = )");
        assert!(
            error.starts_with("syntax error at line 2, column "),
            "{error}"
        );
        assert!(read("'never ended").starts_with("syntax error at line 1, column 1: "));
    }
}
