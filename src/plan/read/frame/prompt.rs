//! What stands before the first line of a plan only: the prompt of a console whose answer follows it
//! at once (`shop=> Limit  (cost=…`), or the name and the brackets of a value that is printed without
//! quotes (`[{QUERY PLAN=Limit  (cost=…`), which close behind the last line.

use std::borrow::Cow;

use super::super::text::begins_with_operation;
use super::line::FramedLine;
use super::marks::has_numbers;

/// Longer texts are no prompts.
const MAX_LENGTH: usize = 200;

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let begins =
        |line: &FramedLine<'_>| has_numbers(&line.text) || document_at(&line.text).is_some();
    let Some(root) = lines.iter().position(begins) else {
        return false;
    };
    let Some(line) = lines.get_mut(root) else {
        return false;
    };
    let Some(at) = title_at(&line.text).or_else(|| document_at(&line.text)) else {
        return false;
    };
    let (before, first) = line.text.split_at(at);
    if !is_prompt(before) {
        return false;
    }
    let closing: String = before.chars().rev().filter_map(closing).collect();
    line.text = Cow::Owned(first.to_owned());
    if let Some(last) = lines
        .iter_mut()
        .rev()
        .find(|line| !line.text.trim().is_empty())
        && !closing.is_empty()
        && let Some(inner) = last
            .text
            .trim_end_matches([' ', ';', ','])
            .strip_suffix(closing.as_str())
    {
        last.text = Cow::Owned(inner.to_owned());
    }
    true
}

/// Whether a text is a prompt, or the beginning of a value; not one that belongs to a node.
fn is_prompt(before: &str) -> bool {
    let end = before.trim_end();
    let is_mark = end.ends_with([
        '>', '#', '$', '%', '❯', ':', '=', '"', '\'', '(', '[', '{', '|',
    ]);
    !end.is_empty() && end.len() <= MAX_LENGTH && is_mark && !end.ends_with("->")
}

/// Where the title of a node begins that is not at the beginning of its line.
fn title_at(line: &str) -> Option<usize> {
    let numbers = line.find(" (cost=").or_else(|| line.find(" (actual "))?;
    let title = line.get(..numbers)?;
    if begins_with_operation(title.trim()) || title.trim_start().starts_with("->") {
        return None;
    }
    let mut before = None;
    for (at, character) in title.char_indices() {
        let begins_word = !before.is_some_and(char::is_alphanumeric);
        if begins_word
            && character.is_ascii_uppercase()
            && title.get(at..).is_some_and(begins_with_operation)
        {
            return Some(at);
        }
        before = Some(character);
    }
    None
}

/// Where a plan in XML or YAML begins behind other words.
fn document_at(line: &str) -> Option<usize> {
    let at = line.find("<explain ").or_else(|| line.find("- Plan:"))?;
    (at > 0).then_some(at)
}

fn closing(character: char) -> Option<char> {
    match character {
        '[' => Some(']'),
        '{' => Some('}'),
        '(' => Some(')'),
        '"' | '\'' => Some(character),
        _ => None,
    }
}
