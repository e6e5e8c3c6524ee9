//! What running the pipeline has in common, on a server, a twin file or a foreign server.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::CommandError;
use super::consent::{Asking, Consent, WithConsent};
use super::phase_clock::PhaseClock;
use super::planners::TwinMaker;
use super::stoppable::Stoppable;
use super::time_limit::TimeLimit;
use super::what_if::ChangedConditions;
use crate::advise::foreign::ForeignServer;
use crate::advise::{Advice, advise};
use crate::db::Safety;
use crate::model::{Millis, QualifiedName};
use crate::planner::recording::{Recorder, Recording};
use crate::planner::{Event, Planner};
use crate::terminal::{self, Progress};
use crate::verdict::Limits;
use crate::workload::Workload;

const STOPPED: &str = "interrupted: nothing is tested or built any more, and what is known by now is reported; a second Ctrl-C ends the program at once";

/// How to advise, on a server or on a twin file.
#[derive(Clone)]
pub(super) struct AdviseOptions<'a> {
    pub(super) limits: &'a Limits,
    /// Who is told or asked before something is built.
    pub(super) asking: Asking,
    pub(super) twin_maker: TwinMaker,
    pub(super) what_if: Option<ChangedConditions>,
    pub(super) record: Option<&'a Path>,
    pub(super) started: Instant,
    /// Which foreign servers are asked, too.
    pub(super) follow: Follow,
    /// Connections to other servers of the cluster, whose counters are added.
    pub(super) standbys: Vec<String>,
}

/// Which foreign servers are asked, and how they are reached.
#[derive(Debug, Clone, Default)]
pub(super) struct Follow {
    /// All that the workload uses.
    pub(super) all: bool,
    /// Connections that were given, by the server's name.
    pub(super) connections: BTreeMap<String, String>,
    /// Limits for what is asked of them.
    pub(super) safety: Safety,
}

impl Follow {
    pub(super) fn includes(&self, server: &ForeignServer) -> bool {
        server.is_postgres && (self.all || self.connections.contains_key(&server.name))
    }
}

pub(super) fn advise_and_record(
    planner: &mut dyn Planner,
    workload: &Workload,
    options: &AdviseOptions<'_>,
    progress: &Progress,
) -> Result<Advised, CommandError> {
    let interrupt = &options.twin_maker.interrupt;
    let consent = Consent::new(options.asking, options.limits, interrupt);
    let mut planner = WithConsent::new(planner, &consent);
    let mut planner = TimeLimit::new(&mut planner, options.limits.search_time);
    let mut planner = Stoppable::new(&mut planner, interrupt, || {
        terminal::print_message(STOPPED);
    });
    let clock = PhaseClock::default();
    let observer = |event: Event<'_>| {
        clock.observe(event);
        consent.observe(event);
        progress.observe(event);
    };
    // A recording keeps every plan: only who wants one pays for it.
    let Some(file) = options.record else {
        let advice = advise(workload, options.limits, &mut planner, &observer)?;
        return Ok((advice, clock.times()));
    };
    let mut recorder = Recorder::new(&mut planner);
    let advised = advise(workload, options.limits, &mut recorder, &observer);
    let recording = recorder.finish(workload.clone(), options.limits.clone());
    let advice = advised?;
    save(&recording, file)?;
    Ok((advice, clock.times()))
}

/// The advice, and how long each phase took.
type Advised = (Advice, BTreeMap<String, Millis>);

/// Writes a recording to a file.
pub(super) fn save(recording: &Recording, file: &Path) -> Result<(), CommandError> {
    let json =
        serde_json::to_string(recording).map_err(|error| CommandError::Other(error.to_string()))?;
    terminal::create_private(file)
        .and_then(|mut created| created.write_all(json.as_bytes()))
        .map_err(|error| CommandError::Other(format!("{}: {error}", file.display())))
}

/// The names of all candidates: after the run, no index may have such a name.
pub(super) fn candidate_names(advice: &Advice) -> Vec<QualifiedName> {
    let recommended = advice
        .recommendations
        .iter()
        .map(|recommendation| &recommendation.index);
    let rejected = advice.rejected.iter().map(|rejected| &rejected.index);
    recommended
        .chain(rejected)
        .map(|index| QualifiedName::new(index.definition.table.schema.clone(), index.name.clone()))
        .collect()
}
