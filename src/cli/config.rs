//! `pgrehearse.toml`: defaults for options, by their long names.
//!
//! ```toml
//! dbname = "shop"          # options that every command has
//!
//! [advise]                 # options of a command
//! pg-stat-statements = true
//! budget = "500MB"
//! ```
//!
//! A file of the user may set every option. One beside a workload comes with the workload, perhaps
//! from somebody else: it may say what to advise on and what to report, but not where to connect, which programs to
//! run, what to execute, where to write, or how long others may be blocked.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgAction;
use toml::{Table, Value};

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The user's.
    User,
    /// It is beside the workload.
    Workload,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
    /// Whose it is.
    pub trust: Trust,
}

/// A default for an option.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// The option's long name.
    pub option: String,
    /// It as an argument: `--budget=500MB`.
    pub argument: OsString,
    /// The file or the variable that has it.
    pub origin: String,
}

/// The beginning of the variables for options.
const VARIABLES: &str = "PGREHEARSE_";

/// Variables that are no defaults for options: `PGREHEARSE_PG_BIN` names a directory to search first,
/// while `--pg-bin` allows no other.
const OTHER_VARIABLES: &[&str] = &["PGREHEARSE_PG_BIN", "PGREHEARSE_NO_CONFIG"];

/// The options that a file beside a workload may set.
const OF_WORKLOADS: &[&str] = &[
    "all-tables",
    "budget",
    "color",
    "fail-on",
    "file",
    "format",
    "jobs",
    "log-database",
    "log-user",
    "max-indexes",
    "min-improvement",
    "no-sample",
    "progress",
    "quiet",
    "scale",
    "search-time",
    "set",
    "top",
    "unused-after",
    "variable",
    "verbose",
];

/// Options with paths, which are relative to the file.
const PATHS: &[&str] = &[
    "file", "log", "snapshot", "record", "output", "save", "pg-bin",
];

/// The defaults that a file has for a command; none: for the interactive session.
///
/// # Errors
/// When the file is no TOML, or has options that do not exist or that it may not set.
pub fn defaults(
    file: &ConfigFile,
    command: Option<&str>,
    program: &clap::Command,
) -> Result<Vec<Configured>, String> {
    let named = |message: String| format!("{}: {message}", file.path.display());
    let table: Table = file
        .text
        .parse()
        .map_err(|error: toml::de::Error| named(error.to_string()))?;
    let mut found = Vec::new();
    for (key, value) in &table {
        let Value::Table(section) = value else {
            let argument = option_of(program, key).filter(|option| option.is_global_set());
            let argument = argument.ok_or_else(|| {
                named(format!("{key} is no option of every command; options of one are in a section such as [advise]"))
            })?;
            found.extend(default(file, argument, value).map_err(named)?);
            continue;
        };
        let of_section = match key.as_str() {
            "interactive" => program,
            name => program
                .find_subcommand(name)
                .ok_or_else(|| named(format!("there is no command [{name}]")))?,
        };
        let is_wanted = key == command.unwrap_or("interactive");
        for (key, value) in section {
            let option = option_of(of_section, key)
                .ok_or_else(|| named(format!("there is no option --{key}")))?;
            let defaults = default(file, option, value).map_err(named)?;
            if is_wanted {
                found.extend(defaults);
            }
        }
    }
    Ok(found)
}

/// The defaults that the environment has for a command, which must be built: `PGREHEARSE_BUDGET` for
/// `--budget`. Variables for options that it does not have are those of other commands.
///
/// # Errors
/// When a variable for a switch is neither true nor false.
pub fn of_environment(
    variable: impl Fn(&str) -> Option<OsString>,
    command: &clap::Command,
) -> Result<Vec<Configured>, String> {
    let mut found = Vec::new();
    for option in command.get_arguments() {
        let Some(name) = option.get_long() else {
            continue;
        };
        let origin = format!("{VARIABLES}{}", name.to_uppercase().replace('-', "_"));
        if OTHER_VARIABLES.contains(&origin.as_str()) {
            continue;
        }
        let Some(value) = variable(&origin) else {
            continue;
        };
        let mut argument = OsString::from(format!("--{name}"));
        if option.get_action().takes_values() {
            argument.push("=");
            argument.push(value);
        } else if matches!(option.get_action(), ArgAction::SetTrue) {
            match value.to_string_lossy().to_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => {}
                "" | "0" | "false" | "no" | "off" => continue,
                _ => return Err(format!("{origin} is true or false")),
            }
        } else {
            continue;
        }
        found.push(Configured {
            option: name.to_owned(),
            argument,
            origin,
        });
    }
    Ok(found)
}

fn option_of<'c>(command: &'c clap::Command, name: &str) -> Option<&'c clap::Arg> {
    command
        .get_arguments()
        .find(|option| option.get_long() == Some(name))
}

/// An option with a value, or with several.
fn default(
    file: &ConfigFile,
    option: &clap::Arg,
    value: &Value,
) -> Result<Vec<Configured>, String> {
    let name = option.get_long().unwrap_or_default();
    if file.trust == Trust::Workload && !OF_WORKLOADS.contains(&name) {
        return Err(format!(
            "a file beside a workload may not set {name}: set it in your own pgrehearse.toml or on the command line"
        ));
    }
    let configured = |argument: String| Configured {
        option: name.to_owned(),
        argument: argument.into(),
        origin: file.path.display().to_string(),
    };
    if !option.get_action().takes_values() {
        return match value {
            Value::Boolean(true) if matches!(option.get_action(), ArgAction::SetTrue) => {
                Ok(vec![configured(format!("--{name}"))])
            }
            Value::Boolean(false) => Ok(Vec::new()),
            _ => Err(format!("{name} is true or false")),
        };
    }
    let values = match value {
        Value::Array(values) if matches!(option.get_action(), ArgAction::Append) => {
            values.as_slice()
        }
        Value::Array(_) => return Err(format!("{name} has one value")),
        one => std::slice::from_ref(one),
    };
    let texts: Result<Vec<String>, String> = values.iter().map(|value| text(name, value)).collect();
    let located = texts?.into_iter().map(|text| located(file, name, text));
    Ok(located
        .map(|text| configured(format!("--{name}={text}")))
        .collect())
}

fn text(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        _ => Err(format!("{name} is a text or a number")),
    }
}

/// A path from where the file is.
fn located(file: &ConfigFile, name: &str, text: String) -> String {
    let directory = file
        .path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    match directory {
        Some(directory) if PATHS.contains(&name) && text != "-" => {
            directory.join(text).display().to_string()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn read(text: &str, trust: Trust, command: Option<&str>) -> Result<Vec<String>, String> {
        let file = ConfigFile {
            path: PathBuf::from("dir/pgrehearse.toml"),
            text: text.to_owned(),
            trust,
        };
        let mut program = Cli::command();
        program.build();
        let found = defaults(&file, command, &program)?;
        Ok(found
            .iter()
            .map(|one| one.argument.to_string_lossy().into_owned())
            .collect())
    }

    #[test]
    fn options_of_every_command_and_of_this_one_are_arguments() {
        let text = "port = 5433\n[advise]\nall-tables = true\nyes = false\nscale = [\"10\", 'orders=2']\nbudget = \"1GB\"\n\
                    file = ['w.sql']\n[demo]\nscale = 0.5";
        assert_eq!(
            read(text, Trust::User, Some("advise")).unwrap(),
            [
                "--all-tables",
                "--budget=1GB",
                "--file=dir/w.sql",
                "--scale=10",
                "--scale=orders=2",
                "--port=5433"
            ]
        );
        assert_eq!(
            read(text, Trust::User, Some("demo")).unwrap(),
            ["--scale=0.5", "--port=5433"]
        );
    }

    #[test]
    fn variables_are_defaults_for_options() {
        let mut program = Cli::command();
        program.build();
        let advise = program.find_subcommand("advise").unwrap();
        let read = |variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                let mut found = variables.iter().filter(|(known, _)| *known == name);
                found.next().map(|(_, value)| OsString::from(value))
            };
            let found = of_environment(variable, advise)?;
            let texts = found
                .iter()
                .map(|one| one.argument.to_string_lossy().into_owned());
            Ok::<_, String>(texts.collect::<Vec<String>>())
        };
        let variables = [
            ("PGREHEARSE_BUDGET", "1GB"),
            ("PGREHEARSE_MAX_WRITE_BLOCK", "500ms"),
            ("PGREHEARSE_QUIET", "true"),
            ("PGREHEARSE_ANALYZE", "0"),
            ("PGREHEARSE_PG_BIN", "/somewhere"),
            ("PGREHEARSE_NO_CONFIG", "1"),
            ("PGREHEARSE_GROW", "2x"),
        ];
        let mut found = read(&variables).unwrap();
        found.sort();
        assert_eq!(
            found,
            ["--budget=1GB", "--max-write-block=500ms", "--quiet"]
        );
        let error = read(&[("PGREHEARSE_ANALYZE", "perhaps")]).unwrap_err();
        assert_eq!(error, "PGREHEARSE_ANALYZE is true or false");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, reason) in [
            ("[advise]\nbudgett = 1", "there is no option --budgett"),
            ("[advize]\nbudget = 1", "there is no command [advize]"),
            ("budget = 1", "budget is no option of every command"),
            ("[advise]\nbudget = [1, 2]", "budget has one value"),
            ("[advise]\nyes = 1", "yes is true or false"),
            ("[advise", "TOML parse error at line 1"),
        ] {
            let error = read(text, Trust::User, Some("advise")).unwrap_err();
            assert!(
                error.starts_with("dir/pgrehearse.toml: ") && error.contains(reason),
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_beside_a_workload_sets_nothing_that_others_could_be_hurt_by() {
        for text in [
            "host = 'elsewhere'",
            "output = '/etc/passwd'",
            "[advise]\npg-bin = '/tmp/evil'",
            "[advise]\nanalyze = true",
            "[advise]\nyes = true",
            "[advise]\nmax-write-block = '1h'",
            "[advise]\nstandby = ['host=elsewhere']",
            "[explain]\nsave = '/etc'",
        ] {
            let error = read(text, Trust::Workload, Some("advise")).unwrap_err();
            assert!(error.contains("may not set"), "{text}: {error}");
        }
        let allowed = read("[advise]\nbudget = '1GB'", Trust::Workload, Some("advise"));
        assert_eq!(allowed.unwrap(), ["--budget=1GB"]);
    }
}
