//! Why a planner cannot be asked any more.

use super::{Rollback, Silence};

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
