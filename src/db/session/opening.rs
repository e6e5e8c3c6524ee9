//! How a transaction on somebody else's server begins.
//!
//! A connection may lead to a pooler in transaction mode, which hands the same server connection to
//! an application afterwards. So everything is asked in a transaction, and every setting is local
//! to it. The settings also keep what a role or a database sets (ALTER ROLE … SET) from changing
//! what the server prints and how statements are read.

use tokio_postgres::error::SqlState;

use super::limits::{CONNECTION_CHECK_INTERVAL, Safety, milliseconds};
use crate::db::DbError;
use crate::model::quote_literal;

/// Settings that decide how values and names are printed and how literals are read: the printed
/// statements must mean the same in any session.
pub(super) const PRINTING: &[(&str, &str)] = &[
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("quote_all_identifiers", "off"),
];

/// The `search_path` of queries that name nothing of the user's. Without `pg_temp`, temporary
/// tables and types would be found first.
pub(in crate::db) const OWN_PATH: &str = "pg_catalog, pg_temp";

/// Settings that not every server knows or lets every role change, in the order of the probe.
pub(super) fn optional(safety: Safety) -> [(&'static str, String); 5] {
    [
        // `idx_scan` also counts reads of the ends of an index, by us and by the planner. These are
        // not a use of the index.
        ("track_counts", "off".to_owned()),
        // What we send must not push the application's statements out. Only superusers may set it.
        ("pg_stat_statements.track", "none".to_owned()),
        (
            "client_connection_check_interval",
            CONNECTION_CHECK_INTERVAL.to_owned(),
        ),
        ("tcp_user_timeout", milliseconds(safety.stalled_client())),
        // Known from 17 on.
        ("transaction_timeout", "0".to_owned()),
    ]
}

/// What a transaction may do, and which rows it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db) enum TransactionMode {
    /// Reads; each statement sees what is committed then.
    Read,
    /// Reads; all statements see the same rows.
    ReadSnapshot,
    /// Reads, and makes temporary objects that nobody else sees; also where the role or database is
    /// read-only by default.
    Temporary,
    /// Changes something and is rolled back. A role or database that is read-only by default
    /// (`default_transaction_read_only`) stays read-only.
    Change,
}

/// Where a transaction looks up names of tables, types, functions and operators.
///
/// The server takes an operator whose operand types fit exactly before one that needs a
/// conversion, wherever in `search_path` it is. So in a path with a schema that others may create
/// in, `name = text` may call a function of theirs with the rights of this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db) enum Names {
    /// In `pg_catalog` alone: for our own queries.
    Own,
    /// Where the session does: for the user's statements. What is ours in such a transaction names
    /// the schema of every function and operator.
    Users,
}

impl TransactionMode {
    /// The isolation level is always named: `serializable` by default would let our reads fail
    /// transactions of applications.
    pub(super) fn begin(self) -> &'static str {
        match self {
            TransactionMode::Read => "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
            TransactionMode::ReadSnapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            TransactionMode::Temporary => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            TransactionMode::Change => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }
}

/// `SELECT set_config(…)` of these settings for one transaction. One statement whose constants
/// pg_stat_statements leaves out, so that it counts it once.
pub(super) fn set_local(settings: &[(&str, String)]) -> String {
    let calls: Vec<String> = settings
        .iter()
        .map(|(name, value)| {
            format!(
                "pg_catalog.set_config({}, {}, true)",
                quote_literal(name),
                quote_literal(value)
            )
        })
        .collect();
    format!("SELECT /* pgrehearse */ {}", calls.join(", "))
}

/// Sets one setting for the transaction. A server that does not know it answers no row: an error
/// would be in its log.
pub(super) fn probe((name, value): &(&str, String)) -> String {
    let (name, value) = (quote_literal(name), quote_literal(value));
    format!(
        "SELECT /* pgrehearse */ pg_catalog.set_config(s.name, {value}, true) FROM pg_catalog.pg_settings AS s \
         WHERE s.name OPERATOR(pg_catalog.=) {name}"
    )
}

/// The settings that every server knows.
pub(super) fn always(safety: Safety) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("lock_timeout", milliseconds(safety.lock_timeout)),
        ("statement_timeout", milliseconds(safety.statement_timeout)),
        // A stopped client (Ctrl-Z, a frozen machine) must not keep its locks.
        (
            "idle_in_transaction_session_timeout",
            milliseconds(safety.stalled_client()),
        ),
    ];
    settings.extend(
        PRINTING
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    settings
}

/// The `search_path` in which what the catalog has is printed: names are shown as the statements
/// mean them, except that nothing comes before `pg_catalog`.
pub(in crate::db) fn catalog_first(path: String) -> String {
    let named = |entry: &str| matches!(entry.trim(), "pg_catalog" | "\"pg_catalog\"");
    match path.split(',').position(named) {
        Some(1..) => format!("pg_catalog, {path}"),
        _ => path,
    }
}

/// The `statement_timeout` of the role may be shorter than the first message takes, and
/// `idle_session_timeout` may end the session between two transactions.
pub(super) fn may_open_again(error: &DbError) -> bool {
    matches!(error, DbError::Query { state: Some(state), .. } if *state == SqlState::QUERY_CANCELED)
}

/// A pooler in statement mode ends the connection when a transaction begins.
pub(super) fn without_transactions(error: DbError) -> DbError {
    let DbError::Query { message, state, .. } = &error else {
        return error;
    };
    let refused_by_pooler = message.contains("statement pooling mode");
    let not_begun = *state == Some(SqlState::NO_ACTIVE_SQL_TRANSACTION);
    if refused_by_pooler || not_begun {
        return DbError::NoTransactions;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_before_the_catalog() {
        let first = |path: &str| catalog_first(path.to_owned());
        assert_eq!(first("\"$user\", public"), "\"$user\", public");
        assert_eq!(first("pg_catalog, app"), "pg_catalog, app");
        assert_eq!(first("app, pg_catalog"), "pg_catalog, app, pg_catalog");
        assert_eq!(
            first("app, \"pg_catalog\""),
            "pg_catalog, app, \"pg_catalog\""
        );
        assert_eq!(first(""), "");
    }

    #[test]
    fn settings_are_one_statement() {
        assert_eq!(
            set_local(&[("a", "1".to_owned()), ("b", "it's".to_owned())]),
            "SELECT /* pgrehearse */ pg_catalog.set_config('a', '1', true), \
             pg_catalog.set_config('b', 'it''s', true)"
        );
    }
}
