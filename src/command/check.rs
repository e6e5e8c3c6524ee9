//! `pgrehearse check`: does a change make statements slower? Asked of the planner twin.

use std::path::Path;
use std::time::Instant;

use super::planners::{TwinMaker, check_pg_bin};
use super::twin_error::TwinError;
use super::{CommandError, Outcome, connection, interactive, migration_files, write};
use crate::check::gate::JudgedGate;
use crate::check::outcome::CheckOutcome;
use crate::cli::{CheckArgs, Cli, Format};
use crate::model::Millis;
use crate::report::check::{annotations, json, junit, markdown, sarif, text};
use crate::terminal::{self, Progress};
use crate::verdict::Rehearse;

mod advice;
mod baseline;
mod causes;
mod chance;
mod growth;
mod migration;
mod session;
mod snapshots;
mod subject;
mod upgrade;

pub(super) fn run(cli: &Cli, arguments: &CheckArgs) -> Result<Outcome, CommandError> {
    let started = Instant::now();
    check_usage(arguments)?;
    if arguments.tui {
        interactive::require_terminal(cli)?;
    }
    if matches!(cli.output.format, Format::Html | Format::Sql) {
        return Err(no_such_report());
    }
    let interrupt = connection::interrupt()?;
    let twin_maker = TwinMaker {
        rehearse: Rehearse::Twin,
        may_sample: true,
        jobs: 1,
        pg_bin: arguments.pg_bin.clone(),
        interrupt,
    };
    check_pg_bin(&twin_maker.pg_bin)?;
    let mut outcome = check(cli, arguments, &twin_maker)?;
    if let Some(directory) = &arguments.baseline {
        if arguments.update {
            return update(cli, &outcome, directory);
        }
        baseline::compare(&mut outcome, directory)?;
    }
    let gates: Vec<JudgedGate> = arguments
        .fail_on
        .iter()
        .map(|gate| gate.judge(&outcome))
        .collect();
    if arguments.tui {
        session::show(cli, &outcome, &gates)?;
        return Ok(status(&outcome, &gates));
    }
    write_reports(cli, arguments, &outcome, &gates, started)?;
    Ok(status(&outcome, &gates))
}

/// What is compared decides how.
fn check(
    cli: &Cli,
    arguments: &CheckArgs,
    twin_maker: &TwinMaker,
) -> Result<CheckOutcome, CommandError> {
    let progress = Progress::new(&cli.output);
    if let [before, after] = arguments.twins.as_slice() {
        return snapshots::compare((before, after), arguments, twin_maker, &progress);
    }
    let steps = match arguments.migrate.as_slice() {
        [] => Vec::new(),
        paths => migration_files::read(paths)?,
    };
    if let Some(version) = arguments.upgrade {
        // Before anything is read.
        twin_maker.binaries(version).map_err(TwinError::from)?;
    }
    let subject = subject::subject(cli, arguments, &steps, twin_maker)?;
    if let Some(factors) = arguments.grow {
        return growth::grow(&subject, factors, twin_maker, &progress);
    }
    if let Some(version) = arguments.upgrade {
        return upgrade::upgrade(&subject, version, twin_maker, &progress);
    }
    match arguments.analyze_risk {
        Some(draws) => chance::analyze_risk(&subject, draws.into(), twin_maker, &progress),
        None => migration::migrate(&subject, &steps, twin_maker, &progress),
    }
}

fn check_usage(arguments: &CheckArgs) -> Result<(), CommandError> {
    let usage = |message: &str| Err(CommandError::Usage(message.to_owned()));
    let is_pair = match arguments.twins.len() {
        0 => false,
        2 => true,
        _ => {
            return usage(
                "two twin files are compared, before and after: pgrehearse check A.twin B.twin",
            );
        }
    };
    let ways = [
        is_pair,
        !arguments.migrate.is_empty(),
        arguments.grow.is_some(),
        arguments.upgrade.is_some(),
        arguments.analyze_risk.is_some(),
    ];
    match ways.iter().filter(|way| **way).count() {
        0 if arguments.baseline.is_none() => usage(
            "nothing to check: name a migration (--migrate FILE), two twin files, expected plans (--baseline DIR), how much the data grow (--grow 2x..20x), another version (--upgrade 18), or what ANALYZE happens to find (--analyze-risk)",
        ),
        0 | 1 if is_pair && arguments.snapshot.is_some() => {
            usage("two twin files are compared without --snapshot")
        }
        0 | 1 => Ok(()),
        _ => usage(
            "--migrate, --grow, --upgrade, --analyze-risk and two twin files are checked one at a time",
        ),
    }
}

/// Accepts the plans as they are.
fn update(cli: &Cli, outcome: &CheckOutcome, directory: &Path) -> Result<Outcome, CommandError> {
    let changed = baseline::update(outcome, directory)?;
    let planned = outcome
        .statements
        .iter()
        .filter(|checked| checked.after.plan().is_some())
        .count();
    let text = format!(
        "{planned} expected plans in {}, {changed} files changed\n",
        directory.display()
    );
    let text = crate::model::printable::printable_lines(text.trim_end()) + "\n";
    write(cli, &text)?;
    Ok(if planned == outcome.statements.len() {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

fn write_reports(
    cli: &Cli,
    arguments: &CheckArgs,
    outcome: &CheckOutcome,
    gates: &[JudgedGate],
    started: Instant,
) -> Result<(), CommandError> {
    let other = |error: serde_json::Error| CommandError::Other(error.to_string());
    let report = match cli.output.format {
        Format::Text => text::write(outcome, gates, terminal::report_width(&cli.output)),
        Format::Markdown => markdown::write(outcome, gates),
        Format::Json => json::CheckReport::new(outcome, gates, Millis::from(started.elapsed()))
            .to_json()
            .map_err(other)?,
        Format::Html | Format::Sql => return Err(no_such_report()),
    };
    write(cli, &report)?;
    if let Some(path) = &arguments.junit {
        write_file(path, &junit::write(outcome, gates))?;
    }
    if let Some(path) = &arguments.sarif {
        write_file(path, &sarif::write(outcome).map_err(other)?)?;
    }
    if arguments.annotations {
        terminal::print_annotations(&annotations::write(outcome, gates))
            .map_err(|error| CommandError::Other(error.to_string()))?;
    }
    Ok(())
}

fn no_such_report() -> CommandError {
    CommandError::Usage("check reports as text, json or markdown".to_owned())
}

fn write_file(path: &Path, text: &str) -> Result<(), CommandError> {
    std::fs::write(path, text)
        .map_err(|error| CommandError::Other(format!("{}: {error}", path.display())))
}

/// A regression, if a condition of `--fail-on` is met; a failure, if the migration failed or nothing
/// could be compared.
fn status(outcome: &CheckOutcome, gates: &[JudgedGate]) -> Outcome {
    if gates.iter().any(JudgedGate::is_met) {
        return Outcome::Regressed;
    }
    let compared = outcome
        .statements
        .iter()
        .any(|checked| checked.change.is_some());
    let none_compared = !compared && !outcome.statements.is_empty();
    if !outcome.failed_steps().is_empty() || none_compared {
        Outcome::Failed
    } else {
        Outcome::Done
    }
}
