//! What is to be planned: named, weighted statements, whatever they were read from.

pub mod file;
pub mod log;

use std::fmt;

use serde::{Deserialize, Serialize};

/// A statement's name, unique within its workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementId(pub String);

impl fmt::Display for StatementId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// One statement of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Its name.
    pub id: StatementId,
    /// Its text, exactly as it was written; empty when there was nothing before a semicolon.
    pub sql: String,
    /// How often it runs: its weight in all sums.
    pub calls: f64,
    /// Where it was read, for messages: `jobs.sql:12`.
    pub place: String,
}

/// All statements of a run, in the order they were given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Workload {
    statements: Vec<Statement>,
}

impl Workload {
    /// Adds a statement. A name that is taken gets a number: `jobs`, `jobs-2`, …
    pub fn add(&mut self, name: &str, sql: &str, calls: f64, place: String) {
        let taken = |name: &str| self.statements.iter().any(|statement| statement.id.0 == name);
        let numbered = (2usize..).map(|number| format!("{name}-{number}"));
        let id = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default();
        self.statements.push(Statement { id: StatementId(id), sql: sql.to_owned(), calls, place });
    }

    /// The statements in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The statement of that name.
    pub fn statement(&self, id: &StatementId) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.id == *id)
    }
}
