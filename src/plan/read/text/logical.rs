//! Joins lines that belong together: the server prints newlines in literals as they are, and mail
//! programs break long lines.

use std::borrow::Cow;

use super::detail;
use crate::plan::read::lines::{SourceLine, indent_of, line_at};

/// Maximum number of lines that are joined.
const MAX_LINES: usize = 500;

/// A line of the plan, as the server printed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogicalLine<'a> {
    /// Where it begins.
    pub(super) offset: usize,
    /// Columns before its first character.
    pub(super) indent: usize,
    /// Its text, without indentation.
    pub(super) text: Cow<'a, str>,
    /// Where the next one begins.
    pub(super) next: usize,
}

/// The line that begins at an offset, with what belongs to it from the lines below.
pub(super) fn logical_at(text: &str, offset: usize) -> Option<LogicalLine<'_>> {
    let line = line_at(text, offset)?;
    let mut logical = LogicalLine {
        offset,
        indent: line.indent(),
        text: Cow::Borrowed(line.text.trim()),
        next: line.next,
    };
    let mut open = OpenDelimiters::default().after(line.text.trim());
    for _ in 0..MAX_LINES {
        if open.is_closed() {
            return Some(logical);
        }
        let Some(below) = line_at(text, logical.next) else {
            // The text ends within a literal of an expression: it is cut off there.
            if open.quote && line.text.contains(": (") {
                return Some(logical);
            }
            break;
        };
        if !continues(&below, open) {
            break;
        }
        let line = below;
        let so_far = logical.text.to_mut();
        if open.quote {
            so_far.push('\n');
            so_far.push_str(line.text);
        } else {
            so_far.push(' ');
            so_far.push_str(line.text.trim());
        }
        logical.next = line.next;
        open = open.after(line.text);
    }
    if open.is_closed() {
        return Some(logical);
    }
    // Nothing closes it: it was not open (a file name with an apostrophe), or the plan is cut off
    // here.
    Some(LogicalLine {
        text: Cow::Borrowed(line.text.trim()),
        next: line.next,
        ..logical
    })
}

/// Whether a line may continue the one above; false when it begins a node or a detail.
fn continues(line: &SourceLine<'_>, open: OpenDelimiters) -> bool {
    let trimmed = line.text.trim();
    if trimmed.is_empty() {
        return open.quote;
    }
    let own = trimmed.starts_with("->") || detail::is_known(trimmed);
    !(own && (indent_of(line.text) >= 2 || !open.quote))
}

/// The quotes and parentheses that are open at the end of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct OpenDelimiters {
    quote: bool,
    name: bool,
    parentheses: usize,
}

impl OpenDelimiters {
    fn after(mut self, text: &str) -> OpenDelimiters {
        for byte in text.bytes() {
            match byte {
                b'\'' if !self.name => self.quote = !self.quote,
                b'"' if !self.quote => self.name = !self.name,
                b'(' if !self.quote && !self.name => self.parentheses += 1,
                b')' if !self.quote && !self.name => {
                    self.parentheses = self.parentheses.saturating_sub(1)
                }
                _ => {}
            }
        }
        self
    }

    fn is_closed(self) -> bool {
        !self.quote && !self.name && self.parentheses == 0
    }
}

/// Whether a quote or parenthesis of a text is open at its end.
pub(super) fn is_open(text: &str) -> bool {
    !OpenDelimiters::default().after(text).is_closed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let lines = std::iter::successors(logical_at(text, 0), |line| logical_at(text, line.next));
        lines.map(|line| line.text.into_owned()).collect()
    }

    #[test]
    fn newlines_in_literals_and_broken_lines_are_put_together() {
        assert_eq!(
            all("  Filter: (a = 'x\n y')\n  Rows Removed by Filter: 1"),
            ["Filter: (a = 'x\n y')", "Rows Removed by Filter: 1"]
        );
        assert_eq!(
            all("Seq Scan on t  (cost=0.00..1.00\nrows=1 width=4)\nx"),
            ["Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)", "x"]
        );
    }

    #[test]
    fn what_never_closes_swallows_nothing() {
        assert_eq!(
            all("Foreign File: /tmp/o'brien\n  ->  Result"),
            ["Foreign File: /tmp/o'brien", "->  Result"]
        );
        assert_eq!(all("it's\nfine"), ["it's", "fine"]);
    }
}
