//! What chats and documents write behind a line: that it was edited, its time, the number of a note.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;

/// Behind the numbers of a node: the time of a message, and callouts of AsciiDoc.
static BEHIND_NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(.*\((?:cost=|actual |never executed)[^()]*\))(?:\s+\d{1,2}:\d\d(?::\d\d)?(?:\s?[AaPp]\.?[Mm]\.?)?|\s+<\d{1,2}>)+$",
    )
    .ok()
});

/// Behind any line: no SQL ends with this.
const EDITED: [&str; 2] = [" (edited)", " [edited]"];

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let mut changed = false;
    for line in lines {
        if let Some(plain) = without_remark(&line.text) {
            line.text = Cow::Owned(plain.to_owned());
            changed = true;
        }
    }
    changed
}

fn without_remark(line: &str) -> Option<&str> {
    let trimmed = line.trim_end();
    if let Some(plain) = EDITED.iter().find_map(|mark| trimmed.strip_suffix(mark)) {
        return Some(plain.trim_end());
    }
    let found = BEHIND_NUMBERS.as_ref()?.captures(trimmed)?;
    found.get(1).map(|numbers| numbers.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_come_off_and_conditions_stay() {
        let node = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)";
        for remark in [
            "  10:31 AM",
            " 9:05",
            " <1>",
            " (edited)",
            "  10:31 AM (edited)",
        ] {
            let line = format!("{node}{remark}");
            let once = without_remark(&line).unwrap_or(&line);
            assert_eq!(without_remark(once).unwrap_or(once), node, "{remark}");
        }
        for kept in [
            node,
            "  Filter: (a <1>)",
            "  Filter: (at > '10:31'::time)",
            "  Filter: ((a)::text = '(cost=1) 10:31'::text)",
        ] {
            assert_eq!(without_remark(kept), None, "{kept}");
        }
    }
}
