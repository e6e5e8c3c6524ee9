//! Records of one line that are no JSON as a whole but have the server's text in a string: what collectors
//! print for people (`TIME TAG {"log":"…"}`, `[0] pg: [TIME, {"log"=>"…"}]`), YAML with quoted texts, a
//! log in one string.

use super::lines::{Lines, begins_entry, is_servers_own};
use super::message::push_entries;
use crate::log::label;

/// Strings of a line that are searched.
const MAX_STRINGS: usize = 20;

pub(super) fn unwrap(text: &str) -> Option<Lines> {
    if !text.contains("LOG:") || is_servers_own(text) {
        return None;
    }
    let is_record = |line: &str| entry_of(line).is_some();
    // Excludes most logs at once: each line of a server's own begins with its label.
    let index = first_record(text, is_record)?;
    let mut lines = Lines::default();
    for (number, line) in text.lines().enumerate() {
        match strings(line).into_iter().nth(index) {
            Some(entry) if entry.contains('\n') => push_entries(&mut lines, &entry, number + 1),
            Some(line) => lines.push(&line, number + 1),
            None => {}
        }
    }
    Some(lines)
}

/// Which string of the first line with one begins an entry; none when a line of the server itself comes
/// before.
fn first_record(text: &str, is_record: impl Fn(&str) -> bool) -> Option<usize> {
    const LINES_TO_TELL: usize = 50;
    let first = text.lines().take(LINES_TO_TELL).find(|line| {
        is_record(line) || label::find(line).is_some_and(|it| !it.prefix.contains('"'))
    })?;
    entry_of(first)
}

/// The position of the string in a line that begins an entry.
fn entry_of(line: &str) -> Option<usize> {
    let before = line.split('"').next().unwrap_or_default();
    if label::find(before).is_some() {
        return None;
    }
    strings(line).iter().position(|string| begins_entry(string))
}

/// The strings of a line, as JSON writes them.
fn strings(line: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut rest = line;
    while let Some(quote) = rest.find('"').filter(|_| strings.len() < MAX_STRINGS) {
        let at = rest.get(quote..).unwrap_or_default();
        let mut parsed = serde_json::Deserializer::from_str(at).into_iter::<String>();
        let Some(Ok(string)) = parsed.next() else {
            break;
        };
        rest = at.get(parsed.byte_offset()..).unwrap_or_default();
        strings.push(string);
    }
    strings
}
