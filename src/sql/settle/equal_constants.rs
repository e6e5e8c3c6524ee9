//! Constants that were the same and no longer are: `SELECT date_trunc($1, at) … GROUP BY
//! date_trunc($2, at)`. `pg_stat_statements` also writes a parameter for the first one only: `GROUP
//! BY date_trunc('day', at)` then has the value.

use std::collections::BTreeMap;

use sqlparser::tokenizer::Token;

use super::groups::{is_parameter, items, list, matching_close, number, without_gaps};
use crate::sql::tokens::Tokens;

/// Words that end a list of expressions.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "having", "order", "limit", "offset", "window", "union", "except", "intersect", "fetch", "for", "rows", "range", "groups", "asc", "desc",
    "nulls", "using", "on", "returning", "group",
];

/// What parameters are: the same as others, or constants.
#[derive(Default)]
struct Known {
    same: BTreeMap<u32, u32>,
    constants: BTreeMap<u32, String>,
}

/// The text in which the constants of expressions in GROUP BY, ORDER BY and DISTINCT ON are the same
/// as those of the same expressions elsewhere. None where nothing is to be changed.
pub(super) fn merged(tokens: &Tokens<'_>) -> Option<String> {
    let mut known = Known::default();
    for (from, to) in listed(tokens) {
        let has_constant = (from..to).any(|at| {
            tokens
                .at(at)
                .is_some_and(|token| is_parameter(token) || is_literal(token))
        });
        // A constant alone is every constant, not one of them.
        if !has_constant || to - from < 2 {
            continue;
        }
        for other in 0..tokens.len().saturating_sub(to - from - 1) {
            if other != from && is_same(tokens, (from, to), other) {
                known.join(tokens, (from, to), other);
            }
        }
    }
    let text = known.written(tokens)?;
    let again = Tokens::read(&text)?;
    without_gaps(&again).or(Some(text))
}

/// The expressions of the lists behind BY and DISTINCT ON.
fn listed(tokens: &Tokens<'_>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens.is_word(at, "by") {
            let listed = list(tokens, at + 1, end_of_list(tokens, at + 1));
            found.extend(listed.into_iter().flat_map(|part| grouped(tokens, part, 0)));
        } else if tokens.is_word(at, "distinct") && tokens.is_word(at + 1, "on") {
            found.extend(items(tokens, at + 2));
        }
    }
    found
}

/// The expressions within ROLLUP, CUBE and GROUPING SETS, and within parentheses there.
fn grouped(tokens: &Tokens<'_>, (from, to): (usize, usize), depth: usize) -> Vec<(usize, usize)> {
    const MAX_DEPTH: usize = 6;
    let open = if tokens.is_one_of(from, &["rollup", "cube"]) {
        from + 1
    } else if tokens.is_word(from, "grouping") && tokens.is_word(from + 1, "sets") {
        from + 2
    } else {
        from
    };
    let is_list = (open > from || depth > 0)
        && tokens.at(open) == Some(&Token::LParen)
        && matching_close(tokens, open).is_some_and(|close| close + 1 == to);
    if !is_list || depth > MAX_DEPTH {
        return vec![(from, to)];
    }
    items(tokens, open)
        .into_iter()
        .flat_map(|part| grouped(tokens, part, depth + 1))
        .collect()
}

fn end_of_list(tokens: &Tokens<'_>, start: usize) -> usize {
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

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_)
    )
}

/// Are the tokens from there on the same, but for numbers of parameters and their constants?
fn is_same(tokens: &Tokens<'_>, (from, to): (usize, usize), other: usize) -> bool {
    (from..to)
        .zip(other..)
        .all(|(one, other)| match (tokens.at(one), tokens.at(other)) {
            (Some(one_token), Some(other_token)) => {
                let may_be = |token: &Token| is_parameter(token) || is_literal(token);
                let has_parameter = is_parameter(one_token) || is_parameter(other_token);
                has_parameter && may_be(one_token) && may_be(other_token)
                    || one_token == other_token
                    || tokens.name(one).is_some() && tokens.name(one) == tokens.name(other)
            }
            _ => false,
        })
}

impl Known {
    fn join(&mut self, tokens: &Tokens<'_>, (from, to): (usize, usize), other: usize) {
        let number_at = |at: usize| tokens.at(at).and_then(number);
        let text_at = |at: usize| tokens.text(at, at + 1).map(str::to_owned);
        for (one, other) in (from..to).zip(other..) {
            match (number_at(one), number_at(other)) {
                (Some(one), Some(other)) => {
                    let (one, other) = (self.root(one), self.root(other));
                    if one != other {
                        self.same.insert(one.max(other), one.min(other));
                    }
                }
                (Some(parameter), None) => {
                    self.constants
                        .extend(text_at(other).map(|text| (parameter, text)));
                }
                (None, Some(parameter)) => {
                    self.constants
                        .extend(text_at(one).map(|text| (parameter, text)));
                }
                (None, None) => {}
            }
        }
    }

    fn root(&self, mut number: u32) -> u32 {
        while let Some(next) = self.same.get(&number) {
            number = *next;
        }
        number
    }

    fn written(&self, tokens: &Tokens<'_>) -> Option<String> {
        let constants = self.constants.iter();
        let constants: BTreeMap<u32, &String> = constants
            .map(|(number, text)| (self.root(*number), text))
            .collect();
        let replacements: Vec<(usize, usize, String)> = (0..tokens.len())
            .filter_map(|position| {
                let number = number(tokens.at(position)?)?;
                let root = self.root(number);
                let constant = constants.get(&root).map(|text| (*text).clone());
                let is_new = constant.is_some() || root != number;
                is_new.then(|| {
                    (
                        position,
                        position + 1,
                        constant.unwrap_or(format!("${root}")),
                    )
                })
            })
            .collect();
        if replacements.is_empty() {
            return None;
        }
        tokens.replaced(&replacements)
    }
}
