//! Parameters of a text, and which of them have the same type because of where they stand.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::tokenizer::Token;

use crate::sql::tokens::Tokens;

/// The number of a parameter.
pub(super) fn number(token: &Token) -> Option<u32> {
    match token {
        Token::Placeholder(name) => name.strip_prefix('$')?.parse().ok(),
        _ => None,
    }
}

pub(super) fn is_parameter(token: &Token) -> bool {
    number(token).is_some()
}

/// All numbers of parameters, each once, in order.
pub(super) fn numbers(tokens: &Tokens<'_>) -> Vec<u32> {
    let found: BTreeSet<u32> = tokens
        .iter()
        .filter_map(|(token, _)| number(token))
        .collect();
    found.into_iter().collect()
}

/// Where parameters without a cast stand.
pub(super) fn untyped(tokens: &Tokens<'_>) -> Vec<usize> {
    let is_untyped = |position: &usize| {
        let has_cast = tokens.at(position + 1) == Some(&Token::DoubleColon)
            || tokens.is_word(position + 1, "as") && {
                let cast = position.checked_sub(2);
                cast.is_some_and(|cast| tokens.is_word(cast, "cast"))
            };
        tokens.at(*position).is_some_and(is_parameter) && !has_cast
    };
    (0..tokens.len()).filter(is_untyped).collect()
}

/// The text with other numbers of parameters.
pub(super) fn renumbered(tokens: &Tokens<'_>, new: &BTreeMap<u32, u32>) -> Option<String> {
    let replacements: Vec<(usize, usize, String)> = (0..tokens.len())
        .filter_map(|position| {
            let number = number(tokens.at(position)?)?;
            let new = new.get(&number).unwrap_or(&number);
            Some((position, position + 1, format!("${new}")))
        })
        .collect();
    tokens.replaced(&replacements)
}

/// The text with parameters numbered from 1 on, if numbers are missing.
pub(super) fn without_gaps(tokens: &Tokens<'_>) -> Option<String> {
    let numbers = numbers(tokens);
    let new: BTreeMap<u32, u32> = numbers.iter().copied().zip(1..).collect();
    if new.iter().all(|(old, new)| old == new) {
        return None;
    }
    renumbered(tokens, &new)
}

/// The numbers of the parameters that have one type with the one at this position: the elements of an
/// array, or the column of all rows of VALUES.
pub(super) fn of_one_type(tokens: &Tokens<'_>, position: usize) -> BTreeSet<u32> {
    let own = tokens.at(position).and_then(number);
    let mut group: BTreeSet<u32> = own.into_iter().collect();
    let Some(open) = opening(tokens, position) else {
        return group;
    };
    let is_array = tokens.at(open) == Some(&Token::LBracket);
    let is_in_list = open
        .checked_sub(1)
        .is_some_and(|before| tokens.is_word(before, "in"));
    if is_array || is_in_list {
        let elements = items(tokens, open);
        group.extend(elements.into_iter().filter_map(|item| lone(tokens, item)));
        return group;
    }
    let column = items(tokens, open)
        .iter()
        .position(|(from, to)| (*from..*to).contains(&position));
    for row in rows(tokens, open) {
        let item = column.and_then(|column| items(tokens, row).get(column).copied());
        group.extend(item.and_then(|item| lone(tokens, item)));
    }
    group
}

/// The parameter that an item is.
fn lone(tokens: &Tokens<'_>, (from, to): (usize, usize)) -> Option<u32> {
    (to == from + 1)
        .then(|| tokens.at(from).and_then(number))
        .flatten()
}

/// The opening parentheses of all rows of VALUES, of one of which this is the opening one.
fn rows(tokens: &Tokens<'_>, open: usize) -> Vec<usize> {
    let mut first = open;
    while let Some(comma) = first.checked_sub(1)
        && tokens.at(comma) == Some(&Token::Comma)
        && let Some(before) = comma
            .checked_sub(1)
            .and_then(|close| matching_open(tokens, close))
    {
        first = before;
    }
    let is_values = first
        .checked_sub(1)
        .is_some_and(|before| tokens.is_word(before, "values"));
    if !is_values {
        return Vec::new();
    }
    let mut rows = vec![first];
    let mut row = first;
    while let Some(close) = matching_close(tokens, row) {
        if tokens.at(close + 1) != Some(&Token::Comma)
            || tokens.at(close + 2) != Some(&Token::LParen)
        {
            break;
        }
        row = close + 2;
        rows.push(row);
    }
    rows
}

/// The bracket that this position is in.
pub(super) fn opening(tokens: &Tokens<'_>, position: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in (0..position).rev() {
        match tokens.at(at)? {
            Token::RParen | Token::RBracket => depth += 1,
            Token::LParen | Token::LBracket if depth == 0 => return Some(at),
            Token::LParen | Token::LBracket => depth -= 1,
            _ => {}
        }
    }
    None
}

fn matching_open(tokens: &Tokens<'_>, close: usize) -> Option<usize> {
    matches!(tokens.at(close), Some(Token::RParen | Token::RBracket))
        .then(|| opening(tokens, close))
        .flatten()
}

/// The bracket that closes this one.
pub(super) fn matching_close(tokens: &Tokens<'_>, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in open..tokens.len() {
        match tokens.at(at)? {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// What stands between the commas within a bracket.
pub(super) fn items(tokens: &Tokens<'_>, open: usize) -> Vec<(usize, usize)> {
    let Some(close) = matching_close(tokens, open) else {
        return Vec::new();
    };
    list(tokens, open + 1, close)
}

/// What stands between the commas from here to there.
pub(super) fn list(tokens: &Tokens<'_>, from: usize, to: usize) -> Vec<(usize, usize)> {
    let (mut depth, mut start, mut found) = (0usize, from, Vec::new());
    for at in from..to {
        match tokens.at(at) {
            Some(Token::LParen | Token::LBracket) => depth += 1,
            Some(Token::RParen | Token::RBracket) => depth = depth.saturating_sub(1),
            Some(Token::Comma) if depth == 0 => {
                found.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < to {
        found.push((start, to));
    }
    found
}
