//! Colours of a terminal: escape sequences, also where the escape character was lost (`[1m`) or is
//! shown (`^[[1m`).

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;
use crate::model::without_escape_sequences;

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    static VISIBLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:\^\[|\\(?:e|033|x1b|u001b))\[(?:\d{1,3}(?:;\d{1,3})*)?m|\[\d{1,3}(?:;\d{1,3})*m|\[m\s*$").ok()
    });
    let is_coloured = |text: &str| {
        text.contains('\u{1b}')
            || text.contains("[0m")
            || text.contains("[m")
            || text.contains(";1m")
    };
    if !lines.iter().any(|line| is_coloured(&line.text)) {
        return false;
    }
    let mut changed = false;
    for line in lines {
        let plain = without_escape_sequences(&line.text).into_owned();
        let plain = match VISIBLE.as_ref() {
            // `[m` by itself ends a colour; in `ARRAY[m.id]` it does not.
            Some(visible) if visible.is_match(&plain) => visible
                .replace_all(&plain, "")
                .replace("[m ", " ")
                .replace("[m(", "("),
            Some(_) => plain,
            None => plain,
        };
        if plain != line.text {
            line.text = Cow::Owned(plain);
            changed = true;
        }
    }
    changed
}
