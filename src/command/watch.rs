//! `pgrehearse watch`: advises again and again on what was executed since the last time, and says only
//! what is new. Nothing is built on the server.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::advising::{AdviseOptions, Follow, advise_and_record};
use super::consent::Asking;
use super::planners::{LivePlanner, TwinMaker, check_pg_bin};
use super::{CommandError, Outcome, connection, write};
use crate::cli::{Cli, Format, WatchArgs};
use crate::db::Interrupt;
use crate::report::watch::{News, Watched, news_json, news_text};
use crate::terminal::{self, Progress};
use crate::verdict::{Limits, Rehearse};
use crate::workload::Workload;

/// So many statements are read, to find those that took most time since the last round.
const MAX_STATEMENTS: u32 = 5_000;

/// How soon a signal is noticed between two rounds.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn run(cli: &Cli, arguments: &WatchArgs) -> Result<Outcome, CommandError> {
    if !matches!(cli.output.format, Format::Text | Format::Json) {
        let message = "watch writes text or json";
        return Err(CommandError::Usage(message.to_owned()));
    }
    check_pg_bin(&arguments.limits.pg_bin)?;
    let interrupt = connection::interrupt()?;
    let mut watched = match &arguments.state {
        Some(file) => read_state(file)?,
        None => Watched::default(),
    };
    loop {
        let began = Instant::now();
        let round = round(cli, arguments, &interrupt, &mut watched);
        match round {
            Ok(news) => {
                if let Some(file) = &arguments.state {
                    write_state(file, &watched)?;
                }
                tell(cli, arguments, &news)?;
                if arguments.once {
                    return Ok(match news.is_empty() {
                        true => Outcome::Done,
                        false => Outcome::Matched,
                    });
                }
            }
            Err(error) if arguments.once || is_final(&error) => return Err(error),
            // The server may be back in the next round.
            Err(error) => terminal::print_message(&error.to_string()),
        }
        let every = Duration::from_secs_f64(arguments.every.0.max(1_000.0) / 1_000.0);
        while began.elapsed() < every {
            if interrupt.is_raised() {
                return Ok(Outcome::Interrupted);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

fn is_final(error: &CommandError) -> bool {
    matches!(error, CommandError::Usage(_) | CommandError::Interrupted(_))
}

/// Advises on what was executed since the last round.
fn round(
    cli: &Cli,
    arguments: &WatchArgs,
    interrupt: &Interrupt,
    watched: &mut Watched,
) -> Result<News, CommandError> {
    let limits = Limits {
        rehearse: Rehearse::Twin,
        ..arguments.limits.limits()
    };
    let session = connection::session(cli, arguments.safety.safety(&limits), interrupt)?;
    let mut all = Workload::default();
    session.add_stat_statements(MAX_STATEMENTS, &mut all)?;
    let workload = watched.since(&all, arguments.top);
    if workload.statements().is_empty() {
        watched.count(&all);
        return Ok(News::default());
    }
    let twin_maker = TwinMaker {
        rehearse: limits.rehearse,
        may_sample: !arguments.limits.no_sample,
        jobs: arguments.limits.jobs(),
        pg_bin: arguments.limits.pg_bin.iter().cloned().collect(),
        interrupt: interrupt.clone(),
    };
    let planner = LivePlanner::new(&session, &workload, twin_maker.clone());
    let mut planner = planner.within(&limits);
    let options = AdviseOptions {
        limits: &limits,
        asking: Asking::Silent,
        twin_maker,
        what_if: None,
        record: None,
        started: Instant::now(),
        follow: Follow::default(),
        standbys: Vec::new(),
    };
    let progress = Progress::new(&cli.output);
    let (advice, _) = advise_and_record(&mut planner, &workload, &options, &progress)?;
    drop(planner);
    if advice.rehearsal.interrupted {
        return Err(CommandError::Interrupted(
            crate::planner::Rollback::Confirmed,
        ));
    }
    // What a round that failed has not said, the next one says.
    watched.count(&all);
    Ok(watched.news(&advice))
}

/// Says what is new, if anything is.
fn tell(cli: &Cli, arguments: &WatchArgs, news: &News) -> Result<(), CommandError> {
    if news.is_empty() {
        return Ok(());
    }
    let json = news_json(news).map_err(|error| CommandError::Other(error.to_string()))?;
    let text = match cli.output.format {
        Format::Json => json.clone(),
        _ => news_text(news, terminal::report_width(&cli.output)),
    };
    write(cli, &text)?;
    terminal::ring();
    match &arguments.notify {
        Some(command) => notify(command, &json),
        None => Ok(()),
    }
}

/// Runs the user's command with what is new on its standard input.
fn notify(command: &str, json: &str) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| CommandError::Other(format!("--notify: {error}"));
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read is no failure.
        let _ = input.write_all(json.as_bytes());
    }
    let status = child.wait().map_err(failed)?;
    match status.success() {
        true => Ok(()),
        false => Err(CommandError::Other(format!(
            "--notify: it ended with {status}"
        ))),
    }
}

fn read_state(file: &Path) -> Result<Watched, CommandError> {
    let named = |error: String| CommandError::Other(format!("{}: {error}", file.display()));
    match std::fs::read(file) {
        Ok(bytes) => Watched::from_json(&bytes).map_err(named),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Watched::default()),
        Err(error) => Err(named(error.to_string())),
    }
}

/// Writes a new file and puts it in place of the old, so that there is always a whole one.
fn write_state(file: &Path, watched: &Watched) -> Result<(), CommandError> {
    let named = |error: String| CommandError::Other(format!("{}: {error}", file.display()));
    let json = watched
        .to_json()
        .map_err(|error| named(error.to_string()))?;
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut new =
        tempfile::NamedTempFile::new_in(directory).map_err(|error| named(error.to_string()))?;
    new.write_all(json.as_bytes())
        .map_err(|error| named(error.to_string()))?;
    new.persist(file)
        .map_err(|error| named(error.to_string()))?;
    Ok(())
}
