//! What the statements ask of other servers, through foreign tables: the values.

use std::collections::BTreeSet;

use crate::model::QualifiedName;
use crate::workload::StatementId;

/// Another server, and what the workload asks of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignServer {
    /// Its name here (`CREATE SERVER`).
    pub name: String,
    /// The foreign data wrapper.
    pub wrapper: String,
    /// The wrapper is postgres_fdw: advice for that server is SQL of PostgreSQL.
    pub is_postgres: bool,
    /// The database there, where the server's options name it.
    pub database: Option<String>,
    /// What is sent there, in the order of the workload.
    pub statements: Vec<RemoteStatement>,
    /// Indexes to try there. Nobody was asked about them: they follow from the conditions alone.
    pub to_try: Vec<RemoteIndex>,
}

/// What a statement makes another server do.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteStatement {
    /// The statement here.
    pub of: StatementId,
    /// A name for it there, unique in the run.
    pub id: StatementId,
    /// What is sent.
    pub sql: String,
    /// How often, by the statement's calls and the executions that the planner expects of each.
    pub calls: f64,
    /// The condition that was not pushed down, so that all rows that pass the others are fetched.
    pub not_pushed_down: Option<String>,
}

/// An index that a table on another server would need.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteIndex {
    /// The table there.
    pub table: QualifiedName,
    /// What would create it.
    pub ddl: String,
    /// The statements here that it is for.
    pub statements: BTreeSet<StatementId>,
}
