//! The commands: each reads its options, calls the other rooms, writes a report, and returns an exit status.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::cluster::{BinariesError, ClusterError};
use crate::db::DbError;
use crate::db::conninfo::ConninfoError;
use crate::planner::{PlannerError, Rollback};
use crate::terminal;
use crate::workload::file::FileError;
use crate::workload::log::LogError;

mod advise;
mod connection;
mod demo;
mod explain;
mod interactive;
mod planners;
mod review;
mod snapshot;
mod time_limit;
mod what_if;
mod workload;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Something failed; the report says what.
    Failed,
    /// The condition of `--fail-on` holds.
    Matched,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The options are not valid together.
    #[error("{0}")]
    Usage(String),
    /// The user asked to stop.
    #[error("interrupted; {0}")]
    Interrupted(Rollback),
    /// The connection parameters are not valid.
    #[error(transparent)]
    Conninfo(#[from] ConninfoError),
    /// The server, or the connection to it, failed.
    #[error(transparent)]
    Db(DbError),
    /// The planner failed.
    #[error(transparent)]
    Planner(PlannerError),
    /// A workload file has an annotation that is not valid.
    #[error(transparent)]
    Workload(#[from] FileError),
    /// A log has no statements for a workload.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something else failed, such as reading a file; the message names it.
    #[error("{0}")]
    Other(String),
    /// The programs for the throwaway server are missing.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// The planner twin could not be made.
    #[error("the planner twin: {0}")]
    Twin(planners::TwinError),
    /// The throwaway server could not be started.
    #[error(transparent)]
    Cluster(ClusterError),
}

impl From<DbError> for CommandError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Interrupted { rollback } => CommandError::Interrupted(rollback),
            other => CommandError::Db(other),
        }
    }
}

impl From<PlannerError> for CommandError {
    fn from(error: PlannerError) -> Self {
        match error {
            PlannerError::Interrupted { rollback } => CommandError::Interrupted(rollback),
            other => CommandError::Planner(other),
        }
    }
}

impl From<planners::TwinError> for CommandError {
    fn from(error: planners::TwinError) -> Self {
        match error {
            planners::TwinError::Db(error @ DbError::Interrupted { .. }) => error.into(),
            planners::TwinError::Cluster(error @ ClusterError::Interrupted) => error.into(),
            other => CommandError::Twin(other),
        }
    }
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Interrupted => CommandError::Interrupted(Rollback::Confirmed),
            other => CommandError::Cluster(other),
        }
    }
}

impl CommandError {
    fn exit_status(&self) -> u8 {
        match self {
            CommandError::Usage(_) => 2,
            CommandError::Interrupted(_) => 130,
            _ => 1,
        }
    }
}

/// Runs the command.
pub fn run(cli: &Cli) -> ExitCode {
    let outcome = match &cli.command {
        Some(Command::Advise(arguments)) => advise::run(cli, arguments),
        Some(Command::Explain(arguments)) => explain::run(cli, arguments),
        Some(Command::Review(arguments)) => review::run(cli, arguments),
        Some(Command::Snapshot(arguments)) => snapshot::run(cli, arguments),
        Some(Command::Demo(arguments)) => demo::run(cli, arguments),
        Some(Command::Completions { shell }) => completions(cli, *shell),
        Some(Command::Man) => manual_page(cli),
        None => interactive::run(cli, &cli.interactive),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::Matched) => ExitCode::from(3),
        Err(error) => {
            terminal::print_message(&error.to_string());
            ExitCode::from(error.exit_status())
        }
    }
}

fn completions(cli: &Cli, shell: clap_complete::Shell) -> Result<Outcome, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pgrehearse", &mut script);
    write(cli, &String::from_utf8_lossy(&script))
}

fn manual_page(cli: &Cli) -> Result<Outcome, CommandError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| CommandError::Other(error.to_string()))?;
    write(cli, &String::from_utf8_lossy(&page))
}

fn write(cli: &Cli, text: &str) -> Result<Outcome, CommandError> {
    terminal::write_report(&cli.output, text)
        .map_err(|error| CommandError::Other(error.to_string()))?;
    Ok(Outcome::Done)
}
