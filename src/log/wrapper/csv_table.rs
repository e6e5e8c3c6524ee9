//! A table that a console of a cloud exported as CSV, with the server's text in one column
//! (`@timestamp,@message`). csvlog, which is the server's own, is not changed.

use super::message::{is_bare_event, push_entries};
use super::{Lines, begins_entry, is_servers_own};

/// Rows that are searched for the column.
const ROWS_TO_TELL: usize = 1000;

pub(super) fn unwrap(text: &str) -> Option<Lines> {
    let header = text.lines().next()?;
    let may_be = header.contains([',', ';', '\t']) && !header.contains(":  ");
    if !may_be || !text.contains('"') || is_servers_own(text) {
        return None;
    }
    let delimiter = *[b',', b';', b'\t']
        .iter()
        .max_by_key(|delimiter| header.bytes().filter(|byte| byte == *delimiter).count())?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map_while(Result::ok).collect();
    let column_of = |is_it: fn(&str) -> bool| {
        rows.iter()
            .take(ROWS_TO_TELL)
            .find_map(|row| row.iter().position(is_it))
    };
    // A text with commas is no table: the message is one quoted field of several lines.
    let is_message = |value: &str| value.contains('\n') && begins_entry(value);
    let (column, has_label) = match column_of(is_message) {
        Some(column) => (column, true),
        None => (column_of(is_bare_event)?, false),
    };
    let mut lines = Lines::default();
    for row in &rows {
        let line = row.position().map_or(1, |position| position.line());
        let number = usize::try_from(line).unwrap_or(usize::MAX);
        match row.get(column) {
            Some(value) if has_label => push_entries(&mut lines, value, number),
            Some(value) => push_entries(&mut lines, &format!("LOG:  {value}"), number),
            None => {}
        }
    }
    Some(lines)
}
