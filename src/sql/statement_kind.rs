//! What kind of statement a text is, from its first words.

use sqlparser::tokenizer::Token;

use super::fingerprint::can_be_planned;
use super::tokens::Tokens;

/// What may be done with a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// It has a plan.
    Planned,
    /// It defines something.
    Definition,
    /// It has no plan, and is no definition: its first word.
    Utility(String),
    /// `SET search_path`, with the value as `set_config` takes it; none for the default, also of
    /// RESET and DISCARD.
    SearchPath(Option<String>),
    /// Nothing that is known: the server will say what is wrong.
    Unknown,
}

#[rustfmt::skip]
const DEFINITIONS: &[&str] = &[
    "create", "alter", "drop", "truncate", "grant", "revoke", "comment", "reindex", "cluster", "refresh", "security", "import", "reassign",
];

#[rustfmt::skip]
const UTILITIES: &[&str] = &[
    "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare", "execute", "deallocate", "declare", "fetch",
    "move", "close", "set", "reset", "show", "do", "call", "copy", "vacuum", "analyze", "analyse", "lock", "listen", "notify", "unlisten",
    "load", "discard", "checkpoint",
];

/// The kind of one statement.
pub fn statement_kind(sql: &str) -> StatementKind {
    if can_be_planned(sql) {
        return StatementKind::Planned;
    }
    let Some(tokens) = Tokens::read(sql) else {
        return StatementKind::Unknown;
    };
    if tokens.is_one_of(0, DEFINITIONS) {
        return StatementKind::Definition;
    }
    if let Some(path) = search_path(&tokens) {
        return StatementKind::SearchPath(path);
    }
    match tokens.name(0) {
        Some(word) if tokens.is_one_of(0, UTILITIES) => StatementKind::Utility(word.to_uppercase()),
        _ => StatementKind::Unknown,
    }
}

/// The statement that EXPLAIN or PREPARE is about.
pub fn explained_statement(sql: &str) -> Option<&str> {
    let tokens = Tokens::read(sql)?;
    let mut start = 1;
    if tokens.is_word(0, "explain") {
        if tokens.at(1) == Some(&Token::LParen) {
            start = 1 + (1..tokens.len()).find(|at| tokens.at(*at) == Some(&Token::RParen))?;
        }
        while tokens.is_one_of(start, &["analyze", "analyse", "verbose"]) {
            start += 1;
        }
    } else if tokens.is_word(0, "prepare") && !tokens.is_word(1, "transaction") {
        start = 1 + (1..tokens.len()).find(|at| tokens.is_word(*at, "as"))?;
    } else {
        return None;
    }
    tokens
        .text(start, tokens.len())
        .filter(|sql| can_be_planned(sql))
}

/// The value of `SET search_path = …`.
fn search_path(tokens: &Tokens<'_>) -> Option<Option<String>> {
    let is_reset = tokens.is_word(0, "reset") && tokens.is_one_of(1, &["search_path", "all"]);
    if is_reset || tokens.is_word(0, "discard") && tokens.is_word(1, "all") {
        return Some(None);
    }
    tokens.is_word(0, "set").then_some(())?;
    let name = if tokens.is_one_of(1, &["session", "local"]) {
        2
    } else {
        1
    };
    tokens.is_word(name, "search_path").then_some(())?;
    let is_assigned = tokens.at(name + 1) == Some(&Token::Eq) || tokens.is_word(name + 1, "to");
    is_assigned.then_some(())?;
    let mut schemas = Vec::new();
    for at in name + 2..tokens.len() {
        match tokens.at(at)? {
            Token::Comma => {}
            Token::SingleQuotedString(schema) => schemas.push(quoted(schema)),
            Token::Word(word) if word.quote_style.is_some() => schemas.push(quoted(&word.value)),
            Token::Word(word) if word.value.eq_ignore_ascii_case("default") => return Some(None),
            Token::Word(word) => schemas.push(word.value.to_lowercase()),
            _ => return None,
        }
    }
    Some(Some(schemas.join(", ")))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_first_words() {
        use StatementKind::{Definition, Planned, SearchPath, Unknown, Utility};
        for (sql, kind) in [
            ("/* x */ select 1", Planned),
            ("CREATE TABLE t ()", Definition),
            ("-- x\nRefresh materialized view v", Definition),
            ("BEGIN", Utility("BEGIN".to_owned())),
            ("do $$ begin end $$", Utility("DO".to_owned())),
            (
                "SET LOCAL search_path TO App, \"Odd\", 'x', public",
                SearchPath(Some("app, \"Odd\", \"x\", public".to_owned())),
            ),
            ("set search_path = default", SearchPath(None)),
            ("RESET search_path", SearchPath(None)),
            ("reset all", SearchPath(None)),
            ("DISCARD ALL", SearchPath(None)),
            ("reset work_mem", Utility("RESET".to_owned())),
            ("set work_mem = '1GB'", Utility("SET".to_owned())),
            ("selct 1", Unknown),
            ("explain select 1", Unknown),
        ] {
            assert_eq!(statement_kind(sql), kind, "{sql}");
        }
    }

    #[test]
    fn what_is_explained_is_planned() {
        for sql in [
            "EXPLAIN (ANALYZE, BUFFERS) select 1",
            "explain analyze verbose select 1",
            "prepare p (int) as select 1",
        ] {
            assert_eq!(explained_statement(sql), Some("select 1"), "{sql}");
        }
        assert_eq!(
            explained_statement("explain create table t as select 1"),
            None
        );
        assert_eq!(explained_statement("select 1"), None);
    }
}
