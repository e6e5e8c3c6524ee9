//! Logs in the lines of a syslog daemon, in the traditional format (RFC 3164, also with ISO times,
//! as rsyslog and journalctl write it) and in that of RFC 5424.
//!
//! The server splits a message at its line feeds and every 900 bytes, and numbers message and part
//! (`[4-2]`; write_syslog in elog.c); a part may come between those of another process. Daemons
//! write control characters as `#011`. `journalctl` shows a message of several lines with its further
//! lines indented by the width of what is before the first one.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use regex::Regex;

use super::assembler::{Assembler, LineOrigin, Unlabelled};
use super::entry::LogEntry;
use super::label;
use super::lines::{LogLine, LogLines, lines};
use super::translations::{Label, Severity};

/// The entry of a process that wrote nothing for this many lines is complete.
const MAX_PAUSE_LINES: usize = 4096;

/// The parts of a line of a syslog daemon.
struct SyslogLine<'a> {
    time: &'a str,
    program: &'a str,
    process_id: u32,
    /// How many characters are before the message.
    indent: usize,
    message: &'a str,
}

impl<'a> SyslogLine<'a> {
    fn of(line: &'a str) -> Option<SyslogLine<'a>> {
        static TRADITIONAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let time = r"\S{1,12} [ \d]?\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+";
            Regex::new(&format!(
                r"^(?:<\d{{1,3}}>)?({time}) (?:\S+ )?([^\s\[\]:]+)\[(\d{{1,10}})\]: ?"
            ))
            .ok()
        });
        static RFC_5424: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(
                r"^<\d{1,3}>1 (\S+) \S+ (\S+) (\d{1,10}) \S+ (?:-|(?:\[[^\]]*\])+) ?\u{feff}?",
            )
            .ok()
        });
        let found = RFC_5424
            .as_ref()?
            .captures(line)
            .or_else(|| TRADITIONAL.as_ref()?.captures(line))?;
        let group = |number: usize| found.get(number).map_or("", |group| group.as_str());
        let (before, message) = line.split_at(found.get(0)?.end());
        Some(SyslogLine {
            indent: before.chars().count(),
            time: group(1),
            program: group(2),
            process_id: group(3).parse().ok()?,
            message,
        })
    }
}

/// A part of a message, with the number of the message that the server writes before it.
struct MessagePart<'a> {
    message_number: Option<&'a str>,
    is_numbered: bool,
    text: &'a str,
}

impl<'a> MessagePart<'a> {
    fn of(message: &'a str) -> MessagePart<'a> {
        MessagePart::brackets(message).unwrap_or(MessagePart {
            message_number: None,
            is_numbered: false,
            text: message,
        })
    }

    /// `[4-2] `, or `[4] ` for a message in one part, or `[2] ` for a part when messages are not
    /// numbered.
    fn brackets(message: &'a str) -> Option<MessagePart<'a>> {
        let (number, text) = message.strip_prefix('[')?.split_once("] ")?;
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match number.split_once('-') {
            Some((message_number, part)) if is_number(message_number) && is_number(part) => {
                Some(MessagePart {
                    message_number: Some(message_number),
                    is_numbered: true,
                    text,
                })
            }
            None if is_number(number) => Some(MessagePart {
                message_number: None,
                is_numbered: true,
                text,
            }),
            _ => None,
        }
    }
}

/// The text with the control characters that daemons escape: `#011` (tab), `#012` (line feed),
/// `#015` (carriage return, left out).
fn unescaped(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains("#01") {
        text.replace("#011", "\t")
            .replace("#012", "\n")
            .replace("#015", "")
            .into()
    } else {
        text.into()
    }
}

/// Whether the lines of a text are those of a syslog daemon.
pub(super) fn in_lines(text: &str) -> bool {
    text.lines().any(begins_entry)
}

pub(super) fn begins_entry(line: &str) -> bool {
    let begins = |record: SyslogLine<'_>| {
        let text = unescaped(MessagePart::of(record.message).text);
        let first = text.split('\n').next().unwrap_or_default();
        let label = label::find(first).map(|labelled| labelled.label);
        let is_servers =
            record.program.starts_with("postgres") || label == Some(Label::Severity(Severity::Log));
        is_servers && matches!(label, Some(Label::Severity(_)))
    };
    SyslogLine::of(line).is_some_and(begins)
}

/// What was read of a process so far.
#[derive(Default)]
struct ProcessState {
    assembler: Assembler,
    message_number: Option<String>,
    last_line: usize,
}

/// The entries of all processes.
pub(super) struct Entries<'a> {
    lines: LogLines<'a>,
    processes: HashMap<(&'a str, u32), ProcessState>,
    /// The process of the last record, and how many characters are before its message.
    last: Option<((&'a str, u32), usize)>,
    ended: VecDeque<LogEntry>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str) -> Entries<'a> {
        Entries {
            lines: lines(text),
            processes: HashMap::new(),
            last: None,
            ended: VecDeque::new(),
        }
    }

    fn add_line(&mut self, line: LogLine<'a>) {
        let Some(record) = SyslogLine::of(line.text) else {
            self.add_indented(line);
            return;
        };
        let part = MessagePart::of(record.message);
        let key = (record.program, record.process_id);
        self.last = Some((key, record.indent));
        let process = self.processes.entry(key).or_default();
        process.last_line = line.number;
        if let Some(number) = part.message_number
            && process.message_number.as_deref() != Some(number)
        {
            self.ended.extend(process.assembler.finish());
            process.message_number = Some(number.to_owned());
        }
        let origin = LineOrigin {
            line: line.number,
            process_id: Some(record.process_id),
            time: Some(record.time),
        };
        let unlabelled = if part.is_numbered {
            Unlabelled::Joins
        } else {
            Unlabelled::Continues
        };
        // A record is one message of the server, so only its first line can begin an entry.
        let text = unescaped(part.text);
        let mut lines = text.split('\n');
        let first = lines.next().unwrap_or_default();
        let ended = &mut self.ended;
        ended.extend(process.assembler.line(first, origin, unlabelled));
        ended.extend(lines.filter_map(|line| process.assembler.further_line(line)));
    }

    /// Adds a further line of the last record.
    fn add_indented(&mut self, line: LogLine<'a>) {
        let Some((key, indent)) = self.last else {
            return;
        };
        let parts = line.text.split_at_checked(indent);
        let indented = parts.filter(|(before, _)| before.bytes().all(|byte| byte == b' '));
        let Some((_, text)) = indented else { return };
        if let Some(process) = self.processes.get_mut(&key) {
            process.last_line = line.number;
            self.ended.extend(process.assembler.further_line(text));
        }
    }

    /// Ends the entries of processes that wrote nothing since that line, in the order of their
    /// lines.
    fn end_idle_since(&mut self, line: usize) {
        let mut ended: Vec<LogEntry> = Vec::new();
        self.processes.retain(|_, process| {
            let is_idle = process.last_line < line;
            if is_idle {
                ended.extend(process.assembler.finish());
            }
            !is_idle
        });
        ended.sort_by_key(|entry| entry.line);
        self.ended.extend(ended);
    }
}

impl Iterator for Entries<'_> {
    type Item = LogEntry;

    fn next(&mut self) -> Option<LogEntry> {
        loop {
            if let Some(entry) = self.ended.pop_front() {
                return Some(entry);
            }
            let Some(line) = self.lines.next() else {
                self.end_idle_since(usize::MAX);
                return self.ended.pop_front();
            };
            self.add_line(line);
            if line.number % MAX_PAUSE_LINES == 0 {
                self.end_idle_since(line.number.saturating_sub(MAX_PAUSE_LINES));
            }
        }
    }
}
