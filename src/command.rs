//! The commands: each reads its options, calls the other rooms, writes a report, and returns an
//! exit status.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use clap_complete_nushell::Nushell;

use crate::cli::{Cli, Command, CompletionShell};
use crate::planner::Rollback;
use crate::terminal;

mod advise;
mod advising;
mod check;
mod compare;
mod config;
mod connection;
mod consent;
mod demo;
mod error;
mod explain;
mod foreign_servers;
mod interactive;
mod log_files;
mod manual;
mod mcp;
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
mod twin_resources;
mod watch;
mod watched;
mod what_if;
mod workload;

pub use error::{CommandError, Outcome};
use output::write;

/// Reads the command line, and runs the command.
pub fn run() -> ExitCode {
    let cli = &config::read();
    let outcome = match &cli.command {
        Some(Command::Advise(arguments)) => advise::run(cli, arguments),
        Some(Command::Watch(arguments)) => watch::run(cli, arguments),
        Some(Command::Check(arguments)) => check::run(cli, arguments),
        Some(Command::Explain(arguments)) => explain::run(cli, arguments),
        Some(Command::Review(arguments)) => review::run(cli, arguments),
        Some(Command::Compare(arguments)) => compare::run(cli, arguments),
        Some(Command::Snapshot(arguments)) => snapshot::run(cli, arguments),
        Some(Command::Demo(arguments)) => demo::run(cli, arguments),
        Some(Command::Completions { shell }) => completions(cli, *shell),
        Some(Command::Man { command, directory }) => {
            manual::run(cli, command.as_deref(), directory.as_deref())
        }
        Some(Command::Config { command, .. }) => config::show(cli, command),
        Some(Command::Mcp(arguments)) => mcp::run(cli, arguments),
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

fn completions(cli: &Cli, shell: CompletionShell) -> Result<Outcome, CommandError> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = "pgrehearse";
    let known = match shell {
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Elvish => Shell::Elvish,
        CompletionShell::Fish => Shell::Fish,
        CompletionShell::PowerShell => Shell::PowerShell,
        CompletionShell::Zsh => Shell::Zsh,
        CompletionShell::Nushell => {
            generate(Nushell, &mut command, name, &mut script);
            return write(cli, &String::from_utf8_lossy(&script));
        }
    };
    generate(known, &mut command, name, &mut script);
    write(cli, &String::from_utf8_lossy(&script))
}

#[cfg(test)]
mod tests;
