//! csvlog
//! (<https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG>).
//!
//! In a file that begins inside a quoted field, a CSV reader would take quoted text for unquoted.
//! So records are found by their first columns (time, user, database, process, host, session), and
//! each is then read as CSV.

use std::sync::LazyLock;

use csv::{ReaderBuilder, StringRecord};
use regex::Regex;

use super::entry::LogEntry;
use super::lines::lines;
use super::translations;

/// Columns: 22 before application_name, 23 with it (9.0), 24 with backend_type (13), 26 with
/// leader_pid and query_id (14).
const MIN_COLUMNS: usize = 22;

mod column {
    pub(super) const TIME: usize = 0;
    pub(super) const USER: usize = 1;
    pub(super) const DATABASE: usize = 2;
    pub(super) const PROCESS_ID: usize = 3;
    pub(super) const SEVERITY: usize = 11;
    pub(super) const MESSAGE: usize = 13;
    pub(super) const DETAIL: usize = 14;
    pub(super) const CONTEXT: usize = 18;
    pub(super) const STATEMENT: usize = 19;
    pub(super) const APPLICATION: usize = 22;
}

pub(super) fn begins_entry(line: &str) -> bool {
    static HEAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let quoted = r#"(?:"(?:[^"]|"")*")?"#;
        let time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,]{1,40}";
        Regex::new(&format!(
            r"^{time},{quoted},{quoted},\d*,{quoted},[0-9a-f]+\.[0-9a-f]+,\d+,"
        ))
        .ok()
    });
    line.starts_with(|first: char| first.is_ascii_digit())
        && HEAD.as_ref().is_some_and(|head| head.is_match(line))
}

pub(super) fn entries(text: &str) -> impl Iterator<Item = LogEntry> + '_ {
    let mut heads = lines(text)
        .filter(|line| begins_entry(line.text))
        .peekable();
    std::iter::from_fn(move || {
        let head = heads.next()?;
        let end = heads.peek().map_or(text.len(), |next| next.start);
        Some((head.number, &text[head.start..end]))
    })
    .filter_map(|(line, record)| entry(line, record))
}

fn entry(line: usize, record: &str) -> Option<LogEntry> {
    let record = fields(record).filter(|fields| fields.len() >= MIN_COLUMNS)?;
    let field = |column: usize| record.get(column).filter(|field| !field.is_empty());
    let owned = |column: usize| field(column).map(str::to_owned);
    let mut entry = LogEntry::new(line, translations::severity(field(column::SEVERITY)?)?);
    entry.time = owned(column::TIME);
    entry.process_id = field(column::PROCESS_ID).and_then(|id| id.parse().ok());
    entry.message = field(column::MESSAGE)
        .unwrap_or_default()
        .trim_end()
        .to_owned();
    entry.detail = owned(column::DETAIL);
    entry.context = owned(column::CONTEXT);
    entry.statement = owned(column::STATEMENT);
    entry.application = owned(column::APPLICATION);
    entry.database = owned(column::DATABASE);
    entry.user = owned(column::USER);
    Some(entry)
}

fn fields(record: &str) -> Option<StringRecord> {
    let mut builder = ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(record.len().clamp(64, 8192));
    let mut reader = builder.from_reader(record.as_bytes());
    reader.records().next()?.ok()
}
