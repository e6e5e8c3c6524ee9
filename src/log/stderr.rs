//! Logs as the server writes them to its standard error: lines with a prefix.

use super::assembler::{Assembler, Origin, Unlabelled};
use super::entry::LogEntry;
use super::label;
use super::lines::{Lines, lines};

pub(super) fn begins_entry(line: &str) -> bool {
    label::find(line).is_some_and(|labelled| labelled.is_from_a_log())
}

/// One entry after the other: the server writes each as a whole.
pub(super) struct Entries<'a> {
    lines: Lines<'a>,
    /// What `docker compose logs` puts before each line, `db-1  | `: other containers' lines are left out.
    container: Option<&'a str>,
    assembler: Assembler,
}

fn container(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" | ")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_container =
        name.trim_end_matches(' ').chars().all(is_name) && !name.trim_end_matches(' ').is_empty();
    is_container.then(|| &line[..name.len() + 3])
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str) -> Entries<'a> {
        let first = lines(text).find(|line| begins_entry(line.text));
        let container = first.and_then(|line| container(line.text));
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
            let origin = Origin {
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
