//! HTML: entities and the tags around a plan. XML plans, where both are EXPLAIN's own, stay as they
//! are.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;

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
    let has_sections = any(CDATA[0]) && sections(lines);
    let has_tags = tags(lines);
    entities(lines) || has_tags || has_sections
}

/// What stands around the text of a macro in the storage format of wikis.
const CDATA: [&str; 2] = ["<![CDATA[", "]]>"];

/// Removes the marks of a CDATA section, and what stands before and after them in their lines.
fn sections(lines: &mut [FramedLine<'_>]) -> bool {
    let mut changed = false;
    for line in lines {
        let begin = line.text.split_once(CDATA[0]).map(|(_, behind)| behind);
        let rest = begin.unwrap_or(&line.text);
        let inner = rest.split_once(CDATA[1]).map_or(rest, |(inner, _)| inner);
        if inner.len() < line.text.len() {
            line.text = Cow::Owned(inner.to_owned());
            changed = true;
        }
    }
    changed
}

fn entities(lines: &mut Vec<FramedLine<'_>>) -> bool {
    // Within a literal an entity is the statement's own.
    let is_escaped = |text: &str| {
        ENTITIES.iter().any(|(entity, _)| {
            let mut literals = Literals::of(text);
            text.match_indices(entity)
                .any(|(at, _)| literals.are_closed_before(at))
        })
    };
    if !lines
        .iter()
        .any(|line| line.text.contains('&') && is_escaped(&line.text))
    {
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
        Regex::new(r"(?i)</?(html|head|body|pre|code|span|div|p|br|table|caption|thead|tbody|tr|td|th|b|i|u|em|strong|font|samp|tt|li|ul|ol|blockquote|title|meta|style|a|h[1-6]|row|record|resultset|results|data|data_record|column|\?xml|query[_ ](?:x0020_)?plan)(?:\s[^<>]*)?/?>").ok()
    });
    let Some(tag) = TAG.as_ref() else {
        return false;
    };
    let is_marked = |text: &str| {
        let mut literals = Literals::of(text);
        tag.find_iter(text)
            .any(|found| literals.are_closed_before(found.start()))
    };
    if !lines
        .iter()
        .any(|line| line.text.contains('<') && is_marked(&line.text))
    {
        return false;
    }
    let mut stripped = Vec::with_capacity(lines.len());
    for line in lines.iter().filter(|line| !is_row_number(&line.text)) {
        let mut literals = Literals::of(&line.text);
        let broken = tag.replace_all(&line.text, |found: &regex::Captures<'_>| {
            let start = found.get(0).map_or(0, |tag| tag.start());
            if !literals.are_closed_before(start) {
                return found[0].to_owned();
            }
            let name = found[1].to_ascii_lowercase();
            let breaks = matches!(
                name.as_str(),
                "br" | "p"
                    | "div"
                    | "tr"
                    | "td"
                    | "th"
                    | "li"
                    | "pre"
                    | "code"
                    | "table"
                    | "row"
                    | "record"
            );
            if breaks { "\n" } else { "" }.to_owned()
        });
        if broken == line.text {
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

/// `<th>12</th>`: notebooks number the rows of a table.
fn is_row_number(line: &str) -> bool {
    let cell = line.trim().strip_prefix("<th>");
    cell.and_then(|cell| cell.strip_suffix("</th>"))
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Which offsets of a line are outside of quotes, asked from left to right: a line of a million tags
/// is read once.
struct Literals<'l> {
    line: &'l str,
    /// Up to here quotes are counted.
    read: usize,
    is_open: bool,
}

impl<'l> Literals<'l> {
    fn of(line: &'l str) -> Literals<'l> {
        Literals {
            line,
            read: 0,
            is_open: false,
        }
    }

    fn are_closed_before(&mut self, at: usize) -> bool {
        let between = self.line.get(self.read..at).unwrap_or_default();
        self.is_open ^= between.matches('\'').count() % 2 == 1;
        self.read = at.max(self.read);
        !self.is_open
    }
}
