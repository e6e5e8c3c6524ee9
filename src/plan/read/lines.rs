//! Lines of a text with their offsets.

/// One line, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceLine<'a> {
    /// Where it begins.
    pub(crate) offset: usize,
    /// Its text, without `\n` or `\r\n`.
    pub(crate) text: &'a str,
    /// Where the next line begins.
    pub(crate) next: usize,
}

impl SourceLine<'_> {
    /// Columns before its first character; a tab goes to the next multiple of eight.
    pub(crate) fn indent(&self) -> usize {
        indent_of(self.text)
    }

    /// Nothing but white space.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// The line that begins at an offset; none at the end.
pub(crate) fn line_at(text: &str, offset: usize) -> Option<SourceLine<'_>> {
    let rest = text.get(offset..).filter(|rest| !rest.is_empty())?;
    let (line, next) = match rest.find('\n') {
        Some(end) => (rest.get(..end).unwrap_or_default(), offset + end + 1),
        None => (rest, text.len()),
    };
    Some(SourceLine {
        offset,
        text: line.strip_suffix('\r').unwrap_or(line),
        next,
    })
}

/// The lines from the one that begins at an offset.
pub(crate) fn lines_from(text: &str, offset: usize) -> impl Iterator<Item = SourceLine<'_>> {
    std::iter::successors(line_at(text, offset), move |line| line_at(text, line.next))
}

/// Columns before a text's first character.
pub(crate) fn indent_of(text: &str) -> usize {
    let spaces = text.bytes().take_while(|byte| *byte == b' ').count();
    let mut column = spaces;
    for character in text.get(spaces..).unwrap_or_default().chars() {
        match character {
            '\t' => column = (column / 8 + 1) * 8,
            ' ' | '\u{a0}' => column += 1,
            _ => break,
        }
    }
    column
}
