//! What makes two texts the same statement: everything but literals, parameters, spelling of
//! keywords, blanks and comments.
//!
//! Much as pg_stat_statements counts them, from the tokens alone: they are read without recursion,
//! and texts that are no valid SQL have some too. Constants that partial indexes are about (`true`,
//! `null`) are kept.

use std::collections::BTreeSet;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Longer texts are compared as they are.
pub(super) const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Equal for texts that are the same statement; the same on every machine and in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// The fingerprint of one statement.
pub fn fingerprint(sql: &str) -> Fingerprint {
    Fingerprint(fnv_1a(normalized(sql).as_deref().unwrap_or(sql)))
}

/// Can the server plan it? Only statements that read or change rows; not those that run others or
/// define things.
pub fn can_be_planned(sql: &str) -> bool {
    const PLANNED: [&str; 8] = [
        "select", "insert", "update", "delete", "merge", "with", "values", "table",
    ];
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        rest = match rest.as_bytes() {
            [b'/', b'*', ..] => rest.split_once("*/").map_or("", |(_, after)| after),
            [b'-', b'-', ..] => rest.split_once('\n').map_or("", |(_, after)| after),
            _ => break,
        };
    }
    let word = rest
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or(rest);
    PLANNED
        .iter()
        .any(|planned| planned.eq_ignore_ascii_case(word))
}

/// Everything in a text that could be the name of a relation, as the catalog would have it. A text
/// that is no SQL gives its words.
pub fn identifiers(sql: &str) -> BTreeSet<String> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize() else {
        return sql
            .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
            .map(str::to_lowercase)
            .collect();
    };
    let name = |token: Token| match token {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value),
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    };
    tokens.into_iter().filter_map(name).collect()
}

fn normalized(sql: &str) -> Option<String> {
    if sql.len() > MAX_TEXT_BYTES {
        return None;
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().ok()?;
    let mut words: Vec<String> = Vec::new();
    for token in tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_) | Token::SemiColon))
    {
        push(&mut words, token);
    }
    Some(without_long_lists(&words).join(" "))
}

const LITERAL: &str = "?";

/// The token in its normal spelling; a sign before a number is part of it, unless something is
/// subtracted.
fn push(words: &mut Vec<String>, token: &Token) {
    if !is_literal(token) {
        words.push(spelling(token));
        return;
    }
    if let [.., before, sign] = words.as_slice()
        && matches!(sign.as_str(), "-" | "+")
        && matches!(
            before.as_str(),
            "(" | "," | "=" | "<" | ">" | "<=" | ">=" | "<>" | "between" | "and" | "or" | "limit"
        )
    {
        words.pop();
    }
    words.push(LITERAL.to_owned());
}

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::Placeholder(_)
    )
}

fn spelling(token: &Token) -> String {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
        Token::Neq => "<>".to_owned(),
        other => other.to_string(),
    }
}

/// `IN (?, ?, ?)` is `IN (?)`, and `VALUES (?, ?), (?, ?)` is `VALUES (?, ?)`.
fn without_long_lists(words: &[String]) -> Vec<&str> {
    let mut short: Vec<&str> = Vec::with_capacity(words.len());
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        short.push(word);
        rest = after;
        if word == "in" && after.first().is_some_and(|next| next == "(") {
            let items = literal_list_length(after);
            if items > 0 {
                short.extend(["(", LITERAL, ")"]);
                rest = &after[items..];
            }
        } else if word == "values" {
            let row = literal_list_length(after);
            short.extend(after[..row].iter().map(String::as_str));
            rest = &after[row..];
            while row > 0
                && rest.first().is_some_and(|next| next == ",")
                && rest.get(1..=row) == Some(&after[..row])
            {
                rest = &rest[row + 1..];
            }
        }
    }
    short
}

/// Words of a list `( ? , ? )`; 0 when it holds anything else.
fn literal_list_length(words: &[String]) -> usize {
    if words.first().is_none_or(|first| first != "(") {
        return 0;
    }
    let inside = words[1..]
        .iter()
        .take_while(|word| matches!(word.as_str(), LITERAL | ","))
        .count();
    let is_closed = words.get(inside + 1).is_some_and(|last| last == ")");
    if is_closed && inside > 0 {
        inside + 2
    } else {
        0
    }
}

/// The 64-bit FNV-1a hash (<http://www.isthe.com/chongo/tech/comp/fnv/>): short, and the same
/// everywhere.
fn fnv_1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_server_folds_them() {
        let names = identifiers("SELECT a.B FROM \"My Table\" a JOIN s.Jobs /* no */ ON 'x' = $1");
        assert!(names.contains("My Table") && names.contains("jobs") && names.contains("b"));
        assert!(!names.contains("no") && !names.contains("x"));
        assert!(identifiers("SELECT 'unclosed FROM Orders").contains("orders"));
    }

    #[test]
    fn texts_that_are_the_same_statement() {
        for same in [
            [
                "select * from t where a = 1",
                "SELECT  *\nFROM T -- x\n WHERE a = 'b';",
            ],
            [
                "select 1 from t where a = $1",
                "select 2 from t where a = -5",
            ],
            [
                "select 1 from t where a in (1)",
                "select 1 from t where a in ($1, 'b', 3)",
            ],
            [
                "insert into t values (1, 'a')",
                "insert into t values (1, 'a'), (2, E'b\\''), ($3, $$x$$)",
            ],
            ["select a != 1", "/* app */ select a <> 2"],
            ["select 'it''s'", "select U&'x'"],
        ] {
            assert_eq!(
                fingerprint(same[0]),
                fingerprint(same[1]),
                "{same:?}: {:?}",
                same.map(normalized)
            );
        }
    }

    #[test]
    fn texts_that_are_not() {
        for different in [
            ["select a from t", "select b from t"],
            ["select \"A\" from t", "select a from t"],
            ["select a - 1", "select a 1"],
            ["select f(1)", "select f(1, 2)"],
            ["select a is null", "select a is not null"],
            ["select a = true", "select a = false"],
            ["select 'open", "select 'other"],
        ] {
            assert_ne!(
                fingerprint(different[0]),
                fingerprint(different[1]),
                "{different:?}"
            );
        }
    }

    #[test]
    fn a_fingerprint_is_the_same_for_ever() {
        assert_eq!(
            fingerprint("select * from t where a = 1").to_string(),
            "e5d9ecb93ac0592f"
        );
    }

    #[test]
    fn only_statements_about_rows_are_planned() {
        for sql in [
            "select 1",
            "(SELECT 1)",
            "/* x */ -- y\nWITH a AS (SELECT 1) SELECT",
            "values (1)",
            "Merge into t",
            "update t",
        ] {
            assert!(can_be_planned(sql), "{sql}");
        }
        for sql in [
            "",
            "begin",
            "set x = 1",
            "explain select 1",
            "create table t as select 1",
            "copy t to stdout",
            "/* open",
            "selection",
        ] {
            assert!(!can_be_planned(sql), "{sql}");
        }
    }
}
