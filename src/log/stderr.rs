//! Logs as the server writes them to its standard error: lines with a prefix.

use super::assembler::{Assembler, LineOrigin, Unlabelled};
use super::entry::LogEntry;
use super::label;
use super::lines::{LogLines, lines};

pub(super) fn begins_entry(line: &str) -> bool {
    label::find(line).is_some_and(|labelled| labelled.is_from_a_log())
}

/// The entries of a log. The server writes each entry at once, so no other process writes between
/// its lines.
pub(super) struct Entries<'a> {
    lines: LogLines<'a>,
    /// What `docker compose logs` puts before each line (`db-1  | `); the lines of other containers
    /// are skipped.
    container: Option<&'a str>,
    assembler: Assembler,
}

fn container_prefix(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" | ")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_container =
        name.trim_end_matches(' ').chars().all(is_name) && !name.trim_end_matches(' ').is_empty();
    is_container.then(|| &line[..name.len() + 3])
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str) -> Entries<'a> {
        let first = lines(text).find(|line| begins_entry(line.text));
        let container = first.and_then(|line| container_prefix(line.text));
        Entries {
            lines: lines(text),
            container,
            assembler: Assembler::default(),
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = LogEntry;

    fn next(&mut self) -> Option<LogEntry> {
        for line in self.lines.by_ref() {
            let Some(text) = line.text.strip_prefix(self.container.unwrap_or_default()) else {
                continue;
            };
            let origin = LineOrigin {
                line: line.number,
                process_id: None,
                time: None,
            };
            let ended = self.assembler.line(text, origin, Unlabelled::Continues);
            if ended.is_some() {
                return ended;
            }
        }
        self.assembler.finish()
    }
}
