//! Which parameters may get which types, from what the server says.

use std::collections::BTreeSet;

use sqlparser::tokenizer::Token;

use super::groups::{items, matching_close, number, of_one_type, opening, untyped};
use super::refusal::Refusal;
use crate::sql::tokens::Tokens;

/// What constants usually are.
#[rustfmt::skip]
const USUAL: &[&str] = &[
    "integer", "text", "timestamp with time zone", "interval", "numeric", "date", "boolean", "double precision", "bigint", "jsonb", "text[]",
    "integer[]", "timestamp without time zone", "uuid", "regclass", "json", "name", "oid",
];

/// Names of types that messages are searched for; those that begin another one stand behind it.
#[rustfmt::skip]
const NAMED: &[&str] = &[
    "timestamp with time zone", "timestamp without time zone", "time with time zone", "time without time zone", "double precision",
    "character varying", "bit varying", "smallint", "integer", "bigint", "numeric", "real", "boolean", "interval", "date", "text", "uuid",
    "jsonb", "json", "bytea", "inet", "cidr", "macaddr", "name", "money", "tsvector", "tsquery", "regclass", "regtype", "oid", "point", "box",
    "circle", "polygon", "path", "lseg", "line", "bit", "xml", "character", "int4range", "int8range", "numrange", "daterange", "tsrange",
    "tstzrange", "int4multirange", "pg_lsn", "jsonpath", "xid", "tid", "hstore", "citext", "ltree", "geometry", "geography", "vector",
];

/// The SQLSTATE indeterminate_datatype.
const INDETERMINATE: &str = "42P18";

/// How many parameters near the place of an error are tried.
const MAX_NEAR: usize = 6;

/// Texts with a cast of one parameter, or of several that have one type.
pub(super) fn casts(tokens: &Tokens<'_>, refusal: &Refusal) -> Vec<String> {
    let at = refusal.at.and_then(|at| token_at(tokens, at));
    let named = types_in(&refusal.message);
    let near = near(tokens, at, refusal);
    let mut groups: Vec<BTreeSet<u32>> = Vec::new();
    if let Some(arguments) = arguments(tokens, at) {
        groups.push(arguments);
    }
    for position in near {
        let group = of_one_type(tokens, position);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut types = types_to_try(&named, refusal);
    if at.is_none() && refusal.state == INDETERMINATE && named_parameter(&refusal.message).is_some()
    {
        // Nothing in the statement says anything about its type, so a text contradicts nothing.
        types.truncate(named.len() + 1);
    }
    let mut texts = Vec::new();
    // What the message names is tried on every parameter before anything that it does not name.
    for types in [&types[..named.len()], &types[named.len()..]] {
        for group in &groups {
            for name in types {
                texts.extend(with_cast(tokens, group, name));
            }
        }
    }
    texts
}

/// The types that the message names, and the usual ones. A constant of which nothing shows the type
/// is a text.
fn types_to_try(named: &[String], refusal: &Refusal) -> Vec<String> {
    let mut usual: Vec<&str> = USUAL.to_vec();
    if refusal.state == INDETERMINATE {
        usual.sort_by_key(|name| *name != "text");
    }
    let usual = usual.into_iter().map(str::to_owned);
    let usual: Vec<String> = usual.filter(|name| !named.contains(name)).collect();
    named.iter().cloned().chain(usual).collect()
}

/// The text in which the parameters of these numbers have a cast wherever they have none.
fn with_cast(tokens: &Tokens<'_>, numbers: &BTreeSet<u32>, name: &str) -> Option<String> {
    let replacements: Vec<(usize, usize, String)> = untyped(tokens)
        .into_iter()
        .filter_map(|position| {
            let number = number(tokens.at(position)?)?;
            let cast = format!("${number}::{name}");
            numbers
                .contains(&number)
                .then_some((position, position + 1, cast))
        })
        .collect();
    if replacements.is_empty() {
        return None;
    }
    tokens.replaced(&replacements)
}

/// The token that a character of the text is in.
pub(super) fn token_at(tokens: &Tokens<'_>, character: usize) -> Option<usize> {
    let byte = tokens.byte_of(character)?;
    let mut places = tokens.iter().map(|(_, range)| range);
    places.position(|range| range.end > byte)
}

/// All parameters within the parentheses of the function that the message is about, where there are
/// several.
fn arguments(tokens: &Tokens<'_>, at: Option<usize>) -> Option<BTreeSet<u32>> {
    let mut name = at?;
    while tokens.at(name + 1) == Some(&Token::Period) {
        name += 2;
    }
    if tokens.at(name + 1) != Some(&Token::LParen) {
        return None;
    }
    let lone = |(from, to): (usize, usize)| {
        (to == from + 1)
            .then(|| tokens.at(from).and_then(number))
            .flatten()
    };
    let found: BTreeSet<u32> = items(tokens, name + 1)
        .into_iter()
        .filter_map(lone)
        .collect();
    (found.len() > 1).then_some(found)
}

/// Parameters that the message may be about, the likeliest first: the one that it names, those within
/// the brackets behind its place, and the nearest ones.
fn near(tokens: &Tokens<'_>, at: Option<usize>, refusal: &Refusal) -> Vec<usize> {
    let mut untyped = untyped(tokens);
    let named = named_parameter(&refusal.message);
    let Some(at) = at else {
        // `could not determine data type of parameter $2` has no place.
        let is_named =
            |position: &usize| named.is_some() && tokens.at(*position).and_then(number) == named;
        if untyped.iter().any(is_named) {
            untyped.retain(is_named);
        }
        return untyped;
    };
    let behind = brackets_behind(tokens, at);
    untyped.sort_by_key(|position| {
        let is_named = named.is_some() && tokens.at(*position).and_then(number) == named;
        let is_within = behind.is_some_and(|(open, close)| (open..close).contains(position));
        (!is_named, !is_within, position.abs_diff(at), *position)
    });
    let mut kept: Vec<usize> = untyped.into_iter().take(MAX_NEAR).collect();
    if named.is_some() {
        kept.retain(|position| tokens.at(*position).and_then(number) == named);
    }
    kept
}

/// The brackets that begin one or two tokens behind a place (`= ANY (…)`, `f(…)`), or, for an
/// operator behind closed ones, those before it.
fn brackets_behind(tokens: &Tokens<'_>, at: usize) -> Option<(usize, usize)> {
    let is_open =
        |position: &usize| matches!(tokens.at(*position), Some(Token::LParen | Token::LBracket));
    if let Some(open) = (at + 1..at + 3).find(is_open) {
        return Some((open, matching_close(tokens, open)?));
    }
    let close = at.checked_sub(1)?;
    matches!(tokens.at(close), Some(Token::RParen | Token::RBracket)).then_some(())?;
    Some((opening(tokens, close)?, close))
}

fn named_parameter(message: &str) -> Option<u32> {
    let (_, after) = message.split_once('$')?;
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    after[..digits].parse().ok()
}

/// The types that a message names, the first one first. The message may be in any language; names of
/// types are not translated.
fn types_in(message: &str) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut text = message.to_owned();
    for name in NAMED {
        while let Some(at) = word_at(&text, name) {
            let is_array = text[at + name.len()..].starts_with("[]");
            let suffix = if is_array { "[]" } else { "" };
            found.push((at, format!("{name}{suffix}")));
            text.replace_range(at..at + name.len(), &"\u{1}".repeat(name.len()));
        }
    }
    for (at, operand) in operands(message) {
        let is_known = found.iter().any(|(_, known)| *known == operand);
        if !is_known && operand != "unknown" && operand != "record" {
            found.push((at, operand));
        }
    }
    found.sort();
    let mut types: Vec<String> = Vec::new();
    for (_, name) in found {
        if !types.contains(&name) {
            types.push(name);
        }
    }
    types
}

/// Where a word stands that is not part of another one.
fn word_at(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '"';
    text.match_indices(word)
        .map(|(at, _)| at)
        .find(|at| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

/// The operands' types of `operator does not exist: mood = text`, also those of users.
fn operands(message: &str) -> Vec<(usize, String)> {
    let Some((before, after)) = message.split_once(": ") else {
        return Vec::new();
    };
    let is_operator =
        |word: &&str| !word.is_empty() && word.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c));
    let Some(operator) = after.split(' ').find(is_operator) else {
        return Vec::new();
    };
    let between = format!(" {operator} ");
    let sides = after.split(&between).map(str::trim);
    let is_name = |side: &&str| {
        !side.is_empty()
            && side
                .chars()
                .all(|c| c.is_alphanumeric() || "_.\"[] ".contains(c))
    };
    sides
        .filter(is_name)
        .map(|side| (before.len(), side.to_owned()))
        .collect()
}
