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
            for line in lines.get_mut(start..start + length).unwrap_or_default() {
                let behind = number(&line.text)
                    .map_or("", |(_, behind)| behind)
                    .to_owned();
                line.text = Cow::Owned(behind);
            }
            changed = true;
        }
        start += length.max(1);
    }
    changed
}

/// How many lines from the first one are numbered, each with the number after the one above.
fn run(lines: &[FramedLine<'_>]) -> usize {
    let Some((first, _)) = lines.first().and_then(|line| number(&line.text)) else {
        return 0;
    };
    let numbered = |(index, line): &(usize, &FramedLine<'_>)| {
        number(&line.text).is_some_and(|(number, _)| number == first + index)
    };
    lines.iter().enumerate().take_while(numbered).count()
}

/// The number of a line and what follows it.
fn number(line: &str) -> Option<(usize, &str)> {
    let trimmed = line.trim_start();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = trimmed.split_at_checked(digits)?;
    let number = number.parse().ok()?;
    if rest.is_empty() {
        return Some((number, rest));
    }
    let marked = rest
        .strip_prefix(" | ")
        .or_else(|| rest.strip_prefix(" |"))
        .or_else(|| rest.strip_prefix(['.', ':', ')', '|', '\t']));
    match marked {
        Some(behind) => Some((number, behind.strip_prefix([' ', '\t']).unwrap_or(behind))),
        None => Some((number, rest.strip_prefix(' ')?)),
    }
}
