//! Errors of a server.

use std::error::Error as _;

use tokio_postgres::error::{DbError as ServerError, ErrorPosition, SqlState};

use super::connect::ConnectError;
use crate::planner::{Rollback, Silence};
use crate::twin::checks::SnapshotFault;

/// An error of a connection or statement.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The user asked to stop; the running statement was cancelled on the server.
    #[error("interrupted")]
    Interrupted {
        /// What happened to the running work.
        rollback: Rollback,
    },
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No twin is made from such a snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotFault),
    /// A pooler that hands out a server connection for one statement only.
    #[error(
        "the connection leads through a pooler that allows no transactions (statement pooling), and pgrehearse asks everything in \
         transactions that are rolled back: connect to the server itself, or through a pool in session or transaction mode"
    )]
    NoTransactions,
    /// The server did not answer, much longer than it lets a statement run.
    #[error("{operation}: {silence}")]
    Silent {
        /// The operation.
        operation: &'static str,
        /// What is known of it.
        silence: Silence,
    },
    /// Something requested does not exist on this server.
    #[error("{0}")]
    Missing(String),
    /// A statement or its connection failed.
    #[error("{operation}: {message}")]
    Query {
        /// The operation.
        operation: &'static str,
        /// The server's message.
        message: String,
        /// The SQLSTATE, when the server answered at all.
        state: Option<SqlState>,
    },
}

impl DbError {
    /// Classifies an error of the driver.
    pub(super) fn query(operation: &'static str, error: &tokio_postgres::Error) -> DbError {
        DbError::Query {
            operation,
            message: message(error, 0, ""),
            state: error.code().cloned(),
        }
    }

    /// Does the role lack the privilege?
    pub(super) fn is_denial(&self) -> bool {
        matches!(self, DbError::Query { state: Some(state), .. } if *state == SqlState::INSUFFICIENT_PRIVILEGE)
    }

    /// Could a lock not be acquired in time?
    pub(super) fn is_lock_timeout(&self) -> bool {
        matches!(self, DbError::Query { state: Some(state), .. } if *state == SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Did the server end the session because nothing was asked for some time?
    pub(super) fn is_idle_session_timeout(&self) -> bool {
        matches!(self, DbError::Query { state: Some(state), .. } if *state == SqlState::IDLE_SESSION_TIMEOUT)
    }

    /// Did the server refuse the statement, and is the connection still good?
    pub(super) fn is_refusal(&self) -> bool {
        const CONNECTION_GONE: &[SqlState] = &[
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::IDLE_SESSION_TIMEOUT,
        ];
        matches!(self, DbError::Query { state: Some(state), .. } if !CONNECTION_GONE.contains(state))
    }

    /// Did an expression fail on the data? SQLSTATE class 22, data exceptions, and errors that
    /// functions raise.
    pub(super) fn is_data_error(&self) -> bool {
        matches!(self, DbError::Query { state: Some(state), .. } if state.code().starts_with("22") || state.code().starts_with("P0"))
    }
}

/// The server's message as psql shows it, with DETAIL and HINT. The position is in the user's own
/// text, which follows `prefix_characters` of ours.
pub(super) fn message(
    error: &tokio_postgres::Error,
    prefix_characters: usize,
    sql: &str,
) -> String {
    let Some(server) = error.as_db_error() else {
        return match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
    };
    let place = place(server, prefix_characters, sql).unwrap_or_default();
    let mut text = format!("{}: {}{place}", server.severity(), server.message());
    for (label, more) in [("DETAIL", server.detail()), ("HINT", server.hint())] {
        if let Some(more) = more {
            text += &format!("\n{label}: {more}");
        }
    }
    text
}

fn place(server: &ServerError, prefix_characters: usize, sql: &str) -> Option<String> {
    let ErrorPosition::Original(position) = server.position()? else {
        return None;
    };
    let offset = (*position as usize).checked_sub(prefix_characters + 1)?;
    let before: String = sql.chars().take(offset).collect();
    if before.chars().count() < offset {
        return None;
    }
    let line = 1 + before.matches('\n').count();
    let column = 1 + before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count());
    Some(format!(" (line {line}, column {column})"))
}
