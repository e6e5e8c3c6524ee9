//! Lines in double quotes: CSV (one line of the plan a row, or all of it in one field) and what
//! pgAdmin copies.

use std::borrow::Cow;

use super::line::FramedLine;
use super::marks::has_numbers;

/// Removes the quotes of lines that begin with one. A quote that is never closed is kept, and those of
/// the items of a list in JSON.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let single = strip_single(lines);
    strip_double(lines) || single
}

/// Removes single quotes around each line, as older versions of pgAdmin copy them.
fn strip_single(lines: &mut [FramedLine<'_>]) -> bool {
    if !lines
        .iter()
        .any(|line| single(&line.text).is_some_and(has_numbers))
    {
        return false;
    }
    let all: Vec<&str> = lines.iter().filter_map(|line| single(&line.text)).collect();
    let are_doubled = all
        .iter()
        .all(|inner| !inner.replace("''", "").contains('\''));
    let mut stripped = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        stripped.push(single(&line.text).map(|inner| {
            if are_doubled {
                inner.replace("''", "'")
            } else {
                inner.to_owned()
            }
        }));
    }
    for (line, stripped) in lines.iter_mut().zip(stripped) {
        if let Some(text) = stripped {
            line.text = Cow::Owned(text);
        }
    }
    true
}

/// The text of a line between single quotes, perhaps with a comma or another mark behind.
fn single(line: &str) -> Option<&str> {
    let end = line
        .trim_end()
        .trim_end_matches([',', ';', '+', '\\'])
        .trim_end();
    end.trim_start().strip_prefix('\'')?.strip_suffix('\'')
}

fn strip_double(lines: &mut Vec<FramedLine<'_>>) -> bool {
    if !lines.iter().any(|line| begins_field(&line.text)) {
        return false;
    }
    let mut stripped = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let above = at.checked_sub(1).and_then(|above| lines.get(above));
        let is_item = above.is_some_and(|above| above.text.trim_end().ends_with(['[', ',']));
        match field(lines, at).filter(|_| !is_item) {
            Some(mut field) => {
                at += field.len();
                stripped.append(&mut field);
            }
            None => {
                stripped.push(line.clone());
                at += 1;
            }
        }
    }
    let changed = stripped != *lines;
    *lines = stripped;
    changed
}

/// The lines of the quoted field that begins at a line; none when it does not end.
fn field<'a>(lines: &[FramedLine<'a>], start: usize) -> Option<Vec<FramedLine<'a>>> {
    let first = lines.get(start).filter(|line| begins_field(&line.text))?;
    let mut field = Vec::new();
    let mut text = first.text.trim_start().get(1..)?;
    if let Some(inner) = not_doubled(text) {
        // R and many others escape quotes with a backslash.
        let text = match inner.replace("\\\"", "").contains('"') {
            true => inner.to_owned(),
            false => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        };
        return Some(vec![FramedLine {
            number: first.number,
            text: Cow::Owned(text),
        }]);
    }
    for line in lines.get(start..)? {
        if line.number != first.number {
            text = &line.text;
        }
        let (unquoted, is_end) = unquote(text);
        field.push(FramedLine {
            number: line.number,
            text: Cow::Owned(unquoted),
        });
        if is_end {
            return Some(field);
        }
    }
    None
}

/// Does the line begin with the quote of a field? A quoted text before a colon is a key of a JSON
/// text or a quoted name in prose.
fn begins_field(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix('"') else {
        return false;
    };
    let is_key = rest
        .split_once('"')
        .is_some_and(|(_, behind)| behind.trim_start().starts_with(':'));
    !is_key
}

/// A line of a field without its doubled quotes; true when the closing quote is in it. What follows
/// that (other columns) is dropped.
fn unquote(line: &str) -> (String, bool) {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if characters.peek() == Some(&'"') => {
                characters.next();
                text.push('"');
            }
            '"' if ends_field(characters.clone()) => return (text, true),
            other => text.push(other),
        }
    }
    (text, false)
}

/// The text between the first and the last quote of a line, when quotes in between are not doubled,
/// as pgAdmin copies it.
fn not_doubled(text: &str) -> Option<&str> {
    let inner = text.trim_end().strip_suffix('"')?;
    let has_columns = inner.contains("\",\"") || inner.contains("\";\"");
    (has_single_quote(inner) && !has_columns).then_some(inner)
}

/// Whether there is a single quote character that is not doubled within a line.
fn has_single_quote(inner: &str) -> bool {
    inner.replace("\"\"", "").contains('"')
}

/// Behind the closing quote there is nothing, another column, or psql's mark of continuation.
fn ends_field(rest: impl Iterator<Item = char>) -> bool {
    let mut rest = rest.skip_while(|character| character.is_whitespace());
    matches!(rest.next(), None | Some(',' | ';' | '|' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> Vec<(usize, String)> {
        let number = |(index, line): (usize, &str)| FramedLine {
            number: index + 1,
            text: Cow::Owned(line.to_owned()),
        };
        let mut lines: Vec<_> = text.lines().enumerate().map(number).collect();
        strip(&mut lines);
        lines
            .into_iter()
            .map(|line| (line.number, line.text.into_owned()))
            .collect()
    }

    #[test]
    fn quotes_come_off_in_each_way_they_are_put() {
        assert_eq!(
            stripped("Limit\n\"  Output: a, \"\"B\"\"\"\n  x"),
            [
                (1, "Limit".to_owned()),
                (2, "  Output: a, \"B\"".to_owned()),
                (3, "  x".to_owned())
            ]
        );
        assert_eq!(
            stripped("\"[\n  \"\"Plan\"\"\n]\""),
            [
                (1, "[".to_owned()),
                (2, "  \"Plan\"".to_owned()),
                (3, "]".to_owned())
            ]
        );
        assert_eq!(
            stripped("\"Seq Scan on \"T\" t\""),
            [(1, "Seq Scan on \"T\" t".to_owned())]
        );
        assert_eq!(stripped("\"Plan\": {"), [(1, "\"Plan\": {".to_owned())]);
    }
}
