//! Scripts of our own (the sample workloads' schemas and data): trusted text, run as psql would.

use super::{DbError, Session};
use crate::sql::split::split;

/// Runs a script, counted as anybody's changes are (for autovacuum, and for us); `one_by_one` sends each statement by itself, for those that refuse to be in a transaction (VACUUM).
///
/// # Errors
/// When a statement fails.
pub fn run_script(
    session: &Session,
    operation: &'static str,
    script: &str,
    one_by_one: Batching,
) -> Result<(), DbError> {
    if session.is_uncounted {
        session.set("track_counts", "on")?;
    }
    match one_by_one {
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
