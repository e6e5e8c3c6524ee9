//! An entry of a server log: one message of the server.

use super::event::{self, Event};
use super::translations::Severity;

/// Our own `application_name`, and what our statements begin with.
pub(super) const OUR_APPLICATION: &str = "pgrehearse";

/// One message of the server, with what the log tells about it: what it does not tell is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Line of the log where it begins, counted from 1.
    pub line: usize,
    /// When, as the log writes it.
    pub time: Option<String>,
    /// The server process that wrote it.
    pub process_id: Option<u32>,
    /// `LOG`, `ERROR`, …
    pub severity: Severity,
    /// What it says first, without the tabs of its further lines.
    pub message: String,
    /// `DETAIL`.
    pub detail: Option<String>,
    /// `CONTEXT`: the functions it happened in.
    pub context: Option<String>,
    /// `STATEMENT`: the statement an error happened in.
    pub statement: Option<String>,
    /// The client's `application_name`; in a stderr log or syslog only ours is known.
    pub application: Option<String>,
    /// The client's database; not known in stderr logs and syslog.
    pub database: Option<String>,
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
        }
    }

    /// What the message says, where it speaks of a statement.
    pub fn event(&self) -> Event<'_> {
        event::read(&self.message)
    }

    /// The duration the message begins with.
    pub fn duration_ms(&self) -> Option<f64> {
        self.event().duration_ms()
    }

    /// The statement's parameters as `DETAIL` has them: `$1 = '5', $2 = NULL`.
    pub fn parameters(&self) -> Option<&str> {
        let detail = self.detail.as_deref()?;
        Some(&detail[detail.find("$1 = ")?..])
    }
}
