//! The `pgrehearse` program: reads what was typed and runs it.

use std::process::ExitCode;

fn main() -> ExitCode {
    pgrehearse::command::run(&pgrehearse::cli::Cli::read())
}
