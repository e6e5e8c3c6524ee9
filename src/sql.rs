//! SQL as text: splitting a workload into statements, reading the expressions of plans, reading index definitions.
//!
//! This is the only room that names `sqlparser`; what it hands out are types of its own. `sqlparser` is lenient,
//! incomplete and recursive (measured: it accepts 98.6 % of the condition strings in plans and can overflow the stack
//! on long chains), so nothing here may be needed for a statement to be planned: what cannot be read is `None` or an error
//! value, and the caller goes on without it.

mod assignments;
mod expression;
pub mod fingerprint;
mod index_definition;
mod literals;
pub mod rewrite;
pub mod split;

pub use assignments::{Assigned, assignments};
pub use expression::{DISTINCT, Expression, Shape, SortTerm, parse_expression, parse_sort_term};
pub use index_definition::parse_index;
pub use literals::literals;

use sqlparser::ast::Expr;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// Texts longer than this are not parsed: a condition of that length is a list of literals, and no index key.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Stack for parsing, converting and dropping one expression. `sqlparser` limits its own depth while parsing, but not for
/// the left-deep trees that long `AND`/`OR`/`+` chains become.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// Longer than anything worth reading.
    #[error("the text has {0} bytes, which is more than is read here")]
    TooLong(usize),
    /// Not in the grammar `sqlparser` knows.
    #[error("{0}")]
    Syntax(String),
}

/// Runs a parser over the whole text on a big stack; text left over is an error (`parse_expr` alone would stop silently).
fn parse_all<T: Send>(
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
        match parser.peek_token().token {
            Token::EOF | Token::SemiColon => Ok(parsed),
            rest => Err(SqlError::Syntax(format!(
                "unexpected {rest} after the expression"
            ))),
        }
    })
}

fn syntax(error: &sqlparser::parser::ParserError) -> SqlError {
    SqlError::Syntax(error.to_string())
}

/// The text of an expression without the parentheses around it.
fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}
