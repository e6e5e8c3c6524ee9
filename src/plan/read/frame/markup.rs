//! HTML: entities and the tags around a plan. XML plans, where both are EXPLAIN's own, stay as they
//! are.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;
use super::marks::has_numbers;

const ENTITIES: &[(&str, &str)] = &[
    ("&nbsp;", " "),
    ("&#160;", " "),
    ("&lt;", "<"),
    ("&#60;", "<"),
    ("&gt;", ">"),
    ("&#62;", ">"),
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&rarr;", "->"),
    // Last, or "&amp;lt;" would be unescaped twice in one pass.
    ("&amp;", "&"),
];

/// Replaces entities and removes tags.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let any = |mark: &str| lines.iter().any(|line| line.text.contains(mark));
    if any("<explain") || any("<Plan>") || any("<ShowPlan") {
        return false;
    }
    tags(lines) || entities(lines)
}

fn entities(lines: &mut Vec<FramedLine<'_>>) -> bool {
    // `a &lt; b` in a literal is possible; an escaped arrow, comparison or tag of a plan is not.
    let is_escaped = |text: &str| {
        text.trim_start().starts_with("-&gt;")
            || text.contains("&nbsp;")
            || text.contains("&lt;explain")
            || (text.contains('&') && has_numbers(text))
            || text.contains("&#39;")
            || text.contains("&quot;")
    };
    if !lines.iter().any(|line| is_escaped(&line.text)) {
        return false;
    }
    let mut changed = false;
    for line in lines {
        if !line.text.contains('&') {
            continue;
        }
        let mut text = line.text.clone().into_owned();
        for (entity, character) in ENTITIES {
            text = text.replace(entity, character);
        }
        changed |= text != line.text;
        line.text = Cow::Owned(text);
    }
    changed
}

/// Removes tags; those of rows and paragraphs begin a line.
fn tags(lines: &mut Vec<FramedLine<'_>>) -> bool {
    static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)</?(html|head|body|pre|code|span|div|p|br|table|caption|thead|tbody|tr|td|th|b|i|u|em|strong|font|samp|tt|li|ul|ol|blockquote|title|meta|style|a|h[1-6])(?:\s[^<>]*)?/?>").ok()
    });
    let Some(tag) = TAG.as_ref() else {
        return false;
    };
    if !lines.iter().any(|line| tag.is_match(&line.text)) {
        return false;
    }
    let mut stripped = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        let broken = tag.replace_all(&line.text, |found: &regex::Captures<'_>| {
            let name = found[1].to_ascii_lowercase();
            let breaks = matches!(
                name.as_str(),
                "br" | "p" | "div" | "tr" | "td" | "th" | "li" | "pre" | "code" | "table"
            );
            if breaks { "\n" } else { "" }
        });
        if matches!(broken, Cow::Borrowed(_)) {
            stripped.push(line.clone());
            continue;
        }
        stripped.extend(
            broken
                .split('\n')
                .filter(|part| !part.trim().is_empty())
                .map(|part| FramedLine {
                    number: line.number,
                    text: Cow::Owned(part.to_owned()),
                }),
        );
    }
    let changed = stripped != *lines;
    *lines = stripped;
    changed
}
