//! Server logs: what PostgreSQL wrote into stderr logs, csvlog, jsonlog and syslog, taken apart into entries, and from those the
//! plans that auto_explain logged and the statements that were timed.
//!
//! Logs are read as found: any `log_line_prefix`, cut off at both ends, several processes between each other's lines, in the
//! languages the server speaks. Nothing here refuses a text: what is no entry is passed over. Everything is one pass over the text
//! and keeps no more than the entries that are still open.
//!
//! This room knows nothing of files and of plans: a logged plan is handed on as the text it is.
//!
//! How the server writes each kind is in its `src/backend/utils/error/` (elog.c, csvlog.c, jsonlog.c).

mod assembler;
mod csvlog;
mod entry;
mod event;
mod execution;
mod explained;
mod jsonlog;
mod label;
mod lines;
mod stderr;
mod syslog;
mod translations;

use std::borrow::Cow;

pub use entry::LogEntry;
pub use event::{Event, ExecutionKind};
pub use execution::{Execution, Executions};
pub use explained::LoggedPlan;
pub use translations::Severity;

/// A way of writing logs (`log_destination`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines with a `log_line_prefix`.
    Stderr,
    /// The same within the lines of a syslog daemon.
    Syslog,
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Json,
}

/// Lines searched for the first that tells how the log is written.
const LINES_TO_TELL: usize = 20_000;

impl LogFormat {
    /// The format of the first line that shows one; none when the text is no server log.
    pub fn of(text: &str) -> Option<LogFormat> {
        lines::lines(text)
            .take(LINES_TO_TELL)
            .find_map(|line| LogFormat::of_line(line.text))
    }

    fn of_line(line: &str) -> Option<LogFormat> {
        if jsonlog::is_entry(line) {
            Some(LogFormat::Json)
        } else if csvlog::begins_entry(line) {
            Some(LogFormat::Csv)
        } else if syslog::begins_entry(line) {
            Some(LogFormat::Syslog)
        } else {
            stderr::begins_entry(line).then_some(LogFormat::Stderr)
        }
    }
}

/// Is this what a server wrote into its log?
pub fn looks_like_log(text: &str) -> bool {
    LogFormat::of(text).is_some()
}

/// The entries of a log in the order in which they end; in syslog, where processes write between each other's lines, that may
/// differ from the order in which they begin. A text that is no log has none.
pub fn entries(text: &str) -> Box<dyn Iterator<Item = LogEntry> + '_> {
    match LogFormat::of(text) {
        Some(LogFormat::Stderr) => Box::new(stderr::Entries::new(text)),
        Some(LogFormat::Syslog) => Box::new(syslog::Entries::new(text)),
        Some(LogFormat::Csv) => Box::new(csvlog::entries(text)),
        Some(LogFormat::Json) => Box::new(jsonlog::entries(text)),
        None => Box::new(std::iter::empty()),
    }
}

/// The plans that auto_explain logged, in the order of their lines; each nested statement's is one of its own.
pub fn plans(text: &str) -> Vec<LoggedPlan> {
    let mut plans: Vec<LoggedPlan> = entries(text)
        .filter_map(|entry| LoggedPlan::of(&entry))
        .collect();
    plans.sort_by_key(|plan| plan.line);
    plans
}

/// The executions of statements that the log tells of, each once, even where auto_explain and the server both tell of it.
pub fn executions(text: &str) -> Executions<impl Iterator<Item = LogEntry>> {
    Executions::new(entries(text))
}

/// A log's bytes as text. Databases of different encodings write into one log, so bytes that are not UTF-8 are replaced.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

#[cfg(test)]
mod tests;
