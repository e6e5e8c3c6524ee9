//! Reads plans from files: in any of EXPLAIN's four formats, with what psql, mail, chat or a
//! spreadsheet adds around them, and several in one file. The format is detected.
//!
//! Bytes are decoded to text (`encoding`), frames are removed (`frame`), and the rest is searched
//! line by line for the beginning of a plan. The format's reader reads the plan and returns where
//! it ends. Text between plans is skipped. All readers produce the property names and types of the
//! JSON format, and none recurses.

mod builder;
mod encoding;
mod error;
mod frame;
mod json;
mod lines;
mod no_plan;
mod number;
mod property;
mod repair;
mod statement;
mod text;
mod warning;
mod xml;
mod yaml;

use serde_json::Value;

use self::builder::Builder;
use self::error::OffsetError;
pub use self::error::{FilePosition, ReadError, Reason};
use self::frame::Unframed;
use self::lines::{SourceLine, line_at, lines_from};
use self::warning::OffsetWarning;
pub use self::warning::{Warning, WarningKind};
use super::Plan;
pub(crate) use encoding::decode;

/// Larger files are refused.
pub const MAX_FILE: usize = 256 * 1024 * 1024;

/// The format a plan was printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceFormat {
    /// `FORMAT TEXT`.
    Text,
    /// `FORMAT JSON`.
    Json,
    /// `FORMAT YAML`.
    Yaml,
    /// `FORMAT XML`.
    Xml,
}

impl SourceFormat {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            SourceFormat::Text => "text",
            SourceFormat::Json => "json",
            SourceFormat::Yaml => "yaml",
            SourceFormat::Xml => "xml",
        }
    }
}

/// A plan, its format and its statement.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPlan {
    /// The plan.
    pub plan: Plan,
    /// The format it was printed in.
    pub format: SourceFormat,
    /// Its statement: the plan's `Query Text`, else the `EXPLAIN …;` above the plan.
    pub query: Option<String>,
    /// What it lost before it was read, in the order of the lines.
    pub warnings: Vec<Warning>,
    /// What its source says of its statement: a recording and a twin file have a workload.
    pub of: Option<Box<OfWorkload>>,
}

/// What a workload says of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct OfWorkload {
    /// Its name.
    pub name: String,
    /// How often it runs.
    pub calls: f64,
    /// The mean time of one execution in milliseconds, where it was measured.
    pub mean_time_ms: Option<f64>,
}

impl ReadPlan {
    /// A plan that the server returned in JSON for a statement, with the statement as `Query Text`.
    pub fn of_statement(plan: Plan, sql: &str) -> ReadPlan {
        ReadPlan {
            plan: plan.with_query(sql),
            format: SourceFormat::Json,
            query: Some(sql.to_owned()),
            warnings: Vec::new(),
            of: None,
        }
    }
}

impl ReadPlan {
    /// The plan with the statement from a log, unless the plan has one.
    #[must_use]
    pub fn with_query(self, sql: Option<&str>) -> ReadPlan {
        match sql {
            Some(sql) if !self.plan.summary.contains_key("Query Text") => ReadPlan {
                plan: self.plan.with_query(sql),
                query: Some(sql.to_owned()),
                ..self
            },
            _ => self,
        }
    }
}

impl ReadPlan {
    /// The plan with the time that its log has for the whole execution, the same that EXPLAIN prints
    /// below a plan: auto_explain prints it above. Only for a plan with times of its own.
    #[must_use]
    pub fn with_duration(mut self, duration_ms: Option<f64>) -> ReadPlan {
        const EXECUTION: &str = "Execution Time";
        let is_timed = self.plan.root().number("Actual Total Time");
        let number = duration_ms.and_then(serde_json::Number::from_f64);
        if let (Some(_), Some(number)) = (is_timed, number)
            && !self.plan.summary.contains_key(EXECUTION)
        {
            let number = Value::Number(number);
            self.plan.summary.insert(EXECUTION.to_owned(), number);
        }
        self
    }
}

impl ReadPlan {
    /// The plan with its warnings at the line of the log where its entry begins.
    #[must_use]
    pub fn logged_at(mut self, line: usize) -> ReadPlan {
        self.warnings
            .iter_mut()
            .for_each(|warning| warning.line = line);
        self
    }
}

/// Reads all plans of a file.
///
/// # Errors
/// When it is not text, has no plan, or a plan in it is damaged; with the position where it is
/// known.
pub fn read(bytes: &[u8]) -> Result<Vec<ReadPlan>, ReadError> {
    if bytes.len() > MAX_FILE {
        return Err(ReadError::whole(Reason::TooLarge {
            size: bytes.len(),
            limit: MAX_FILE,
        }));
    }
    let decoded = encoding::decode(bytes)?;
    let mut plans = read_text(&decoded.text)?;
    if decoded.is_guessed
        && let Some(first) = plans.first_mut()
    {
        first.warnings.push(Warning {
            line: 1,
            kind: WarningKind::EncodingGuessed,
        });
    }
    Ok(plans)
}

/// Reads all plans of a text.
///
/// # Errors
/// As [`read`].
pub fn read_text(text: &str) -> Result<Vec<ReadPlan>, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') && !text.contains('\n') {
        return read_text(&text.replace('\r', "\n"));
    }
    let found = read_unframed(text, &frame::unframe(text));
    if is_whole(&found) || !text.contains('\t') {
        return found;
    }
    // Tabs in the indentation have the width of the editor that wrote them.
    TAB_WIDTHS
        .iter()
        .map(|width| {
            let expanded = with_tabs_of(text, *width);
            let unframed = frame::unframe(&expanded);
            read_unframed(text, &unframed)
        })
        .find(is_whole)
        .unwrap_or(found)
}

/// What editors make of a tab, beside the next multiple of eight.
const TAB_WIDTHS: [usize; 4] = [4, 8, 2, 3];

/// Whether plans were read and lost nothing.
fn is_whole(found: &Result<Vec<ReadPlan>, ReadError>) -> bool {
    found
        .as_ref()
        .is_ok_and(|plans| plans.iter().all(|plan| plan.warnings.is_empty()))
}

/// The text with blanks in place of the tabs before each line's first character.
fn with_tabs_of(text: &str, width: usize) -> String {
    let blanks = " ".repeat(width);
    let mut expanded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let (before, behind) = line.split_at(indent);
        expanded.push_str(&before.replace('\t', &blanks));
        expanded.push_str(behind);
    }
    expanded
}

/// Reads the plans of a text without its frames; `text` is the file.
fn read_unframed(text: &str, unframed: &Unframed<'_>) -> Result<Vec<ReadPlan>, ReadError> {
    let scanned = scan(&unframed.text).map_err(|error| located(unframed, of_other(text, error)))?;
    if scanned.is_empty() {
        return Err(ReadError::whole(no_plan::why_no_plan(text)));
    }
    let lines = Lines::of(unframed);
    let line = |offset| lines.number(offset);
    let mut plans: Vec<ReadPlan> = Vec::with_capacity(scanned.len());
    let starts: Vec<usize> = scanned.iter().map(|scanned| line(scanned.start)).collect();
    for (index, scanned) in scanned.into_iter().enumerate() {
        let (from, to) = (starts.get(index), starts.get(index + 1));
        let of_plan =
            |line: &&usize| from.is_none_or(|from| from <= *line) && to.is_none_or(|to| *line < to);
        let rebuilt = unframed.rebuilt.iter().filter(of_plan).map(|line| Warning {
            line: *line,
            kind: WarningKind::IndentationRebuilt,
        });
        let own = scanned.warnings.into_iter().map(|warning| Warning {
            line: line(warning.offset),
            kind: warning.kind,
        });
        plans.push(ReadPlan {
            warnings: rebuilt.chain(own).collect(),
            ..scanned.plan
        });
    }
    Ok(plans)
}

/// The plans of a text, without their formats and statements.
///
/// # Errors
/// As [`read`].
#[cfg(any(test, feature = "internals"))]
pub fn plans(text: &str) -> Result<Vec<Plan>, ReadError> {
    Ok(read_text(text)?.into_iter().map(|read| read.plan).collect())
}

/// The error, which is that the plan is another database's where the text shows it.
fn of_other(text: &str, error: OffsetError) -> OffsetError {
    let may_be = matches!(error.reason, Reason::NotExplain | Reason::Syntax(_));
    let reason = no_plan::printed_map(text)
        .map(Reason::PrintedMap)
        .or_else(|| no_plan::other_database(text).map(Reason::OtherDatabase));
    match reason.filter(|_| may_be) {
        Some(reason) => OffsetError { reason, ..error },
        None => error,
    }
}

/// The error with its position in the file.
fn located(unframed: &Unframed<'_>, OffsetError { offset, reason }: OffsetError) -> ReadError {
    ReadError {
        position: Some(position(unframed, offset)),
        reason,
    }
}

/// Which line of the file an offset of the text without frames is in, for many offsets.
struct Lines<'u> {
    unframed: &'u Unframed<'u>,
    /// Where the lines end.
    feeds: Vec<usize>,
}

impl<'u> Lines<'u> {
    fn of(unframed: &'u Unframed<'u>) -> Lines<'u> {
        let feeds = unframed.text.match_indices('\n').map(|(at, _)| at);
        Lines {
            unframed,
            feeds: feeds.collect(),
        }
    }

    fn number(&self, offset: usize) -> usize {
        let before = self.feeds.partition_point(|feed| *feed < offset);
        number_in_file(self.unframed, before + 1)
    }
}

/// The number in the file of a line of the text without frames.
fn number_in_file(unframed: &Unframed<'_>, line: usize) -> usize {
    let numbers = unframed.numbers.as_ref();
    let number = numbers.and_then(|numbers| numbers.get(line - 1).or_else(|| numbers.last()));
    number.copied().unwrap_or(line)
}

/// Where an offset of the text without frames is in the file.
fn position(unframed: &Unframed<'_>, offset: usize) -> FilePosition {
    let text = &unframed.text;
    let end = (0..=offset.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    let position = encoding::end_position(text.get(..end).unwrap_or_default());
    if unframed.numbers.is_none() {
        return position;
    }
    FilePosition {
        line: number_in_file(unframed, position.line),
        column: None,
    }
}

/// A plan that was found, with positions in the text without frames.
struct Scanned {
    plan: ReadPlan,
    start: usize,
    warnings: Vec<OffsetWarning>,
}

fn scan(text: &str) -> Result<Vec<Scanned>, OffsetError> {
    let mut plans = Vec::new();
    let (mut at, mut behind_last) = (0, 0);
    let mut other_json = None;
    while let Some(line) = line_at(text, at) {
        let Some(format) = format_beginning(text, &line) else {
            at = line.next;
            continue;
        };
        let above = text.get(behind_last..line.offset).unwrap_or_default();
        let start = line.offset + line.text.len() - line.text.trim_start().len();
        if behind_last > 0 && format == SourceFormat::Text && is_torn_off(&line, above) {
            return Err(OffsetError {
                offset: line.offset,
                reason: Reason::LostIndentation,
            });
        }
        let (found, warnings, end) = match read_one(text, start, &line, format) {
            Ok(document) => document,
            // A bracket that no plan follows belongs to the prose, unless there is nothing else.
            Err(error) if format == SourceFormat::Json && is_no_plan(text, start, &error) => {
                other_json.get_or_insert(error);
                at = line.next;
                continue;
            }
            Err(error) => return Err(error),
        };
        plans.extend(found.into_iter().map(|plan| Scanned {
            plan: read_plan(plan, format, above),
            start,
            warnings: warnings.clone(),
        }));
        at = end.max(line.offset + 1);
        behind_last = at;
    }
    match other_json {
        Some(error) if plans.is_empty() => Err(error),
        _ => Ok(plans),
    }
}

/// Whether what looked like JSON has no part of a plan before the place where it cannot be read.
fn is_no_plan(text: &str, start: usize, error: &OffsetError) -> bool {
    let read = text.get(start..error.offset.max(start)).unwrap_or_default();
    !["\"Plan\"", "\"Node Type\""]
        .iter()
        .any(|key| read.contains(key))
}

/// Whether a node's line belongs to the plan right above it, which has no place for it.
fn is_torn_off(line: &SourceLine<'_>, above: &str) -> bool {
    line.text.trim_start().starts_with("->") && above.lines().all(|line| !line.trim().is_empty())
}

/// The plans of a document, what they lost, and where it ends.
type Document = (Vec<Plan>, Vec<OffsetWarning>, usize);

/// The plans of the document that begins here, and where it ends.
fn read_one(
    text: &str,
    start: usize,
    line: &SourceLine<'_>,
    format: SourceFormat,
) -> Result<Document, OffsetError> {
    let reader = match format {
        SourceFormat::Text => {
            let found = text::read_plan(text, line.offset)?;
            return Ok((vec![found.plan], found.warnings, found.end));
        }
        SourceFormat::Json => json::read_document,
        SourceFormat::Yaml => yaml::read_document,
        SourceFormat::Xml => xml::read_document,
    };
    let start = if format == SourceFormat::Yaml {
        line.offset
    } else {
        start
    };
    let mut builder = Builder::default();
    match reader(text, start, &mut builder) {
        Ok(end) => {
            let plans = builder.finish();
            let is_cut =
                format == SourceFormat::Yaml && plans.last().is_some_and(repair::ends_early);
            let end_of_plan = text.get(..end).unwrap_or(text).trim_end().len();
            let warnings = is_cut.then(|| cut_off(end_of_plan)).into_iter().collect();
            Ok((plans, warnings, end))
        }
        Err(error) => {
            let rest = text.get(start..).unwrap_or_default();
            let is_truncated = matches!(error.reason, Reason::Truncated(_));
            let plans = match format {
                SourceFormat::Json if is_truncated => repair::cut_off_json(rest),
                SourceFormat::Xml if is_truncated => repair::cut_off_xml(rest),
                SourceFormat::Yaml => repair::cut_off_yaml(rest, &error, start),
                _ => None,
            };
            let plans = plans.ok_or(error)?;
            Ok((plans, vec![cut_off(text.trim_end().len())], text.len()))
        }
    }
}

/// The warning that the text ends too early there.
fn cut_off(offset: usize) -> OffsetWarning {
    OffsetWarning {
        offset,
        kind: WarningKind::CutOff,
    }
}

fn read_plan(plan: Plan, format: SourceFormat, above: &str) -> ReadPlan {
    let own = plan
        .summary
        .get("Query Text")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let (plan, own) = match (format, own) {
        (SourceFormat::Text, None) => match text::query_text(above) {
            Some(query) => (plan.with_query(&query), Some(query)),
            None => (plan, None),
        },
        (_, own) => (plan, own),
    };
    let query = own.or_else(|| statement::explained(above));
    ReadPlan {
        plan,
        format,
        query,
        warnings: Vec::new(),
        of: None,
    }
}

/// The format of the plan that begins at this line; none when no plan begins here.
fn format_beginning(text: &str, line: &SourceLine<'_>) -> Option<SourceFormat> {
    let trimmed = line.text.trim_start();
    let start = line.offset + line.text.len() - trimmed.len();
    match trimmed.as_bytes().first()? {
        b'[' | b'{' if begins_json(text, start) => Some(SourceFormat::Json),
        b'<' if begins_xml(trimmed) => Some(SourceFormat::Xml),
        _ => {
            let next = || lines_from(text, line.next).next();
            if yaml::begins(line, next) {
                return Some(SourceFormat::Yaml);
            }
            text::begins(line, next).then_some(SourceFormat::Text)
        }
    }
}

/// In prose a bracket is followed by words. At the beginning of a file a bracket is JSON, whatever
/// follows.
fn begins_json(text: &str, start: usize) -> bool {
    let behind = text.get(start + 1..).unwrap_or_default().trim_start();
    let is_first = text
        .get(..start)
        .is_some_and(|above| above.trim().is_empty());
    is_first || behind.starts_with(['{', '[', '"', '}', ']'])
}

fn begins_xml(trimmed: &str) -> bool {
    let document_type = trimmed
        .get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case("<!DOCTYPE"));
    let is_html = document_type && trimmed.to_ascii_lowercase().contains("html");
    ["<explain", "<?xml", "<!ENTITY"]
        .iter()
        .any(|start| trimmed.starts_with(start))
        || (document_type && !is_html)
}

#[cfg(test)]
mod tests;
