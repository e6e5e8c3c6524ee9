//! `pgrehearse advise`: runs the pipeline on a server or on a twin file, and writes the report.

use std::path::Path;
use std::time::Instant;

use super::advising::{AdviseOptions, Follow, advise_and_record, left_behind, unless_interrupted};
use super::consent::Asking;
use super::planners::{LivePlanner, TwinMaker, check_pg_bin};
use super::what_if::ChangedConditions;
use super::{
    CommandError, Outcome, connection, foreign_servers, snapshot, standbys, workload, write,
};
use crate::advise::notice::Notice;
use crate::advise::{Advice, StatementStatus};
use crate::cli::{AdviseArgs, Cli, Format, OutputArgs, ReportArgs};
use crate::db::Session;
use crate::model::Millis;
use crate::report::json::Report;
use crate::report::migration::{self, Direction};
use crate::report::run_measurements::RunMeasurements;
use crate::report::{html, markdown, part, short, text};
use crate::terminal::{self, Progress};
use crate::twin::Snapshot;
use crate::verdict::Limits;
use crate::workload::Workload;

pub(super) fn run(cli: &Cli, arguments: &AdviseArgs) -> Result<Outcome, CommandError> {
    let started = Instant::now();
    check_parts(cli, &arguments.report)?;
    let what_if = ChangedConditions::read(arguments)?;
    let limits = Limits {
        follow_foreign: arguments.follow_foreign,
        ..arguments.run.limits.limits()
    };
    let interrupt = connection::interrupt()?;
    let twin_maker = TwinMaker {
        rehearse: limits.rehearse,
        may_sample: !arguments.run.limits.no_sample,
        jobs: arguments.run.limits.jobs(),
        pg_bin: arguments.run.limits.pg_bin.iter().cloned().collect(),
        interrupt: interrupt.clone(),
    };
    check_pg_bin(&twin_maker.pg_bin)?;
    let record = arguments.run.record.as_deref();
    let options = AdviseOptions {
        limits: &limits,
        // Nothing is built without a server.
        asking: match arguments.snapshot.first() {
            Some(_) => Asking::Silent,
            None => Asking::new(arguments.run.yes, cli.output.quiet),
        },
        twin_maker,
        what_if,
        record,
        started,
        follow: Follow {
            all: arguments.follow_foreign,
            connections: arguments.foreign_servers.iter().cloned().collect(),
            safety: arguments.run.safety.safety(&limits),
        },
        standbys: arguments.standbys.clone(),
    };
    if let [file, other, ..] = arguments.snapshot.as_slice() {
        return Err(CommandError::Usage(format!(
            "advice is for one server: pgrehearse check {} {} compares two twin files",
            file.display(),
            other.display()
        )));
    }
    if let Some(file) = arguments.snapshot.first() {
        return advise_from_snapshot(cli, arguments, file, &options);
    }
    // Where the indexes of all tables are checked, that can be all that is done.
    let only_checks = limits.all_tables && arguments.run.workload.is_empty();
    if !only_checks {
        workload::check(&arguments.run.workload)?;
    }
    let session = connection::session(cli, arguments.run.safety.safety(&limits), &interrupt)?;
    let workload = if only_checks {
        Workload::default()
    } else {
        let progress = Progress::new(&cli.output);
        workload::read(&arguments.run.workload, &session, &|event| {
            progress.observe(event);
        })?
    };
    workload::check_names(&limits.analyze_volatile, &workload)?;
    let advice = advise_and_report((cli, &arguments.report), &session, &workload, &options)?;
    Ok(outcome(&advice, arguments.fail_on))
}

/// Advises on a workload of a server and writes the report.
pub(super) fn advise_and_report(
    (cli, report): (&Cli, &ReportArgs),
    session: &Session,
    workload: &Workload,
    options: &AdviseOptions<'_>,
) -> Result<Advice, CommandError> {
    let progress = Progress::new(&cli.output);
    let planner = LivePlanner::new(session, workload, options.twin_maker.clone());
    let planner = planner.keeping_samples(options.what_if.is_some());
    let planner = planner.with_counters(standbys::counters(cli, session, options)?);
    let mut planner = planner.within(options.limits);
    let (mut advice, phases) = advise_and_record(&mut planner, workload, options, &progress)?;
    let left_behind = left_behind(&planner, &advice)?;
    note_silence(session, &mut advice);
    if !has_ended(&advice) {
        foreign_servers::ask(cli, session, options, &mut advice, &progress)?;
    }
    if options.what_if.is_some() && !has_ended(&advice) {
        let snapshot = planner.into_snapshot(&advice.catalog)?;
        compare_conditions(&mut advice, workload, &snapshot, options, &progress)?;
    }
    let measured = RunMeasurements {
        left_behind,
        total: Some(Millis::from(options.started.elapsed())),
        server: Some(session.waited()),
        phases,
    };
    write_advice((cli, report), &advice, &measured)?;
    Ok(advice)
}

/// Is there nobody to ask any more?
fn has_ended(advice: &Advice) -> bool {
    advice.rehearsal.server_silent.is_some() || advice.rehearsal.interrupted
}

/// What would be advised under the conditions of `--scale` and `--setting`.
fn compare_conditions(
    advice: &mut Advice,
    workload: &Workload,
    snapshot: &Snapshot,
    options: &AdviseOptions<'_>,
    progress: &Progress,
) -> Result<(), CommandError> {
    let Some(changed) = &options.what_if else {
        return Ok(());
    };
    let run = (workload, options.limits);
    let compared = changed.compare(advice, run, snapshot, &options.twin_maker, &|event| {
        progress.observe(event);
    });
    advice.what_if = unless_interrupted(advice, compared)?;
    Ok(())
}

/// No question of the pipeline need have met the silence: also samples and the twin are read from
/// the server.
fn note_silence(session: &Session, advice: &mut Advice) {
    if let (Some(silence), None) = (session.silence(), advice.rehearsal.server_silent) {
        advice.rehearsal.server_silent = Some(silence);
        advice.notices.insert(0, Notice::ServerSilent(silence));
    }
}

/// Advises from a twin file, without a connection, and writes the report.
fn advise_from_snapshot(
    cli: &Cli,
    arguments: &AdviseArgs,
    path: &Path,
    options: &AdviseOptions<'_>,
) -> Result<Outcome, CommandError> {
    let progress = Progress::new(&cli.output);
    let file = snapshot::read(path, &options.twin_maker.interrupt)?;
    let workload = workload::read_offline(&arguments.run.workload, &file.workload, &|event| {
        progress.observe(event);
    })?;
    workload::check_names(&options.limits.analyze_volatile, &workload)?;
    if options.limits.all_tables && file.others.is_none() {
        return Err(CommandError::Usage(format!(
            "{} has only the tables of its workload: --all-tables needs a file that pgrehearse snapshot --all-tables wrote",
            path.display()
        )));
    }
    // Such a file says enough about all tables.
    let limits = Limits {
        all_tables: file.others.is_some(),
        ..options.limits.clone()
    };
    let options = &AdviseOptions {
        limits: &limits,
        ..options.clone()
    };
    let mut planner = snapshot::planner(&file, &options.twin_maker)?;
    let (mut advice, phases) = advise_and_record(&mut planner, &workload, options, &progress)?;
    drop(planner);
    if !has_ended(&advice) {
        compare_conditions(&mut advice, &workload, &file.snapshot, options, &progress)?;
    }
    let measured = RunMeasurements {
        total: Some(Millis::from(options.started.elapsed())),
        phases,
        ..RunMeasurements::default()
    };
    write_advice((cli, &arguments.report), &advice, &measured)?;
    Ok(outcome(&advice, arguments.fail_on))
}

/// Writes a report in the format of `--format`, or the parts of it that were asked for.
pub(super) fn write_advice(
    (cli, parts): (&Cli, &ReportArgs),
    advice: &Advice,
    measured: &RunMeasurements,
) -> Result<(), CommandError> {
    let width = terminal::report_width(&cli.output);
    let report = match cli.output.format {
        Format::Text if !parts.is_empty() => parts_of(advice, parts, width)?,
        Format::Text => whole_or_short(advice, measured, (&cli.output, width)),
        Format::Markdown => markdown::write(advice, measured),
        Format::Html => html::write_advice(advice, measured),
        Format::Sql if parts.down => migration::write(advice, Direction::Down),
        Format::Sql => migration::write(advice, Direction::Up),
        Format::Json => Report::new(advice, measured)
            .to_json()
            .map_err(|error| CommandError::Other(error.to_string()))?,
    };
    write(cli, &report).map(|_| ())
}

/// Parts are printed as text only.
pub(super) fn check_parts(cli: &Cli, parts: &ReportArgs) -> Result<(), CommandError> {
    if parts.down && cli.output.format != Format::Sql {
        let message = "--down goes with --format sql";
        return Err(CommandError::Usage(message.to_owned()));
    }
    if parts.is_empty() || cli.output.format == Format::Text {
        return Ok(());
    }
    let message = "--explain and --statement print text: leave --format away";
    Err(CommandError::Usage(message.to_owned()))
}

fn whole_or_short(
    advice: &Advice,
    measured: &RunMeasurements,
    (output, width): (&OutputArgs, usize),
) -> String {
    if output.verbose {
        text::write(advice, measured, width)
    } else {
        short::write(advice, measured, width)
    }
}

/// The parts that `--explain` and `--statement` name.
fn parts_of(advice: &Advice, parts: &ReportArgs, width: usize) -> Result<String, CommandError> {
    let explained = parts
        .explain
        .iter()
        .map(|name| part::explain(advice, name, width));
    let statements = parts
        .statements
        .iter()
        .map(|name| part::statement(advice, name, width));
    explained
        .chain(statements)
        .collect::<Result<Vec<String>, part::NoSuchPart>>()
        .map(|texts| texts.join("\n"))
        .map_err(|missing| CommandError::Other(no_such_part(&missing)))
}

fn no_such_part(missing: &part::NoSuchPart) -> String {
    match missing.known.as_slice() {
        [] => format!("the report has no {:?}", missing.name),
        known => format!(
            "the report has no {:?}; it has {}",
            missing.name,
            known.join(", ")
        ),
    }
}

fn outcome(advice: &Advice, fail_on: Option<f64>) -> Outcome {
    let reaches = |percent: f64| {
        let elsewhere = advice.foreign_servers.iter();
        let elsewhere = elsewhere.filter_map(|server| advice.followed(server));
        let recommendations = elsewhere.flat_map(|advice| &advice.recommendations);
        let benefits = advice
            .recommendations
            .iter()
            .chain(recommendations)
            .flat_map(|recommendation| &recommendation.benefits);
        benefits
            .into_iter()
            .any(|benefit| benefit.before.saved_share(benefit.after) * 100.0 >= percent)
    };
    if advice.rehearsal.interrupted {
        return Outcome::Interrupted;
    }
    if fail_on.is_some_and(reaches) {
        return Outcome::Matched;
    }
    let none_planned = advice
        .statements
        .iter()
        .all(|statement| statement.status != StatementStatus::Planned);
    let only_checked = advice.statements.is_empty() && advice.checked.all;
    if (none_planned && !only_checked) || advice.rehearsal.server_silent.is_some() {
        Outcome::Failed
    } else {
        Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::advising::tests::advised;

    #[test]
    fn fail_on_matches_from_its_percentage_on() {
        let advice = advised();
        assert_eq!(outcome(&advice, None), Outcome::Done);
        assert_eq!(outcome(&advice, Some(95.0)), Outcome::Matched);
        assert_eq!(outcome(&advice, Some(95.1)), Outcome::Done);
    }

    #[test]
    fn a_run_fails_only_when_no_statement_was_planned() {
        let mut advice = advised();
        advice.recommendations.clear();
        assert_eq!(outcome(&advice, Some(1.0)), Outcome::Done);
        advice.statements.push(advice.statements[0].clone());
        advice.statements[0].status = StatementStatus::Failed;
        assert_eq!(outcome(&advice, None), Outcome::Done);
        advice.statements[1].status = StatementStatus::Skipped;
        assert_eq!(outcome(&advice, None), Outcome::Failed);
        advice.statements.clear();
        assert_eq!(outcome(&advice, None), Outcome::Failed);
    }
}
