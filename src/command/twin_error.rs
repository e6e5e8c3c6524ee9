//! Why there is no planner twin.

use crate::cluster::{BinariesError, ClusterError};
use crate::db::DbError;

/// Why there is no twin.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// No server programs of that version.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// The throwaway server does not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// One of the servers failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The server has another block size than the twin's programs.
    #[error("the server's block size is {0} bytes, and the planner twin supports only 8192")]
    BlockSize(u32),
}
