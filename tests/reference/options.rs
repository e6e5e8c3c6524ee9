//! The page of all options.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};
use pgrehearse::internals::cli::Cli;

use crate::escaped;

const BEGINNING: &str = "# Every option

This page is written from the definition of the command line; `pgrehearse advise --help` and `pgrehearse man advise` say the same. Each option can
also stand in a [file](configuration.md) or in the environment (`PGREHEARSE_BUDGET` for `--budget`). A time is a number with a unit (`500ms`, `2s`,
`10min`), and so is a size (`8MB`, `2GB`).
";

/// The page.
pub fn page() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = BEGINNING.to_owned();
    let general: Vec<&Arg> = program
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .collect();
    page += "\n## For every command\n";
    write_groups(&mut page, &general);
    let hidden = ["help"];
    for command in program.get_subcommands() {
        if !hidden.contains(&command.get_name()) {
            write_command(&mut page, command);
        }
    }
    page += "\n## The interactive session\n\n`pgrehearse` without a command takes the options of `advise` for the workload, safety, rehearsal and limits, \
             `--record` and `--yes`.\n";
    page
}

fn write_command(page: &mut String, command: &Command) {
    let _ = writeln!(page, "\n## pgrehearse {}\n", command.get_name());
    let about = command.get_about().unwrap_or_default().to_string();
    let _ = writeln!(page, "{}.", escaped(&about).trim_end_matches('.'));
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_global_set() && argument.get_id() != "help")
        .collect();
    write_groups(page, &own);
}

/// The options under their headings, in the order of `--help`.
fn write_groups(page: &mut String, arguments: &[&Arg]) {
    let shown = || arguments.iter().filter(|argument| !argument.is_hide_set());
    let mut headings: Vec<Option<&str>> = Vec::new();
    for argument in shown() {
        if !headings.contains(&argument.get_help_heading()) {
            headings.push(argument.get_help_heading());
        }
    }
    headings.sort_by_key(Option::is_some);
    for heading in headings {
        if let Some(heading) = heading {
            let _ = write!(page, "\n### {heading}\n");
        }
        page.push_str("\n| option | |\n|---|---|\n");
        for argument in shown().filter(|argument| argument.get_help_heading() == heading) {
            let _ = writeln!(page, "| {} | {} |", name(argument), meaning(argument));
        }
    }
}

fn name(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = [short, long].into_iter().flatten().collect();
    let takes_value = argument.get_action().takes_values();
    let values = argument.get_value_names().unwrap_or_default();
    let values: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
    let values = values.join(" ");
    let written = match (names.is_empty(), takes_value) {
        (true, _) => values,
        (false, true) => format!("{} {values}", names.join(", ")),
        (false, false) => names.join(", "),
    };
    format!("`{}`", written.replace('|', "\\|"))
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_help().unwrap_or_default().to_string();
    let mut text = escaped(&help);
    let is_switch = !argument.get_action().takes_values();
    let possible: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| !is_switch)
        .map(|value| {
            let help = value.get_help().map(|help| escaped(&help.to_string()));
            match help {
                Some(help) => format!("`{}`: {help}", value.get_name()),
                None => format!("`{}`", value.get_name()),
            }
        })
        .collect();
    if !possible.is_empty() {
        let _ = write!(text, "<br>{}", possible.join("<br>"));
    }
    let defaults = argument.get_default_values();
    let defaults: Vec<_> = defaults
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if !is_switch && !defaults.is_empty() {
        let _ = write!(text, " [default: {}]", defaults.join(" "));
    }
    text
}
