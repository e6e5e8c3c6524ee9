//! Where defaults for options come from: `pgrehearse.toml` of the user and beside the workload, and
//! variables of the environment.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory};

use super::{CommandError, Outcome, write};
use crate::cli::config::{ConfigFile, Configured, Trust, defaults, of_environment};
use crate::cli::{Cli, arguments_of_psql};

/// The file's name.
const NAME: &str = "pgrehearse.toml";

/// The variable that keeps files from being read, whatever its value.
pub(super) const NO_CONFIG: &str = "PGREHEARSE_NO_CONFIG";

/// Options that say where statements come from: those of a file give way to any of them.
const SOURCES: &[&str] = &["file", "command", "pg-stat-statements", "log", "snapshot"];

/// Options that are only about ranked sources.
const OF_RANKED: &[&str] = &["top", "log-database", "log-user"];

/// The command line with the defaults of files; ends the program with a usage error when it is not
/// valid.
pub(super) fn read() -> Cli {
    let arguments = arguments_of_psql(std::env::args_os());
    let with_defaults = Cli::command()
        .try_get_matches_from(&arguments)
        .map(|matches| configured(&arguments, &matches));
    let arguments = match with_defaults {
        Ok(Ok(arguments)) => arguments,
        Ok(Err(message)) => Cli::command()
            .error(clap::error::ErrorKind::ValueValidation, message)
            .exit(),
        Err(error) => error.exit(),
    };
    Cli::from_arguments(arguments).unwrap_or_else(|error| error.exit())
}

/// The arguments with the defaults for what they do not say.
fn configured(arguments: &[OsString], matches: &ArgMatches) -> Result<Vec<OsString>, String> {
    let (command, of_command) = match matches.subcommand() {
        Some((name, of_command)) => (Some(name), of_command),
        None => (None, matches),
    };
    let files = files(of_command)?;
    let program = Cli::command();
    let defined = command.and_then(|name| program.find_subcommand(name));
    let given = |option: &str| {
        defined.is_some_and(|defined| is_given(option, defined, of_command))
            || is_given(option, &program, matches)
    };
    let defaults = chosen(&files, command, &given)?;
    let mut arguments = arguments.to_vec();
    let end = arguments.iter().position(|argument| argument == "--");
    let end = end.unwrap_or(arguments.len());
    arguments.splice(end..end, defaults.into_iter().map(|one| one.argument));
    Ok(arguments)
}

/// Of the defaults of all files and of the environment those that apply: the environment decides before
/// the file nearest to the workload.
fn chosen(
    files: &[ConfigFile],
    command: Option<&str>,
    given: &dyn Fn(&str) -> bool,
) -> Result<Vec<Configured>, String> {
    let mut program = Cli::command();
    program.build();
    let mut all: Vec<Configured> = Vec::new();
    for file in files {
        let of_file = defaults(file, command, &program)?;
        all.retain(|known| !of_file.iter().any(|other| other.option == known.option));
        all.extend(of_file);
    }
    let defined = match command {
        Some(name) => program.find_subcommand(name),
        None => Some(&program),
    };
    let variables = match defined {
        Some(defined) => of_environment(|name| std::env::var_os(name), defined)?,
        None => Vec::new(),
    };
    all.retain(|known| !variables.iter().any(|other| other.option == known.option));
    all.extend(variables);
    all.retain(|one| !given(&one.option));
    if SOURCES.iter().any(|source| given(source)) {
        all.retain(|one| !SOURCES.contains(&one.option.as_str()));
    }
    let has = |option: &str| given(option) || all.iter().any(|one| one.option == option);
    if !has("pg-stat-statements") && !has("log") {
        all.retain(|one| !OF_RANKED.contains(&one.option.as_str()));
    }
    Ok(all)
}

/// Is the option on the command line?
fn is_given(option: &str, defined: &clap::Command, matches: &ArgMatches) -> bool {
    let mut options = defined.get_arguments();
    let found = options.find(|found| found.get_long() == Some(option));
    found.is_some_and(|found| {
        let id = found.get_id().as_str();
        matches.try_contains_id(id).is_ok()
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    })
}

/// The files that there are, the user's first.
fn files(matches: &ArgMatches) -> Result<Vec<ConfigFile>, String> {
    if std::env::var_os(NO_CONFIG).is_some() {
        return Ok(Vec::new());
    }
    let mut places: Vec<(PathBuf, Trust)> = Vec::new();
    places.extend(of_user().map(|path| (path, Trust::User)));
    places.push((PathBuf::from(NAME), Trust::Workload));
    let workload = matches
        .try_get_one::<PathBuf>("file")
        .ok()
        .flatten()
        .and_then(|file| file.parent())
        .filter(|directory| !directory.as_os_str().is_empty());
    places.extend(workload.map(|directory| (directory.join(NAME), Trust::Workload)));
    let mut files: Vec<ConfigFile> = Vec::new();
    for (path, trust) in places {
        match std::fs::read_to_string(&path) {
            Ok(text) => files.push(ConfigFile { path, text, trust }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
    }
    Ok(files)
}

/// `$XDG_CONFIG_HOME/pgrehearse/pgrehearse.toml`, or below `~/.config`
/// (<https://specifications.freedesktop.org/basedir-spec/latest/>): relative paths are ignored.
fn of_user() -> Option<PathBuf> {
    let directory = |variable: &str| {
        let value = std::env::var_os(variable)?;
        let path = PathBuf::from(value);
        path.is_absolute().then_some(path)
    };
    let base = directory("XDG_CONFIG_HOME").or_else(|| Some(directory("HOME")?.join(".config")))?;
    Some(base.join("pgrehearse").join(NAME))
}

/// Prints the options of a command, with where each value comes from.
pub(super) fn show(cli: &Cli, command: &str) -> Result<Outcome, CommandError> {
    let program = Cli::command();
    let Some(found) = program.find_subcommand(command) else {
        let message = format!("there is no command {command:?}");
        return Err(CommandError::Usage(message));
    };
    let files = files(&ArgMatches::default()).map_err(CommandError::Usage)?;
    let defaults = chosen(&files, Some(command), &|_| false).map_err(CommandError::Usage)?;
    let mut text = String::new();
    for file in &files {
        let _ = writeln!(text, "# read: {}", file.path.display());
    }
    let _ = writeln!(text, "\n[{command}]");
    for option in found.get_arguments() {
        let Some(name) = option.get_long().filter(|_| !option.is_hide_set()) else {
            continue;
        };
        let set: Vec<&Configured> = defaults.iter().filter(|one| one.option == name).collect();
        let values = option.get_default_values().iter();
        let values: Vec<String> = values
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        let line = match (set.as_slice(), values.as_slice()) {
            ([], []) => format!("# {name} is not set"),
            ([], values) => format!("{name} = {:?}  # default", values.join(",")),
            ([first, ..], _) => format!("{} # {}", assigned(name, &set), first.origin),
        };
        let _ = writeln!(text, "{line}");
    }
    write(cli, &text)
}

/// `budget = "500MB"`, `all-tables = true`, `scale = ["10", "orders=2"]`.
fn assigned(name: &str, set: &[&Configured]) -> String {
    let values: Vec<String> = set
        .iter()
        .filter_map(|one| {
            let argument = one.argument.to_string_lossy().into_owned();
            let (_, value) = argument.split_once('=')?;
            Some(format!("{value:?}"))
        })
        .collect();
    match values.as_slice() {
        [] => format!("{name} = true "),
        [one] => format!("{name} = {one} "),
        more => format!("{name} = [{}] ", more.join(", ")),
    }
}
