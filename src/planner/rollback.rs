//! What is known of the end of a transaction.

use std::fmt;

/// What is known of the end of a transaction that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// The server confirmed it, or there was none to make.
    Confirmed,
    /// The server did not answer in time; it rolls back by itself as soon as it notices that the
    /// connection is gone.
    Unconfirmed,
}

impl fmt::Display for Rollback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Rollback::Confirmed => "everything was rolled back",
            Rollback::Unconfirmed => {
                "the server has not confirmed the rollback yet: look for its lock in pg_locks"
            }
        })
    }
}
