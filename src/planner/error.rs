//! Why a planner cannot be asked any more.

use super::Silence;

/// The planner cannot be asked any more, or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// The user asked to stop.
    #[error("interrupted; {rollback}")]
    Interrupted {
        /// The state of the open transaction.
        rollback: Rollback,
    },
    /// The connection or a query of our own failed.
    #[error("{operation}: {message}")]
    Server {
        /// The operation that failed.
        operation: String,
        /// What the server or the network said.
        message: String,
    },
    /// The server stopped answering.
    #[error("{operation}: {silence}")]
    Silent {
        /// The operation that it did not answer.
        operation: String,
        /// What is known of it.
        silence: Silence,
    },
    /// The twin was asked, and there is none.
    #[error("there is no planner twin")]
    NoTwin,
    /// A recording does not hold the answer to this question.
    #[error("the recording has no answer to: {0}")]
    NotRecorded(String),
}

/// What is known of the end of a transaction that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// The server confirmed it, or there was none to make.
    Confirmed,
    /// The server did not answer in time; it rolls back by itself as soon as it notices that the
    /// connection is gone.
    Unconfirmed,
}

impl std::fmt::Display for Rollback {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Rollback::Confirmed => "everything was rolled back",
            Rollback::Unconfirmed => {
                "the server has not confirmed the rollback yet: look for its lock in pg_locks"
            }
        })
    }
}
