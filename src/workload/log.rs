//! The workload of server logs: statements that were timed or explained. Statements that differ
//! only in literals are one.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::observed::{Logged, ObservedTexts};
use super::{LeftOut, Usage, Workload, orm};
use crate::log::{self, Execution};
use crate::sql::fingerprint::{Fingerprint, can_be_planned, fingerprint};
use crate::sql::shape::write_shape;
use crate::sql::split::split;

/// Why a log gives no statements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// It has no line that a PostgreSQL server writes.
    #[error(
        "{file}: not a PostgreSQL log (stderr, csvlog, jsonlog or syslog), nor one of an ORM that logs its statements"
    )]
    NotALog {
        /// The name of the log.
        file: String,
    },
    /// It is compressed in a way that is not read.
    #[error(
        "{file}: compressed with {program}; only gzip and Zstandard are read: {program} -dc {file} | pgrehearse advise --log -"
    )]
    Compressed {
        /// The name of the log.
        file: String,
        /// What decompresses it.
        program: &'static str,
    },
    /// It has no byte.
    #[error("{file}: the log is empty")]
    Empty {
        /// The name of the log.
        file: String,
    },
    /// It has no statement that can be planned.
    #[error(
        "{file}: the log has no statement that can be planned; set log_min_duration_statement or use auto_explain"
    )]
    NoStatement {
        /// The name of the log.
        file: String,
    },
    /// All its statements are of other databases or roles than the chosen ones.
    #[error(
        "{file}: no statement is of what --log-database and --log-user choose; the log has {seen}"
    )]
    OfOthers {
        /// The name of the log.
        file: String,
        /// How many there are of whom: `4 executions of the database shop`.
        seen: String,
    },
}

/// Statements of one or several logs, by fingerprint.
#[derive(Debug, Default)]
pub struct LoggedStatements {
    groups: HashMap<Fingerprint, Group>,
    /// Executions that the filter kept out: of which database or role.
    others: BTreeMap<String, u64>,
    /// Executions of databases that are not the preferred one.
    elsewhere: Option<Box<LoggedStatements>>,
}

/// The fingerprints of shapes that one thread has seen; none of those that cannot be planned.
#[derive(Debug, Default)]
pub struct Shapes {
    known: HashMap<Box<[u8]>, Option<Fingerprint>>,
    /// The last one.
    shape: Vec<u8>,
}

impl Shapes {
    /// Fingerprints are kept of this many shapes.
    const MAX: usize = 5_000;

    /// The fingerprint of a statement, none if it cannot be planned; none of both where the text has
    /// no shape.
    fn fingerprint(&mut self, sql: &str) -> Option<Option<Fingerprint>> {
        if !write_shape(sql, &mut self.shape) {
            return None;
        }
        if let Some(known) = self.known.get(self.shape.as_slice()) {
            return Some(*known);
        }
        let found = can_be_planned(sql).then(|| fingerprint(sql));
        if self.known.len() < Self::MAX {
            self.known.insert(self.shape.as_slice().into(), found);
        }
        Some(found)
    }
}

impl LogFilter {
    /// Does the execution count? What is not known is not filtered.
    fn passes(&self, execution: &Execution, others: &mut BTreeMap<String, u64>) -> bool {
        let is_other = |wanted: &Option<String>, known: &Option<String>| match (wanted, known) {
            (Some(wanted), Some(known)) => (wanted != known).then(|| known.clone()),
            _ => None,
        };
        let database = is_other(&self.database, &execution.database)
            .map(|name| format!("the database {name}"));
        let other = database.or_else(|| {
            is_other(&self.user, &execution.user).map(|name| format!("the role {name}"))
        });
        match other {
            Some(name) => {
                *others.entry(name).or_default() += 1;
                false
            }
            None => true,
        }
    }
}

impl LogFilter {
    fn prefers_another(&self, execution: &Execution) -> bool {
        let (preferred, known) = (&self.preferred_database, &execution.database);
        preferred.is_some() && known.is_some() && preferred != known
    }

    fn count_database(&self, execution: &Execution, others: &mut BTreeMap<String, u64>) {
        if let Some(name) = &execution.database {
            *others.entry(format!("the database {name}")).or_default() += 1;
        }
    }
}

impl LogError {
    /// The log has no line that a server or an ORM writes.
    pub fn not_a_log(file: &str) -> LogError {
        LogError::NotALog {
            file: file.to_owned(),
        }
    }

    /// The log has nothing that can be planned.
    pub fn no_statement(file: &str) -> LogError {
        LogError::NoStatement {
            file: file.to_owned(),
        }
    }
}

/// All executions of one statement.
#[derive(Debug)]
struct Group {
    /// The slowest execution, and its file and line.
    slowest: Logged,
    place: String,
    slowest_ms: Option<f64>,
    total_ms: f64,
    calls: f64,
    /// The calls whose duration is known: those in `total_ms`.
    timed_calls: f64,
    /// Only functions executed it.
    is_nested: bool,
    texts: ObservedTexts,
}

impl Group {
    fn merge(&mut self, later: Group) {
        self.total_ms += later.total_ms;
        self.calls += later.calls;
        self.timed_calls += later.timed_calls;
        self.is_nested &= later.is_nested;
        self.texts.merge(later.texts);
        if later.slowest_ms > self.slowest_ms {
            self.slowest = later.slowest;
            self.place = later.place;
            self.slowest_ms = later.slowest_ms;
        }
    }

    /// Calls and mean time; executions faster than `log_min_duration_statement` are not in the log,
    /// so not in the mean.
    fn usage(&self) -> Usage {
        let mean_time_ms = (self.timed_calls > 0.0).then(|| self.total_ms / self.timed_calls);
        Usage {
            calls: self.calls.max(1.0),
            mean_time_ms,
        }
    }
}

/// Which executions count, where the log says whose they are.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Of this database only.
    pub database: Option<String>,
    /// Where the log has executions of this database, only of it.
    pub preferred_database: Option<String>,
    /// Of this role only.
    pub user: Option<String>,
}

/// What a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    /// A server's.
    Server,
    /// An ORM's.
    Orm,
}

impl LogKind {
    /// None where the text is no log, or too little of one.
    pub fn of(text: &str) -> Option<LogKind> {
        if log::looks_like_log(text) || log::looks_like_log(&log::unwrap(text).text) {
            Some(LogKind::Server)
        } else {
            orm::looks_like_orm_log(text).then_some(LogKind::Orm)
        }
    }
}

/// A part of a log, which begins with an entry.
#[derive(Debug, Clone, Copy)]
pub struct LogPart<'t> {
    /// The name of the log, for messages.
    pub file: &'t str,
    /// What it is.
    pub kind: LogKind,
    /// The text.
    pub text: &'t str,
    /// The number of its first line, from 0.
    pub lines_before: usize,
}

impl LoggedStatements {
    /// Adds a whole log's statements.
    #[cfg(test)]
    fn add_log(&mut self, file: &str, text: &str) -> Result<(), LogError> {
        let Some(kind) = LogKind::of(text) else {
            return Err(LogError::not_a_log(file));
        };
        let part = LogPart {
            file,
            kind,
            text,
            lines_before: 0,
        };
        let found = LoggedStatements::of_part(&part, &LogFilter::default(), &mut Shapes::default());
        let any = found.has_any();
        self.merge(found);
        any.then_some(()).ok_or(LogError::no_statement(file))
    }

    /// The statements of a part of a log.
    pub fn of_part(
        part: &LogPart<'_>,
        filter: &LogFilter,
        shapes: &mut Shapes,
    ) -> LoggedStatements {
        let mut found = LoggedStatements::default();
        match part.kind {
            LogKind::Server => {
                let log = log::unwrap(part.text);
                for mut execution in log::executions(&log.text) {
                    execution.line = part.lines_before + log.line(execution.line);
                    if !filter.passes(&execution, &mut found.others) {
                        continue;
                    }
                    if filter.prefers_another(&execution) {
                        let elsewhere = found.elsewhere.get_or_insert_default();
                        elsewhere.add(part.file, &execution, shapes);
                        filter.count_database(&execution, &mut found.others);
                    } else {
                        found.add(part.file, &execution, shapes);
                    }
                }
            }
            LogKind::Orm => {
                for statement in orm::statements(part.text) {
                    let execution = Execution {
                        sql: statement.sql,
                        duration_ms: statement.duration_ms,
                        parameters: None,
                        is_fetch: false,
                        is_nested: false,
                        database: None,
                        user: None,
                        line: part.lines_before + statement.line,
                    };
                    found.add(part.file, &execution, shapes);
                }
            }
        }
        found
    }

    /// Is there a statement that can be planned?
    pub fn has_any(&self) -> bool {
        !self.groups.is_empty()
            || self
                .elsewhere
                .as_ref()
                .is_some_and(|elsewhere| elsewhere.has_any())
    }

    /// Why there is none: the log has none, or the filter kept all out.
    pub fn nothing_found(&self, file: &str) -> LogError {
        const MAX_NAMES: usize = 10;
        if self.others.is_empty() {
            return LogError::no_statement(file);
        }
        let of = |(of, executions): (&String, &u64)| match executions {
            1 => format!("1 execution of {of}"),
            many => format!("{many} executions of {of}"),
        };
        let mut seen: Vec<String> = self.others.iter().take(MAX_NAMES).map(of).collect();
        if self.others.len() > MAX_NAMES {
            seen.push(format!("{} more", self.others.len() - MAX_NAMES));
        }
        LogError::OfOthers {
            file: file.to_owned(),
            seen: seen.join(", "),
        }
    }

    /// Those of the preferred database, or of all where there are none of it.
    #[must_use]
    pub fn preferred(mut self) -> LoggedStatements {
        match self.elsewhere.take() {
            Some(elsewhere) if self.groups.is_empty() => *elsewhere,
            _ => self,
        }
    }

    /// Adds what a later part has.
    pub fn merge(&mut self, later: LoggedStatements) {
        for (fingerprint, group) in later.groups {
            match self.groups.entry(fingerprint) {
                Entry::Vacant(free) => {
                    free.insert(group);
                }
                Entry::Occupied(mut known) => known.get_mut().merge(group),
            }
        }
        if let Some(elsewhere) = later.elsewhere {
            self.elsewhere.get_or_insert_default().merge(*elsewhere);
        }
        for (name, executions) in later.others {
            *self.others.entry(name).or_default() += executions;
        }
    }

    /// Adds an execution. Several statements that were sent together count as several, without
    /// durations.
    fn add(&mut self, file: &str, execution: &Execution, shapes: &mut Shapes) {
        let sql = execution.sql.trim_end_matches([';', ' ', '\n', '\t', '\r']);
        if let Some(found) = shapes.fingerprint(sql) {
            if let Some(fingerprint) = found {
                let parameters = execution.parameters.as_deref();
                let logged = (sql, parameters);
                self.add_one(file, execution, logged, execution.duration_ms, fingerprint);
            }
            return;
        }
        let pieces = split(&execution.sql);
        let is_alone = pieces.len() == 1;
        for piece in pieces.iter().filter(|piece| can_be_planned(piece.sql)) {
            let parameters = execution.parameters.as_deref().filter(|_| is_alone);
            let duration_ms = execution.duration_ms.filter(|_| is_alone);
            let logged = (piece.sql, parameters);
            self.add_one(file, execution, logged, duration_ms, fingerprint(piece.sql));
        }
    }

    /// Adds a statement of an execution, as it was logged with its parameters.
    fn add_one(
        &mut self,
        file: &str,
        execution: &Execution,
        (sql, parameters): (&str, Option<&str>),
        duration_ms: Option<f64>,
        fingerprint: Fingerprint,
    ) {
        let place = || format!("{file}:{}", execution.line);
        let logged = || Logged::new(sql, parameters);
        let group = self.groups.entry(fingerprint).or_insert_with(|| Group {
            slowest: logged(),
            place: place(),
            slowest_ms: duration_ms,
            total_ms: 0.0,
            calls: 0.0,
            timed_calls: 0.0,
            is_nested: true,
            texts: ObservedTexts::default(),
        });
        group.is_nested &= execution.is_nested;
        group.texts.add(sql, parameters);
        group.total_ms += duration_ms.unwrap_or(0.0);
        let call = if execution.is_fetch { 0.0 } else { 1.0 };
        group.calls += call;
        group.timed_calls += if duration_ms.is_some() { call } else { 0.0 };
        if duration_ms > group.slowest_ms {
            group.slowest = logged();
            group.place = place();
            group.slowest_ms = duration_ms;
        }
    }

    /// How many executions the filter kept out.
    pub fn note_others(&self, workload: &mut Workload) {
        for (of, executions) in &self.others {
            workload.note_left_out(LeftOut::OfOthers {
                executions: *executions,
                of: of.clone(),
            });
        }
    }

    /// Adds the statements with the most total time to the workload, named after their
    /// fingerprints.
    pub fn add_to(self, workload: &mut Workload, top: u32) {
        let mut groups: Vec<(Fingerprint, Group)> = self.groups.into_iter().collect();
        groups.sort_by(|(one, a), (other, b)| {
            let by_time = b.total_ms.total_cmp(&a.total_ms);
            by_time
                .then(b.calls.total_cmp(&a.calls))
                .then(one.cmp(other))
        });
        for (fingerprint, group) in groups.into_iter().take(top as usize) {
            let literals = group.texts.literals();
            let (sql, _) = group.slowest.with_parameters();
            let varying = literals.varying(&sql);
            let observed = literals.texts(&sql);
            workload.add(
                &format!("log-{fingerprint}"),
                &sql,
                group.usage(),
                group.place,
            );
            workload.note_varying_literals(varying);
            workload.note_observed(observed);
            if group.is_nested {
                workload.note_within_function();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(logs: &[&str], top: u32) -> Vec<(String, f64, String)> {
        let mut logged = LoggedStatements::default();
        for (number, log) in logs.iter().enumerate() {
            logged.add_log(&format!("{number}.log"), log).unwrap();
        }
        let mut workload = Workload::default();
        logged.add_to(&mut workload, top);
        let statements = workload.statements().iter();
        statements
            .map(|statement| {
                (
                    statement.sql.clone(),
                    statement.calls,
                    statement.place.clone(),
                )
            })
            .collect()
    }

    const ONE: &str = "[7] LOG:  duration: 5.000 ms  statement: select a from t where b = 1;\n\
                       [7] LOG:  duration: 9.000 ms  statement: SELECT a FROM t WHERE b = 'x'\n\
                       [7] LOG:  duration: 1.000 ms  statement: begin\n\
                       [7] LOG:  duration: 10.000 ms  statement: select c from t\n";
    const OTHER: &str = "[8] LOG:  duration: 2.000 ms  execute <unnamed>: select a from t where b = $1\n\
                         [8] LOG:  duration: 3.000 ms  statement: select d; select d\n";

    #[test]
    fn statements_are_grouped_over_logs_and_ordered_by_their_time() {
        let expected = [
            (
                "SELECT a FROM t WHERE b = 'x'".to_owned(),
                3.0,
                "0.log:2".to_owned(),
            ),
            ("select c from t".to_owned(), 1.0, "0.log:4".to_owned()),
            ("select d".to_owned(), 2.0, "1.log:2".to_owned()),
        ];
        assert_eq!(workload(&[ONE, OTHER], 50), expected);
        assert_eq!(workload(&[ONE, OTHER], 1), expected[..1]);
    }

    #[test]
    fn the_mean_time_is_of_the_executions_with_a_duration() {
        let mut logged = LoggedStatements::default();
        logged.add_log("x", ONE).unwrap();
        logged.add_log("y", OTHER).unwrap();
        let mut workload = Workload::default();
        logged.add_to(&mut workload, 9);
        let times: Vec<_> = workload
            .statements()
            .iter()
            .map(|s| (s.sql.as_str(), s.mean_time_ms))
            .collect();
        assert_eq!(
            times[0],
            ("SELECT a FROM t WHERE b = 'x'", Some(16.0 / 3.0))
        );
        assert_eq!(
            times[2],
            ("select d", None),
            "sent together, so the duration of each is unknown"
        );
    }

    #[test]
    fn literals_with_another_value_each_time_are_parameters() {
        let line = |number: usize, list: &str| {
            format!(
                "[7] LOG:  duration: {number}.000 ms  statement: select a from t where s = 'new' and b = {number} and c in ({list})\n"
            )
        };
        let log: String = (1..=4)
            .map(|number| line(number, "1, 2"))
            .chain([line(5, "1, 2, 3")])
            .collect();
        let varying = |log: &str| {
            let mut logged = LoggedStatements::default();
            logged.add_log("x", log).unwrap();
            let mut workload = Workload::default();
            logged.add_to(&mut workload, 9);
            assert_eq!(workload.statements().len(), 1);
            workload.statements()[0]
                .varying_literals
                .iter()
                .copied()
                .collect::<Vec<_>>()
        };
        let shorter: String = (1..=4).map(|number| line(number, "1, 2")).collect();
        assert_eq!(varying(&shorter), [1]);
        assert_eq!(
            varying(&shorter[..shorter.len() / 2]),
            [0; 0],
            "two values are no parameter yet"
        );
        assert_eq!(
            varying(&log),
            [0; 0],
            "the slowest has a longer list than all the others"
        );
    }

    #[test]
    fn parameters_vary_and_their_values_are_kept() {
        let line = |state: &str| {
            format!(
                "2024-11-20 10:00:00.000 UTC [7] LOG:  duration: 1.000 ms  execute s: select a from t where b = 7 and s = $1\n\
                 2024-11-20 10:00:00.000 UTC [7] DETAIL:  parameters: $1 = '{state}'\n"
            )
        };
        let read = |states: &[(&str, usize)]| {
            let lines = states
                .iter()
                .map(|(state, times)| line(state).repeat(*times));
            let mut logged = LoggedStatements::default();
            logged.add_log("x", &lines.collect::<String>()).unwrap();
            let mut workload = Workload::default();
            logged.add_to(&mut workload, 9);
            let statement = workload.statements()[0].clone();
            let observed = statement.observed.into_iter();
            let observed = observed
                .map(|one| (one.sql, one.executions))
                .collect::<Vec<_>>();
            (statement.varying_literals, observed)
        };
        let text = |state: &str| format!("select a from t where b = 7 and s = '{state}'");
        let two = [(text("late"), 4), (text("new"), 8)];
        assert_eq!(read(&[("new", 8), ("late", 4)]), ([1].into(), two.into()));
        assert_eq!(
            read(&[("new", 2), ("late", 1)]),
            ([1].into(), Vec::new()),
            "too few executions"
        );
        assert_eq!(
            read(&[("new", 2)]),
            ([1].into(), Vec::new()),
            "there may be others"
        );
        assert_eq!(
            read(&[("new", 10)]),
            ([].into(), Vec::new()),
            "always the same"
        );
    }

    #[test]
    fn a_log_without_statements_is_told_from_no_log() {
        let error = |text: &str| LoggedStatements::default().add_log("x", text).unwrap_err();
        assert!(matches!(
            error("Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n"),
            LogError::NotALog { .. }
        ));
        assert!(matches!(
            error("2024-01-01 10:00:00 UTC [1] LOG:  ready\n"),
            LogError::NoStatement { .. }
        ));
    }
}
