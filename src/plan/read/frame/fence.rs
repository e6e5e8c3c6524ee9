//! Markdown's code fences. Text outside of them is prose.

use std::borrow::Cow;

use super::line::FramedLine;

/// Empties the lines of the fences and those outside of them, if a fence contains a plan. An
/// unclosed fence ends at the end of the text.
pub(super) fn strip(lines: &mut [FramedLine<'_>]) -> bool {
    let Some(inside) = inside_fences(lines) else {
        return false;
    };
    for (line, inside) in lines.iter_mut().zip(inside) {
        if !inside {
            line.text = Cow::Borrowed("");
        }
    }
    true
}

/// For each line whether it is in a fence; none when no fence contains a plan.
fn inside_fences(lines: &[FramedLine<'_>]) -> Option<Vec<bool>> {
    let mut fence: Option<&str> = None;
    let mut holds_plan = false;
    let mut inside = Vec::with_capacity(lines.len());
    for line in lines {
        let text = line.text.trim();
        match (fence, mark(text)) {
            (None, Some(mark)) => {
                fence = Some(mark);
                inside.push(false);
            }
            (Some(open), Some(mark)) if mark == open && text == mark => {
                fence = None;
                inside.push(false);
            }
            _ => {
                holds_plan |= fence.is_some() && looks_like_plan(text);
                inside.push(fence.is_some());
            }
        }
    }
    holds_plan.then_some(inside)
}

fn mark(text: &str) -> Option<&'static str> {
    ["```", "~~~"]
        .into_iter()
        .find(|mark| text.starts_with(mark))
}

fn looks_like_plan(text: &str) -> bool {
    [
        "(cost=",
        "(actual ",
        "->  ",
        "\"Plan\"",
        "Plan:",
        "Node Type",
        "<explain",
    ]
    .iter()
    .any(|mark| text.contains(mark))
        || text.contains(" Scan on ")
        || text == "Result"
}
