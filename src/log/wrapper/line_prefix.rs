//! What a collector writes before each line, also before the further lines of an entry: a time, the
//! stream, the name of a container or pod. Known by its shape, which is the same in all lines, and
//! by the tab of a further line behind it.

use std::sync::LazyLock;

use regex::Regex;

use super::lines::{Lines, begins_entry};

pub(super) fn strip(text: &str) -> Option<Lines> {
    cri(text).or_else(|| same_shape(text))
}

/// Kubernetes: `TIME stderr F `; `P` is a part of a line that goes on.
fn cri(text: &str) -> Option<Lines> {
    static CRI: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"^(?:\S+ )*?\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) ([FP]) ?",
        )
        .ok()
    });
    let cri = CRI.as_ref()?;
    // Excludes most logs at once.
    if !text.contains(" stderr ") && !text.contains(" stdout ") {
        return None;
    }
    let mut lines = Lines::default();
    let (mut part, mut is_wrapped) = (String::new(), false);
    for (index, line) in text.lines().enumerate() {
        let Some(found) = cri.captures(line) else {
            lines.push(line, index + 1);
            continue;
        };
        is_wrapped = true;
        part.push_str(line.get(found[0].len()..).unwrap_or_default());
        if &found[1] == "F" {
            lines.push(&part, index + 1);
            part.clear();
        }
    }
    is_wrapped.then_some(lines)
}

/// Lines whose beginnings have the same shape, behind which further lines have their tab.
fn same_shape(text: &str) -> Option<Lines> {
    // Excludes most logs at once: further lines of the server itself begin with the tab.
    let has_tab = text.contains('\t') || text.contains("#011");
    if !has_tab || text.starts_with('\t') || text.contains("\n\t") {
        return None;
    }
    let is_candidate = text
        .lines()
        .any(|line| tab_at(line).is_some_and(|at| at > 0));
    if !is_candidate || crate::log::syslog::in_lines(text) {
        return None;
    }
    let further = text.lines().find(|line| tab_at(line).is_some())?;
    let prefix = further.get(..tab_at(further)?)?;
    let shape = shape(prefix);
    let mut lines = Lines::default();
    let (mut wrapped, mut entries) = (0, 0);
    for (index, line) in text.lines().enumerate() {
        match behind(line, &shape) {
            Some(rest) => {
                wrapped += 1;
                entries += usize::from(begins_entry(rest));
                lines.push(
                    &rest.replacen("#011", "\t", usize::from(rest.starts_with("#011"))),
                    index + 1,
                );
            }
            None => lines.push(line, index + 1),
        }
    }
    (wrapped >= 2 && entries > 0).then_some(lines)
}

/// Where the tab of a further line is, perhaps as a daemon writes it.
fn tab_at(line: &str) -> Option<usize> {
    let at = line.find('\t').or_else(|| line.find("#011"))?;
    let prefix = line.get(..at)?;
    let is_prefix = !without_labels(prefix).contains(['(', '\'', '"']) && prefix.len() <= 200;
    is_prefix.then_some(at)
}

/// A beginning without what Loki writes in braces: `{job="pg"}`.
fn without_labels(prefix: &str) -> String {
    match (prefix.find(" {"), prefix.find("} ")) {
        (Some(begin), Some(end)) if begin < end => {
            let (before, _) = prefix.split_at(begin);
            let (_, behind) = prefix.split_at(end);
            format!("{before}{behind}")
        }
        _ => prefix.to_owned(),
    }
}

/// A text with a zero for each digit.
fn shape(text: &str) -> Vec<char> {
    text.chars().map(shape_of).collect()
}

fn shape_of(character: char) -> char {
    if character.is_ascii_digit() {
        '0'
    } else {
        character
    }
}

/// What follows a beginning of that shape.
fn behind<'a>(line: &'a str, shape: &[char]) -> Option<&'a str> {
    let mut characters = line.chars();
    for expected in shape {
        if shape_of(characters.next()?) != *expected {
            return None;
        }
    }
    Some(characters.as_str())
}
