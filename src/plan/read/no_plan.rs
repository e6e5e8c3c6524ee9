//! Why a text has no plan of PostgreSQL, for the error message.

use super::error::Reason;

/// Only the beginning of a text is searched.
const MAX_SEARCHED_CHARS: usize = 20_000;

/// Texts that occur only in the plans of one other database, longer ones first.
const MARKS: &[(&str, &str)] = &[
    ("| estRows ", "TiDB"),
    ("\"query_block\"", "MySQL or MariaDB"),
    ("| select_type |", "MySQL or MariaDB"),
    ("select_type\t", "MySQL or MariaDB"),
    ("  select_type: ", "MySQL or MariaDB"),
    ("-> Table scan on ", "MySQL or MariaDB"),
    ("-> Index lookup on ", "MySQL or MariaDB"),
    ("|--SCAN ", "SQLite"),
    ("`--SCAN ", "SQLite"),
    ("|--SEARCH ", "SQLite"),
    ("`--SEARCH ", "SQLite"),
    ("parent  notused  detail", "SQLite"),
    ("addr  opcode ", "SQLite"),
    ("| Id  | Operation", "Oracle"),
    ("Plan hash value:", "Oracle"),
    ("SELECT STATEMENT", "Oracle"),
    ("TABLE ACCESS (", "Oracle"),
    ("<ShowPlanXML", "SQL Server"),
    ("Scan(OBJECT:([", "SQL Server"),
    ("Seek(OBJECT:([", "SQL Server"),
    ("queryPlanner\"", "MongoDB"),
    ("winningPlan", "MongoDB"),
    ("vectorized: ", "CockroachDB"),
    ("distribution: ", "CockroachDB"),
    ("== Physical Plan ==", "Spark"),
    ("Physical Plan       ││", "DuckDB"),
    ("─ ─ ─ ─ ─", "DuckDB"),
    ("\"Estimated Cardinality\"", "DuckDB"),
    ("partitionsTotal", "Snowflake"),
    ("\"queryPlan\"", "BigQuery"),
    ("\"shuffleOutputBytes\"", "BigQuery"),
    ("ReadFromMergeTree", "ClickHouse"),
    ("ReadFromStorage", "ClickHouse"),
    ("Output partitioning: ", "Trino or Presto"),
    ("Access Plan:\n", "Db2"),
];

/// The other database whose plan a text looks like.
pub(super) fn other_database(text: &str) -> Option<&'static str> {
    let beginning = beginning(text);
    let found = MARKS.iter().find(|(mark, _)| beginning.contains(mark));
    found.map(|(_, database)| *database)
}

fn beginning(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(MAX_SEARCHED_CHARS)
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// JSON that Java or Go printed as a map, without quotes around names and values.
pub(super) fn printed_map(text: &str) -> Option<&'static str> {
    const MARKS: [(&str, &str); 4] = [
        ("Plan={Node Type=", "Java"),
        ("Plan={Parallel Aware=", "Java"),
        ("Plan:map[", "Go"),
        ("map[Node Type:", "Go"),
    ];
    let beginning = beginning(text);
    let found = MARKS.iter().find(|(mark, _)| beginning.contains(mark));
    let other_order = || {
        let is_java = beginning.contains("{Plan={") || beginning.contains(", Node Type=");
        is_java.then_some("Java")
    };
    found.map(|(_, language)| *language).or_else(other_order)
}

const HTML: &[&str] = &["<!doctype html", "<html", "<body", "<table", "<div", "<pre"];

/// The reason why there is no plan in a text.
pub(crate) fn why_no_plan(text: &str) -> Reason {
    if let Some(database) = other_database(text) {
        return Reason::OtherDatabase(database);
    }
    if let Some(language) = printed_map(text) {
        return Reason::PrintedMap(language);
    }
    let beginning = beginning(text);
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
