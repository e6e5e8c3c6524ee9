//! Collects the workload from where the options say.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::CommandError;
use crate::cli::WorkloadArgs;
use crate::db::Session;
use crate::workload::{Workload, file};

/// Reads files, texts and pg_stat_statements, in this order.
pub(super) fn read(arguments: &WorkloadArgs, session: &Session) -> Result<Workload, CommandError> {
    let mut workload = read_texts(arguments)?;
    if arguments.pg_stat_statements {
        session.add_stat_statements(arguments.top, &mut workload)?;
    }
    if workload.statements().is_empty() {
        return Err(CommandError::Usage("the workload is empty: there is no statement in it".to_owned()));
    }
    Ok(workload)
}

/// Refuses early what needs no server to be refused.
pub(super) fn check(arguments: &WorkloadArgs) -> Result<(), CommandError> {
    if arguments.is_empty() {
        return Err(CommandError::Usage(
            "no workload: give --file FILE.sql, --command SQL or --pg-stat-statements".to_owned(),
        ));
    }
    read_texts_without_stdin(arguments)
}

fn read_texts_without_stdin(arguments: &WorkloadArgs) -> Result<(), CommandError> {
    arguments.file.iter().filter(|path| *path != Path::new("-")).try_for_each(|path| read_file(path).map(|_| ()))
}

fn read_texts(arguments: &WorkloadArgs) -> Result<Workload, CommandError> {
    let mut workload = Workload::default();
    for path in &arguments.file {
        let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
        file::read(&name, &read_file(path)?, &mut workload)?;
    }
    for (number, text) in arguments.command.iter().enumerate() {
        file::read(&format!("command-{}", number + 1), text, &mut workload)?;
    }
    Ok(workload)
}

/// A file or standard input (`-`), with the file's name in every error.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let read =
        if path == Path::new("-") { std::io::stdin().read_to_end(&mut bytes).map(|_| bytes) } else { fs::read(path) };
    read.map_err(|error| CommandError::File(format!("{}: {error}", path.display())))
}

/// A text file, with the file's name in every error.
pub(super) fn read_file(path: &Path) -> Result<String, CommandError> {
    let named = |error: &dyn std::fmt::Display| CommandError::File(format!("{}: {error}", path.display()));
    String::from_utf8(read_bytes(path)?).map_err(|error| {
        let line =
            1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        named(&format!("line {line}: not UTF-8"))
    })
}
