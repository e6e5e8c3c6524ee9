//! Takes a paste apart before any reader sees it. Frames are what programs add around a plan's lines:
//! mail quotes, code fences, tables of psql and Markdown, quotes of CSV and pgAdmin, prompts, numbers,
//! markup, the values that programs print. Each file here removes one kind, and changes nothing when
//! the text does not have it. They are tried in their order, and again until none changes anything,
//! because frames are framed (a table in a mail, JSON in a string of JSON).

mod brackets;
mod broken_lines;
mod colours;
mod comments;
mod dumps;
mod escapes;
mod expanded;
mod fence;
mod indentation;
mod line;
mod literal;
mod mail;
mod margins;
mod marks;
mod markup;
mod numbering;
mod one_line;
mod program;
mod prompt;
mod quoted_printable;
mod quotes;
mod remarks;
mod spacing;
mod strings;
mod table;
mod typesetting;
mod typography;
mod values;
mod word_wraps;
mod wrapped;

use std::borrow::Cow;

use line::FramedLine;

/// A text without frames, with the numbers of its lines in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unframed<'a> {
    /// The text.
    pub(crate) text: Cow<'a, str>,
    /// The number each of its lines has in the file; none when the text is the file.
    pub(crate) numbers: Option<Vec<usize>>,
    /// Lines of the file where plans begin whose indentation was rebuilt.
    pub(crate) rebuilt: Vec<usize>,
}

/// Removes one kind of frame; false when the lines have none.
type Frame = for<'a> fn(&mut Vec<FramedLine<'a>>) -> bool;

/// All kinds, in the order in which they are removed.
const FRAMES: &[Frame] = &[
    colours::strip,
    quoted_printable::strip,
    escapes::undo,
    program::unwrap,
    strings::strip,
    markup::strip,
    mail::strip,
    fence::strip,
    brackets::strip,
    comments::strip,
    typesetting::strip,
    expanded::strip,
    wrapped::join,
    table::strip,
    numbering::strip,
    quotes::strip,
    remarks::strip,
    margins::strip,
    spacing::strip,
    one_line::split,
    prompt::strip,
    word_wraps::join,
    broken_lines::join,
    typography::strip,
];

/// Frames in more frames than this stay.
const MAX_ROUNDS: usize = 6;

/// Removes all frames.
pub(crate) fn unframe(text: &str) -> Unframed<'_> {
    let as_it_is = Unframed {
        text: Cow::Borrowed(text),
        numbers: None,
        rebuilt: Vec::new(),
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
    for _ in 0..MAX_ROUNDS {
        let mut round = false;
        for frame in FRAMES {
            round |= frame(&mut lines);
        }
        changed |= round;
        if !round {
            break;
        }
    }
    let rebuilt = indentation::rebuild(&mut lines);
    changed |= !rebuilt.is_empty();
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
        rebuilt,
    }
}

/// EXPLAIN's own JSON and XML, the largest inputs, are not searched for frames.
fn may_be_framed(text: &str) -> bool {
    let first_lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(2)
        .collect();
    // An export of a table or a page, with a plan in TEXT in it.
    let is_export = || !text.contains("<explain") && marks::has_numbers(text);
    let begins_plainly = values::is_plain_json(text)
        || (["<explain", "<?xml", "<!"]
            .iter()
            .any(|start| text.trim_start().starts_with(start))
            && !is_export());
    !begins_plainly
        || first_lines
            .iter()
            .any(|line| line.ends_with(['+', '↵', '|', '│', '║']) || escapes::is_escaped(line))
}
