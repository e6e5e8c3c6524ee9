//! An entry of a server log: one message of the server.

use super::event::{self, Event};
use super::translations::Severity;

/// Our own `application_name`, and what our statements begin with.
pub(super) const OUR_APPLICATION: &str = "pgrehearse";

/// One message of the server; what the log does not contain is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Line of the log where it begins, counted from 1.
    pub line: usize,
    /// Its time, as the log has it.
    pub time: Option<String>,
    /// The server process that wrote it.
    pub process_id: Option<u32>,
    /// `LOG`, `ERROR`, …
    pub severity: Severity,
    /// The primary message, without the tabs of its further lines.
    pub message: String,
    /// `DETAIL`.
    pub detail: Option<String>,
    /// `CONTEXT`: the functions it happened in.
    pub context: Option<String>,
    /// `STATEMENT`: the statement an error happened in.
    pub statement: Option<String>,
    /// The client's `application_name`; in stderr logs and syslog only ours is recognized.
    pub application: Option<String>,
    /// The client's database; in stderr logs and syslog where the prefix names it (`db=app`,
    /// `user@app`).
    pub database: Option<String>,
    /// The client's role; in stderr logs and syslog where the prefix names it.
    pub user: Option<String>,
}

impl LogEntry {
    pub(super) fn new(line: usize, severity: Severity) -> LogEntry {
        LogEntry {
            line,
            time: None,
            process_id: None,
            severity,
            message: String::new(),
            detail: None,
            context: None,
            statement: None,
            application: None,
            database: None,
            user: None,
        }
    }

    /// What the message says about a statement.
    pub fn event(&self) -> Event<'_> {
        event::read(&self.message)
    }

    /// The duration at the beginning of the message.
    #[cfg(test)]
    pub fn duration_ms(&self) -> Option<f64> {
        self.event().duration_ms()
    }

    /// The statement's parameters as `DETAIL` has them: `$1 = '5', $2 = NULL`.
    pub fn parameters(&self) -> Option<&str> {
        let detail = self.detail.as_deref()?;
        Some(&detail[detail.find("$1 = ")?..])
    }
}
