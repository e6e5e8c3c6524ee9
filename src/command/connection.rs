//! From what was typed to a session.

use super::CommandError;
use crate::cli::Cli;
use crate::db::conninfo::{Environment, OsFiles, Settings, Typed, resolve};
use crate::db::{Interrupt, Safety, Session, SessionOptions, connect};
use crate::terminal;

/// Listens for Ctrl-C from now on.
pub(super) fn interrupt() -> Result<Interrupt, CommandError> {
    Interrupt::listen()
        .map_err(|error| CommandError::File(format!("could not listen for signals: {error}")))
}

/// Connects with the options and the environment.
pub(super) fn session(
    cli: &Cli,
    safety: Safety,
    interrupt: &Interrupt,
) -> Result<Session, CommandError> {
    session_with(
        cli,
        &cli.connection.typed(),
        &Environment::from_process(),
        safety,
        interrupt,
    )
}

/// Connects with a connection string of our own; the environment is left out of it.
pub(super) fn session_to(
    cli: &Cli,
    conninfo: String,
    safety: Safety,
    interrupt: &Interrupt,
) -> Result<Session, CommandError> {
    let typed = Typed {
        dbname: Some(conninfo),
        ..Typed::default()
    };
    let no_variables: [(&str, &str); 0] = [];
    session_with(
        cli,
        &typed,
        &Environment::new(no_variables, None),
        safety,
        interrupt,
    )
}

/// The options and the environment, resolved; what is doubtful about them is said.
pub(super) fn settings(cli: &Cli) -> Result<Settings, CommandError> {
    resolved(&cli.connection.typed(), &Environment::from_process())
}

/// A connection string of our own, resolved.
pub(super) fn settings_of(conninfo: String) -> Result<Settings, CommandError> {
    let typed = Typed {
        dbname: Some(conninfo),
        ..Typed::default()
    };
    let no_variables: [(&str, &str); 0] = [];
    resolved(&typed, &Environment::new(no_variables, None))
}

fn resolved(typed: &Typed, environment: &Environment) -> Result<Settings, CommandError> {
    let settings = resolve(typed, environment, &OsFiles)?;
    for warning in &settings.warnings {
        terminal::say(&format!("warning: {warning}"));
    }
    Ok(settings)
}

fn session_with(
    cli: &Cli,
    typed: &Typed,
    environment: &Environment,
    safety: Safety,
    interrupt: &Interrupt,
) -> Result<Session, CommandError> {
    let settings = resolved(typed, environment)?;
    let trace = cli.output.verbose.then_some(terminal::trace as fn(&str));
    let options = SessionOptions {
        safety,
        interrupt: interrupt.clone(),
        trace,
    };
    Ok(Session::connect(
        &settings,
        &connect::prompt_on_terminal,
        options,
    )?)
}
