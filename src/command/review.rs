//! `pgrehearse review`: saved plans and recordings, without a server.

use std::path::{Path, PathBuf};

use super::workload::read_bytes;
use super::{CommandError, Outcome, advise, interactive, write};
use crate::advise::Advice;
use crate::advise::advise as run_pipeline;
use crate::advise::notice::Notice;
use crate::cli::{Cli, Format, ReportArgs, ReviewArgs};
use crate::log;
use crate::plan::Plan;
use crate::plan::read::{self, OfWorkload, ReadPlan, Reason};
use crate::planner::PlanOutcome;
use crate::planner::recording::{FORMAT_PREFIX, Recording, RecordingError, Replay};
use crate::report::diff::{self, Diff, NamedPlan};
use crate::report::html;
use crate::report::review::{Reviewed, write_json, write_markdown, write_text};
use crate::report::run_measurements::RunMeasurements;
use crate::terminal;
use crate::twin::file::TwinFile;
use crate::workload::Statement;

pub(super) fn run(cli: &Cli, arguments: &ReviewArgs) -> Result<Outcome, CommandError> {
    advise::check_parts(cli, &arguments.report)?;
    if arguments.diff {
        return diff(cli, &arguments.paths);
    }
    let files = files(&arguments.paths)?;
    let reviewed: Vec<Reviewed> = if let [only] = files.as_slice() {
        // Read once: it may be standard input.
        let bytes = read_bytes(only);
        if let Some(recording) = bytes.as_deref().ok().and_then(recording) {
            let failed = |error| CommandError::Other(format!("{}: {error}", only.display()));
            return replay((cli, &arguments.report), only, &recording.map_err(failed)?);
        }
        // JSON has an entry for each file, also for one that is not there.
        if let (Err(CommandError::Usage(message)), true) =
            (&bytes, cli.output.format != Format::Json)
        {
            return Err(CommandError::Usage(message.clone()));
        }
        vec![review(only, bytes)]
    } else {
        files
            .iter()
            .filter_map(|path| review_or_skip(path, &arguments.paths))
            .collect()
    };
    if interactive::is_requested(cli) {
        return interactive::on_plans(cli, &subject(&arguments.paths), reviewed);
    }
    write_reviewed(cli, &reviewed)
}

/// The file's plans; none for a file that was found in a directory and holds no plan (a README,
/// JSON of another program).
fn review_or_skip(path: &Path, named: &[PathBuf]) -> Option<Reviewed> {
    let bytes = read_bytes(path);
    let skip =
        !named.iter().any(|named| named == path) && bytes.as_deref().is_ok_and(holds_no_plans);
    (!skip).then(|| review(path, bytes))
}

fn holds_no_plans(bytes: &[u8]) -> bool {
    let no_plan = |reason: &Reason| {
        matches!(
            reason,
            Reason::NoPlan | Reason::NotExplain | Reason::Binary | Reason::Html
        )
    };
    let is_log = || log::looks_like_log(&log::unwrap(&log::decode(bytes)).text);
    let is_other = recording(bytes).is_none() && !is_log();
    is_other && read::read(bytes).is_err_and(|error| no_plan(&error.reason))
}

/// Compares the plans of two files, directories or recordings, in pairs of the same statement.
fn diff(cli: &Cli, paths: &[PathBuf]) -> Result<Outcome, CommandError> {
    let [before, after] = paths else {
        return Err(CommandError::Usage(
            "--diff needs two files or directories: the plans before and those after".to_owned(),
        ));
    };
    let (read_before, read_after) = (side(before)?, side(after)?);
    let pairs = diff::pair(&named(&read_before), &named(&read_after));
    if pairs.pairs.is_empty() {
        let message = format!(
            "{} and {} have no statement in common",
            before.display(),
            after.display()
        );
        return Err(CommandError::Other(message));
    }
    let compared = pairs.pairs.iter().map(|(a, b)| Diff::new(*a, *b));
    let diffs: Vec<Diff<'_>> = compared.collect();
    let width = terminal::report_width(&cli.output);
    let report = match cli.output.format {
        Format::Text => diff::write_text(&diffs, &pairs, width),
        Format::Markdown => diff::write_markdown(&diffs, &pairs, width),
        Format::Html => html::write_diffs(&diffs),
        Format::Sql => return Err(no_migration()),
        Format::Json => {
            for plan in pairs.only_before.iter().chain(&pairs.only_after) {
                terminal::print_message(&format!(
                    "{}: the other side has no plan of this statement",
                    plan.file
                ));
            }
            diff::write_json(&diffs, &pairs)
                .map_err(|error| CommandError::Other(error.to_string()))?
        }
    };
    write(cli, &report)
}

/// All plans of one side of a comparison, by file.
fn side(path: &Path) -> Result<Vec<(String, Vec<ReadPlan>)>, CommandError> {
    let named = [path.to_path_buf()];
    let reviewed = files(&named)?
        .into_iter()
        .filter_map(|file| review_or_skip(&file, &named));
    let plans: Result<Vec<_>, CommandError> = reviewed
        .map(|Reviewed { file, plans }| match plans {
            Ok(plans) => Ok((file, plans)),
            Err(error) => Err(CommandError::Other(format!("{file}: {error}"))),
        })
        .collect();
    let plans = plans?;
    if plans.iter().all(|(_, plans)| plans.is_empty()) {
        let message = format!("{}: there are no plans in it", path.display());
        return Err(CommandError::Other(message));
    }
    Ok(plans)
}

fn named(files: &[(String, Vec<ReadPlan>)]) -> Vec<NamedPlan<'_>> {
    let plans = files
        .iter()
        .flat_map(|(file, plans)| plans.iter().map(move |plan| (file, plan)));
    plans
        .map(|(file, read)| NamedPlan {
            file,
            query: read.query.as_deref(),
            plan: &read.plan,
        })
        .collect()
}

fn no_migration() -> CommandError {
    let message = "--format sql is for advice: plans have no indexes to create";
    CommandError::Usage(message.to_owned())
}

/// Writes plans in the format that was asked for; fails when a file could not be read.
pub(super) fn write_reviewed(cli: &Cli, reviewed: &[Reviewed]) -> Result<Outcome, CommandError> {
    let width = terminal::report_width(&cli.output);
    let report = match cli.output.format {
        Format::Text => write_text(reviewed, width),
        Format::Markdown => write_markdown(reviewed, width),
        Format::Html => html::write_reviewed(reviewed),
        Format::Sql => return Err(no_migration()),
        Format::Json => {
            write_json(reviewed).map_err(|error| CommandError::Other(error.to_string()))?
        }
    };
    write(cli, &report)?;
    let failed: Vec<&Reviewed> = reviewed.iter().filter(|file| file.plans.is_err()).collect();
    for Reviewed { file, plans } in &failed {
        terminal::print_message(&format!(
            "{file}: {}",
            plans.as_ref().err().map_or("", String::as_str)
        ));
    }
    Ok(if failed.is_empty() {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

/// The file name extensions of plans; other files in a directory are skipped. A file that is given
/// by name is always read.
const EXTENSIONS: &[&str] = &[
    "json", "txt", "text", "yaml", "yml", "xml", "plan", "log", "csv", "md",
];

/// The given files, and the files below the given directories that may hold plans, sorted by name.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            add_directory(path, &mut files)?;
            if files.len() == before {
                return Err(CommandError::Other(format!(
                    "{}: the directory has no files that may hold plans (.{})",
                    path.display(),
                    EXTENSIONS.join(", .")
                )));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn add_directory(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    let file_error =
        |error: std::io::Error| CommandError::Other(format!("{}: {error}", directory.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(directory).map_err(file_error)?.collect();
    let mut paths: Vec<PathBuf> = entries
        .map_err(file_error)?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        // Links to directories are not followed: they may lead round in circles.
        if path.is_dir() && !path.is_symlink() {
            add_directory(&path, files)?;
        } else if may_hold_plans(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn may_hold_plans(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

fn review(path: &Path, bytes: Result<Vec<u8>, CommandError>) -> Reviewed {
    let plans = bytes.and_then(|bytes| read_plans(path, &bytes));
    Reviewed {
        file: path.display().to_string(),
        plans: plans.map_err(|error| without_name(&error.to_string(), path)),
    }
}

fn read_plans(path: &Path, bytes: &[u8]) -> Result<Vec<ReadPlan>, CommandError> {
    if let Some(recording) = recording(bytes) {
        let failed = |error: RecordingError| CommandError::Other(error.to_string());
        return Ok(baseline_plans(&recording.map_err(failed)?));
    }
    if let Some(file) = twin_file(bytes) {
        let server = &file.catalog.server;
        terminal::print_message(&format!(
            "{}: a twin file of the database {} (PostgreSQL {}), for advise --snapshot and check --snapshot; these are the plans in it",
            path.display(),
            server.database,
            server.version.split(' ').next().unwrap_or_default()
        ));
        let plan = |statement: &Statement| {
            let plan = file.plans.get(&statement.id)?.plan()?.clone();
            Some(of_workload(plan, statement))
        };
        return Ok(file.workload.statements().iter().filter_map(plan).collect());
    }
    let text = log::decode(bytes);
    let log = log::unwrap(&text);
    let failed = |error: read::ReadError| CommandError::Other(error.to_string());
    if !log::looks_like_log(&log.text) {
        return read::read(bytes).map_err(failed);
    }
    match logged_plans(path, &log) {
        // Values of a program, or a plan whose lines another program logged, can look like a log.
        Err(error) if log::plans(&log.text).is_empty() => read::read(bytes).map_err(|_| error),
        plans => plans,
    }
}

/// The plans that auto_explain logged. One that cannot be read gives a message, and the others are
/// read.
fn logged_plans(path: &Path, log: &log::Unwrapped<'_>) -> Result<Vec<ReadPlan>, CommandError> {
    let logged = log::plans(&log.text);
    if logged.is_empty() {
        return Err(CommandError::Other(
            "the log has no plans; auto_explain logs them".to_owned(),
        ));
    }
    let (mut plans, mut failures) = (Vec::new(), Vec::new());
    for entry in logged {
        match read::read_text(&entry.plan_text) {
            Ok(read) => plans.extend(read.into_iter().map(|plan| {
                plan.with_query(entry.query.as_deref())
                    .with_duration(entry.duration_ms)
                    .logged_at(log.line(entry.line))
            })),
            Err(reason) => {
                let line = log.line(entry.line);
                failures.push(format!("the plan logged at line {line}: {reason}"));
            }
        }
    }
    let Some(first) = failures.first() else {
        return Ok(plans);
    };
    let others = failures.len() - 1;
    let failure = if others > 0 {
        format!("{first} ({others} more could not be read)")
    } else {
        first.clone()
    };
    if plans.is_empty() {
        return Err(CommandError::Other(failure));
    }
    terminal::print_message(&format!("{}: {failure}", path.display()));
    Ok(plans)
}

fn without_name(message: &str, path: &Path) -> String {
    message
        .strip_prefix(&format!("{}: ", path.display()))
        .unwrap_or(message)
        .to_owned()
}

/// The twin file in these bytes; none if they are none.
fn twin_file(bytes: &[u8]) -> Option<TwinFile> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    bytes
        .starts_with(&GZIP)
        .then(|| TwinFile::read(bytes).ok())
        .flatten()
}

/// The recording in these bytes; none if they are not a recording.
fn recording(bytes: &[u8]) -> Option<Result<Recording, RecordingError>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let names_its_format = text.contains(FORMAT_PREFIX) && text.contains("\"format\"");
    names_its_format.then(|| Recording::from_json(text))
}

/// The plans of a recording without new indexes: what is shown of it among other files.
fn baseline_plans(recording: &Recording) -> Vec<ReadPlan> {
    let mut plans = Vec::new();
    for statement in recording.workload.statements() {
        let outcome = recording
            .first_plan(&statement.id)
            .and_then(PlanOutcome::plan);
        plans.extend(outcome.map(|plan| of_workload(plan.clone(), statement)));
    }
    plans
}

/// The plan of a statement of a workload, under its name.
fn of_workload(plan: Plan, statement: &Statement) -> ReadPlan {
    ReadPlan {
        of: Some(Box::new(OfWorkload {
            name: statement.id.to_string(),
            calls: statement.calls,
            mean_time_ms: statement.mean_time_ms,
        })),
        ..ReadPlan::of_statement(plan, &statement.sql)
    }
}

fn subject(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The advice of a recording; none if it is something else.
pub(super) fn recorded_advice(path: &Path, bytes: &[u8]) -> Result<Option<Advice>, CommandError> {
    let failed = |error: String| CommandError::Other(format!("{}: {error}", path.display()));
    let Some(recording) = recording(bytes) else {
        return Ok(None);
    };
    let recording = recording.map_err(|error| failed(error.to_string()))?;
    replayed(path, &recording).map(Some)
}

/// Runs the pipeline again with the recorded answers, which gives the same advice.
fn replayed(path: &Path, recording: &Recording) -> Result<Advice, CommandError> {
    let mut replay = Replay::new(recording);
    let (workload, limits) = (&recording.workload, &recording.limits);
    let failed = |error| CommandError::Other(format!("{}: {error}", path.display()));
    let mut advice = run_pipeline(workload, limits, &mut replay, &|_| {}).map_err(failed)?;
    if replay.unused() > 0 {
        advice.notices.push(Notice::UnusedAnswers(replay.unused()));
    }
    Ok(advice)
}

/// Shows the advice of a recording.
fn replay(
    (cli, parts): (&Cli, &ReportArgs),
    file: &Path,
    recording: &Recording,
) -> Result<Outcome, CommandError> {
    let advice = replayed(file, recording)?;
    if parts.is_empty() && !cli.output.verbose && interactive::is_requested(cli) {
        return interactive::on_recording(cli, file.display().to_string(), advice, recording);
    }
    advise::write_advice((cli, parts), &advice, &RunMeasurements::default())?;
    Ok(Outcome::Done)
}
