//! Sessions from the connection options and the environment.

use super::CommandError;
use crate::cli::Cli;
use crate::db::conninfo::{Environment, OsFiles, Settings, Typed, resolve};
use crate::db::{Interrupt, Safety, Session, SessionOptions, connect};
use crate::terminal;

/// Listens for Ctrl-C from now on. A program that cannot end in time says what is known.
pub(super) fn interrupt() -> Result<Interrupt, CommandError> {
    let last_words =
        |rollback| terminal::print_message(&CommandError::Interrupted(rollback).to_string());
    Interrupt::listen(last_words)
        .map_err(|error| CommandError::Other(format!("could not listen for signals: {error}")))
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

/// Connects with this connection string, without the environment.
pub(super) fn session_to(
    cli: &Cli,
    conninfo: String,
    safety: Safety,
    interrupt: &Interrupt,
) -> Result<Session, CommandError> {
    let no_variables: [(&str, &str); 0] = [];
    session_with(
        cli,
        &typed(conninfo),
        &Environment::new(no_variables, None),
        safety,
        interrupt,
    )
}

/// Connects with this connection string, and the environment for what it does not say.
pub(super) fn session_as(
    cli: &Cli,
    conninfo: String,
    safety: Safety,
    interrupt: &Interrupt,
) -> Result<Session, CommandError> {
    session_with(
        cli,
        &typed(conninfo),
        &Environment::from_process(),
        safety,
        interrupt,
    )
}

/// Connects with this connection string alone: without the environment, and without asking for a
/// password, which would go to whoever is there.
pub(super) fn session_unattended(
    cli: &Cli,
    conninfo: String,
    safety: Safety,
    interrupt: &Interrupt,
) -> Result<Session, CommandError> {
    let settings = settings_of(conninfo)?;
    let no_password = |_: &str| Err(std::io::Error::other("the user mapping has no password"));
    let options = session_options(cli, safety, interrupt);
    Ok(Session::connect(&settings, &no_password, options)?)
}

/// The connection settings from the options and the environment; prints warnings about them.
pub(super) fn settings(cli: &Cli) -> Result<Settings, CommandError> {
    resolve_with_warnings(&cli.connection.typed(), &Environment::from_process())
}

/// The connection settings of this connection string.
pub(super) fn settings_of(conninfo: String) -> Result<Settings, CommandError> {
    let no_variables: [(&str, &str); 0] = [];
    resolve_with_warnings(&typed(conninfo), &Environment::new(no_variables, None))
}

/// A connection string alone.
fn typed(conninfo: String) -> Typed {
    Typed {
        dbname: Some(conninfo),
        ..Typed::default()
    }
}

fn resolve_with_warnings(
    typed: &Typed,
    environment: &Environment,
) -> Result<Settings, CommandError> {
    let settings = resolve(typed, environment, &OsFiles)?;
    for warning in &settings.warnings {
        terminal::print_message(&format!("warning: {warning}"));
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
    let settings = resolve_with_warnings(typed, environment)?;
    Ok(Session::connect(
        &settings,
        &connect::prompt_on_terminal,
        session_options(cli, safety, interrupt),
    )?)
}

fn session_options(cli: &Cli, safety: Safety, interrupt: &Interrupt) -> SessionOptions {
    SessionOptions {
        safety,
        interrupt: interrupt.clone(),
        trace: cli
            .output
            .echo_queries
            .then_some(terminal::trace as fn(&str)),
    }
}
