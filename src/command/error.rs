//! How commands end: their outcomes and errors.

use std::path::Path;

use super::twin_error::TwinError;
use crate::cluster::{BinariesError, ClusterError};
use crate::db::DbError;
use crate::db::conninfo::ConninfoError;
use crate::planner::{PlannerError, Rollback};
use crate::workload::file::FileError;
use crate::workload::log::LogError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Completed in part; the errors were printed.
    Failed,
    /// `--fail-on` matched.
    Matched,
    /// `--fail-on` of `check` matched: a change makes something worse.
    Regressed,
    /// The user asked to stop, and what was known by then was reported.
    Interrupted,
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Wrong usage.
    #[error("{0}")]
    Usage(String),
    /// The user asked to stop.
    #[error("interrupted; {0}")]
    Interrupted(Rollback),
    /// The connection parameters are invalid.
    #[error(transparent)]
    Conninfo(#[from] ConninfoError),
    /// The server or the connection failed.
    #[error(transparent)]
    Db(DbError),
    /// The planner could not be asked.
    #[error(transparent)]
    Planner(PlannerError),
    /// A workload file is invalid.
    #[error(transparent)]
    Workload(#[from] FileError),
    /// A log has no statements.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file could not be read or written.
    #[error("{0}")]
    Other(String),
    /// No server programs for the throwaway server.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// No planner twin.
    #[error("the planner twin: {0}")]
    Twin(TwinError),
    /// No throwaway server.
    #[error(transparent)]
    Cluster(ClusterError),
}

impl From<DbError> for CommandError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Interrupted { rollback } => CommandError::Interrupted(rollback),
            other => CommandError::Db(other),
        }
    }
}

impl From<PlannerError> for CommandError {
    fn from(error: PlannerError) -> Self {
        match error {
            PlannerError::Interrupted { rollback } => CommandError::Interrupted(rollback),
            other => CommandError::Planner(other),
        }
    }
}

impl From<TwinError> for CommandError {
    fn from(error: TwinError) -> Self {
        match error {
            TwinError::Db(error @ DbError::Interrupted { .. }) => error.into(),
            TwinError::Cluster(error @ ClusterError::Interrupted) => error.into(),
            other => CommandError::Twin(other),
        }
    }
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Interrupted => CommandError::Interrupted(Rollback::Confirmed),
            other => CommandError::Cluster(other),
        }
    }
}

impl CommandError {
    /// A file could not be read. One that is not there is wrong usage.
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> CommandError {
        let message = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound => CommandError::Usage(message),
            _ => CommandError::Other(message),
        }
    }

    /// The exit status of the program.
    pub(super) fn exit_status(&self) -> u8 {
        match self {
            CommandError::Usage(_) => 2,
            CommandError::Interrupted(_) => 130,
            _ => 1,
        }
    }
}
