//! Everything that talks to a server: connecting, session safety, catalog queries, the transaction
//! that is rolled back.
//!
//! The only room that names tokio. From outside it is synchronous: a [`Session`] drives its
//! connection while it is asked.

use crate::planner::PlannerError;

mod catalog;
pub mod connect;
pub mod conninfo;
mod error;
mod execute;
mod executions;
mod explain;
mod foreign_connection;
mod interrupt;
mod link;
mod named_in_path;
mod planned_tables;
mod reached;
mod row;
mod sampling;
mod script;
mod server;
mod session;
mod settle;
mod snapshot;
mod stat_statements;
pub mod tls;
mod transaction;
mod twin;
mod twins;
mod untrusted;
mod wait_budget;
mod watcher;

pub use error::DbError;
pub use foreign_connection::ForeignConnection;
pub use interrupt::{Interrupt, InterruptTrigger};
pub use sampling::{NamedColumns, SampleSource};
pub use script::{Batching, run_script};
pub use server::Server;
pub use session::{Safety, Session, SessionOptions};
pub use snapshot::{Named, Scope};
pub use twin::{PlannerSettings, Twin};
pub use twins::{MakeTwin, Twins};

impl From<DbError> for PlannerError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Interrupted { rollback } => PlannerError::Interrupted { rollback },
            DbError::Connect(error) => PlannerError::Server {
                operation: "connecting".to_owned(),
                message: error.to_string(),
            },
            DbError::Snapshot(fault) => PlannerError::Server {
                operation: "building the planner twin".to_owned(),
                message: fault.to_string(),
            },
            DbError::Missing(message) => PlannerError::Server {
                operation: "reading the workload".to_owned(),
                message,
            },
            error @ DbError::NoTransactions => PlannerError::Server {
                operation: "connecting".to_owned(),
                message: error.to_string(),
            },
            DbError::Silent { operation, silence } => PlannerError::Silent {
                operation: operation.to_owned(),
                silence,
            },
            DbError::Query {
                operation, message, ..
            } => PlannerError::Server {
                operation: operation.to_owned(),
                message,
            },
        }
    }
}
