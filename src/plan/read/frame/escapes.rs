//! A plan in one line whose line feeds are escaped (`\n`), without the quotes around it: a column as COPY
//! and psql's unaligned output of a program's log have it, or what was copied from within a string.

use std::borrow::Cow;

use super::line::FramedLine;

pub(super) fn undo(lines: &mut Vec<FramedLine<'_>>) -> bool {
    if !lines.iter().any(|line| is_escaped(&line.text)) {
        return false;
    }
    let mut undone = Vec::with_capacity(lines.len());
    for line in lines.drain(..) {
        if !is_escaped(&line.text) {
            undone.push(line);
            continue;
        }
        let text = unescaped(&line.text);
        undone.extend(text.lines().map(|part| FramedLine {
            number: line.number,
            text: Cow::Owned(part.to_owned()),
        }));
    }
    *lines = undone;
    true
}

/// Whether a line is a plan in JSON, YAML or XML with escaped line feeds.
pub(super) fn is_escaped(line: &str) -> bool {
    let line = line.trim_start();
    let json = || {
        let begins = line.starts_with("[\\n") || line.starts_with("{\\n") || {
            line.starts_with("[{\\\"") || line.starts_with("{\\\"")
        };
        begins && line.contains("Plan")
    };
    let document =
        || (line.starts_with("<explain ") || line.starts_with("- Plan:")) && line.contains("\\n ");
    json() || document()
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.trim_start().chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => {}
            Some(escaped @ ('\\' | '"' | '\'' | '/')) => text.push(escaped),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}
