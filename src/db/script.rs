//! Scripts of our own (the sample workloads' schemas and data): trusted text, run as psql would.

use super::{DbError, Session};
use crate::sql::split::split;

/// Runs a script whose changes the server counts as usual (autovacuum goes by the counters, and so
/// does pgrehearse).
///
/// # Errors
/// When a statement fails.
pub fn run_script(
    session: &Session,
    operation: &'static str,
    script: &str,
    batching: Batching,
) -> Result<(), DbError> {
    if session.is_uncounted {
        session.set("track_counts", "on")?;
    }
    match batching {
        Batching::Whole => session.batch(operation, script),
        Batching::OneByOne => split(script)
            .iter()
            .filter(|piece| !piece.sql.is_empty())
            .try_for_each(|piece| session.batch(operation, piece.sql)),
    }
}

/// How a script is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batching {
    /// In one message, which is one transaction.
    Whole,
    /// Statement by statement.
    OneByOne,
}
