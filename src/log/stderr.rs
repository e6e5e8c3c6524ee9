//! Logs as the server writes them to its standard error: lines with a prefix.

use super::assembler::{Assembler, Origin, Unlabelled};
use super::lines::{Lines, lines};
use super::{LogEntry, label};

pub(super) fn begins_entry(line: &str) -> bool {
    label::find(line).is_some_and(|labelled| labelled.is_from_a_log())
}

/// One entry after the other: the server writes each as a whole.
pub(super) struct Entries<'a> {
    lines: Lines<'a>,
    assembler: Assembler,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str) -> Entries<'a> {
        Entries { lines: lines(text), assembler: Assembler::default() }
    }
}

impl Iterator for Entries<'_> {
    type Item = LogEntry;

    fn next(&mut self) -> Option<LogEntry> {
        for line in self.lines.by_ref() {
            let origin = Origin { line: line.number, process_id: None, time: None };
            let ended = self.assembler.line(line.text, origin, Unlabelled::Continues);
            if ended.is_some() {
                return ended;
            }
        }
        self.assembler.finish()
    }
}
