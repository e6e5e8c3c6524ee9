//! Numbers before the lines: `1. `, `1: `, `1) `, `1 | `, `cat -n`, and consoles that count rows.

use std::borrow::Cow;

use super::line::FramedLine;

/// Fewer lines with following numbers are a coincidence.
const MIN_LINES: usize = 3;

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let mut changed = false;
    let mut start = 0;
    while start < lines.len() {
        let length = run(lines.get(start..).unwrap_or_default());
        if length >= MIN_LINES {
            remove(lines.get_mut(start..start + length).unwrap_or_default());
            changed = true;
        }
        start += length.max(1);
    }
    changed
}

/// How many lines from the first one are numbered, each with the number after the one above.
fn run(lines: &[FramedLine<'_>]) -> usize {
    let Some(first) = lines.first().and_then(|line| Numbered::of(&line.text)) else {
        return 0;
    };
    let numbered = |(index, line): &(usize, &FramedLine<'_>)| {
        Numbered::of(&line.text).is_some_and(|line| line.number == first.number + index)
    };
    lines.iter().enumerate().take_while(numbered).count()
}

/// Removes the numbers, and what aligns the lines behind them.
fn remove(lines: &mut [FramedLine<'_>]) {
    let numbered: Vec<Numbered<'_>> = lines
        .iter()
        .filter_map(|line| Numbered::of(&line.text))
        .collect();
    let width = numbered.iter().map(|line| line.columns).max().unwrap_or(0);
    let blanks = |line: &Numbered<'_>| width - line.columns;
    let is_aligned = numbered
        .iter()
        .all(|line| line.behind.trim().is_empty() || line.has_blanks(blanks(line)));
    let has_blank =
        |line: &Numbered<'_>, at: usize| line.behind.trim().is_empty() || line.has_blanks(at + 1);
    let stripped: Vec<String> = numbered
        .iter()
        .map(|line| {
            let at = if is_aligned { blanks(line) } else { 0 };
            let skips = !line.is_tab
                && numbered
                    .iter()
                    .all(|line| has_blank(line, if is_aligned { blanks(line) } else { 0 }));
            let at = at + usize::from(skips);
            line.behind.get(at..).unwrap_or_default().to_owned()
        })
        .collect();
    for (line, text) in lines.iter_mut().zip(stripped) {
        line.text = Cow::Owned(text);
    }
}

/// A line with a number before it.
struct Numbered<'a> {
    number: usize,
    /// Columns up to the end of the number and its mark.
    columns: usize,
    /// What follows.
    behind: &'a str,
    /// Whether a tab separates them.
    is_tab: bool,
}

impl<'a> Numbered<'a> {
    fn of(line: &'a str) -> Option<Numbered<'a>> {
        const MARKS: [&str; 9] = [" | ", " |", ".", ":", ")", "|", "\t", ";", ","];
        let trimmed = line.trim_start();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = trimmed.split_at_checked(digits)?;
        // In CSV another cell follows.
        let fits = |mark: &&&str| {
            let behind = rest.strip_prefix(**mark);
            behind.is_some_and(|behind| !matches!(**mark, ";" | ",") || behind.starts_with('"'))
        };
        let mark = MARKS.iter().find(fits);
        if mark.is_none() && !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        let length = line.len() - rest.len() + mark.map_or(0, |mark| mark.len());
        Some(Numbered {
            number: number.parse().ok()?,
            columns: length,
            behind: line.get(length..)?,
            is_tab: mark.is_some_and(|mark| *mark == "\t"),
        })
    }

    fn has_blanks(&self, count: usize) -> bool {
        self.behind
            .bytes()
            .take(count)
            .filter(|byte| *byte == b' ')
            .count()
            == count
    }
}
