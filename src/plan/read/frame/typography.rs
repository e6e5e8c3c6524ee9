//! What editors and chats make of a plan's characters: other blanks, other arrows, one character for
//! two dots, decimal commas.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;

/// What stands for `->` at the beginning of a line, longer ones first.
const ARROWS: &[&str] = &[
    "└─>",
    "├─>",
    "└──",
    "├──",
    "└─",
    "├─",
    "-->",
    "—>",
    "–>",
    "―>",
    "−>",
    "‐>",
    "‑>",
    "‒>",
    "-›",
    "- >",
    "=>",
    "⇒",
    "→",
    "➔",
    "➜",
    "➝",
    "⟶",
    "⇾",
    "▶",
    "►",
    "»",
    "↳",
];

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let mut changed = false;
    // JSON whose quotes an editor made typographic.
    let is_typographic = lines.iter().any(|line| {
        ["”Plan”", "“Plan”"]
            .iter()
            .any(|key| line.text.contains(key))
    });
    for line in lines {
        let text = if is_typographic {
            plain(&line.text.replace(['“', '”'], "\""))
        } else {
            plain(&line.text)
        };
        if text != line.text {
            line.text = Cow::Owned(text);
            changed = true;
        }
    }
    changed
}

fn plain(line: &str) -> String {
    let mut text = if line.is_ascii() {
        line.to_owned()
    } else {
        characters(line)
    };
    if let Some(arrow) = arrow_of(&text) {
        let indent = text.len() - text.trim_start().len();
        text.replace_range(indent..indent + arrow.len(), "->");
    }
    numbers(collapsed(text))
}

/// The two blanks between the values of one line, of which an editor left one.
fn collapsed(text: String) -> String {
    const LINES: &[&str] = &[
        "Sort Method: ",
        "Buckets: ",
        "Batches: ",
        "Hits: ",
        "Storage: ",
        "Planned Partitions: ",
        "Full-sort Groups: ",
        "Pre-sorted Groups: ",
        "Presorted Groups: ",
    ];
    static LABEL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r" ([A-Z][A-Za-z-]*(?: [A-Z][a-z]+)*: )").ok());
    let trimmed = text.trim();
    if trimmed.contains("  ") || !LINES.iter().any(|label| trimmed.starts_with(label)) {
        return text;
    }
    let first = text.find(": ").map_or(0, |colon| colon + 2);
    let (label, values) = text.split_at(first);
    let values = replaced(&LABEL, values.to_owned(), "  $1");
    format!("{label}{values}")
}

/// The arrow at the beginning of a line, when a node follows it.
fn arrow_of(text: &str) -> Option<&'static str> {
    let trimmed = text.trim_start();
    let arrow = ARROWS.iter().find(|arrow| trimmed.starts_with(**arrow))?;
    let behind = trimmed.get(arrow.len()..)?.trim_start();
    behind
        .starts_with(|first: char| first.is_ascii_uppercase())
        .then_some(arrow)
}

/// A blank within a literal stays what it is.
fn characters(line: &str) -> String {
    let (line, literals) = match line.find('\'') {
        Some(quote) => line.split_at(quote),
        None => (line, ""),
    };
    let typographic = literals.is_empty() && line.contains(['‘', '’']);
    let plain: String = line
        .chars()
        .filter_map(|character| match character {
            '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{2009}' | '\u{3000}' | '\u{2002}'
            | '\u{2003}' => Some(' '),
            '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' => None,
            '‘' | '’' if typographic => Some('\''),
            other => Some(other),
        })
        .collect();
    plain + literals
}

/// `0.00…1.00` → `0.00..1.00`, and decimal commas of costs and times.
fn numbers(text: String) -> String {
    static RANGE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(=\d+[.,]\d+)(?:…|\.\.\.|‥|․․)(\d)").ok());
    static COMMAS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"((?:cost|time)=\d+),(\d+\.\.\d+),(\d+)").ok());
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(\s*(?:(?:Planning|Execution) [Tt]ime|Total runtime): \d+),(\d+ ms)").ok()
    });
    let mut text = text;
    if text.contains(['…', '‥', '․']) || text.contains("...") {
        text = replaced(&RANGE, text, "$1..$2");
    }
    if text.contains(',') && (text.contains("cost=") || text.contains("time=")) {
        text = replaced(&COMMAS, text, "$1.$2.$3");
    }
    if text.contains(',') && text.ends_with("ms") {
        text = replaced(&TIME, text, "$1.$2");
    }
    text
}

fn replaced(pattern: &LazyLock<Option<Regex>>, text: String, by: &str) -> String {
    match pattern.as_ref() {
        Some(pattern) => pattern.replace_all(&text, by).into_owned(),
        None => text,
    }
}
