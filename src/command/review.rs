//! `pgrehearse review`: saved plans and recorded sessions, without a server.

use std::path::{Path, PathBuf};

use super::workload::read_file;
use super::{CommandError, Outcome, advise, interactive, write};
use crate::advise::advise as run_pipeline;
use crate::cli::{Cli, Format, ReviewArgs};
use crate::plan::{Plan, json};
use crate::rehearsal::PlanOutcome;
use crate::rehearsal::recording::{FORMAT, Recording, Replay};
use crate::report::json::Measured;
use crate::report::review::{Reviewed, write_json, write_markdown, write_text};
use crate::terminal;

pub(super) fn run(cli: &Cli, arguments: &ReviewArgs) -> Result<Outcome, CommandError> {
    let files = files(&arguments.paths)?;
    if let [only] = files.as_slice()
        && let Ok(text) = read_file(only)
        && let Some(recording) = recording(&text)
    {
        return replay(cli, only, &recording);
    }
    let reviewed: Vec<Reviewed> = files.iter().map(|path| review(path)).collect();
    if interactive::is_wanted(cli) {
        return interactive::on_plans(cli, &subject(&arguments.paths), reviewed);
    }
    write_reviewed(cli, &reviewed)
}

/// Writes plans in the format that was asked for; fails when a file could not be read.
pub(super) fn write_reviewed(cli: &Cli, reviewed: &[Reviewed]) -> Result<Outcome, CommandError> {
    let width = terminal::report_width(&cli.output);
    let report = match cli.output.format {
        Format::Text => write_text(reviewed, width),
        Format::Markdown => write_markdown(reviewed, width),
        Format::Json => write_json(reviewed).map_err(|error| CommandError::File(error.to_string()))?,
    };
    write(cli, &report)?;
    let failed: Vec<&Reviewed> = reviewed.iter().filter(|file| file.plans.is_err()).collect();
    for Reviewed { file, plans } in &failed {
        terminal::say(&format!("{file}: {}", plans.as_ref().err().map_or("", String::as_str)));
    }
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// The files named, and the `.json` files below the directories named, in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            add_directory(path, &mut files)?;
            if files.len() == before {
                return Err(CommandError::File(format!("{}: there is no .json file in it", path.display())));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn add_directory(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    let named = |error: std::io::Error| CommandError::File(format!("{}: {error}", directory.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(directory).map_err(named)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(named)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        // Links to directories are not followed: they may lead round in circles.
        if path.is_dir() && !path.is_symlink() {
            add_directory(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

fn review(path: &Path) -> Reviewed {
    let plans =
        read_file(path).map_err(|error| without_name(&error.to_string(), path)).and_then(|text| {
            match recording(&text) {
                Some(recording) => Ok(plans_as_they_were(&recording)),
                None => json::read(&text).map_err(|error| error.to_string()),
            }
        });
    Reviewed { file: path.display().to_string(), plans }
}

fn without_name(message: &str, path: &Path) -> String {
    message.strip_prefix(&format!("{}: ", path.display())).unwrap_or(message).to_owned()
}

fn recording(text: &str) -> Option<Recording> {
    if !text.contains(FORMAT) {
        return None;
    }
    serde_json::from_str::<Recording>(text).ok().filter(|recording| recording.format == FORMAT)
}

/// Among other files a recording stands for the plans it began with.
fn plans_as_they_were(recording: &Recording) -> Vec<Plan> {
    let mut plans = Vec::new();
    for statement in recording.workload.statements() {
        let outcome = recording.first_plan(&statement.id).and_then(PlanOutcome::plan);
        plans.extend(outcome.map(|plan| plan.clone().with_query(&statement.sql)));
    }
    plans
}

fn subject(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
}

/// The pipeline runs again on what the server answered then, and gives the same report.
fn replay(cli: &Cli, file: &Path, recording: &Recording) -> Result<Outcome, CommandError> {
    let advice = run_pipeline(&recording.workload, &recording.limits, &mut Replay::new(recording), &|_| {})?;
    if interactive::is_wanted(cli) {
        return interactive::on_recording(cli, file.display().to_string(), advice, recording);
    }
    advise::write_advice(cli, &advice, Measured::default())?;
    Ok(Outcome::Done)
}
