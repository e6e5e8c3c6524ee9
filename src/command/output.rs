//! Where a command's result goes.

use super::{CommandError, Outcome};
use crate::cli::Cli;
use crate::terminal;

/// Writes `text` to the file that `--output` names, or to standard output.
pub(super) fn write(cli: &Cli, text: &str) -> Result<Outcome, CommandError> {
    terminal::write_report(&cli.output, text)
        .map_err(|error| CommandError::Other(error.to_string()))?;
    Ok(Outcome::Done)
}
