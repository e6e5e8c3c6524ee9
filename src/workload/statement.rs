//! One statement of a workload.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::observed::ObservedValues;
use super::statement_id::StatementId;
use super::value_class::ValueClass;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
fn is_zero(calls: &f64) -> bool {
    *calls == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// One statement of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Its name.
    pub id: StatementId,
    /// The text that is planned; empty when there was nothing before a semicolon.
    pub sql: String,
    /// Its text as its source has it, where what is planned is another text that means the same:
    /// placeholders of a driver, or parameters that had to get types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// How often it runs: its weight in sums.
    pub calls: f64,
    /// The mean time of one execution in milliseconds, where `pg_stat_statements` or a log measured
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_time_ms: Option<f64>,
    /// Its source, for messages: `jobs.sql:12`.
    pub place: String,
    /// Positions of literals, as `sql::literals` counts them, that had several values in other
    /// executions (`MIN_DISTINCT_VALUES`): they are parameters.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub varying_literals: BTreeSet<usize>,
    /// Positions of literals that its author says are the same in every call.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fixed_literals: BTreeSet<usize>,
    /// The values that it had in its executions, where a log has them: all texts, with how often
    /// each was executed. Its own is among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<ObservedValues>,
    /// Which values it has, where it is another statement with values of one class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_class: Option<Box<ValueClass>>,
    /// How many of its calls are counted by statements with other values instead.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub calls_of_classes: f64,
    /// The other users who executed it, where `pg_stat_statements` says so: the text is theirs, and
    /// not of the one who asks.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub authors: BTreeSet<String>,
    /// The `search_path` that its file sets for it; none for that of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_path: Option<String>,
    /// Only functions execute it, where `pg_stat_statements` says so: what its text names may be a
    /// function's variable.
    #[serde(default, skip_serializing_if = "is_false")]
    pub within_function: bool,
    /// How many rows a call returned or wrote on average, where `pg_stat_statements` counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_call: Option<f64>,
}

impl Statement {
    /// The same with values of a class, for its share of the calls.
    pub fn of_class(&self, class: ValueClass) -> Statement {
        Statement {
            id: class.id(),
            calls: self.calls * class.share,
            mean_time_ms: None,
            value_class: Some(Box::new(class)),
            observed: Vec::new(),
            ..self.clone()
        }
    }

    /// The total time of its executions in milliseconds, if it was measured.
    pub fn total_time_ms(&self) -> Option<f64> {
        Some(self.calls_with_any_values() * self.mean_time_ms?)
    }

    /// Is it planned as others execute it, under row-level security policies that do not apply to the
    /// role that asks?
    pub fn is_under_policies(&self) -> bool {
        self.settings_of_others().is_some()
    }

    /// The settings, with values, under which others execute it; none: it is planned as the role that
    /// asks.
    pub fn settings_of_others(&self) -> Option<&[(String, String)]> {
        let class = self.value_class.as_ref()?;
        class
            .frequency
            .is_under_policies()
            .then_some(class.values.as_slice())
    }

    /// How often it runs, with whatever values.
    pub fn calls_with_any_values(&self) -> f64 {
        self.calls + self.calls_of_classes
    }
}

impl Statement {
    /// Its text as its source has it.
    pub fn as_written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.sql)
    }

    /// Is its name one that somebody gave it, and not a number or a place?
    pub fn is_named(&self) -> bool {
        let is_generated = self.place == "pg_stat_statements"
            || self.id.0.starts_with("log-")
            || self.id.0.contains(':');
        !is_generated
    }

    /// The same with another text that means the same.
    pub(super) fn with_text(&self, sql: &str) -> Statement {
        Statement {
            sql: sql.to_owned(),
            written: Some(self.as_written().to_owned()),
            ..self.clone()
        }
    }
}
