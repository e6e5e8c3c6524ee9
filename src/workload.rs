//! A workload: named, weighted statements from any source.

pub mod file;
mod left_out;
pub mod log;
mod observed;
mod orm;
mod statement_id;
mod statements;
mod value_class;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use statements::Statements;

pub use left_out::LeftOut;
pub use observed::{MIN_DISTINCT_VALUES, ObservedValues};
pub use statement_id::StatementId;
pub use value_class::{Frequency, Seen, ValueClass};

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

/// How often a statement runs and how long it takes, as its source says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// How often it runs.
    pub calls: f64,
    /// The mean time of one execution in milliseconds, if it was measured.
    pub mean_time_ms: Option<f64>,
}

/// All statements of a run, in the order they were given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Workload {
    statements: Statements,
    /// The time in which all its calls were counted, in seconds; none where it is unknown, or where
    /// calls come from comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calls_counted_for_s: Option<f64>,
    /// What its sources have and it has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<LeftOut>,
    /// Who else writes, where `pg_stat_statements` says that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other_writers: Option<OtherWriters>,
}

/// What `pg_stat_statements` has of statements that write and that the workload does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OtherWriters {
    /// The words of their texts, in lower case; names are among them.
    pub words: BTreeSet<String>,
    /// The role may not see some texts.
    pub hidden: bool,
}

impl OtherWriters {
    /// Adds the words of a text.
    pub fn add(&mut self, text: &str) {
        self.words.extend(words(text));
    }

    /// May one of them write to a relation of this name?
    pub fn may_name(&self, relation: &str) -> bool {
        self.hidden || words(relation).all(|word| self.words.contains(&word))
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
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
    fn with_text(&self, sql: &str) -> Statement {
        Statement {
            sql: sql.to_owned(),
            written: Some(self.as_written().to_owned()),
            ..self.clone()
        }
    }
}

impl Workload {
    /// The same with these texts, which mean the same.
    #[must_use]
    pub fn with_texts(&self, texts: &BTreeMap<StatementId, String>) -> Workload {
        let changed = self.statements().iter().filter_map(|statement| {
            let text = texts.get(&statement.id)?;
            Some(statement.with_text(text))
        });
        self.with_replaced(&changed.collect::<Vec<_>>())
    }

    /// Adds a statement. A name that is taken gets a number: `jobs`, `jobs-2`, …
    pub fn add(&mut self, name: &str, sql: &str, usage: Usage, place: String) {
        let is_free = |id: &StatementId| self.statements.find(id).is_none();
        let numbered = (2usize..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.to_owned())
            .chain(numbered)
            .map(StatementId);
        let id = names.find(is_free);
        let id = id.unwrap_or_else(|| StatementId(String::new()));
        let Usage {
            calls,
            mean_time_ms,
        } = usage;
        let sql = sql.to_owned();
        self.statements.push(Statement {
            id,
            sql,
            written: None,
            calls,
            mean_time_ms,
            place,
            varying_literals: BTreeSet::new(),
            fixed_literals: BTreeSet::new(),
            observed: Vec::new(),
            value_class: None,
            calls_of_classes: 0.0,
            authors: BTreeSet::new(),
            search_path: None,
            within_function: false,
            rows_per_call: None,
        });
    }

    /// Marks literals of the last statement as parameters.
    pub fn note_varying_literals(&mut self, positions: BTreeSet<usize>) {
        self.statements
            .change_last(|last| last.varying_literals = positions);
    }

    /// Marks literals of the last statement as the same in every call.
    pub fn note_fixed_literals(&mut self, positions: BTreeSet<usize>) {
        self.statements
            .change_last(|last| last.fixed_literals = positions);
    }

    /// Notes the values that the last statement had in its executions.
    pub fn note_observed(&mut self, observed: Vec<ObservedValues>) {
        self.statements.change_last(|last| last.observed = observed);
    }

    /// Without the values that statements had in other executions than the one they are given with.
    #[must_use]
    pub fn without_observed(&self) -> Workload {
        let mut workload = self.clone();
        let without = |statement: &Statement| Statement {
            observed: Vec::new(),
            ..statement.clone()
        };
        workload.statements = self.statements().iter().map(without).collect();
        workload
    }

    /// For each statement that is another one with other values, that one.
    pub fn statements_of_classes(&self) -> BTreeMap<StatementId, StatementId> {
        let classes = self.statements().iter().filter_map(|statement| {
            let class = statement.value_class.as_ref()?;
            Some((statement.id.clone(), class.of.clone()))
        });
        classes.collect()
    }

    /// With these statements in place of those of the same name.
    #[must_use]
    pub fn with_replaced(&self, changed: &[Statement]) -> Workload {
        let changed: Statements = changed.iter().cloned().collect();
        let replaced = |statement: &Statement| {
            let found = changed.find(&statement.id);
            found.unwrap_or(statement).clone()
        };
        Workload {
            statements: self.statements().iter().map(replaced).collect(),
            calls_counted_for_s: self.calls_counted_for_s,
            left_out: self.left_out.clone(),
            other_writers: self.other_writers.clone(),
        }
    }

    /// Notes something that a source has and the workload has not.
    pub fn note_left_out(&mut self, left_out: LeftOut) {
        self.left_out.push(left_out);
    }

    /// What its sources have and it has not.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The last statement is planned with this text, which means the same.
    pub fn note_text(&mut self, sql: &str) {
        self.statements
            .change_last(|last| *last = last.with_text(sql));
    }

    /// The last statement is executed with this `search_path`.
    pub fn note_search_path(&mut self, path: Option<String>) {
        self.statements.change_last(|last| last.search_path = path);
    }

    /// Marks the last statement as one that only functions execute.
    pub fn note_within_function(&mut self) {
        self.statements
            .change_last(|last| last.within_function = true);
    }

    /// Notes how many rows a call of the last statement returned or wrote.
    pub fn note_rows_per_call(&mut self, rows: f64) {
        self.statements
            .change_last(|last| last.rows_per_call = Some(rows));
    }

    /// Marks the last statement as one of other users.
    pub fn note_authors(&mut self, authors: BTreeSet<String>) {
        self.statements.change_last(|last| last.authors = authors);
    }

    /// With these statements at the end.
    pub fn with(&self, more: Vec<Statement>) -> Workload {
        let statements = self.statements().iter().cloned().chain(more).collect();
        Workload {
            statements,
            calls_counted_for_s: self.calls_counted_for_s,
            left_out: self.left_out.clone(),
            other_writers: self.other_writers.clone(),
        }
    }

    /// The time in which all its calls were counted, in seconds; none where it is unknown, or where
    /// calls come from comments.
    pub fn calls_counted_for_s(&self) -> Option<f64> {
        self.calls_counted_for_s
    }

    /// Who else writes; none where that is not known.
    pub fn other_writers(&self) -> Option<&OtherWriters> {
        self.other_writers.as_ref()
    }

    /// Notes who else writes.
    pub fn note_other_writers(&mut self, others: OtherWriters) {
        self.other_writers = Some(others);
    }

    /// Sets the time in which all calls were counted, in seconds.
    pub fn count_calls_for(&mut self, seconds: Option<f64>) {
        self.calls_counted_for_s = seconds;
    }

    /// The statements in order.
    pub fn statements(&self) -> &[Statement] {
        self.statements.as_slice()
    }

    /// The statement of that name.
    pub fn statement(&self, id: &StatementId) -> Option<&Statement> {
        self.statements.find(id)
    }
}
