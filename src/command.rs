//! The commands: each reads its options, calls the other rooms, writes a report, and returns an
//! exit status.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::planner::Rollback;
use crate::terminal;

mod advise;
mod advising;
mod check;
mod connection;
mod consent;
mod demo;
mod error;
mod explain;
mod foreign_servers;
mod interactive;
mod log_files;
mod migration_files;
mod output;
mod phase_clock;
mod planners;
mod review;
mod snapshot;
mod standbys;
mod stoppable;
mod time_limit;
mod twin_error;
mod what_if;
mod workload;

pub use error::{CommandError, Outcome};
use output::write;

/// Runs the command.
pub fn run(cli: &Cli) -> ExitCode {
    let outcome = match &cli.command {
        Some(Command::Advise(arguments)) => advise::run(cli, arguments),
        Some(Command::Check(arguments)) => check::run(cli, arguments),
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
        Ok(Outcome::Regressed) => ExitCode::from(4),
        Ok(Outcome::Interrupted) => {
            let end = CommandError::Interrupted(Rollback::Confirmed);
            terminal::print_message(&end.to_string());
            ExitCode::from(end.exit_status())
        }
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

#[cfg(test)]
mod tests;
