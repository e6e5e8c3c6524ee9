//! Puts the lines that one process wrote together into entries.
//!
//! The server indents every further line of a text with a tab, and begins each field of an entry (`DETAIL:  `, `STATEMENT:  `) with
//! the prefix again. A line that is neither is not the server's — unless the log lost its tabs on the way to us (pasted from a chat,
//! a web console), which shows in that there are none.

use super::entry::{LogEntry, OUR_APPLICATION};
use super::label;
use super::words::{Field, Label};

/// Where a line stands, and what is known about it from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) line: usize,
    /// What the syslog daemon said; the prefix's own is preferred.
    pub(super) process_id: Option<u32>,
    pub(super) time: Option<&'a str>,
}

/// What a line without tab and label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unlabelled {
    /// The rest of a line that syslog had to split.
    Joins,
    /// A further line, if tabs got lost; otherwise somebody else's.
    Continues,
}

#[derive(Debug, Default)]
pub(super) struct Assembler {
    open: Option<Open>,
    tabs_seen: bool,
}

#[derive(Debug)]
struct Open {
    entry: LogEntry,
    field: Field,
}

impl Assembler {
    /// Takes a line; gives the entry that it ends.
    pub(super) fn line(
        &mut self,
        text: &str,
        origin: Origin<'_>,
        unlabelled: Unlabelled,
    ) -> Option<LogEntry> {
        if let Some(further) = text.strip_prefix('\t') {
            self.tabs_seen = true;
            self.append("\n", further);
            return None;
        }
        let Some(labelled) = label::find(text) else {
            return self.unlabelled(text, unlabelled);
        };
        match labelled.label {
            Label::Field(field) => {
                self.begin_field(field, labelled.rest);
                None
            }
            Label::Severity(severity) => {
                let ended = self.finish();
                let mut entry = LogEntry::new(origin.line, severity);
                entry.process_id = label::process_id(labelled.prefix).or(origin.process_id);
                entry.time = label::time(labelled.prefix)
                    .or(origin.time)
                    .map(str::to_owned);
                entry.application =
                    label::is_ours(labelled.prefix).then(|| OUR_APPLICATION.to_owned());
                self.open = Some(Open {
                    entry,
                    field: Field::Message,
                });
                self.append("", labelled.rest);
                ended
            }
        }
    }

    fn unlabelled(&mut self, text: &str, unlabelled: Unlabelled) -> Option<LogEntry> {
        if unlabelled == Unlabelled::Joins {
            self.append("", text);
        } else if text.is_empty() || !self.tabs_seen {
            self.append("\n", text);
        } else {
            return self.finish();
        }
        None
    }

    /// Ends the entry that is open.
    pub(super) fn finish(&mut self) -> Option<LogEntry> {
        let mut entry = self.open.take()?.entry;
        let end = entry.message.trim_end().len();
        entry.message.truncate(end);
        if let Some(length) = error_code_length(&entry.message) {
            entry.message.drain(..length);
        }
        Some(entry)
    }

    fn begin_field(&mut self, field: Field, text: &str) {
        if let Some(open) = &mut self.open {
            open.field = field;
            self.append("", text);
        }
    }

    fn append(&mut self, separator: &str, text: &str) {
        let Some(Open { entry, field }) = &mut self.open else {
            return;
        };
        let target = match field {
            Field::Message => &mut entry.message,
            Field::Detail => entry.detail.get_or_insert_default(),
            Field::Context => entry.context.get_or_insert_default(),
            Field::Statement => entry.statement.get_or_insert_default(),
            Field::Other => return,
        };
        target.push_str(separator);
        target.push_str(text);
    }
}

/// `log_error_verbosity = verbose` puts the SQLSTATE before the message: `00000: duration: …`.
fn error_code_length(message: &str) -> Option<usize> {
    let (code, _) = message.split_once(": ")?;
    let is_code = code.len() == 5
        && code
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    is_code.then_some(code.len() + 2)
}
