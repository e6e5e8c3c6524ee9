//! The same lines inside those of a syslog daemon, in its traditional format (RFC 3164, also with ISO times, as rsyslog and
//! journalctl write it) and in that of RFC 5424.
//!
//! The server splits a message at its line feeds and every 900 bytes, and numbers message and part (`[4-2]`; write_syslog in
//! elog.c); a part may stand between those of another process. Daemons write control characters as `#011`.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use regex::Regex;

use super::assembler::{Assembler, Origin, Unlabelled};
use super::entry::LogEntry;
use super::label;
use super::lines::{Line, Lines, lines};
use super::words::{Label, Severity};

/// A process that wrote nothing for so many lines has ended its entry.
const MAX_PAUSE_LINES: usize = 4096;

/// A line as the daemon wrote it.
struct Record<'a> {
    time: &'a str,
    program: &'a str,
    process_id: u32,
    message: &'a str,
}

impl<'a> Record<'a> {
    fn of(line: &'a str) -> Option<Record<'a>> {
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
        let message = &line[found.get(0)?.end()..];
        Some(Record {
            time: group(1),
            program: group(2),
            process_id: group(3).parse().ok()?,
            message,
        })
    }
}

/// The server's numbers before a part: of the message, and of the part where there are several.
struct Numbered<'a> {
    message_number: Option<&'a str>,
    is_numbered: bool,
    text: &'a str,
}

impl<'a> Numbered<'a> {
    fn of(message: &'a str) -> Numbered<'a> {
        Numbered::brackets(message).unwrap_or(Numbered {
            message_number: None,
            is_numbered: false,
            text: message,
        })
    }

    /// `[4-2] `, or `[4] ` for a message in one part, or `[2] ` for a part when messages are not numbered.
    fn brackets(message: &'a str) -> Option<Numbered<'a>> {
        let (number, text) = message.strip_prefix('[')?.split_once("] ")?;
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match number.split_once('-') {
            Some((message_number, part)) if is_number(message_number) && is_number(part) => {
                Some(Numbered {
                    message_number: Some(message_number),
                    is_numbered: true,
                    text,
                })
            }
            None if is_number(number) => Some(Numbered {
                message_number: None,
                is_numbered: true,
                text,
            }),
            _ => None,
        }
    }
}

/// `#011` is a tab; the others of its kind that a message can hold.
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

pub(super) fn begins_entry(line: &str) -> bool {
    let begins = |record: Record<'_>| {
        let text = unescaped(Numbered::of(record.message).text).into_owned();
        let label = label::find(&text).map(|labelled| labelled.label);
        let is_servers =
            record.program.starts_with("postgres") || label == Some(Label::Severity(Severity::Log));
        is_servers && matches!(label, Some(Label::Severity(_)))
    };
    Record::of(line).is_some_and(begins)
}

/// What a process is about to say.
#[derive(Default)]
struct Speaker {
    assembler: Assembler,
    message_number: Option<String>,
    last_line: usize,
}

/// The entries of all processes.
pub(super) struct Entries<'a> {
    lines: Lines<'a>,
    speakers: HashMap<(&'a str, u32), Speaker>,
    ended: VecDeque<LogEntry>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str) -> Entries<'a> {
        Entries {
            lines: lines(text),
            speakers: HashMap::new(),
            ended: VecDeque::new(),
        }
    }

    fn take(&mut self, line: Line<'a>) {
        let Some(record) = Record::of(line.text) else {
            return;
        };
        let numbered = Numbered::of(record.message);
        let speaker = self
            .speakers
            .entry((record.program, record.process_id))
            .or_default();
        speaker.last_line = line.number;
        if let Some(number) = numbered.message_number
            && speaker.message_number.as_deref() != Some(number)
        {
            self.ended.extend(speaker.assembler.finish());
            speaker.message_number = Some(number.to_owned());
        }
        let origin = Origin {
            line: line.number,
            process_id: Some(record.process_id),
            time: Some(record.time),
        };
        let unlabelled = if numbered.is_numbered {
            Unlabelled::Joins
        } else {
            Unlabelled::Continues
        };
        for (index, part) in unescaped(numbered.text).split('\n').enumerate() {
            let unlabelled = if index == 0 {
                unlabelled
            } else {
                Unlabelled::Continues
            };
            self.ended
                .extend(speaker.assembler.line(part, origin, unlabelled));
        }
    }

    /// Ends the entries of processes that were silent since that line, in the order of their lines.
    fn end_silent_since(&mut self, line: usize) {
        let mut ended: Vec<LogEntry> = Vec::new();
        self.speakers.retain(|_, speaker| {
            let is_silent = speaker.last_line < line;
            if is_silent {
                ended.extend(speaker.assembler.finish());
            }
            !is_silent
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
                self.end_silent_since(usize::MAX);
                return self.ended.pop_front();
            };
            self.take(line);
            if line.number % MAX_PAUSE_LINES == 0 {
                self.end_silent_since(line.number.saturating_sub(MAX_PAUSE_LINES));
            }
        }
    }
}
