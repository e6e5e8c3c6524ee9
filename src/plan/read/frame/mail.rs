//! `> ` before each line of a plan that was quoted in a mail or chat.

use std::borrow::Cow;

use super::line::FramedLine;

/// Removes the marks, also several before a line. No line of a plan begins with `>`.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let mut changed = false;
    for line in lines {
        let rest = without_marks(&line.text);
        if rest.len() < line.text.len() {
            line.text = Cow::Owned(rest.to_owned());
            changed = true;
        }
    }
    changed
}

fn without_marks(line: &str) -> &str {
    let mut rest = line;
    while let Some(inner) = rest.trim_start().strip_prefix('>') {
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_indentation_stays() {
        assert_eq!(without_marks(">   ->  Result"), "  ->  Result");
        assert_eq!(without_marks("> > a"), "a");
        assert_eq!(without_marks("  -> x"), "  -> x");
    }
}
