//! `pgrehearse advise`: capture → suggest → rehearse → report.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::planners::{LivePlanners, TwinMaker};
use super::{CommandError, Outcome, connection, workload, write};
use crate::advise::{Advice, StatementStatus, advise};
use crate::cli::{AdviseArgs, Cli, Format};
use crate::db::Session;
use crate::model::{Millis, QualifiedName};
use crate::rehearsal::recording::{Recorder, Recording};
use crate::report::json::{Measured, Report};
use crate::report::{markdown, text};
use crate::terminal::{self, Progress};
use crate::verdict::Limits;
use crate::workload::Workload;

pub(super) fn run(cli: &Cli, arguments: &AdviseArgs) -> Result<Outcome, CommandError> {
    let began = Instant::now();
    workload::check(&arguments.workload)?;
    let limits = arguments.limits.limits();
    let interrupt = connection::interrupt()?;
    let session = connection::session(cli, arguments.safety.safety(limits.max_write_block), &interrupt)?;
    let workload = workload::read(&arguments.workload, &session)?;
    let pg_bin = arguments.limits.pg_bin.clone();
    let maker = TwinMaker { rehearse: limits.rehearse, samples: !arguments.limits.no_sample, pg_bin, interrupt };
    let run = Run { workload: &workload, limits: &limits, maker, record: arguments.record.as_deref(), began };
    let advice = advise_and_report(cli, &session, &run)?;
    Ok(outcome(&advice, arguments.fail_on))
}

/// What to advise on, and how.
pub(super) struct Run<'a> {
    pub(super) workload: &'a Workload,
    pub(super) limits: &'a Limits,
    pub(super) maker: TwinMaker,
    pub(super) record: Option<&'a Path>,
    pub(super) began: Instant,
}

/// Advises over a session and writes the report.
pub(super) fn advise_and_report(cli: &Cli, session: &Session, run: &Run<'_>) -> Result<Advice, CommandError> {
    let progress = Progress::new(&cli.output);
    let mut planners = LivePlanners::new(session, run.workload, run.maker.clone());
    let mut recorder = Recorder::new(&mut planners);
    let advised = advise(run.workload, run.limits, &mut recorder, &|event| progress.observe(event));
    let recording = recorder.finish(run.workload.clone(), run.limits.clone());
    let advice = advised?;
    if let Some(file) = run.record {
        save(&recording, file)?;
    }
    let left_behind = planners.server().count_existing(&rehearsed_names(&advice))?;
    let measured = Measured { left_behind, total: Millis::from(run.began.elapsed()), server: session.waited() };
    write_advice(cli, &advice, measured)?;
    Ok(advice)
}

/// Keeps a recording in a file.
pub(super) fn save(recording: &Recording, file: &Path) -> Result<(), CommandError> {
    let json = serde_json::to_string(recording).map_err(|error| CommandError::File(error.to_string()))?;
    fs::write(file, json).map_err(|error| CommandError::File(format!("{}: {error}", file.display())))
}

/// Every name under which an index was or would have been built.
fn rehearsed_names(advice: &Advice) -> Vec<QualifiedName> {
    let recommended = advice.recommendations.iter().map(|recommendation| &recommendation.index);
    let rejected = advice.rejected.iter().map(|rejected| &rejected.index);
    recommended
        .chain(rejected)
        .map(|index| QualifiedName::new(index.index.table.schema.clone(), index.name.clone()))
        .collect()
}

/// Writes a report in the format that was asked for.
pub(super) fn write_advice(cli: &Cli, advice: &Advice, measured: Measured) -> Result<(), CommandError> {
    let report = match cli.output.format {
        Format::Text => text::write(advice, measured, terminal::report_width(&cli.output)),
        Format::Markdown => markdown::write(advice, measured),
        Format::Json => {
            Report::new(advice, measured).to_json().map_err(|error| CommandError::File(error.to_string()))?
        }
    };
    write(cli, &report).map(|_| ())
}

fn outcome(advice: &Advice, fail_on: Option<f64>) -> Outcome {
    let reaches = |percent: f64| {
        let benefits = advice.recommendations.iter().flat_map(|recommendation| &recommendation.benefits);
        benefits.into_iter().any(|benefit| benefit.before.saved_share(benefit.after) * 100.0 >= percent)
    };
    if fail_on.is_some_and(reaches) {
        return Outcome::Matched;
    }
    let none_planned = advice.statements.iter().all(|statement| statement.status != StatementStatus::Planned);
    if none_planned { Outcome::Failed } else { Outcome::Done }
}
