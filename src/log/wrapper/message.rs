//! The value of a record as lines of a log.

use std::borrow::Cow;

use super::Lines;
use crate::log::event::{self, Event};
use crate::log::label;

/// Whether a value is a message of the server without anything before it: the label and the time
/// are in other members of the record.
pub(super) fn is_bare_event(value: &str) -> bool {
    !matches!(event::read(value.trim()), Event::Other | Event::Duration(_))
}

/// Adds a value that holds whole entries: each of its further lines begins with a tab, as the
/// server writes them, unless it begins a field or an entry of its own.
pub(super) fn push_entries(lines: &mut Lines, value: &str, number: usize) {
    let value = unescaped(value);
    for (index, line) in value.trim_end().lines().enumerate() {
        let is_own = index == 0 || line.starts_with('\t') || label::find(line).is_some();
        if is_own {
            lines.push(line, number);
        } else {
            lines.push(&format!("\t{line}"), number);
        }
    }
}

/// Some exports escape line feeds twice.
fn unescaped(value: &str) -> Cow<'_, str> {
    if value.contains("plan:\\n") && !value.contains('\n') {
        Cow::Owned(value.replace("\\n", "\n").replace("\\t", "\t"))
    } else {
        Cow::Borrowed(value)
    }
}
