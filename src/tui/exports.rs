//! What is copied and written: which text belongs to a screen, and where files go.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use super::keymap::Screen;
use super::model::Model;
use super::prompt::Export;
use super::session_data::SessionData;
use super::session_data::plan_text;
use crate::model::printable::printable_sql;

/// What `y` copies and `w` writes where one is.
pub fn of_screen(model: &Model) -> Export {
    if model.pager().is_some() {
        return Export::Pager;
    }
    match model.navigation.screen {
        Screen::Workload => Export::Statement,
        Screen::Plan => Export::Plan,
        Screen::Compare => Export::Plans,
        Screen::Indexes => Export::Ddl,
        Screen::Report => Export::Report,
    }
}

/// The text to copy or to write.
///
/// # Errors
/// When there is none, in a sentence.
pub fn text(
    model: &Model,
    session_data: &SessionData,
    export: Export,
    path: &str,
) -> Result<String, String> {
    match export {
        Export::Ddl => model
            .indexes
            .ddl(session_data, &model.selection)
            .ok_or_else(|| "No index is on".to_owned()),
        Export::Statement => statement(model, session_data),
        Export::Plan => match &model.plan.view {
            Some(view) => Ok(plan_text(&view.plan)),
            None => Err("There is no plan".to_owned()),
        },
        Export::Plans => match (&model.compare.before, &model.compare.after) {
            (Some(before), Some(after)) => Ok(format!(
                "Before:\n{}\nAfter:\n{}",
                plan_text(&before.plan),
                plan_text(&after.plan)
            )),
            _ => Err("There are no plans to compare".to_owned()),
        },
        Export::Pager => match model.pager() {
            Some(pager) => Ok(pager.text.to_string()),
            None => Err("There is no text".to_owned()),
        },
        Export::Report => session_data.report_file(model.selection.indexes(), path),
        Export::Recording => session_data.recording_file(),
    }
}

fn statement(model: &Model, session_data: &SessionData) -> Result<String, String> {
    let shown = match model.navigation.screen {
        Screen::Plan => model.plan.statement,
        Screen::Compare => model.compare.statement,
        Screen::Workload | Screen::Indexes | Screen::Report => model.workload.selected(),
    };
    let statement = shown.and_then(|shown| session_data.statements.get(shown));
    match statement {
        Some(statement) if !statement.source.sql.trim().is_empty() => {
            let sql = statement.source.sql.trim().trim_end_matches(';');
            Ok(format!("{};\n", exported_sql(sql)))
        }
        _ => Err("The text of this statement is not known".to_owned()),
    }
}

/// SQL as it is; where it has characters that a terminal obeys or hides, these are written in SQL's
/// escapes, and then it is in one line.
fn exported_sql(sql: &str) -> Cow<'_, str> {
    let without_layout: String = sql
        .chars()
        .filter(|character| !matches!(character, '\n' | '\r' | '\t'))
        .collect();
    match printable_sql(&without_layout) {
        Cow::Borrowed(_) => Cow::Borrowed(sql),
        Cow::Owned(_) => Cow::Owned(printable_sql(sql).into_owned()),
    }
}

/// Writes a text to a new file; no file is overwritten. Only its owner may read it, because plans
/// and predicates of indexes hold data.
///
/// # Errors
/// When the file cannot be written, in a sentence.
pub fn write_file(path: &str, text: &str) -> Result<String, String> {
    let mut private = OpenOptions::new();
    private.write(true).create_new(true).mode(0o600);
    let written = private
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => Ok(format!("Written to {path}")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(format!(
            "{path} exists already and is not overwritten; w asks for another name"
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("{path}: there is no such directory"))
        }
        Err(error) => {
            let why = error.to_string();
            let why = why.split(" (os error").next().unwrap_or(&why);
            Err(format!("{path}: {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_exported_as_it_is_unless_it_hides_something() {
        let plain = "SELECT *\n\tFROM t\nWHERE a = 'x'";
        assert_eq!(exported_sql(plain), plain);
        let hidden = exported_sql("SELECT '\u{202e}x\u{1b}[2J'\nFROM t").into_owned();
        assert!(!hidden.contains(['\u{202e}', '\u{1b}', '\n']), "{hidden}");
        assert!(hidden.contains("U&'"), "{hidden}");
    }
}
