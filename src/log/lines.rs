//! Lines with their numbers and places.

/// One line without its line feed and carriage return.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Where it begins in the text.
    pub(super) start: usize,
    pub(super) text: &'a str,
}

#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    text: &'a str,
    start: usize,
    number: usize,
}

pub(super) fn lines(text: &str) -> Lines<'_> {
    Lines {
        text,
        start: 0,
        number: 0,
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self
            .text
            .get(self.start..)
            .filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = &rest[..length];
        let start = self.start;
        self.start += length + 1;
        self.number += 1;
        Some(Line {
            number: self.number,
            start,
            text: line.strip_suffix('\r').unwrap_or(line),
        })
    }
}

/// The text's first bytes, at most so many, and no half character.
pub(super) fn beginning(text: &str, most_bytes: usize) -> &str {
    let length = (0..=most_bytes.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    &text[..length.unwrap_or(0)]
}
