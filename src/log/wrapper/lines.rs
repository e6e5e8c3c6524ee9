//! Lines of a log while wrappers are removed, and what tells the server's own.

use crate::log::{csvlog, jsonlog, stderr, syslog};

/// Lines, each with the number of the line of the wrapped text that it comes from.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) text: String,
    pub(super) numbers: Vec<usize>,
}

impl Lines {
    pub(super) fn push(&mut self, line: &str, number: usize) {
        self.text.push_str(line);
        self.text.push('\n');
        self.numbers.push(number);
    }
}

/// Whether the records of a text are the server's own: jsonlog and csvlog.
pub(super) fn is_servers_own(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| jsonlog::is_entry(line) || csvlog::begins_entry(line))
}

/// Whether a value of a record is the beginning of an entry.
pub(super) fn begins_entry(value: &str) -> bool {
    let first = value.trim_start_matches(['\n', '\r']).lines().next();
    first.is_some_and(is_beginning)
}

fn is_beginning(line: &str) -> bool {
    jsonlog::is_entry(line)
        || csvlog::begins_entry(line)
        || syslog::begins_entry(line)
        || stderr::begins_entry(line)
}
