//! A plan whose lines were put on one: with `\n` for each line feed, or with nothing but blanks.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::super::text::begins_with_operation;
use super::line::FramedLine;
use super::marks::has_numbers;

/// Labels before which a line of a plan begins.
const LABELS: &str = "Sort Key|Presorted Key|Sort Method|Group Key|Hash Key|Hash Cond|Merge Cond|Index Cond|Recheck Cond|Join Filter|Filter|\
    Rows Removed by Filter|Rows Removed by Join Filter|Rows Removed by Index Recheck|Heap Fetches|Heap Blocks|Buckets|Buffers|\
    I/O Timings|Output|Workers Planned|Params Evaluated|Workers Launched|Cache Key|Cache Mode|Hits|One-Time Filter|Order By|Index Searches|Inner Unique|\
    Planning Time|Execution Time|Planning time|Execution time|Total runtime|Settings|WAL|TID Cond|Subplans Removed|Full-sort Groups|\
    Pre-sorted Groups|Storage|Window|Query Identifier|Conflict Resolution|Function Call|Single Copy";

pub(super) fn split(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let mut split = Vec::with_capacity(lines.len());
    let mut changed = false;
    for line in lines.iter() {
        let parts = maps(&line.text)
            .or_else(|| listed(&line.text))
            .or_else(|| escaped(&line.text))
            .or_else(|| run_together(&line.text));
        let Some(parts) = parts else {
            split.push(line.clone());
            continue;
        };
        changed = true;
        split.extend(parts.into_iter().map(|part| FramedLine {
            number: line.number,
            text: Cow::Owned(part),
        }));
    }
    if changed {
        *lines = split;
    }
    changed
}

/// `[{QUERY PLAN=Limit  (cost=…)}, {QUERY PLAN=  ->  …}]`: rows as Java and Go print them, without quotes.
fn maps(line: &str) -> Option<Vec<String>> {
    const ROWS: [[&str; 3]; 4] = [
        ["[{QUERY PLAN=", "}, {QUERY PLAN=", "}]"],
        ["[map[QUERY PLAN:", "] map[QUERY PLAN:", "]]"],
        ["[{QueryPlan:", "} {QueryPlan:", "}]"],
        ["[{query_plan=", "}, {query_plan=", "}]"],
    ];
    let line = line.trim();
    ROWS.iter().find_map(|[begin, between, end]| {
        let rows = line.strip_prefix(begin)?.strip_suffix(end)?;
        Some(rows.split(between).map(str::to_owned).collect())
    })
}

/// `[Limit  (cost=…),   ->  Seq Scan …]`, `List(…)`: lines as Java and Scala print lists of texts.
fn listed(line: &str) -> Option<Vec<String>> {
    static LIST: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:List|Vector|Seq|Array|ArrayBuffer)?[\[(]([A-Z].*)[\])]$").ok()
    });
    static NEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(&format!(
            r", (\s*(?:->|(?:{LABELS}|JIT|Planning|Functions|Options|Timing|Worker \d+|Trigger [^:,]+):|(?:InitPlan|SubPlan|CTE) \S+))"
        ))
        .ok()
    });
    let inner = LIST.as_ref()?.captures(line.trim())?.get(1)?.as_str();
    let title = inner.split(" (").next().unwrap_or_default();
    if !has_numbers(inner) || !begins_with_operation(title) {
        return None;
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for found in NEXT
        .as_ref()?
        .captures_iter(inner)
        .filter_map(|found| found.get(1))
    {
        let part = inner.get(from..found.start() - 2)?;
        if !is_open(part) {
            parts.push(part.to_owned());
            from = found.start();
        }
    }
    parts.push(inner.get(from..)?.to_owned());
    (parts.len() > 1).then_some(parts)
}

/// Whether a line is a member of a JSON object, XML, or the statement above a plan.
fn is_other(line: &str) -> bool {
    let trimmed = line.trim_start();
    let is_key = trimmed
        .strip_prefix('"')
        .and_then(|rest| rest.split_once('"'));
    is_key.is_some_and(|(_, behind)| behind.trim_start().starts_with(':'))
        || trimmed.starts_with(['{', '[', '<'])
        || trimmed.starts_with("Query Text: ")
}

/// `Sort  (cost=…)\n  Sort Key: a\n …`
fn escaped(line: &str) -> Option<Vec<String>> {
    static FEED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(&format!(r"\\n(?:\s*->|\s*(?:{LABELS}):)")).ok());
    if is_other(line)
        || !line.contains("\\n")
        || !has_numbers(line)
        || !FEED.as_ref()?.is_match(line)
    {
        return None;
    }
    let text = line
        .replace("\\r", "")
        .replace("\\n", "\n")
        .replace("\\t", "\t");
    let text = text.replace("\\\"", "\"").replace("\\'", "'");
    Some(text.lines().map(str::to_owned).collect())
}

/// `Sort (cost=…) Sort Key: a -> Seq Scan on t (cost=…)`
fn run_together(line: &str) -> Option<Vec<String>> {
    static BEGIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(&format!(
            r"\s(?:->\s+[A-Z]|(?:{LABELS}):\s|(?:InitPlan|SubPlan) \d+ (?:\(returns [$\d,]+\) )?->|CTE \S+ ->|Planning:\s|JIT:\s|Trigger .{{1,80}}: time=)"
        ))
        .ok()
    });
    let nodes = line
        .matches("(cost=")
        .count()
        .max(line.matches("(actual ").count());
    if nodes == 0 || is_other(line) {
        return None;
    }
    let line = line.trim();
    let mut parts = Vec::new();
    let mut from = 0;
    for found in BEGIN.as_ref()?.find_iter(line) {
        let part = line.get(from..found.start())?;
        // A label in a literal or in parentheses is none; `Sort Key: x` is not split before `Key`.
        if is_open(part) || part.trim().is_empty() || part.trim() == "->" {
            continue;
        }
        parts.push(part.trim().to_owned());
        from = found.start();
    }
    let is_split = parts.iter().any(|part| has_numbers(part));
    parts.push(line.get(from..)?.trim().to_owned());
    (parts.len() > 1 && is_split).then_some(parts)
}

/// Whether a quote or parenthesis of a text is open at its end.
pub(super) fn is_open(text: &str) -> bool {
    let (mut quote, mut name, mut depth) = (false, false, 0_i64);
    for byte in text.bytes() {
        match byte {
            b'\'' if !name => quote = !quote,
            b'"' if !quote => name = !name,
            b'(' if !quote && !name => depth += 1,
            b')' if !quote && !name => depth -= 1,
            _ => {}
        }
    }
    quote || name || depth > 0
}
