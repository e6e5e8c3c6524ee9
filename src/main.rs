//! The `pgrehearse` program: parses the command line and runs the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    pgrehearse::command::run(&pgrehearse::cli::Cli::read())
}
