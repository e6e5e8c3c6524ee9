//! Executions of statements. An execution may be logged in several entries, which are combined
//! here.
//!
//! 1. `statement: …` (log_statement) when it begins, then a bare `duration: …` (log_duration) of
//!    the same process.
//! 2. `duration: … statement: …` (log_min_duration_statement).
//! 3. `duration: … plan:` (auto_explain); before the server's own line in the simple protocol,
//!    after it in the extended one.
//!
//! A process executes one statement at a time, so entries are combined by process. A log without
//! process ids is read as one process.

use std::collections::{HashMap, VecDeque};

use super::entry::{LogEntry, OUR_APPLICATION};
use super::event::{Event, ExecutionKind};
use super::explained::explained;
use super::translations::Severity;

/// With more processes than this, executions are completed with what is known.
const MAX_PROCESSES: usize = 10_000;

/// One execution of one statement text.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// The text; of several statements when they were sent together.
    pub sql: String,
    /// How long it took, when that was logged.
    pub duration_ms: Option<f64>,
    /// Its parameters as the log has them.
    pub parameters: Option<String>,
    /// Does it only fetch more rows of an earlier execution?
    pub is_fetch: bool,
    /// Was it executed by a function, as far as is known? Its text may name the function's variables.
    pub is_nested: bool,
    /// The database, where the log says it.
    pub database: Option<String>,
    /// The role, where the log says it.
    pub user: Option<String>,
    /// Line of the log.
    pub line: usize,
}

/// The executions of a process that later entries may complete.
#[derive(Debug, Default)]
struct ProcessState {
    /// Case 1, without its duration.
    begun: Option<Execution>,
    /// Case 3, without the server's own entry.
    planned: Option<Execution>,
    /// The text of a completed execution whose plan may follow; empty where there is none.
    done: String,
}

/// The executions in a log's entries.
#[derive(Debug)]
pub struct Executions<I> {
    entries: I,
    processes: HashMap<Option<u32>, ProcessState>,
    ready: VecDeque<Execution>,
}

impl<I: Iterator<Item = LogEntry>> Executions<I> {
    pub(super) fn new(entries: I) -> Executions<I> {
        Executions {
            entries,
            processes: HashMap::new(),
            ready: VecDeque::new(),
        }
    }

    fn add_entry(&mut self, entry: LogEntry) {
        if self.processes.len() > MAX_PROCESSES {
            self.finish();
        }
        let process = self.processes.entry(entry.process_id).or_default();
        let ready = &mut self.ready;
        if entry.severity >= Severity::Error && entry.severity != Severity::Log {
            // The statement that was begun has failed; one with a plan was completed before.
            let ProcessState { planned, .. } = std::mem::take(process);
            ready.extend(planned);
            return;
        }
        match entry.event() {
            Event::Plan { duration_ms, body } => {
                let explained = explained(body);
                let Some(query) = explained.query else { return };
                let (query, parameters) = (query.into_owned(), explained.parameters);
                let parameters = parameters.map(|text| text.into_owned());
                let mut execution = Execution::new(entry, Text::Other(query), Some(duration_ms));
                execution.parameters = parameters;
                ready.extend(process.planned(execution));
            }
            Event::Executed {
                duration_ms,
                kind,
                sql,
            } => {
                let text = Text::End(sql.len());
                let mut execution = Execution::new(entry, text, Some(duration_ms));
                execution.is_fetch = kind == ExecutionKind::Fetch;
                process.executed(execution, ready);
            }
            Event::Begun { kind, sql } => {
                let text = Text::End(sql.len());
                let mut execution = Execution::new(entry, text, None);
                execution.is_fetch = kind == ExecutionKind::Fetch;
                process.begun(execution, ready);
            }
            Event::Duration(duration_ms) => process.ended(duration_ms, ready),
            Event::Prepared(_) | Event::Other => {}
        }
    }

    /// Completes all executions with what is known, in the order of their lines.
    fn finish(&mut self) {
        let waiting = self
            .processes
            .drain()
            .flat_map(|(_, process)| [process.begun, process.planned]);
        let mut waiting: Vec<Execution> = waiting.flatten().collect();
        waiting.sort_by_key(|execution| execution.line);
        self.ready.extend(waiting);
    }
}

impl<I: Iterator<Item = LogEntry>> Iterator for Executions<I> {
    type Item = Execution;

    fn next(&mut self) -> Option<Execution> {
        loop {
            match self.ready.pop_front() {
                Some(execution) if execution.is_ours() => {}
                Some(execution) => return Some(execution),
                None => match self.entries.next() {
                    Some(entry) if entry.application.as_deref() == Some(OUR_APPLICATION) => {}
                    Some(entry) => self.add_entry(entry),
                    None if self.processes.is_empty() => return None,
                    None => self.finish(),
                },
            }
        }
    }
}

impl ProcessState {
    fn planned(&mut self, execution: Execution) -> Option<Execution> {
        if let Some(begun) = self
            .begun
            .as_mut()
            .filter(|begun| begun.is_same(&execution.sql))
        {
            begun.duration_ms = begun.duration_ms.or(execution.duration_ms);
            return None;
        }
        let is_done = !self.done.is_empty() && execution.is_same(&self.done);
        self.done.clear();
        if is_done {
            return None;
        }
        self.planned.replace(execution)
    }

    fn executed(&mut self, execution: Execution, ready: &mut VecDeque<Execution>) {
        ready.extend(self.begun.take());
        match self.planned.take() {
            Some(planned) if planned.is_same(&execution.sql) => self.done.clear(),
            planned => {
                ready.extend(planned);
                self.done.clone_from(&execution.sql);
            }
        }
        ready.push_back(execution);
    }

    fn begun(&mut self, execution: Execution, ready: &mut VecDeque<Execution>) {
        self.done.clear();
        ready.extend(self.begun.replace(execution));
        ready.extend(self.planned.take());
    }

    fn ended(&mut self, duration_ms: f64, ready: &mut VecDeque<Execution>) {
        ready.extend(self.planned.take());
        if let Some(begun) = self.begun.take() {
            self.done.clone_from(&begun.sql);
            ready.push_back(Execution {
                duration_ms: Some(duration_ms),
                ..begun
            });
        }
    }
}

/// Where the text of an execution is.
enum Text {
    /// At the end of the entry's message, of this length.
    End(usize),
    Other(String),
}

impl Execution {
    fn new(entry: LogEntry, text: Text, duration_ms: Option<f64>) -> Execution {
        let parameters = entry.parameters().map(str::to_owned);
        let mut sql = match text {
            Text::End(length) => {
                let mut message = entry.message;
                message.drain(..message.len() - length);
                message
            }
            Text::Other(text) => text,
        };
        if let Some(prepared) = prepared(&sql, entry.detail.as_deref()) {
            sql = prepared.to_owned();
        }
        trim(&mut sql);
        Execution {
            sql,
            duration_ms,
            parameters,
            is_fetch: false,
            is_nested: entry.context.is_some(),
            database: entry.database,
            user: entry.user,
            line: entry.line,
        }
    }

    fn is_same(&self, sql: &str) -> bool {
        let bare = |text: &str| text.trim_end_matches([';', ' ', '\n', '\t', '\r']).len();
        self.sql[..bare(&self.sql)] == sql[..bare(sql)]
    }

    fn is_ours(&self) -> bool {
        self.sql.contains("/* pgrehearse")
    }
}

/// Removes blanks at both ends in place.
fn trim(text: &mut String) {
    text.truncate(text.trim_end().len());
    text.drain(..text.len() - text.trim_start().len());
}

/// The values of parameters as the server logs them, `$1 = '5', $2 = NULL`, each as a literal. None
/// where one is cut off (`log_parameter_max_length`).
pub fn parameter_values(text: &str) -> Option<Vec<(u32, String)>> {
    let mut values = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, after) = rest.strip_prefix('$')?.split_once(" = ")?;
        let number = number.parse().ok()?;
        let length = if after.starts_with('\'') {
            literal_length(after)?
        } else {
            after.find(',').unwrap_or(after.len())
        };
        let (literal, behind) = after.split_at_checked(length)?;
        let is_cut = literal.ends_with("...'");
        let is_null = literal.eq_ignore_ascii_case("null");
        (!is_cut && (is_null || literal.starts_with('\''))).then_some(())?;
        values.push((number, literal.to_owned()));
        rest = behind.trim_start_matches([',', ' ', '\n', '\t']);
    }
    (!values.is_empty()).then_some(values)
}

/// The length of a literal in quotes at the beginning of a text.
fn literal_length(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\'' {
            if characters.peek().is_none_or(|(_, next)| *next != '\'') {
                return Some(at + 1);
            }
            characters.next();
        }
    }
    None
}

/// SQL's `EXECUTE name (…)` has the statement in its detail:
/// `prepare: PREPARE name (types) AS SELECT …`.
fn prepared<'a>(sql: &str, detail: Option<&'a str>) -> Option<&'a str> {
    let is_execute = sql
        .trim_start()
        .get(..8)
        .is_some_and(|word| word.eq_ignore_ascii_case("execute "));
    let (_, prepare) = detail.filter(|_| is_execute)?.split_once(": ")?;
    prepare
        .get(..8)
        .filter(|word| word.eq_ignore_ascii_case("prepare "))?;
    let at = prepare.to_ascii_lowercase().find(" as ")?;
    Some(&prepare[at + 4..])
}
