//! The statements of a run: named, weighted, whatever they were read from.

pub mod file;
pub mod log;

use std::collections::BTreeSet;
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
    /// How long one execution took on average, in milliseconds, where that was measured: by `pg_stat_statements` or in a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_time_ms: Option<f64>,
    /// Where it was read, for messages: `jobs.sql:12`.
    pub place: String,
    /// Which of its literals, counted as [`crate::sql::literals`] does, had other values when it was executed at other times
    /// ([`VALUES_OF_A_PARAMETER`]): they are parameters, written out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub varying_literals: BTreeSet<usize>,
}

/// From so many values on, a literal in statements that are otherwise the same is a parameter.
pub const VALUES_OF_A_PARAMETER: usize = 4;

/// How much a statement is used, as its source says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// How often it runs.
    pub calls: f64,
    /// How long one execution took on average, in milliseconds, if that was measured.
    pub mean_time_ms: Option<f64>,
}

/// All statements of a run, in the order they were given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Workload {
    statements: Vec<Statement>,
    /// For how long all its calls were counted, in seconds; none where that is not known, or some were made up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calls_counted_for_s: Option<f64>,
}

impl Statement {
    /// How long all its executions took together, in milliseconds, if that was measured.
    pub fn total_time_ms(&self) -> Option<f64> {
        Some(self.calls * self.mean_time_ms?)
    }
}

impl Workload {
    /// Adds a statement. A name that is taken gets a number: `jobs`, `jobs-2`, …
    pub fn add(&mut self, name: &str, sql: &str, usage: Usage, place: String) {
        let taken = |name: &str| {
            self.statements
                .iter()
                .any(|statement| statement.id.0 == name)
        };
        let numbered = (2usize..).map(|number| format!("{name}-{number}"));
        let id = std::iter::once(name.to_owned())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or_default();
        let Usage {
            calls,
            mean_time_ms,
        } = usage;
        let varying_literals = BTreeSet::new();
        let sql = sql.to_owned();
        self.statements.push(Statement {
            id: StatementId(id),
            sql,
            calls,
            mean_time_ms,
            place,
            varying_literals,
        });
    }

    /// These literals of the statement that was added last are parameters.
    pub fn note_varying_literals(&mut self, positions: BTreeSet<usize>) {
        if let Some(last) = self.statements.last_mut() {
            last.varying_literals = positions;
        }
    }

    /// With these statements at the end.
    pub fn with(&self, more: Vec<Statement>) -> Workload {
        let statements = self.statements.iter().cloned().chain(more).collect();
        Workload {
            statements,
            calls_counted_for_s: self.calls_counted_for_s,
        }
    }

    /// For how long all its calls were counted, in seconds; none where that is not known, or some were made up.
    pub fn calls_counted_for_s(&self) -> Option<f64> {
        self.calls_counted_for_s
    }

    /// Says for how long all the calls were counted, in seconds.
    pub fn count_calls_for(&mut self, seconds: Option<f64>) {
        self.calls_counted_for_s = seconds;
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
