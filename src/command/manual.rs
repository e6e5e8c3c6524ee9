//! `pgrehearse man`: manual pages of the program and of its commands, from the definition of the
//! command line.

use std::path::Path;

use clap::CommandFactory;

use super::{CommandError, Outcome, write};
use crate::cli::Cli;

/// Prints the page of a command, or writes all pages to a directory.
pub(super) fn run(
    cli: &Cli,
    command: Option<&str>,
    directory: Option<&Path>,
) -> Result<Outcome, CommandError> {
    // What `help` takes needs no pages.
    let mut program = Cli::command().disable_help_subcommand(directory.is_some());
    program.build();
    if let Some(directory) = directory {
        let failed = |error| CommandError::unreadable(directory, &error);
        clap_mangen::generate_to(program, directory).map_err(failed)?;
        return Ok(Outcome::Done);
    }
    let documented = match command {
        None => program,
        Some(name) => {
            let names: Vec<&str> = program
                .get_subcommands()
                .map(clap::Command::get_name)
                .collect();
            let names = names.join(", ");
            let found = program.find_subcommand(name).cloned();
            found.ok_or_else(|| {
                CommandError::Usage(format!("there is no command {name:?}, only {names}"))
            })?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(documented)
        .render(&mut page)
        .map_err(|error| CommandError::Other(error.to_string()))?;
    write(cli, &String::from_utf8_lossy(&page))
}
