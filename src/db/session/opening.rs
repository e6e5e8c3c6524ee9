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
pub(super) fn optional(safety: Safety) -> [(&'static str, String); 4] {
    [
        // `idx_scan` also counts reads of the ends of an index, by us and by the planner. These are
        // not a use of the index.
        ("track_counts", "off".to_owned()),
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
    format!("/* pgrehearse */ SELECT {}", calls.join(", "))
}

/// Sets one setting for the transaction. A server that does not know it answers no row: an error
/// would be in its log.
pub(super) fn probe((name, value): &(&str, String)) -> String {
    let (name, value) = (quote_literal(name), quote_literal(value));
    format!(
        "/* pgrehearse */ SELECT pg_catalog.set_config(s.name, {value}, true) FROM pg_catalog.pg_settings AS s \
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

/// The `search_path` for reading the catalog: what it resolves is what the statements resolve,
/// except that nothing comes before `pg_catalog`. None if that is so already.
pub(super) fn catalog_first(path: &str) -> Option<String> {
    let named = |entry: &str| matches!(entry.trim(), "pg_catalog" | "\"pg_catalog\"");
    let position = path.split(',').position(named)?;
    (position > 0).then(|| format!("pg_catalog, {path}"))
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
        assert_eq!(catalog_first("\"$user\", public"), None);
        assert_eq!(catalog_first("pg_catalog, app"), None);
        assert_eq!(
            catalog_first("app, pg_catalog").as_deref(),
            Some("pg_catalog, app, pg_catalog")
        );
        assert_eq!(
            catalog_first("app, \"pg_catalog\"").as_deref(),
            Some("pg_catalog, app, \"pg_catalog\"")
        );
        assert_eq!(catalog_first(""), None);
    }

    #[test]
    fn settings_are_one_statement() {
        assert_eq!(
            set_local(&[("a", "1".to_owned()), ("b", "it's".to_owned())]),
            "/* pgrehearse */ SELECT pg_catalog.set_config('a', '1', true), \
             pg_catalog.set_config('b', 'it''s', true)"
        );
    }
}
