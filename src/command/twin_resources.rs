//! What an assistant can read of a twin file: its workload, its tables and what the file is. Statistics
//! are not among it.

use std::fmt::Write as _;

use serde_json::json;

use crate::mcp::Resource;
use crate::twin::file::TwinFile;

const WORKLOAD: &str = "workload";
const TABLES: &str = "tables";
const FILE: &str = "file";

/// The resources that every twin file has.
pub(super) fn list() -> Vec<Resource> {
    let resource = |name: &str, media_type, description: &str| Resource {
        name: name.to_owned(),
        description: description.to_owned(),
        media_type,
    };
    vec![
        resource(
            WORKLOAD,
            "application/sql",
            "The statements of the twin file, each with its name and how often it is called",
        ),
        resource(
            TABLES,
            "text/plain",
            "The tables of the twin file: rows, columns and existing indexes",
        ),
        resource(
            FILE,
            "application/json",
            "The version of its server, how many statements it has, and what was redacted",
        ),
    ]
}

/// The text of one of them.
pub(super) fn text_of(file: &TwinFile, name: &str) -> Option<String> {
    match name {
        WORKLOAD => Some(workload(file)),
        TABLES => Some(tables(file)),
        FILE => Some(about(file)),
        _ => None,
    }
}

/// As a workload file: advise takes it as it is.
fn workload(file: &TwinFile) -> String {
    let mut text = String::new();
    for statement in file.workload.statements() {
        let sql = statement.sql.trim().trim_end_matches(';');
        let _ = writeln!(
            text,
            "-- name: {}\n-- calls: {}\n{sql};\n",
            statement.id, statement.calls
        );
    }
    text
}

fn tables(file: &TwinFile) -> String {
    let mut text = String::new();
    for table in &file.catalog.tables {
        let rows = table
            .rows
            .map_or_else(|| "rows unknown".to_owned(), |rows| format!("{rows} rows"));
        let _ = writeln!(text, "{}: {rows}, {} pages", table.name, table.pages);
        for column in &table.columns {
            let _ = writeln!(text, "  {} {}", column.name, column.type_name);
        }
        for index in &table.indexes {
            let _ = writeln!(text, "  {}; -- {}", index.ddl, index.size);
        }
    }
    text
}

fn about(file: &TwinFile) -> String {
    let about = json!({
        "written_by": file.written_by,
        "format": file.format,
        "statements": file.workload.statements().len(),
        "tables": file.catalog.tables.len(),
        "redacted": file.redacted,
    });
    format!("{about:#}\n")
}
