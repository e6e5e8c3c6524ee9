//! What a source has and the workload has not.

use serde::{Deserialize, Serialize};

/// Something of a source that is no statement of the workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Statements of other users, whose texts the role may not see in `pg_stat_statements`.
    Hidden {
        /// How many.
        statements: u64,
        /// The role.
        role: String,
    },
    /// Statements that read system catalogs only.
    OfCatalogs(u64),
    /// Executions in logs that the log says are of another database or role.
    OfOthers {
        /// How many.
        executions: u64,
        /// Of what: `the database x`.
        of: String,
    },
    /// Commands of psql in a file.
    PsqlCommands {
        /// How many.
        commands: u64,
        /// The first one, with its place.
        first: String,
    },
    /// Statements in a file that are not planned: transactions, settings, DO, data of COPY.
    NotPlanned {
        /// How many.
        statements: u64,
        /// The first words of the kinds that there are.
        kinds: Vec<String>,
        /// The file.
        file: String,
    },
}
