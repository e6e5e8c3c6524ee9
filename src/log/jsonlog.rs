//! jsonlog, from 15 on: one object a line
//! (<https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-JSONLOG>).

use serde::Deserialize;

use super::entry::LogEntry;
use super::lines::lines;
use super::translations;

/// The keys read here; the server leaves out what is empty.
#[derive(Deserialize)]
struct JsonEntry {
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
    user: Option<String>,
}

fn json_entry(line: &str) -> Option<JsonEntry> {
    // Excludes most lines of other files without parsing them.
    let may_be = line.starts_with('{') && line.contains("\"error_severity\"");
    may_be.then(|| serde_json::from_str(line).ok()).flatten()
}

pub(super) fn is_entry(line: &str) -> bool {
    json_entry(line).is_some()
}

pub(super) fn entries(text: &str) -> impl Iterator<Item = LogEntry> + '_ {
    lines(text).filter_map(|line| {
        let json_entry = json_entry(line.text)?;
        let mut entry = LogEntry::new(
            line.number,
            translations::severity(&json_entry.error_severity)?,
        );
        entry.time = Some(json_entry.timestamp);
        entry.process_id = json_entry.pid;
        entry.message = json_entry.message.trim_end().to_owned();
        entry.detail = json_entry.detail;
        entry.context = json_entry.context;
        entry.statement = json_entry.statement;
        entry.application = json_entry.application_name;
        entry.database = json_entry.dbname;
        entry.user = json_entry.user;
        Some(entry)
    })
}
