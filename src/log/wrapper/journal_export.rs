//! `journalctl -o export`: `NAME=VALUE` lines of fields, and an empty line behind each record.

use super::lines::Lines;

pub(super) fn unwrap(text: &str) -> Option<Lines> {
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    let is_field = first.starts_with("__") && first.contains('=');
    if !is_field || !text.contains("\nMESSAGE=") {
        return None;
    }
    let mut lines = Lines::default();
    for (index, line) in text.lines().enumerate() {
        if let Some(message) = line.strip_prefix("MESSAGE=") {
            lines.push(message, index + 1);
        }
    }
    Some(lines)
}
