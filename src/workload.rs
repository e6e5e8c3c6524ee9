//! A workload: named, weighted statements from any source.

pub mod file;
mod left_out;
pub mod log;
mod observed;
mod orm;
mod statement;
mod statement_id;
mod statements;
mod value_class;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use statements::Statements;

pub use left_out::LeftOut;
pub use observed::{MIN_DISTINCT_VALUES, ObservedValues};
pub use statement::Statement;
pub use statement_id::StatementId;
pub use value_class::{Frequency, Seen, ValueClass};

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

    /// What was executed since these numbers of calls and total times (in milliseconds) were counted: the
    /// calls and the mean times are those of that time, and what was not executed is left out. Numbers
    /// that are smaller now were set to 0 meanwhile.
    #[must_use]
    pub fn since(&self, counted: &BTreeMap<StatementId, (f64, f64)>) -> Workload {
        let since = |statement: &Statement| {
            let Some((calls, total_ms)) = counted.get(&statement.id) else {
                return Some(statement.clone());
            };
            let (now, now_ms) = (statement.calls, statement.total_time_ms());
            if now < *calls {
                return Some(statement.clone());
            }
            let calls = now - calls;
            let mean_time_ms = now_ms.map(|now_ms| (now_ms - total_ms).max(0.0) / calls);
            (calls > 0.0).then(|| Statement {
                calls,
                mean_time_ms,
                ..statement.clone()
            })
        };
        Workload {
            statements: self.statements().iter().filter_map(since).collect(),
            // Since then, which is not since the counters began.
            calls_counted_for_s: None,
            left_out: self.left_out.clone(),
            other_writers: self.other_writers.clone(),
        }
    }

    /// Only these of its statements.
    #[must_use]
    pub fn only(&self, is_kept: &dyn Fn(&StatementId) -> bool) -> Workload {
        let kept = self
            .statements()
            .iter()
            .filter(|statement| is_kept(&statement.id));
        Workload {
            statements: kept.cloned().collect(),
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
