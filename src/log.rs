//! Reads server logs (stderr, csvlog, jsonlog and syslog) into entries, and from these the plans
//! that auto_explain logged and the statements that were executed.
//!
//! Logs may have any `log_line_prefix`, any language of the server, lines of several processes
//! mixed, and missing lines at both ends. No text is an error: what is not an entry is skipped. A
//! log is read in one pass, and only incomplete entries are kept in memory.
//!
//! What collectors of logs put around the lines (`wrapper`) is removed first, with [`unwrap`].
//!
//! This room does not read files or plans: a logged plan is returned as text.
//!
//! The server's code is in `src/backend/utils/error/` (elog.c, csvlog.c, jsonlog.c).

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
mod wrapper;

use std::borrow::Cow;

pub use entry::LogEntry;
pub use execution::{Execution, Executions, parameter_values};
pub use explained::LoggedPlan;
#[cfg(feature = "internals")]
pub use translations::Severity;
pub use wrapper::{Unwrapped, unwrap};

/// The format of a log (`log_destination`).
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

/// Maximum number of lines that are searched for one that shows the format.
const LINES_TO_TELL: usize = 20_000;

impl LogFormat {
    /// The format of the first line that shows one; none when the text is not a server log.
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

/// Is this a server log?
pub fn looks_like_log(text: &str) -> bool {
    LogFormat::of(text).is_some()
}

/// The entries of a log in the order in which they end. In syslog, where the lines of processes are
/// mixed, this may differ from the order in which they begin. A text that is not a log has no
/// entries.
pub fn entries(text: &str) -> Box<dyn Iterator<Item = LogEntry> + '_> {
    match LogFormat::of(text) {
        Some(LogFormat::Stderr) => Box::new(stderr::Entries::new(text)),
        Some(LogFormat::Syslog) => Box::new(syslog::Entries::new(text)),
        Some(LogFormat::Csv) => Box::new(csvlog::entries(text)),
        Some(LogFormat::Json) => Box::new(jsonlog::entries(text)),
        None => Box::new(std::iter::empty()),
    }
}

/// The plans that auto_explain logged, in the order of their lines; nested statements have their
/// own.
pub fn plans(text: &str) -> Vec<LoggedPlan> {
    let mut plans: Vec<LoggedPlan> = entries(text)
        .filter_map(|entry| LoggedPlan::of(&entry))
        .collect();
    plans.sort_by_key(|plan| plan.line);
    plans
}

/// The executions of statements in a log, each once, even where both auto_explain and the server
/// logged it.
pub fn executions(text: &str) -> Executions<impl Iterator<Item = LogEntry>> {
    Executions::new(entries(text))
}

/// Where the last entry of a log's bytes begins, if one begins behind their start: a log can be
/// divided there.
pub fn last_beginning(bytes: &[u8]) -> Option<usize> {
    let mut end = bytes.len();
    for _ in 0..MAX_LINES_BACK {
        let start = bytes[..end].iter().rposition(|byte| *byte == b'\n')? + 1;
        let line = decode(&bytes[start..end]);
        if LogFormat::of_line(line.trim_end_matches('\r')).is_some() {
            return Some(start);
        }
        end = start - 1;
    }
    None
}

/// The lines that one entry may have before its beginning is no longer looked for.
const MAX_LINES_BACK: usize = 20_000;

/// A log's bytes as text. Databases of different encodings write into one log, so bytes that are
/// not UTF-8 are replaced.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

#[cfg(test)]
mod tests;
