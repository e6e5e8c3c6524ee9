//! Puts the lines that one process wrote together into entries.
//!
//! The server indents every further line of a text with a tab, and begins each field of an entry
//! (`DETAIL:  `, `STATEMENT:  `) with the prefix again. A line with neither is not the server's,
//! unless the log has no tabs at all: then they were lost when it was copied (from a chat, a web
//! console).

use super::entry::{LogEntry, OUR_APPLICATION};
use super::label::{self, Labelled};
use super::translations::{Field, Label, Severity};

/// Where a line is in the log, and what the syslog daemon says about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineOrigin<'a> {
    pub(super) line: usize,
    /// From the syslog daemon; used when the `log_line_prefix` has none.
    pub(super) process_id: Option<u32>,
    pub(super) time: Option<&'a str>,
}

/// What a line without tab and label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unlabelled {
    /// The rest of a line that the server split for syslog.
    Joins,
    /// A further line, if the log has no tabs; otherwise a line of another program.
    Continues,
}

#[derive(Debug, Default)]
pub(super) struct Assembler {
    open: Option<OpenEntry>,
    tabs_seen: bool,
}

#[derive(Debug)]
struct OpenEntry {
    entry: LogEntry,
    field: Field,
}

impl Assembler {
    /// Takes a line that may begin an entry; returns the entry that it ends.
    pub(super) fn line(
        &mut self,
        text: &str,
        origin: LineOrigin<'_>,
        unlabelled: Unlabelled,
    ) -> Option<LogEntry> {
        if self.append_indented(text) {
            return None;
        }
        let labelled = label::find(text);
        if let Some(Labelled {
            prefix,
            label: Label::Severity(severity),
            rest,
        }) = labelled
        {
            let ended = self.finish();
            self.begin_entry(severity, prefix, origin);
            self.append("", rest);
            return ended;
        }
        self.continue_entry(text, labelled, unlabelled)
    }

    /// Takes a line that cannot begin an entry; returns the entry that it ends.
    pub(super) fn further_line(&mut self, text: &str) -> Option<LogEntry> {
        if self.append_indented(text) {
            return None;
        }
        self.continue_entry(text, label::find(text), Unlabelled::Continues)
    }

    /// Appends a line that begins with a tab; false when it does not.
    fn append_indented(&mut self, text: &str) -> bool {
        let further = text.strip_prefix('\t');
        if let Some(further) = further {
            self.tabs_seen = true;
            self.append("\n", further);
        }
        further.is_some()
    }

    fn begin_entry(&mut self, severity: Severity, prefix: &str, origin: LineOrigin<'_>) {
        let mut entry = LogEntry::new(origin.line, severity);
        entry.process_id = label::process_id(prefix).or(origin.process_id);
        entry.time = label::time(prefix).or(origin.time).map(str::to_owned);
        entry.application = label::is_ours(prefix).then(|| OUR_APPLICATION.to_owned());
        (entry.user, entry.database) = label::user_and_database(prefix);
        self.open = Some(OpenEntry {
            entry,
            field: Field::Message,
        });
    }

    fn continue_entry(
        &mut self,
        text: &str,
        labelled: Option<Labelled<'_>>,
        unlabelled: Unlabelled,
    ) -> Option<LogEntry> {
        match labelled {
            Some(Labelled {
                label: Label::Field(field),
                rest,
                ..
            }) => {
                self.begin_field(field, rest);
                None
            }
            _ => self.unlabelled(text, unlabelled),
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
        let Some(OpenEntry { entry, field }) = &mut self.open else {
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
    const LENGTH: usize = 5;
    let (code, rest) = message.as_bytes().split_at_checked(LENGTH)?;
    let is_code = code
        .iter()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (is_code && rest.starts_with(b": ")).then_some(LENGTH + 2)
}
