//! Variables of functions: PL/pgSQL executes `SELECT … WHERE owner = the_owner`, and `the_owner` is a
//! variable.

use sqlparser::tokenizer::Token;

use super::groups::numbers;
use super::refusal::Refusal;
use super::types::token_at;
use crate::sql::tokens::Tokens;

/// The text with a parameter for the name that the server does not know as a column (`name`), or as
/// that of a relation with a column (`record.field`). None where the message is about something else.
pub(super) fn as_parameter(text: &str, refusal: &Refusal) -> Option<String> {
    // undefined_column, undefined_table
    if !matches!(refusal.state.as_str(), "42703" | "42P01") {
        return None;
    }
    let tokens = Tokens::read(text)?;
    let start = token_at(&tokens, refusal.at?)?;
    let first = tokens.name(start)?;
    let second = (tokens.at(start + 1) == Some(&Token::Period))
        .then(|| tokens.name(start + 2))
        .flatten();
    // A table that is missing stands alone in FROM.
    if refusal.state == "42P01" && second.is_none() || follows_from(&tokens, start) {
        return None;
    }
    let number = numbers(&tokens).last().copied().unwrap_or(0) + 1;
    let mut replacements = Vec::new();
    let mut position = 0;
    while position < tokens.len() {
        let end = match (&second, tokens.name(position)) {
            (None, Some(name)) if name == first => position + 1,
            (Some(second), Some(name))
                if name == first
                    && tokens.at(position + 1) == Some(&Token::Period)
                    && tokens.name(position + 2).as_ref() == Some(second) =>
            {
                position + 3
            }
            _ => position,
        };
        let is_part =
            |at: Option<usize>| at.is_some_and(|at| tokens.at(at) == Some(&Token::Period));
        let is_alone = !is_part(position.checked_sub(1)) && !is_part(Some(end));
        let is_function = tokens.at(end) == Some(&Token::LParen);
        if end > position && is_alone && !is_function {
            replacements.push((position, end, format!("${number}")));
        }
        position = end.max(position + 1);
    }
    if replacements.is_empty() {
        return None;
    }
    tokens.replaced(&replacements)
}

fn follows_from(tokens: &Tokens<'_>, position: usize) -> bool {
    let words = ["from", "join", "into", "update", "only", "table"];
    position
        .checked_sub(1)
        .is_some_and(|before| tokens.is_one_of(before, &words))
}
