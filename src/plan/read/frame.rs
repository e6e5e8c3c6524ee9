//! Removes frames, which programs add around a plan's lines: mail quotes, code fences, tables of
//! psql and Markdown, quotes of CSV and pgAdmin. Each file here removes one kind, and changes
//! nothing when the text does not have it.

mod fence;
mod line;
mod mail;
mod quotes;
mod table;

use std::borrow::Cow;

use line::FramedLine;

/// A text without frames, with the numbers of its lines in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unframed<'a> {
    /// The text.
    pub(crate) text: Cow<'a, str>,
    /// The number each of its lines has in the file; none when the text is the file.
    pub(crate) numbers: Option<Vec<usize>>,
}

/// Removes all frames.
pub(crate) fn unframe(text: &str) -> Unframed<'_> {
    let as_it_is = Unframed {
        text: Cow::Borrowed(text),
        numbers: None,
    };
    if !may_be_framed(text) {
        return as_it_is;
    }
    let mut lines: Vec<FramedLine<'_>> = text
        .lines()
        .enumerate()
        .map(|(index, line)| FramedLine {
            number: index + 1,
            text: Cow::Borrowed(line),
        })
        .collect();
    let mut changed = false;
    changed |= mail::strip(&mut lines);
    changed |= fence::strip(&mut lines);
    changed |= table::strip(&mut lines);
    changed |= quotes::strip(&mut lines);
    if !changed {
        return as_it_is;
    }
    let mut unframed = String::with_capacity(text.len());
    let mut numbers = Vec::with_capacity(lines.len());
    for line in &lines {
        // A quoted field may hold several lines.
        for part in line.text.split('\n') {
            unframed.push_str(part);
            unframed.push('\n');
            numbers.push(line.number);
        }
    }
    Unframed {
        text: Cow::Owned(unframed),
        numbers: Some(numbers),
    }
}

/// Plain JSON and XML, the largest inputs, are not searched for frames.
fn may_be_framed(text: &str) -> bool {
    let first_lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(2)
        .collect();
    let begins_plainly = first_lines
        .first()
        .is_some_and(|first| first.starts_with(['[', '{', '<']));
    !begins_plainly
        || first_lines
            .iter()
            .any(|line| line.ends_with(['+', '↵', '|', '│']))
}
