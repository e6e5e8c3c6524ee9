//! What stands in brackets before a line: the host of a prompt (`[local] ana@shop=# `), a process
//! (`[4711] `), the time of a message (DataGrip). JSON begins otherwise.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    static BRACKETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^\s?\[(?:[A-Za-z][\w.@ -]*|\d+|\d{4}-\d\d-\d\d[ T][\d:., ]+)\] ?(?:\S.*)?")
            .ok()
    });
    let Some(brackets) = BRACKETS.as_ref() else {
        return false;
    };
    let mut changed = false;
    for line in lines {
        if !brackets.is_match(&line.text) {
            continue;
        }
        let Some((_, behind)) = line.text.split_once(']') else {
            continue;
        };
        // `[...]` and lists of numbers are something else.
        if behind.trim().is_empty() || behind.trim_start().starts_with(',') {
            continue;
        }
        let behind = behind.strip_prefix(' ').unwrap_or(behind).to_owned();
        line.text = Cow::Owned(behind);
        changed = true;
    }
    changed
}
