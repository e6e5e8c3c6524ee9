//! Reads the workload from the sources that the options name.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{CommandError, log_files};
use crate::cli::WorkloadArgs;
use crate::db::Session;
use crate::planner::Observer;
use crate::sentences;
use crate::sql::psql::Variables;
use crate::workload::log::{LogFilter, LoggedStatements};
use crate::workload::{StatementId, Workload, file};

/// Reads files, texts, logs and pg_stat_statements, in this order.
pub(super) fn read(
    arguments: &WorkloadArgs,
    session: &Session,
    observer: Observer<'_>,
) -> Result<Workload, CommandError> {
    let is_asked = !arguments.log.is_empty() && arguments.log_database.is_none();
    let database = is_asked.then(|| session.database()).transpose()?;
    let mut workload = read_texts(arguments, database.as_deref(), observer)?;
    session.resolve_search_paths(&mut workload)?;
    if arguments.pg_stat_statements {
        session.add_stat_statements(arguments.top, &mut workload)?;
    }
    if workload.statements().is_empty() {
        return Err(CommandError::Usage(without_statements(&workload)));
    }
    Ok(workload)
}

/// Says why, if a source has statements that the workload has not.
fn without_statements(workload: &Workload) -> String {
    let reasons = workload.left_out().iter().map(sentences::left_out);
    let reasons: Vec<String> = reasons.collect();
    match reasons.as_slice() {
        [] => "the workload has no statements".to_owned(),
        reasons => format!("the workload has no statements: {}", reasons.join(". ")),
    }
}

/// The workload of the options, without a server; if they name no source, that of the twin file.
pub(super) fn read_offline(
    arguments: &WorkloadArgs,
    of_file: &Workload,
    observer: Observer<'_>,
) -> Result<Workload, CommandError> {
    if arguments.is_empty() {
        return Ok(of_file.clone());
    }
    let workload = read_texts(arguments, None, observer)?;
    if workload.statements().is_empty() {
        return Err(CommandError::Usage(without_statements(&workload)));
    }
    Ok(workload)
}

/// Checks the sources before connecting to a server.
pub(super) fn check(arguments: &WorkloadArgs) -> Result<(), CommandError> {
    if arguments.is_empty() {
        return Err(CommandError::Usage(
            "no workload: give --file FILE.sql, --command SQL, --log FILE or --pg-stat-statements"
                .to_owned(),
        ));
    }
    check_files(arguments)
}

/// Checks that each of these is the name of a statement.
pub(super) fn check_names(
    names: &BTreeSet<String>,
    workload: &Workload,
) -> Result<(), CommandError> {
    let is_known = |name: &&String| workload.statement(&StatementId((*name).clone())).is_some();
    match names.iter().find(|name| !is_known(name)) {
        Some(unknown) => Err(CommandError::Usage(format!(
            "--analyze-volatile {unknown}: the workload has no statement of that name"
        ))),
        None => Ok(()),
    }
}

fn check_files(arguments: &WorkloadArgs) -> Result<(), CommandError> {
    let is_file = |path: &&PathBuf| *path != Path::new("-");
    arguments
        .file
        .iter()
        .filter(is_file)
        .try_for_each(|path| read_file(path).map(|_| ()))?;
    // Logs are large, so they are only opened.
    let opened = |path: &PathBuf| {
        fs::File::open(path)
            .map(|_| ())
            .map_err(|error| CommandError::unreadable(path, &error))
    };
    arguments.log.iter().filter(is_file).try_for_each(opened)
}

fn read_texts(
    arguments: &WorkloadArgs,
    database: Option<&str>,
    observer: Observer<'_>,
) -> Result<Workload, CommandError> {
    let mut workload = Workload::default();
    let variables: Variables = arguments.variable.iter().cloned().collect();
    for path in &arguments.file {
        let text = read_file(path)?;
        file::read_script(&source_name(path), &text, &variables, &mut workload)?;
    }
    for (number, text) in arguments.command.iter().enumerate() {
        let source = format!("command-{}", number + 1);
        file::read_script(&source, text, &variables, &mut workload)?;
    }
    read_logs(arguments, database, &mut workload, observer)?;
    Ok(workload)
}

fn read_logs(
    arguments: &WorkloadArgs,
    database: Option<&str>,
    workload: &mut Workload,
    observer: Observer<'_>,
) -> Result<(), CommandError> {
    if arguments.log.is_empty() {
        return Ok(());
    }
    let filter = LogFilter {
        database: arguments.log_database.clone(),
        preferred_database: database.map(str::to_owned),
        user: arguments.log_user.clone(),
    };
    let mut logged = LoggedStatements::default();
    for path in &arguments.log {
        log_files::add(path, &filter, &mut logged, observer)?;
    }
    let logged = logged.preferred();
    logged.note_others(workload);
    logged.add_to(workload, arguments.top);
    Ok(())
}

fn source_name(path: &Path) -> String {
    if path == Path::new("-") {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads a text file; errors name it.
pub(super) fn read_file(path: &Path) -> Result<String, CommandError> {
    text(path, read_bytes(path)?)
}

/// Decodes the bytes of a text file (UTF-8, or UTF-16 as Windows writes it); errors name it.
pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, CommandError> {
    if let Ok(decoded) = crate::plan::read::decode(&bytes)
        && !decoded.is_guessed
    {
        return Ok(decoded.text.into_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        file_error(path, &format!("line {line}: not UTF-8"))
    })
}

/// Reads a file; errors name it.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|error| CommandError::unreadable(path, &error))
}

fn file_error(path: &Path, error: &dyn std::fmt::Display) -> CommandError {
    CommandError::Other(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::workload::Usage;

    /// The workload options of `pgrehearse advise`.
    fn arguments(options: &[&str]) -> WorkloadArgs {
        let words = ["pgrehearse", "advise"];
        let cli = Cli::try_parse_from(words.iter().chain(options)).unwrap();
        match cli.command {
            Some(Command::Advise(arguments)) => arguments.run.workload,
            _ => panic!("another command"),
        }
    }

    fn names(workload: &Workload) -> Vec<&str> {
        let statements = workload.statements().iter();
        statements
            .map(|statement| statement.id.0.as_str())
            .collect()
    }

    #[test]
    fn no_workload_is_wrong_usage() {
        assert_eq!(check(&arguments(&[])).unwrap_err().exit_status(), 2);
    }

    #[test]
    fn files_come_before_texts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sql");
        fs::write(&path, "-- name: first\nSELECT 1;").unwrap();
        let path = path.to_str().unwrap();
        let found = arguments(&["-c", "SELECT 2", "-c", "SELECT 3", "-f", path]);
        check(&found).unwrap();
        let workload = read_texts(&found, None, &|_| {}).unwrap();
        assert_eq!(names(&workload), ["first", "command-1:1", "command-2:1"]);
    }

    #[test]
    fn a_twin_files_own_workload_is_used_where_none_is_given() {
        let mut kept = Workload::default();
        let usage = Usage {
            calls: 1.0,
            mean_time_ms: None,
        };
        kept.add("kept", "SELECT 1", usage, "kept.sql:1".to_owned());
        let read = |options: &[&str]| read_offline(&arguments(options), &kept, &|_| {}).unwrap();
        assert_eq!(names(&read(&[])), ["kept"]);
        assert_eq!(names(&read(&["-c", "SELECT 2"])), ["command-1:1"]);
        let nothing = read_offline(&arguments(&["-c", "BEGIN"]), &kept, &|_| {}).unwrap_err();
        assert_eq!(nothing.exit_status(), 2);
        assert!(
            nothing
                .to_string()
                .starts_with("the workload has no statements: "),
            "{nothing}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.sql");
        let missing = missing.to_str().unwrap();
        for option in ["-f", "--log"] {
            let error = check(&arguments(&[option, missing])).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(error.to_string().starts_with(missing), "{error}");
        }
        let binary = directory.path().join("binary.sql");
        fs::write(&binary, b"SELECT 1;\n\xff").unwrap();
        let error = read_file(&binary).unwrap_err().to_string();
        assert!(error.ends_with("binary.sql: line 2: not UTF-8"), "{error}");
    }
}
