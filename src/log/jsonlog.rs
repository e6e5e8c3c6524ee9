//! jsonlog, from 15 on: one object a line
//! (<https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-JSONLOG>).

use serde::Deserialize;

use super::entry::LogEntry;
use super::lines::lines;
use super::translations;

/// The keys read here; the server leaves out what is empty.
#[derive(Deserialize)]
struct Object {
    timestamp: String,
    error_severity: String,
    pid: Option<u32>,
    #[serde(default)]
    message: String,
    detail: Option<String>,
    context: Option<String>,
    statement: Option<String>,
    application_name: Option<String>,
    dbname: Option<String>,
}

fn object(line: &str) -> Option<Object> {
    // Most lines of other files are told apart before a parser is asked.
    let may_be = line.starts_with('{') && line.contains("\"error_severity\"");
    may_be.then(|| serde_json::from_str(line).ok()).flatten()
}

pub(super) fn is_entry(line: &str) -> bool {
    object(line).is_some()
}

pub(super) fn entries(text: &str) -> impl Iterator<Item = LogEntry> + '_ {
    lines(text).filter_map(|line| {
        let object = object(line.text)?;
        let mut entry = LogEntry::new(line.number, translations::severity(&object.error_severity)?);
        entry.time = Some(object.timestamp);
        entry.process_id = object.pid;
        entry.message = object.message.trim_end().to_owned();
        entry.detail = object.detail;
        entry.context = object.context;
        entry.statement = object.statement;
        entry.application = object.application_name;
        entry.database = object.dbname;
        Some(entry)
    })
}
