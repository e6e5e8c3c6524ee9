//! Our own scripts (schemas and data of the sample workloads): trusted text, run as psql would.

use super::{DbError, Session};
use crate::sql::split::split;

/// Runs a script, outside a transaction of ours. So the server counts its changes as usual, which
/// autovacuum and pgrehearse use.
///
/// # Errors
/// When a statement fails.
pub fn run_script(
    session: &Session,
    operation: &'static str,
    script: &str,
    batching: Batching,
) -> Result<(), DbError> {
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
    /// In one message, which the server runs as one transaction.
    Whole,
    /// Statement by statement.
    OneByOne,
}
