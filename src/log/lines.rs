//! Lines with their numbers and offsets.

/// One line without its line feed and carriage return.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogLine<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Where it begins in the text.
    pub(super) start: usize,
    pub(super) text: &'a str,
}

#[derive(Debug, Clone)]
pub(super) struct LogLines<'a> {
    text: &'a str,
    start: usize,
    number: usize,
}

pub(super) fn lines(text: &str) -> LogLines<'_> {
    LogLines {
        text,
        start: 0,
        number: 0,
    }
}

impl<'a> Iterator for LogLines<'a> {
    type Item = LogLine<'a>;

    fn next(&mut self) -> Option<LogLine<'a>> {
        let rest = self
            .text
            .get(self.start..)
            .filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = &rest[..length];
        let start = self.start;
        self.start += length + 1;
        self.number += 1;
        Some(LogLine {
            number: self.number,
            start,
            text: line.strip_suffix('\r').unwrap_or(line),
        })
    }
}

/// The first bytes of a text, at most `max_bytes`, ending at a character's end.
pub(super) fn beginning(text: &str, max_bytes: usize) -> &str {
    let length = (0..=max_bytes.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    &text[..length.unwrap_or(0)]
}
