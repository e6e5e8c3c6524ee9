//! The colours that programs write for a terminal.

use super::Lines;
use crate::model::without_escape_sequences;

pub(super) fn strip(text: &str) -> Option<Lines> {
    if !text.contains('\u{1b}') {
        return None;
    }
    let mut lines = Lines::default();
    for (index, line) in text.lines().enumerate() {
        lines.push(&without_escape_sequences(line), index + 1);
    }
    (lines.text.trim_end() != text.trim_end()).then_some(lines)
}
