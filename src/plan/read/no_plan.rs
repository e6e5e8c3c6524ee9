//! Why a text has no plan of PostgreSQL, for the error message.

use super::error::Reason;

/// Only the beginning of a text is searched.
const MAX_SEARCHED_CHARS: usize = 20_000;

/// Texts that occur only in the plans of one other database.
const MARKS: &[(&str, &str)] = &[
    ("\"query_block\"", "MySQL or MariaDB"),
    ("| select_type |", "MySQL or MariaDB"),
    ("select_type\t", "MySQL or MariaDB"),
    ("-> Table scan on ", "MySQL or MariaDB"),
    ("-> Index lookup on ", "MySQL or MariaDB"),
    ("|--SCAN ", "SQLite"),
    ("`--SCAN ", "SQLite"),
    ("|--SEARCH ", "SQLite"),
    ("`--SEARCH ", "SQLite"),
    ("| Id  | Operation", "Oracle"),
    ("Plan hash value:", "Oracle"),
    ("<ShowPlanXML", "SQL Server"),
    ("\"queryPlanner\"", "MongoDB"),
    ("\"winningPlan\"", "MongoDB"),
    ("vectorized: ", "CockroachDB"),
    ("distribution: ", "CockroachDB"),
];

const HTML: &[&str] = &["<!doctype html", "<html", "<body", "<table", "<div", "<pre"];

/// The reason why there is no plan in a text.
pub(crate) fn why_no_plan(text: &str) -> Reason {
    let end = text
        .char_indices()
        .nth(MAX_SEARCHED_CHARS)
        .map_or(text.len(), |(at, _)| at);
    let beginning = text.get(..end).unwrap_or_default();
    if let Some((_, database)) = MARKS.iter().find(|(mark, _)| beginning.contains(mark)) {
        return Reason::OtherDatabase(database);
    }
    let lower = beginning.to_ascii_lowercase();
    if HTML.iter().any(|mark| lower.contains(mark)) {
        return Reason::Html;
    }
    for utility in ["Utility statements have no plan structure", "NOTIFY"] {
        if beginning.lines().any(|line| line.trim() == utility) {
            return Reason::Utility(utility.to_owned());
        }
    }
    Reason::NoPlan
}
