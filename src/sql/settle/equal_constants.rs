//! Constants that were the same and have become different parameters: `SELECT date_trunc($1, at) …
//! GROUP BY date_trunc($2, at)`.

use std::collections::BTreeMap;

use super::groups::{is_parameter, list, number, renumbered, without_gaps};
use crate::sql::tokens::Tokens;

/// Words that end a list of expressions.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "having", "order", "limit", "offset", "window", "union", "except", "intersect", "fetch", "for", "rows", "range", "groups", "asc", "desc",
    "nulls", "using", "on", "returning", "group",
];

/// The text in which the parameters of expressions in GROUP BY, ORDER BY and DISTINCT ON are the same
/// as those of the same expressions elsewhere. None where nothing is to be changed.
pub(super) fn merged(tokens: &Tokens<'_>) -> Option<String> {
    let mut same: BTreeMap<u32, u32> = BTreeMap::new();
    for (from, to) in listed(tokens) {
        let has_parameter = (from..to).any(|at| tokens.at(at).is_some_and(is_parameter));
        // A parameter alone is every constant, not one of them.
        if !has_parameter || to - from < 2 {
            continue;
        }
        for other in 0..tokens.len().saturating_sub(to - from - 1) {
            if other != from && is_same(tokens, (from, to), other) {
                join(tokens, (from, to), other, &mut same);
            }
        }
    }
    if same.is_empty() {
        return None;
    }
    let text = renumbered(tokens, &same)?;
    let again = Tokens::read(&text)?;
    without_gaps(&again).or(Some(text))
}

/// The expressions of the lists behind BY and DISTINCT ON.
fn listed(tokens: &Tokens<'_>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens.is_word(at, "by") {
            found.extend(list(tokens, at + 1, end_of_list(tokens, at + 1)));
        } else if tokens.is_word(at, "distinct") && tokens.is_word(at + 1, "on") {
            found.extend(super::groups::items(tokens, at + 2));
        }
    }
    found
}

fn end_of_list(tokens: &Tokens<'_>, start: usize) -> usize {
    use sqlparser::tokenizer::Token;
    let mut depth = 0usize;
    for at in start..tokens.len() {
        match tokens.at(at) {
            Some(Token::LParen | Token::LBracket) => depth += 1,
            Some(Token::RParen | Token::RBracket) if depth == 0 => return at,
            Some(Token::RParen | Token::RBracket) => depth -= 1,
            _ if depth == 0 && tokens.is_one_of(at, ENDS) => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// Are the tokens from there on the same, but for numbers of parameters?
fn is_same(tokens: &Tokens<'_>, (from, to): (usize, usize), other: usize) -> bool {
    (from..to)
        .zip(other..)
        .all(|(one, other)| match (tokens.at(one), tokens.at(other)) {
            (Some(one_token), Some(other_token)) => {
                number(one_token).is_some() && number(other_token).is_some()
                    || one_token == other_token
                    || tokens.name(one).is_some() && tokens.name(one) == tokens.name(other)
            }
            _ => false,
        })
}

fn join(
    tokens: &Tokens<'_>,
    (from, to): (usize, usize),
    other: usize,
    same: &mut BTreeMap<u32, u32>,
) {
    let number_at = |at: usize| tokens.at(at).and_then(number);
    for (one, other) in (from..to).zip(other..) {
        if let (Some(one), Some(other)) = (number_at(one), number_at(other)) {
            let (one, other) = (root(same, one), root(same, other));
            if one != other {
                same.insert(one.max(other), one.min(other));
            }
        }
    }
    let all: Vec<u32> = same.keys().copied().collect();
    for number in all {
        let first = root(same, number);
        same.insert(number, first);
    }
}

fn root(same: &BTreeMap<u32, u32>, mut number: u32) -> u32 {
    while let Some(next) = same.get(&number).filter(|next| **next != number) {
        number = *next;
    }
    number
}
